#include "dsp/assess/rules/relaxation_gate.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace remora::dsp {
namespace {

constexpr int kAllTwitches = 4;
constexpr int kFewTwitches = 1;
constexpr double kFullRatio = 0.7;
constexpr std::int64_t kMinuteNs = std::int64_t{60} * 1'000'000'000;

std::string Told(const TwitchCount& count) {
  const std::string ratio =
      count.twitches == kAllTwitches ? absl::StrFormat(", ratio %.2f", count.ratio) : "";
  return absl::StrCat("TOF ", count.twitches, "/4", ratio, ", ", count.age_ns / kMinuteNs,
                      " min ago");
}

}  // namespace

RelaxationGate GateOf(const std::optional<TwitchCount>& newest, std::int64_t due_ns) {
  RelaxationGate gate;
  if (!newest) {
    gate.words = "no train-of-four";
    return gate;
  }
  gate.words = Told(*newest);
  if (!newest->is_same_limb) {
    absl::StrAppend(&gate.words, ", of another limb");
    return gate;
  }
  if (newest->age_ns > due_ns || newest->age_ns < 0) {
    absl::StrAppend(&gate.words, ": overdue");
    return gate;
  }
  if (newest->twitches <= kFewTwitches) {
    gate.motor_evoked = gate.muscle = GateState::kNotInterpretable;
  } else if (newest->twitches < kAllTwitches || !(newest->ratio >= kFullRatio)) {
    gate.motor_evoked = GateState::kSameRelaxationOnly;
    gate.muscle = GateState::kNotInterpretable;
  } else {
    gate.motor_evoked = gate.muscle = GateState::kValid;
  }
  return gate;
}

}  // namespace remora::dsp
