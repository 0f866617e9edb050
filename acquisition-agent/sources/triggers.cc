#include "acquisition-agent/sources/triggers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace remora::agent {
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

int32_t CodeOf(absl::string_view label) {
  while (!label.empty() && absl::ascii_isalpha(static_cast<unsigned char>(label.front()))) {
    label.remove_prefix(1);
  }
  label = absl::StripLeadingAsciiWhitespace(label);
  int32_t code = 0;
  const bool digits =
      !label.empty() && absl::ascii_isdigit(static_cast<unsigned char>(label.front()));
  return digits && absl::SimpleAtoi(label, &code) ? code : 0;
}

StimulusTrigger TriggerFromMarker(absl::string_view text, absl::string_view prefix,
                                  const TriggerOptions& options) {
  StimulusTrigger trigger = TriggerFromAnnotation(text, prefix, 0);
  trigger.code = CodeOf(trigger.label);
  const auto it = options.code_labels.find(trigger.code);
  if (trigger.code != 0 && it != options.code_labels.end()) trigger.label = it->second;
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

absl::StatusOr<TriggerChoice> ChooseTriggers(const TriggerOptions& options,
                                             std::span<const std::string> texts,
                                             const std::vector<ChannelInfo>& channels) {
  TriggerChoice choice;
  switch (options.from) {
    case TriggerOptions::From::kNone:
      return choice;
    case TriggerOptions::From::kAnnotations:
      choice.annotations = true;
      break;
    case TriggerOptions::From::kChannel: {
      absl::StatusOr<int> found = FindChannel(channels, options.channel);
      if (!found.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("triggers=channel: ", found.status().message()));
      }
      choice.channel = *found;
      break;
    }
    case TriggerOptions::From::kAuto:
      choice.annotations = std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return absl::StartsWith(text, options.annotation_prefix);
      });
      if (!choice.annotations) choice.channel = FindTriggerChannel(channels);
      break;
  }
  if (choice.annotations) {
    choice.note = absl::StrCat("stimuli are taken from annotations that begin with \"",
                               options.annotation_prefix, "\"");
  } else if (choice.channel) {
    choice.note =
        absl::StrCat("stimuli are taken from channel \"", channels[*choice.channel].label, "\"");
  } else {
    choice.note =
        absl::StrCat("no stimuli: no annotation begins with \"", options.annotation_prefix,
                     "\" and no channel is named as a trigger");
  }
  return choice;
}

std::vector<std::string> LabelsOf(const TriggerChoice& choice, const TriggerOptions& options) {
  std::vector<std::string> labels;
  if (!choice.channel) return labels;
  for (const auto& [code, label] : options.code_labels) labels.push_back(label);
  return labels;
}

std::vector<std::string> Distinct(std::vector<std::string> labels,
                                  std::vector<std::string> others) {
  labels.insert(labels.end(), std::make_move_iterator(others.begin()),
                std::make_move_iterator(others.end()));
  std::vector<std::string> distinct;
  absl::flat_hash_set<std::string> seen;
  for (std::string& label : labels) {
    if (!label.empty() && seen.insert(label).second) distinct.push_back(std::move(label));
  }
  return distinct;
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

std::vector<StimulusTrigger> TriggersIn(const SampleBlock& block, const SourceInfo& info,
                                        int channel, TriggerChannel* trigger_channel) {
  const std::vector<int>& group = info.rate_groups[block.rate_group].channels;
  const auto place = std::find(group.begin(), group.end(), channel);
  const std::span<const double> samples = block.channel(static_cast<int>(place - group.begin()));
  const __int128 length_ns = block.end_time_ns - block.start_time_ns;
  const int64_t count = block.samples_per_channel;
  std::vector<StimulusTrigger> found;
  for (int64_t i = 0; i < count; ++i) {
    const double sample = samples[static_cast<size_t>(i)];
    if (!std::isfinite(sample)) continue;
    const std::optional<int32_t> code =
        trigger_channel->Push(sample, info.channels[channel].CountOf(sample));
    if (!code) continue;
    const int64_t into_ns = static_cast<int64_t>((length_ns * i + count / 2) / count);
    found.push_back(trigger_channel->MakeTrigger(*code, block.start_time_ns + into_ns));
  }
  return found;
}

}  // namespace remora::agent
