#include "acquisition-agent/sources/feed/address.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/sources/feed/limits.h"
#include "acquisition-agent/sources/text.h"
#include "common/status_macros.h"

namespace remora::agent::feed {
namespace {

// Longer paths do not fit a socket's address.
constexpr size_t kMaxSocketPath = 107;
constexpr size_t kMaxHost = 253;

absl::Status Wrong(absl::string_view endpoint, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", CleanText(endpoint), "\": ", what));
}

// Of tcp://HOST:PORT, brackets of IPv6 left out.
absl::string_view HostOf(absl::string_view endpoint) {
  absl::ConsumePrefix(&endpoint, "tcp://");
  absl::string_view host = endpoint.substr(0, endpoint.rfind(':'));
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return host;
}

}  // namespace

absl::Status CheckEndpoint(absl::string_view endpoint) {
  for (const char c : endpoint) {
    if (static_cast<uint8_t>(c) <= 0x20 || c == 0x7F) return Wrong(endpoint, "has a space in it");
  }
  if (absl::StartsWith(endpoint, "ipc://")) {
    const size_t length = endpoint.size() - 6;
    if (length >= 1 && length <= kMaxSocketPath) return absl::OkStatus();
    return Wrong(endpoint, absl::StrCat("a socket's path has 1 to ", kMaxSocketPath, " bytes"));
  }
  const size_t colon = endpoint.rfind(':');
  uint32_t port = 0;
  if (!absl::StartsWith(endpoint, "tcp://") || colon == absl::string_view::npos || colon < 6 ||
      !absl::SimpleAtoi(endpoint.substr(colon + 1), &port) || port < 1 || port > 65'535) {
    return Wrong(endpoint, "a feed is tcp://HOST:PORT or ipc://PATH, where the device listens");
  }
  const absl::string_view host = HostOf(endpoint);
  if (host.empty() || host.size() > kMaxHost || host == "*" || absl::StrContains(host, ';')) {
    return Wrong(endpoint, "needs the device's name or address");
  }
  return absl::OkStatus();
}

bool IsLocal(absl::string_view endpoint) {
  if (absl::StartsWith(endpoint, "ipc://")) return true;
  const absl::string_view host = HostOf(endpoint);
  if (host == "localhost" || host == "::1") return true;
  // Numbers only: "127.example.org" is a name.
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           uint32_t number = 0;
           return absl::SimpleAtoi(part, &number) && number < 256;
         });
}

absl::StatusOr<std::vector<std::string>> ParseEndpoints(absl::string_view text) {
  std::vector<std::string> endpoints = absl::StrSplit(text, ',', absl::SkipWhitespace());
  if (endpoints.empty() || endpoints.size() > kMaxDevices) {
    return absl::InvalidArgumentError(absl::StrCat(endpoints.size(),
                                                   " devices; write feed:tcp://HOST:PORT, up to ",
                                                   kMaxDevices, " of them with commas between"));
  }
  for (size_t i = 0; i < endpoints.size(); ++i) {
    RETURN_IF_ERROR(CheckEndpoint(endpoints[i]));
    if (std::find(endpoints.begin(), endpoints.begin() + static_cast<long>(i), endpoints[i]) !=
        endpoints.begin() + static_cast<long>(i)) {
      return Wrong(endpoints[i], "is there twice");
    }
  }
  return endpoints;
}

}  // namespace remora::agent::feed
