#pragma once

// The participants' streams over WebSocket, on the hub's sequence: the web server's thread reads
// the request that asks for one, admits it, shakes hands, and hands the socket over. Sequence-bound
// but for size, Reserve, Release and Take.

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "hub/participants/loop/socket_loop.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"

namespace remora::hub {

class StreamConnection;

// A socket that has become a WebSocket.
struct StreamRequest {
  int socket = -1;
  Identity identity;
};

class WebStreams : public std::enable_shared_from_this<WebStreams> {
 public:
  // All outlive the loop's run.
  WebStreams(SocketLoop& loop, SessionHost& host, TransportObserver& observer, Clock& clock)
      : loop_(loop), host_(host), observer_(observer), clock_(clock) {}

  // Streams, with those that are on their way.
  size_t size() const { return size_; }
  // A place for one that is on its way, until Take or Release. False: all are taken.
  bool Reserve();
  void Release() { --size_; }
  // The socket is its own from here on.
  void Take(StreamRequest request);

  // Each stream ends with close code 1012 once what waits is written; new ones are cut.
  void Drain();
  // Drains, cuts what is left after kDrainTimeout, then calls `then`.
  void Stop(std::function<void()> then);

 private:
  friend class StreamConnection;
  void StopWhenDrained(DeviceTime deadline, std::function<void()> then);
  void TickLater();
  // Kept alive: one may end while it is told something.
  std::vector<std::shared_ptr<StreamConnection>> Members() const;

  SocketLoop& loop_;
  SessionHost& host_;
  TransportObserver& observer_;
  Clock& clock_;
  std::set<StreamConnection*> members_;
  std::atomic<size_t> size_{0};
  bool draining_ = false;
  bool ticking_ = false;
};

}  // namespace remora::hub
