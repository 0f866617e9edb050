#pragma once

// The hub's gRPC side: SessionService, health and reflection over HTTP/2 on the hub's sequence
// (loop/socket_loop.h). The library's own server costs two to three times as much a delivery
// (docs/adr/0005-grpc-on-nghttp2.md); clients are any gRPC's.
//
//   GrpcServer server(options, loop, clock, observer);
//   server.Start(authenticator, host);     // binds; answers once the loop runs
//   server.Stop(then);                     // from any thread: `then` is called on the sequence
//
// Each session has at most one batch on its way to its socket, and what a sender sends too fast
// stays in its own window. Start comes before the loop runs, or on the sequence; Drain and Stop are
// thread-safe.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/listen_address.h"
#include "hub/participants/loop/socket_loop.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"

namespace remora::hub {

class GrpcServer {
 public:
  // All outlive the server; it is destroyed when the loop no longer runs.
  GrpcServer(ListenAddress address, SocketLoop& loop, Clock& clock, TransportObserver& observer);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // Both must outlive the loop's run. Unavailable: the address cannot be listened on.
  absl::Status Start(Authenticator& authenticator, SessionHost& host);
  // After Start; 0 for a Unix socket.
  int port() const;

  // Health says NOT_SERVING, new sessions are refused, those open end with UNAVAILABLE once what
  // waits is written.
  void Drain();
  // Drains for at most kDrainTimeout, cuts what is left, then calls `then`.
  void Stop(std::function<void()> then);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remora::hub
