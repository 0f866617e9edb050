// What a train-of-four says of muscles that are monitored: which of their responses mean anything.
//
//   4 twitches, ratio >= 0.7 ........ all are valid
//   2 or 3 twitches, or a lesser ratio  MEP only against a baseline at the same train-of-four;
//                                       thresholds, EMG and larynx: not
//   0 or 1 twitch .................... nothing that a muscle answers
//   overdue, another limb, or none ... nothing is known, and nothing is gated
//
// A gate never removes an alert: who holds one marks it as not interpretable and looks again on
// recovery. Sensory responses and D-wave are not touched.
//
// Sources: Sloan 2002 (responses at T1 of 5 to 50 %); ratio 0.7 and the rows are Remora's own,
// after custom (docs/surveillance.md). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace remora::dsp {

enum class GateState : std::uint8_t { kValid, kSameRelaxationOnly, kNotInterpretable, kNotKnown };

struct TwitchCount {
  int twitches = 0;  // 0 to 4
  double ratio = 0;  // fourth over first; 0 where there is no fourth
  std::int64_t age_ns = 0;
  bool is_same_limb = true;
};

struct RelaxationGate {
  GateState motor_evoked = GateState::kNotKnown;
  GateState muscle = GateState::kNotKnown;  // EMG, thresholds, larynx
  std::string words;                        // "TOF 2/4, 3 min ago"
};

// `due_ns`: how old it may be, over 0.
RelaxationGate GateOf(const std::optional<TwitchCount>& newest, std::int64_t due_ns);

}  // namespace remora::dsp
