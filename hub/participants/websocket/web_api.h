#pragma once

// What the hub answers over HTTP, and who may open a stream: everything of the web server but its
// sockets. Called on the web server's thread; the functions handed in must be thread-safe.
//
//   GET  /                    the workstation (static_files.h)
//   POST /v1/session          {"token": "..."}  ->  cookie remora_NAME,
//   {"name","displayName","role"} GET  /v1/session?identity=NAME              ->  the same JSON, or
//   401 DELETE /v1/session?identity=NAME            ->  forgets the cookie GET
//   /v1/stream?identity=NAME               WebSocket: AdmitStream GET  /healthz /readyz     200 or
//   503, with the reason in words GET  /metrics             for Prometheus

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/transport_observer.h"
#include "hub/participants/websocket/http_message.h"
#include "hub/participants/websocket/http_text.h"
#include "hub/participants/websocket/static_files.h"
#include "hub/participants/websocket/web_sessions.h"

namespace remora::hub {

// What operations give the web server to show. Each may be empty: 404, or always OK.
struct OperationsPages {
  std::function<std::string()> metrics_text;
  // The hub's sequence turns.
  std::function<absl::Status()> health;
  // What else a person should know of a hub that is well; empty: nothing.
  std::function<std::string()> health_note;
  // Every room is restored and the hub is not going down.
  std::function<absl::Status()> readiness;
};

inline constexpr char kStreamPath[] = "/v1/stream";

class WebApi {
 public:
  WebApi(Authenticator& authenticator, WebSessions& sessions, StaticFiles files,
         OperationsPages pages)
      : authenticator_(authenticator),
        sessions_(sessions),
        files_(std::move(files)),
        pages_(std::move(pages)) {}

  HttpResponse Handle(const HttpRequest& request_untrusted);

  // Who asks for a stream. Unauthenticated: no good cookie or token. PermissionDenied: a page of
  // another host, or a browser's request without Origin. InvalidArgument: not the stream's address.
  absl::StatusOr<Identity> AdmitStream(const HttpRequest& request_untrusted);

 private:
  HttpResponse OpenSession(const HttpRequest& request);
  HttpResponse ShowSession(const HttpRequest& request, const TargetParts& target);
  HttpResponse ForgetSession(const HttpRequest& request, const TargetParts& target);
  // By the cookie of the identity that the target names, or of the only one there is.
  absl::StatusOr<Identity> FromCookie(const HttpRequest& request, const TargetParts& target);

  Authenticator& authenticator_;
  WebSessions& sessions_;
  const StaticFiles files_;
  const OperationsPages pages_;
};

// What every answer carries to a page that talks to `host`: no foreign scripts, frames or sniffing.
std::vector<std::pair<std::string, std::string>> SecurityHeaders(absl::string_view host_untrusted);

// An error as the answer to a request.
HttpResponse ResponseFor(const absl::Status& status);

// "neurophysiologist" for ROLE_NEUROPHYSIOLOGIST.
std::string RoleName(v1::Role role);

}  // namespace remora::hub
