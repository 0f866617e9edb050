// What muscle relaxants do over time. Pure.
//
// The concentration at the muscle after a bolus rises within two minutes and falls with the drug's
// own time; C is in multiples of what halves the first twitch of the hand:
//
//   C(t) = dose / unit dose * 6 * (exp(-t / fall) - exp(-t / 45 s))
//   T1   = 1 / (1 + (C / sensitivity)^5)
//   T4 / T1 = 1 / (1 + (C / (0.45 sensitivity))^4)
//
// An intubating dose of rocuronium (50 mg for an adult) so lets T1 return to a quarter after about
// three quarters of an hour; fade is seen before T1 falls and after it has come back. Face, larynx
// and trunk resist more than the hand, the foot a little more.
#pragma once

#include <array>
#include <span>

#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/simulator/muscles.h"
#include "acquisition-agent/sources/simulator/scenario.h"

namespace remora::agent::sim {

struct Block {
  double t1 = 1;     // first twitch over its control
  double ratio = 1;  // fourth over first

  // Of a train-of-four, over the control: in a straight line from T1 to T4.
  std::array<double, 4> twitches() const;
};

// C at `time_s` from all events that give or reverse a relaxant.
double RelaxantConcentration(std::span<const ScenarioEvent> events, double time_s);

Block BlockOf(double concentration, Region region);

// Whether the drug blocks or reverses: an event that needs watching.
bool IsRelaxant(absl::string_view drug);

}  // namespace remora::agent::sim
