#pragma once

// Takes connections on the hub's sequence, of TCP or of a Unix socket. Sequence-bound, but for
// Listen, which may come before the loop runs.

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "hub/participants/listen_address.h"
#include "hub/participants/loop/socket_loop.h"

namespace remora::hub {

class Listener final : public SocketEvents {
 public:
  // Who gets a new socket, and owns it from then on. The loop outlives the listener, which is
  // destroyed when the loop no longer runs.
  using OnSocket = std::function<void(int socket)>;
  Listener(SocketLoop& loop, OnSocket on_socket) : loop_(loop), on_socket_(std::move(on_socket)) {}
  ~Listener() { Close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Unavailable, with the system's words: the address cannot be listened on. What an earlier
  // process left of a Unix socket is replaced.
  absl::Status Listen(const ListenAddress& address);
  // After Listen; 0 for a Unix socket.
  int port() const { return port_; }
  bool is_open() const { return socket_ >= 0; }
  void Close();

 private:
  void OnReadable() override;
  void OnWritable() override {}
  void TryAgainLater();
  void WatchAgain();

  SocketLoop& loop_;
  const OnSocket on_socket_;
  int socket_ = -1;
  bool is_unix_ = false;
  int port_ = 0;
  std::optional<uint32_t> watch_;
};

}  // namespace remora::hub
