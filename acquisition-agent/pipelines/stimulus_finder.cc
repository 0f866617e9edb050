#include "acquisition-agent/pipelines/stimulus_finder.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/limits.h"

namespace remora::agent {
namespace {

// Two reports of one stimulus (a trigger and an annotation) lie within this.
constexpr int64_t kSameStimulusNs = 1'000'000;
// What a recorder writes before the name of any stimulus.
constexpr char kStimulusWord[] = "STIM ";

}  // namespace

int64_t Stimulus::last_pulse_ns() const {
  return time_ns +
         static_cast<int64_t>(std::max(0, told.pulses - 1) * told.pulse_interval_ms * 1e6);
}

int64_t StimulationEndNs(const Stimulus& stimulus) {
  const int64_t lasts_ns = std::max(stimulus.lasts_ns, stimulus.last_pulse_ns() - stimulus.time_ns);
  return stimulus.time_ns + std::clamp<int64_t>(lasts_ns, 0, kLongestStimulationNs);
}

std::string SiteOf(const Stimulus& stimulus, const ResolvedTrigger& trigger) {
  absl::string_view site = stimulus.told.site;
  if (site.empty() && !trigger.plan.label_prefix().empty()) {
    absl::string_view label = stimulus.told.label;
    absl::string_view prefix = trigger.plan.label_prefix();
    absl::ConsumePrefix(&label, kStimulusWord);
    absl::ConsumePrefix(&prefix, kStimulusWord);
    if (absl::ConsumePrefix(&label, prefix)) site = label;
  }
  site = absl::StripAsciiWhitespace(site);
  size_t end = std::min(site.size(), kMaxNameBytes);
  // Not in the middle of a UTF-8 character.
  while (end > 0 && end < site.size() && (static_cast<uint8_t>(site[end]) & 0xC0) == 0x80) --end;
  return std::string(site.substr(0, end));
}

v1::StimulusSetting SettingOf(const Stimulus& stimulus, const v1::StimulusSetting& planned) {
  v1::StimulusSetting setting = planned;
  const StimulusTrigger& told = stimulus.told;
  const auto positive = [](const std::optional<double>& value) {
    return value && std::isfinite(*value) && *value > 0;
  };
  if (positive(told.commanded_ma)) setting.set_current_ma(*told.commanded_ma);
  if (positive(told.commanded_v)) setting.set_voltage_v(*told.commanded_v);
  if (positive(told.delivered_ma)) setting.set_delivered_ma(*told.delivered_ma);
  if (positive(told.delivered_v)) setting.set_delivered_v(*told.delivered_v);
  if (positive(told.rate_hz)) setting.set_rate_hz(*told.rate_hz);
  if (positive(told.pulse_us)) setting.set_pulse_us(*told.pulse_us);
  if (told.pulses > 1) {
    setting.set_pulse_count(static_cast<uint32_t>(told.pulses));
    setting.set_pulse_interval_ms(told.pulse_interval_ms);
  }
  return setting;
}

bool IsSameStimulus(const v1::StimulusSetting& a, const v1::StimulusSetting& b) {
  const auto differ = [](double one, double other, double share) {
    return one > 0 && other > 0 && std::fabs(one - other) > share * std::max(one, other);
  };
  return !differ(a.delivered_ma(), b.delivered_ma(), kSameCurrentShare) &&
         !differ(a.current_ma(), b.current_ma(), kSameCurrentShare) &&
         !differ(a.delivered_v(), b.delivered_v(), kSameCurrentShare) &&
         !differ(a.voltage_v(), b.voltage_v(), kSameCurrentShare) &&
         !differ(a.rate_hz(), b.rate_hz(), kSameRateShare) &&
         !differ(a.pulse_us(), b.pulse_us(), kSameCurrentShare) &&
         std::max(1u, a.pulse_count()) == std::max(1u, b.pulse_count());
}

StimulusFinder::StimulusFinder(const ResolvedPlan& plan, const SourceInfo& source) {
  const std::vector<const ResolvedTrigger*> triggers = plan.triggers();
  for (size_t i = 0; i < triggers.size(); ++i) {
    const ResolvedTrigger& trigger = *triggers[i];
    triggers_.push_back(trigger.plan);
    if (trigger.channel < 0) continue;
    Line line;
    line.rate_group = source.channels[trigger.channel].rate_group;
    const std::vector<int>& group = source.rate_groups[line.rate_group].channels;
    line.place =
        static_cast<int>(std::find(group.begin(), group.end(), trigger.channel) - group.begin());
    line.threshold = trigger.threshold;
    line.own.resize(triggers.size());
    const auto same = std::find_if(lines_.begin(), lines_.end(), [&](const Line& other) {
      return other.rate_group == line.rate_group && other.place == line.place &&
             other.threshold == line.threshold;
    });
    if (same == lines_.end()) {
      line.own[i] = true;
      reached_ns_[line.rate_group] = std::numeric_limits<int64_t>::min();
      lines_.push_back(std::move(line));
    } else {
      same->own[i] = true;
    }
  }
}

int64_t StimulusFinder::known_until_ns() const {
  int64_t known_ns = std::numeric_limits<int64_t>::max();
  for (const auto& [group, reached_ns] : reached_ns_) known_ns = std::min(known_ns, reached_ns);
  return known_ns;
}

std::vector<bool> StimulusFinder::OwnersOf(absl::string_view label, int32_t code) const {
  std::vector<bool> own(triggers_.size());
  // "STIM MED R" in a recording's annotation is "MED R" on its trigger.
  absl::ConsumePrefix(&label, "STIM ");
  for (size_t i = 0; i < triggers_.size(); ++i) {
    absl::string_view wanted = triggers_[i].label_prefix();
    absl::ConsumePrefix(&wanted, "STIM ");
    const bool by_label = !wanted.empty() && !label.empty() && absl::StartsWith(label, wanted);
    const bool by_code =
        triggers_[i].code() != 0 && code > 0 && triggers_[i].code() == static_cast<uint32_t>(code);
    own[i] = by_label || by_code;
  }
  return own;
}

void StimulusFinder::Admit(Stimulus stimulus, std::vector<Stimulus>* found) {
  for (auto known = recent_.rbegin(); known != recent_.rend(); ++known) {
    if (std::llabs(known->time_ns - stimulus.time_ns) > kSameStimulusNs) continue;
    bool news = false;
    for (size_t i = 0; i < stimulus.own.size(); ++i) {
      stimulus.own[i] = stimulus.own[i] && !known->own[i];
      news = news || stimulus.own[i];
      if (stimulus.own[i]) known->own[i] = true;
    }
    stimulus.known = true;
    if (news) found->push_back(std::move(stimulus));
    return;
  }
  if (recent_.size() >= kMaxWaitingTriggers) recent_.pop_front();
  recent_.push_back(stimulus);
  found->push_back(std::move(stimulus));
}

void StimulusFinder::OnTrigger(const StimulusTrigger& trigger, std::vector<Stimulus>* found) {
  Stimulus stimulus;
  stimulus.time_ns = trigger.time_ns;
  stimulus.own = OwnersOf(trigger.label, trigger.code);
  stimulus.rate_hz = trigger.rate_hz.value_or(0);
  stimulus.delivered_ma = trigger.delivered_ma.value_or(trigger.commanded_ma.value_or(0));
  stimulus.told = trigger;
  Admit(std::move(stimulus), found);
}

bool StimulusFinder::OnEvent(const SourceEvent& event, std::vector<Stimulus>* found) {
  if (event.is_remark) return false;
  Stimulus stimulus;
  stimulus.time_ns = event.time_ns;
  stimulus.own = OwnersOf(event.text, 0);
  stimulus.told.time_ns = event.time_ns;
  stimulus.told.label = event.text;
  stimulus.lasts_ns = std::max<int64_t>(event.duration_ns, 0);
  const bool wanted =
      std::find(stimulus.own.begin(), stimulus.own.end(), true) != stimulus.own.end();
  if (!wanted && !absl::StartsWith(absl::StrCat(event.text, " "), kStimulusWord)) return false;
  Admit(std::move(stimulus), found);
  return true;
}

void StimulusFinder::OnChunk(const Chunk& chunk, std::vector<Stimulus>* found) {
  const auto reached = reached_ns_.find(chunk.rate_group);
  if (reached == reached_ns_.end()) return;
  reached->second = chunk.end_ns;
  for (Line& line : lines_) {
    if (line.rate_group != chunk.rate_group) continue;
    if (chunk.starts_segment) line.was_high = true;
    const std::vector<double>& samples = chunk.channels[line.place];
    for (size_t i = 0; i < samples.size(); ++i) {
      const bool high = samples[i] >= line.threshold;
      if (high && !line.was_high) {
        Stimulus stimulus;
        stimulus.time_ns =
            chunk.TimeOf(static_cast<double>(chunk.first_position) + static_cast<double>(i));
        stimulus.told.time_ns = stimulus.time_ns;
        stimulus.own = line.own;
        Admit(std::move(stimulus), found);
      }
      line.was_high = high;
    }
  }
}

}  // namespace remora::agent
