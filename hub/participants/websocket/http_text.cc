#include "hub/participants/websocket/http_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace remora::hub {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    decoded.push_back(c);
  }
  return decoded;
}

// "host" or "host:port" in lower case, without the scheme's default port.
std::string Authority(absl::string_view host_and_port, absl::string_view default_port) {
  std::string lower = absl::AsciiStrToLower(host_and_port);
  absl::string_view rest = lower;
  if (absl::ConsumeSuffix(&rest, absl::StrCat(":", default_port))) return std::string(rest);
  return lower;
}

}  // namespace

std::optional<std::string> TargetParts::Query(absl::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [key, value] : query) {
    if (key != name) continue;
    if (found.has_value()) return std::nullopt;
    found = value;
  }
  return found;
}

std::optional<TargetParts> ParseTarget(absl::string_view target_untrusted) {
  if (target_untrusted.empty() || target_untrusted[0] != '/') return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(target_untrusted, absl::MaxSplits('?', 1));
  TargetParts parts;
  std::optional<std::string> path = PercentDecode(halves.first);
  if (!path.has_value()) return std::nullopt;
  parts.path = *std::move(path);
  for (absl::string_view field : absl::StrSplit(halves.second, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    std::optional<std::string> key = PercentDecode(pair.first);
    std::optional<std::string> value = PercentDecode(pair.second);
    if (!key.has_value() || !value.has_value()) return std::nullopt;
    parts.query.emplace_back(*std::move(key), *std::move(value));
  }
  return parts;
}

std::vector<std::pair<std::string, std::string>> ParseCookies(absl::string_view header_untrusted) {
  std::vector<std::pair<std::string, std::string>> cookies;
  for (absl::string_view field : absl::StrSplit(header_untrusted, ';', absl::SkipWhitespace())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(absl::StripAsciiWhitespace(field), absl::MaxSplits('=', 1));
    cookies.emplace_back(std::string(pair.first), std::string(pair.second));
  }
  return cookies;
}

bool IsSameHost(absl::string_view origin_untrusted, absl::string_view host_untrusted) {
  absl::string_view port;
  if (absl::ConsumePrefix(&origin_untrusted, "http://"))
    port = "80";
  else if (absl::ConsumePrefix(&origin_untrusted, "https://"))
    port = "443";
  else
    return false;
  if (origin_untrusted.empty() || absl::StrContains(origin_untrusted, '/') ||
      absl::StrContains(origin_untrusted, '@')) {
    return false;
  }
  return Authority(origin_untrusted, port) == Authority(host_untrusted, port);
}

}  // namespace remora::hub
