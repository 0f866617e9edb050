#pragma once

// What the connections of one web server share. All of it belongs to the web server's thread but
// `io`, which takes posts from any. Kept alive by whoever may still post.

#include <memory>
#include <set>

#include "hub/participants/websocket/beast.h"
#include "hub/participants/websocket/web_api.h"
#include "hub/participants/websocket/web_server.h"

namespace remora::hub {

// An open connection, so that the server can end it.
class WebMember {
 public:
  virtual ~WebMember() = default;
  // Ends politely, soon.
  virtual void Drain() = 0;
  // Closes the socket; what is pending on it fails.
  virtual void Abort() = 0;
};

struct WebContext {
  WebContext(WebServerParts server_parts, WebServer::Options& options)
      : parts(server_parts),
        api(*parts.authenticator, *parts.sessions, StaticFiles(options.web_directory),
            std::move(options.pages)) {}

  WebServerParts parts;
  WebApi api;
  net::io_context io{1};
  std::set<WebMember*> members;
  size_t streams = 0;
  bool draining = false;
  // Called when a stream is gone.
  std::function<void()> on_stream_gone;
};

// The request that a WebSocket begins with; `socket` is the connection that it came on.
void StartStream(std::shared_ptr<WebContext> context, beast::tcp_stream socket,
                 boost::beast::http::request<boost::beast::http::string_body> request,
                 Identity identity);

// A connection that was just accepted.
void StartConnection(std::shared_ptr<WebContext> context, tcp::socket socket);

}  // namespace remora::hub
