#pragma once

// The participants' streams over WebSocket, on the hub's sequence: the web server's thread reads
// the request that asks for one, admits it, and hands the socket over. Sequence-bound but for size
// and Take.

#include <atomic>
#include <functional>
#include <memory>
#include <set>

#include "hub/participants/loop/socket_loop.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"
#include "hub/participants/websocket/beast.h"

namespace remora::hub {

class StreamConnection;

// A socket whose request asks for a stream.
struct StreamRequest {
  tcp protocol = tcp::v4();
  tcp::socket::native_handle_type socket = -1;
  boost::beast::http::request<boost::beast::http::string_body> request;
  Identity identity;
};

class WebStreams : public std::enable_shared_from_this<WebStreams> {
 public:
  // All outlive the loop's run.
  WebStreams(SocketLoop& loop, SessionHost& host, TransportObserver& observer, Clock& clock)
      : loop_(loop), host_(host), observer_(observer), clock_(clock) {}

  // From any thread. The socket is its own from here on.
  void Take(StreamRequest request);
  // Streams, with those that are on their way.
  size_t size() const { return size_; }

  // Each stream ends with close code 1012 once what waits is written; new ones as well.
  void Drain();
  // Drains, cuts what is left after kDrainTimeout, then calls `then`.
  void Stop(std::function<void()> then);

 private:
  friend class StreamConnection;
  void StopWhenDrained(DeviceTime deadline, std::function<void()> then);

  SocketLoop& loop_;
  SessionHost& host_;
  TransportObserver& observer_;
  Clock& clock_;
  std::set<StreamConnection*> members_;
  std::atomic<size_t> size_{0};
  bool draining_ = false;
};

}  // namespace remora::hub
