#include "acquisition-agent/sources/feed/remarks.h"

#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/feed/limits.h"

namespace remora::agent::feed {

std::optional<std::string> Remarks::Tell(RemarkKind kind, absl::string_view text, int64_t now_ns) {
  const auto before = told_.find(kind);
  if (before == told_.end()) {
    told_[kind] = {now_ns, 0};
    return std::string(text);
  }
  Told& told = before->second;
  if (now_ns - told.at_ns < kRemarkIntervalNs) {
    ++told.kept_back;
    return std::nullopt;
  }
  const std::string more =
      told.kept_back == 0 ? "" : absl::StrCat(" (and ", told.kept_back, " more times before)");
  told = {now_ns, 0};
  return absl::StrCat(text, more);
}

}  // namespace remora::agent::feed
