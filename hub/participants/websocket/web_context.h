#pragma once

// What the connections of one web server share. All of it belongs to the web server's thread but
// `io`, which takes posts from any, and `streams`. Kept alive by whoever may still post.

#include <memory>
#include <set>

#include "hub/participants/websocket/beast.h"
#include "hub/participants/websocket/web_api.h"
#include "hub/participants/websocket/web_server.h"
#include "hub/participants/websocket/web_streams.h"

namespace remora::hub {

// An open HTTP connection, so that the server can end it.
class WebMember {
 public:
  virtual ~WebMember() = default;
  // Closes the socket; what is pending on it fails.
  virtual void Abort() = 0;
};

struct WebContext {
  WebContext(WebServerParts server_parts, WebServer::Options& options)
      : parts(server_parts),
        streams(
            std::make_shared<WebStreams>(*parts.loop, *parts.host, *parts.observer, *parts.clock)),
        api(*parts.authenticator, *parts.sessions, StaticFiles(options.web_directory),
            std::move(options.pages)) {}

  const WebServerParts parts;
  const std::shared_ptr<WebStreams> streams;
  WebApi api;
  net::io_context io{1};
  std::set<WebMember*> members;
  bool draining = false;
};

// A connection that was just accepted.
void StartConnection(std::shared_ptr<WebContext> context, tcp::socket socket);

}  // namespace remora::hub
