#include "acquisition-agent/surveillance/latest_train.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace remora::agent {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

// "left hand": where on the body.
LimbKind KindOfWords(const std::string& limb) {
  const std::string lower = absl::AsciiStrToLower(limb);
  for (const char* word : {"hand", "arm", "thumb", "wrist"}) {
    if (absl::StrContains(lower, word)) return LimbKind::kArm;
  }
  for (const char* word : {"foot", "leg", "toe", "ankle"}) {
    if (absl::StrContains(lower, word)) return LimbKind::kLeg;
  }
  return absl::StrContains(lower, "face") ? LimbKind::kFace : LimbKind::kUnknown;
}

}  // namespace

void LatestTrain::Note(const TofTrain& train, const std::string& limb) {
  if (train.sweeps.empty()) return;
  Train& kept = trains_[limb];
  kept = {train.sweeps.back().stimulus.time_ns, limb, "not counted", std::nullopt, 0};
  newest_ = limb;
  if (!train.reading) return;
  kept.twitches = static_cast<int>(train.reading->count);
  kept.said = absl::StrFormat("%d of 4", train.reading->count);
  if (!train.reading->ratio) return;
  kept.ratio = *train.reading->ratio;
  absl::StrAppendFormat(&kept.said, ", ratio %.2f", kept.ratio);
}

void LatestTrain::NoteCounted(int twitches, double ratio, const std::string& limb, int64_t at_ns) {
  trains_[limb] = {at_ns, limb, absl::StrFormat("%d of 4", twitches), twitches, ratio};
  newest_ = limb;
}

std::string LatestTrain::Before(int64_t at_ns) const {
  const auto newest = trains_.find(newest_);
  if (newest == trains_.end() || at_ns < newest->second.at_ns) return "";
  return absl::StrFormat("last train-of-four %s %d s before: %s", newest->second.limb,
                         (at_ns - newest->second.at_ns) / kSecondNs, newest->second.said);
}

dsp::RelaxationGate LatestTrain::GateFor(LimbKind limb, int64_t at_ns, int64_t due_ns) const {
  const Train* chosen = nullptr;
  bool is_same = false;
  for (const auto& [name, train] : trains_) {
    if (!train.twitches || train.at_ns > at_ns) continue;
    const bool same = KindOfWords(name) == limb;
    const bool is_fresh = at_ns - train.at_ns <= due_ns;
    if (chosen != nullptr && (is_same > (same && is_fresh) ||
                              (is_same == (same && is_fresh) && chosen->at_ns > train.at_ns))) {
      continue;
    }
    chosen = &train;
    is_same = same && is_fresh;
  }
  if (chosen == nullptr) return dsp::GateOf(std::nullopt, due_ns);
  dsp::TwitchCount count;
  count.twitches = *chosen->twitches;
  count.ratio = chosen->ratio;
  count.age_ns = at_ns - chosen->at_ns;
  count.is_same_limb = is_same;
  dsp::RelaxationGate gate = dsp::GateOf(count, due_ns);
  if (is_same || gate.motor_evoked != dsp::GateState::kNotKnown) return gate;
  count.is_same_limb = true;
  const dsp::RelaxationGate elsewhere = dsp::GateOf(count, due_ns);
  if (elsewhere.motor_evoked != dsp::GateState::kNotInterpretable) return gate;
  gate = elsewhere;
  absl::StrAppend(&gate.words, " (", chosen->limb, ")");
  return gate;
}

}  // namespace remora::agent
