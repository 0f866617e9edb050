#include "acquisition-agent/sources/channel.h"

#include <array>
#include <cstdint>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
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

// Steps of 0.001: see SetFloatRange.
constexpr double kFloatStep = 1e-3;

}  // namespace

std::optional<double> MicrovoltsPer(const std::string& dimension) {
  if (absl::EqualsIgnoreCase(dimension, "uV") || dimension == "\u00B5V" || dimension == "\u03BCV" ||
      absl::EqualsIgnoreCase(dimension, "uVolt") || absl::EqualsIgnoreCase(dimension, "microV")) {
    return 1.0;
  }
  if (dimension == "nV") return 1e-3;
  if (dimension == "mV") return 1e3;
  if (dimension == "V" || dimension == "Volt") return 1e6;
  return std::nullopt;
}

void SetFloatRange(ChannelInfo* channel) {
  channel->digital_min = -std::numeric_limits<int32_t>::max();
  channel->digital_max = std::numeric_limits<int32_t>::max();
  channel->uv_per_count = kFloatStep;
  channel->uv_offset = 0;
  channel->physical_min = kFloatStep * channel->digital_min;
  channel->physical_max = kFloatStep * channel->digital_max;
}

void MakeLabelsUnique(std::vector<ChannelInfo>* channels, std::vector<std::string>* notes) {
  absl::flat_hash_set<std::string> taken;
  for (const ChannelInfo& channel : *channels) taken.insert(channel.original_label);
  absl::flat_hash_map<std::string, int> seen;
  for (ChannelInfo& channel : *channels) {
    channel.label = channel.original_label;
    int& count = seen[channel.original_label];
    if (++count == 1) continue;
    do {
      channel.label = absl::StrCat(channel.original_label, " #", count);
    } while (!taken.insert(channel.label).second && ++count > 0);
    notes->push_back(absl::StrCat("another channel is called \"", channel.original_label,
                                  "\"; this one is \"", channel.label, "\""));
  }
}

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
