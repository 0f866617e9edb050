#pragma once

// An HTTP request and its answer as the hub's web side sees them: plain values, so that everything
// but the bytes on the socket is tested without one.

#include <string>
#include <utility>
#include <vector>

namespace remora::hub {

// Fields are as they came: untrusted.
struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // "/v1/session?identity=anna"
  std::string host;
  std::string origin;
  std::string cookie;
  std::string authorization;
  std::string content_type;
  std::string if_none_match;
  std::string forwarded_proto;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  // Beyond content type, content length and the security headers that every answer has.
  std::vector<std::pair<std::string, std::string>> headers;
};

// A page of plain text: what is wrong, and what would be right.
inline HttpResponse PlainResponse(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

}  // namespace remora::hub
