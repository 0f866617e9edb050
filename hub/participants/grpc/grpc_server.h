#pragma once

// The hub's gRPC side, and the hub's sequence: one thread that owns rooms, sessions and followers.
//
//   GrpcServer server(options, clock);     // its executor() can be handed to the core from here on
//   server.Start(authenticator, host);     // binds; answers nothing yet
//   server.Run();                          // the calling thread becomes the sequence
//   server.Stop();                         // from any thread: Run returns soon after
//
// One turn of the sequence: take events until none is left (or kMaxEventsPerDrain), then posted
// tasks, due timers, SessionHost::EndOfDrain, and only then start the writes of the sessions that
// asked: so that one write carries everything that one turn brought.
//
// Each session has one read and at most one write in flight: what a sender sends too fast stays in
// its own HTTP/2 window. gRPC headers stay inside this folder. Start comes
// before Run, on whichever threads; executor, Drain, Stop and last_turn are thread-safe.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/executor.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"

namespace remora::hub {

// Process-wide, before any gRPC object is made: gRPC's own log is silenced (GRPC_VERBOSITY in the
// environment brings it back), and the lock-order checks of Debian's Abseil are turned off.
void PrepareGrpcProcess();

class GrpcServer {
 public:
  struct Options {
    // "HOST:PORT" or "unix:PATH"; port 0 chooses a free one.
    std::string address;
  };

  GrpcServer(Options options, Clock& clock, TransportObserver& observer);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The hub's sequence. Tasks posted before Run wait for it, and come before any call is taken;
  // those posted after it returned are destroyed unrun with the server.
  Executor& executor();

  // Both must outlive Run. Unavailable: the address cannot be listened on.
  absl::Status Start(Authenticator& authenticator, SessionHost& host);
  // After Start; 0 for a Unix socket.
  int port() const;

  void Run();

  // Health says NOT_SERVING, new sessions are refused, those open end with UNAVAILABLE once what
  // waits is written.
  void Drain();
  // Drains for at most kDrainTimeout, cuts what is left, and ends Run.
  void Stop();

  // When the sequence last ended a turn, or began to run.
  DeviceTime last_turn() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remora::hub
