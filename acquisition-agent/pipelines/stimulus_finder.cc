#include "acquisition-agent/pipelines/stimulus_finder.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {
namespace {

// Two reports of one stimulus (a trigger and an annotation) lie within this.
constexpr int64_t kSameStimulusNs = 1'000'000;
// What a recorder writes before the name of any stimulus.
constexpr char kStimulusWord[] = "STIM ";

}  // namespace

StimulusFinder::StimulusFinder(const ResolvedPlan& plan, const SourceInfo& source) {
  for (size_t i = 0; i < plan.evoked.size(); ++i) {
    const ResolvedEvoked& evoked = plan.evoked[i];
    triggers_.push_back(evoked.plan.trigger());
    if (evoked.trigger_channel < 0) continue;
    Line line;
    line.rate_group = source.channels[evoked.trigger_channel].rate_group;
    const std::vector<int>& group = source.rate_groups[line.rate_group].channels;
    line.place = static_cast<int>(std::find(group.begin(), group.end(), evoked.trigger_channel) -
                                  group.begin());
    line.threshold = evoked.trigger_threshold;
    line.own.resize(plan.evoked.size());
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

std::vector<bool> StimulusFinder::OwnersOf(absl::string_view label) const {
  std::vector<bool> own(triggers_.size());
  // "STIM MED R" in a recording's annotation is "MED R" on its trigger.
  absl::ConsumePrefix(&label, "STIM ");
  for (size_t i = 0; i < triggers_.size(); ++i) {
    absl::string_view wanted = triggers_[i].label_prefix();
    absl::ConsumePrefix(&wanted, "STIM ");
    own[i] = !wanted.empty() && !label.empty() && absl::StartsWith(label, wanted);
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
  stimulus.own = OwnersOf(trigger.label);
  stimulus.rate_hz = trigger.rate_hz.value_or(0);
  stimulus.delivered_ma = trigger.delivered_ma.value_or(trigger.commanded_ma.value_or(0));
  Admit(std::move(stimulus), found);
}

bool StimulusFinder::OnEvent(const SourceEvent& event, std::vector<Stimulus>* found) {
  Stimulus stimulus;
  stimulus.time_ns = event.time_ns;
  stimulus.own = OwnersOf(event.text);
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
        stimulus.own = line.own;
        Admit(std::move(stimulus), found);
      }
      line.was_high = high;
    }
  }
}

}  // namespace remora::agent
