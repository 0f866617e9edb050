#pragma once

// The little grammar of HTTP that the hub reads by itself. Input is untrusted; thread-safe.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace remora::hub {

struct TargetParts {
  // Decoded; begins with '/'.
  std::string path;
  // Decoded.
  std::vector<std::pair<std::string, std::string>> query;

  // The field's value where it occurs exactly once.
  std::optional<std::string> Query(absl::string_view name) const;
};

// Nothing for a target that is not "/path?query": an absolute address, a bad %-escape, a NUL.
std::optional<TargetParts> ParseTarget(absl::string_view target_untrusted);

// The cookies of a Cookie header, as they are.
std::vector<std::pair<std::string, std::string>> ParseCookies(absl::string_view header_untrusted);

// Whether a page from `origin` ("https://hub.example:8443") is one of the host that it talks to
// ("hub.example:8443"). Default ports may be left out. False for "null" and anything malformed.
bool IsSameHost(absl::string_view origin_untrusted, absl::string_view host_untrusted);

}  // namespace remora::hub
