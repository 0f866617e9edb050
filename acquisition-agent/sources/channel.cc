#include "acquisition-agent/sources/channel.h"

#include <array>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace remora::agent {
namespace {

// The signal types of the EDF+ standard texts, as they stand before an electrode's name.
constexpr std::array<absl::string_view, 12> kSignalTypes = {
    "EEG", "ECG", "EOG", "ERG", "EMG", "MEG", "MCG", "EP", "SEP", "MEP", "ECoG", "Misc"};

absl::string_view WithoutTypeAndReference(absl::string_view label) {
  for (absl::string_view type : kSignalTypes) {
    if (absl::StartsWithIgnoreCase(label, type) && label.size() > type.size() + 1 &&
        label[type.size()] == ' ') {
      label = absl::StripAsciiWhitespace(label.substr(type.size() + 1));
      break;
    }
  }
  const size_t dash = label.rfind('-');
  if (dash != absl::string_view::npos && dash > 0 && dash + 1 < label.size()) {
    label = absl::StripAsciiWhitespace(label.substr(0, dash));
  }
  return label;
}

}  // namespace

absl::StatusOr<int> FindChannel(const std::vector<ChannelInfo>& channels, absl::string_view name) {
  name = absl::StripAsciiWhitespace(name);
  for (int i = 0; i < static_cast<int>(channels.size()); ++i) {
    if (channels[i].label == name) return i;
  }
  for (const bool bare : {false, true}) {
    std::vector<int> fits;
    for (int i = 0; i < static_cast<int>(channels.size()); ++i) {
      const absl::string_view label =
          bare ? WithoutTypeAndReference(channels[i].label) : absl::string_view(channels[i].label);
      if (!name.empty() && absl::EqualsIgnoreCase(label, name)) fits.push_back(i);
    }
    if (fits.size() == 1) return fits[0];
    if (fits.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          "channel \"", name, "\" could be any of: ",
          absl::StrJoin(fits, ", ",
                        [&](std::string* out, int i) { absl::StrAppend(out, channels[i].label); }),
          "; write the full label"));
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no channel \"", name, "\"; there are: ",
                   absl::StrJoin(channels, ", ", [](std::string* out, const ChannelInfo& channel) {
                     absl::StrAppend(out, channel.label);
                   })));
}

}  // namespace remora::agent
