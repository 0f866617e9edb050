#include "acquisition-agent/sources/edf/triggers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace remora::agent::edf {
namespace {

// "4.7Hz" with unit "Hz"; empty if it is not a finite number with that unit.
std::optional<double> Quantity(absl::string_view word, absl::string_view unit) {
  double value = 0;
  if (word.size() <= unit.size() || !absl::EndsWithIgnoreCase(word, unit)) return std::nullopt;
  word.remove_suffix(unit.size());
  if (!absl::ascii_isdigit(static_cast<unsigned char>(word.front())) ||
      !absl::SimpleAtod(word, &value) || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

StimulusTrigger TriggerFromAnnotation(absl::string_view text, absl::string_view prefix,
                                      int64_t time_ns) {
  StimulusTrigger trigger;
  trigger.time_ns = time_ns;
  absl::ConsumePrefix(&text, prefix);
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (const std::optional<double> rate_hz = Quantity(word, "Hz")) {
      trigger.rate_hz = rate_hz;
    } else if (const std::optional<double> current_ma = Quantity(word, "mA")) {
      trigger.delivered_ma = current_ma;
    } else {
      if (!trigger.label.empty()) trigger.label.push_back(' ');
      absl::StrAppend(&trigger.label, word);
    }
  }
  return trigger;
}

std::optional<int> FindTriggerChannel(const std::vector<ChannelInfo>& channels) {
  constexpr std::array<absl::string_view, 6> kNames = {"TRIG", "Trigger", "STI",
                                                       "STIM", "DTRIG",   "Status"};
  for (int i = 0; i < static_cast<int>(channels.size()); ++i) {
    absl::string_view label = channels[i].label;
    if (const size_t space = label.rfind(' '); space != absl::string_view::npos)
      label.remove_prefix(space + 1);
    if (std::any_of(kNames.begin(), kNames.end(),
                    [&](absl::string_view name) { return absl::EqualsIgnoreCase(label, name); })) {
      return i;
    }
  }
  return std::nullopt;
}

TriggerChannel::TriggerChannel(const ChannelInfo& channel, const TriggerOptions& options)
    : status_bits_(channel.is_status_word),
      threshold_(options.threshold),
      code_labels_(options.code_labels) {}

std::optional<int32_t> TriggerChannel::Push(double sample, int64_t count) {
  int32_t state = 0;
  int32_t code = 0;
  if (status_bits_) {
    state = code = static_cast<int32_t>(count & 0xFFFF);
  } else {
    state = sample >= threshold_ ? 1 : 0;
    code = static_cast<int32_t>(std::clamp(std::round(sample), -2e9, 2e9));
  }
  const bool begins = previous_ && state != *previous_ && state != 0;
  previous_ = state;
  return begins ? std::optional<int32_t>(code) : std::nullopt;
}

StimulusTrigger TriggerChannel::MakeTrigger(int32_t code, int64_t time_ns) const {
  StimulusTrigger trigger;
  trigger.time_ns = time_ns;
  trigger.code = code;
  if (const auto it = code_labels_.find(code); it != code_labels_.end()) trigger.label = it->second;
  return trigger;
}

}  // namespace remora::agent::edf
