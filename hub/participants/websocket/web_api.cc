#include "hub/participants/websocket/web_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

constexpr char kCookiePrefix[] = "remora_";

HttpResponse JsonResponse(int status, const nlohmann::json& body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return response;
}

HttpResponse IdentityResponse(const Identity& identity) {
  return JsonResponse(200, {{"name", identity.name},
                            {"displayName", identity.display_name},
                            {"role", RoleName(identity.role)}});
}

// The token of {"token": "..."}.
std::optional<std::string> TokenOfBody(const std::string& body_untrusted) {
  const nlohmann::json json = nlohmann::json::parse(body_untrusted, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto field = json.find("token");
  if (field == json.end() || !field->is_string()) return std::nullopt;
  std::string token = field->get<std::string>();
  if (token.empty() || token.size() > kMaxBearerBytes) return std::nullopt;
  return token;
}

bool IsJson(absl::string_view content_type) {
  return absl::StartsWithIgnoreCase(content_type, "application/json");
}

HttpResponse CheckResponse(const std::function<absl::Status()>& check, const std::string& good) {
  const absl::Status status = check ? check() : absl::OkStatus();
  HttpResponse response =
      status.ok() ? PlainResponse(200, good) : PlainResponse(503, std::string(status.message()));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

std::string CookieHeader(absl::string_view name, absl::string_view value, int64_t max_age_s,
                         bool secure) {
  return absl::StrCat(kCookiePrefix, name, "=", value, "; Path=/v1; Max-Age=", max_age_s,
                      "; HttpOnly; SameSite=Strict", secure ? "; Secure" : "");
}

bool IsGetOrHead(const HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

HttpResponse MethodNotAllowed(const char* allowed) {
  HttpResponse response = PlainResponse(405, absl::StrCat("Use ", allowed, " here."));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace

std::string RoleName(v1::Role role) {
  absl::string_view name = v1::Role_Name(role);
  absl::ConsumePrefix(&name, "ROLE_");
  return absl::AsciiStrToLower(name);
}

std::vector<std::pair<std::string, std::string>> SecurityHeaders(absl::string_view host_untrusted) {
  // Some browsers do not count ws://HOST as 'self'.
  std::string streams;
  const bool plain_host = std::all_of(host_untrusted.begin(), host_untrusted.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == ':' || c == '-' || c == '[' || c == ']';
  });
  if (plain_host && !host_untrusted.empty()) {
    streams = absl::StrCat(" ws://", host_untrusted, " wss://", host_untrusted);
  }
  return {
      {"Content-Security-Policy",
       absl::StrCat("default-src 'self'; connect-src 'self'", streams,
                    "; img-src 'self' data:; style-src 'self'; font-src 'self'; object-src 'none'; "
                    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'")},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
  };
}

HttpResponse ResponseFor(const absl::Status& status) {
  int code = 500;
  if (absl::IsUnauthenticated(status))
    code = 401;
  else if (absl::IsPermissionDenied(status))
    code = 403;
  else if (absl::IsInvalidArgument(status))
    code = 400;
  else if (absl::IsNotFound(status))
    code = 404;
  else if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status))
    code = 503;
  return JsonResponse(code, {{"error", std::string(status.message())}});
}

HttpResponse WebApi::Handle(const HttpRequest& request_untrusted) {
  const HttpRequest& request = request_untrusted;
  const std::optional<TargetParts> target = ParseTarget(request.target);
  if (!target.has_value()) return PlainResponse(400, "This address cannot be read.");
  if (target->path == "/v1/session") {
    if (request.method == "POST") return OpenSession(request);
    if (request.method == "GET") return ShowSession(request, *target);
    if (request.method == "DELETE") return ForgetSession(request, *target);
    return MethodNotAllowed("GET, POST, DELETE");
  }
  if (!IsGetOrHead(request)) return MethodNotAllowed("GET, HEAD");
  if (target->path == "/healthz") {
    const std::string note = pages_.health_note ? pages_.health_note() : "";
    return CheckResponse(pages_.health, note.empty() ? "ok" : absl::StrCat("ok, but ", note));
  }
  if (target->path == "/readyz") return CheckResponse(pages_.readiness, "ready");
  if (target->path == "/metrics" && pages_.metrics_text) {
    HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = pages_.metrics_text();
    return response;
  }
  if (target->path == kStreamPath) {
    HttpResponse response =
        PlainResponse(426, "This is the participants' stream: connect to it by WebSocket.");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  if (absl::StartsWith(target->path, "/v1/")) {
    return PlainResponse(404,
                         "There is nothing at this address; the API is /v1/session and "
                         "/v1/stream.");
  }
  return files_.Serve(target->path, request.if_none_match);
}

HttpResponse WebApi::OpenSession(const HttpRequest& request) {
  if (!IsJson(request.content_type)) {
    return PlainResponse(415, "Send {\"token\": \"...\"} with Content-Type: application/json.");
  }
  if (!request.origin.empty() && !IsSameHost(request.origin, request.host)) {
    return ResponseFor(absl::PermissionDeniedError("only pages of this hub may sign in here"));
  }
  const std::optional<std::string> token = TokenOfBody(request.body);
  if (!token.has_value()) {
    return ResponseFor(absl::InvalidArgumentError("the body must be {\"token\": \"...\"}"));
  }
  const absl::StatusOr<Identity> identity = authenticator_.Authenticate(*token);
  if (!identity.ok()) {
    return ResponseFor(absl::UnauthenticatedError(identity.status().message()));
  }
  HttpResponse response = IdentityResponse(*identity);
  response.headers.emplace_back("Set-Cookie",
                                CookieHeader(identity->name, sessions_.Seal(identity->name, *token),
                                             static_cast<int64_t>(kWebSessionLifetime.seconds()),
                                             request.forwarded_proto == "https"));
  return response;
}

HttpResponse WebApi::ShowSession(const HttpRequest& request, const TargetParts& target) {
  const absl::StatusOr<Identity> identity = FromCookie(request, target);
  return identity.ok() ? IdentityResponse(*identity) : ResponseFor(identity.status());
}

HttpResponse WebApi::ForgetSession(const HttpRequest& request, const TargetParts& target) {
  const absl::StatusOr<Identity> identity = FromCookie(request, target);
  if (!identity.ok()) return ResponseFor(identity.status());
  HttpResponse response;
  response.status = 204;
  response.headers.emplace_back(
      "Set-Cookie", CookieHeader(identity->name, "", 0, request.forwarded_proto == "https"));
  return response;
}

absl::StatusOr<Identity> WebApi::FromCookie(const HttpRequest& request, const TargetParts& target) {
  const std::optional<std::string> asked = target.Query("identity");
  absl::StatusOr<Identity> found =
      absl::UnauthenticatedError("no cookie of this hub; sign in with POST /v1/session");
  int count = 0;
  for (const auto& [cookie, value] : ParseCookies(request.cookie)) {
    absl::string_view name = cookie;
    if (!absl::ConsumePrefix(&name, kCookiePrefix)) continue;
    if (asked.has_value() && !asked->empty() && name != *asked) continue;
    const std::optional<std::string> token = sessions_.Open(name, value);
    if (!token.has_value()) continue;
    absl::StatusOr<Identity> identity = authenticator_.Authenticate(*token);
    // The name may have been given another token.
    if (!identity.ok() || identity->name != name) continue;
    found = *std::move(identity);
    ++count;
  }
  if (count > 1) {
    return absl::InvalidArgumentError("several people are signed in here: add ?identity=NAME");
  }
  return found;
}

absl::StatusOr<Identity> WebApi::AdmitStream(const HttpRequest& request_untrusted) {
  const HttpRequest& request = request_untrusted;
  const std::optional<TargetParts> target = ParseTarget(request.target);
  if (!target.has_value() || target->path != kStreamPath) {
    return absl::NotFoundError(absl::StrCat("WebSockets are only at ", kStreamPath));
  }
  if (!request.origin.empty() && !IsSameHost(request.origin, request.host)) {
    return absl::PermissionDeniedError("only pages of this hub may open its stream");
  }
  // Not from a browser: pages cannot set this header.
  if (!request.authorization.empty()) {
    absl::string_view token = request.authorization;
    if (!absl::StartsWithIgnoreCase(token, "bearer ") || token.size() > kMaxBearerBytes + 7) {
      return absl::UnauthenticatedError("header Authorization must be 'Bearer TOKEN'");
    }
    absl::StatusOr<Identity> identity = authenticator_.Authenticate(token.substr(7));
    if (!identity.ok()) return absl::UnauthenticatedError(identity.status().message());
    return identity;
  }
  if (request.origin.empty()) {
    return absl::PermissionDeniedError("a stream by cookie needs the Origin header");
  }
  return FromCookie(request, *target);
}

}  // namespace remora::hub
