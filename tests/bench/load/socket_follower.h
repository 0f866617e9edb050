#pragma once

// Followers that parse their sockets' bytes themselves, all in one thread, as the peers' do: so
// that hubs are compared, and not client libraries.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/bench/load/control_page.h"
#include "tests/bench/load/follower.h"
#include "tests/bench/load/load_options.h"

namespace remora::bench {

// One connection, open from the beginning; what is wrong with it then ends the process.
class SocketFollower {
 public:
  explicit SocketFollower(const std::string& address);
  virtual ~SocketFollower();
  SocketFollower(const SocketFollower&) = delete;
  SocketFollower& operator=(const SocketFollower&) = delete;

  // Reads once and handles what is whole. False at the end of the stream.
  virtual bool ReadOnce() = 0;
  virtual void SendDue(int64_t now_ns) = 0;
  virtual bool stalls() const = 0;

  int socket() const { return socket_; }

 protected:
  // What came, at least a byte; 0 at the end of the stream.
  size_t Read(char* to, size_t most);
  // Blocks. That the other end is gone is noticed by reading.
  void Write(absl::string_view bytes);

 private:
  const int socket_;
};

// Until the run is over.
void FollowOnSockets(const LoadOptions& options, ControlPage* page, Tally* tally,
                     const std::function<std::unique_ptr<SocketFollower>(int index)>& make);

}  // namespace remora::bench
