#pragma once

// The hub's web side on one port: the workstation's pages, its small API (web_api.h), and the
// participants' stream over WebSocket, where each binary message is one Up or Down.
//
// Pages and API run on a thread of their own, so that a slow browser or a large asset never holds
// the hub's sequence; a stream's socket moves to that sequence once it is admitted (web_streams.h).
// Boost headers stay inside this folder. Start, Drain and Stop from the program's main
// part; the hub's sequence must run until Stop has returned.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/listen_address.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"
#include "hub/participants/websocket/web_api.h"
#include "hub/participants/websocket/web_sessions.h"

namespace remora::hub {

// All outlive the server.
struct WebServerParts {
  class SocketLoop* loop = nullptr;
  SessionHost* host = nullptr;
  Authenticator* authenticator = nullptr;
  TransportObserver* observer = nullptr;
  WebSessions* sessions = nullptr;
  Clock* clock = nullptr;
};

class WebServer {
 public:
  struct Options {
    ListenAddress address;
    // The built workstation; empty: none.
    std::string web_directory;
    OperationsPages pages;
  };

  WebServer(Options options, WebServerParts parts);
  // Stops.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  // Binds and begins to answer. Unavailable: the address cannot be listened on.
  absl::Status Start();
  // After Start.
  uint16_t port() const;

  // No new connections; each stream ends with close code 1012 once what waits is written.
  void Drain();
  // Drains for at most kDrainTimeout, cuts what is left, joins the thread. Idempotent; not on the
  // hub's sequence.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remora::hub
