#pragma once

// What the fault proxy needs of sockets: descriptors that close themselves, an edge-triggered poll.
// Thread-compatible, but for Poll::Wait and Poll::Wake, which go beside the others.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/time.h"

namespace remora::testing {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { Close(); }
  void Close();
  // Ends a TCP connection with RST.
  void Reset();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// What has become possible on a socket; whoever finds that it is so no more clears it.
struct Readiness {
  bool readable = false;
  bool writable = false;
};

class Poll {
 public:
  Poll();
  // `readiness` outlives the watch. What is ready already is told too.
  uint64_t Watch(int fd, Readiness* readiness);
  void Unwatch(uint64_t id) { watched_.erase(id); }

  struct Event {
    uint64_t id = 0;
    uint32_t what = 0;
  };
  // Waits without touching what is watched; Note() tells what came.
  std::vector<Event> Wait(std::optional<Duration> limit);
  void Note(const std::vector<Event>& events);
  // Ends a Wait, now or when it comes.
  void Wake();

 private:
  Descriptor epoll_, wake_;
  uint64_t next_ = 1;
  std::map<uint64_t, Readiness*> watched_;
};

// Loopback TCP, not blocking. A port of 0 is chosen by the system.
absl::StatusOr<Descriptor> BoundSocket(int port);
absl::StatusOr<int> PortOf(const Descriptor& socket);
absl::Status Listen(const Descriptor& socket);
absl::StatusOr<Descriptor> ConnectingSocket(int port);
std::optional<Descriptor> Accept(const Descriptor& listener);
absl::StatusOr<Descriptor> ListeningUnixSocket(const std::string& path);

absl::Status ErrnoStatus(const std::string& what);

}  // namespace remora::testing
