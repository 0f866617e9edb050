// A simulated case of transcranial motor responses, judged trial by trial as the agent does it.
//
// Ten muscles: one of each hand, above the operated level, and four of each leg. A trial comes
// every so many minutes, and a minute after one that asks for it. The baseline is of the first five
// trials. Diathermy makes trials that nobody can judge; re-positioning scales all responses for
// good; a re-baseline is taken where no alert is on.
//
// Used by tests and by remora-bench-surveillance. The same settings and seed make the same case.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/surveillance/muscle_population.h"

namespace remora::surveillance {

enum class Loss : std::uint8_t { kNone, kAbrupt, kSlow };

struct CaseSettings {
  PopulationSettings population;
  double hours = 6;
  double trial_minutes = 8;
  int baseline_trials = 5;
  bool fade = false;  // of Ugawa et al. 2018, from 0 h on
  // Chance that diathermy covers a trial, and how often the patient is moved, an hour.
  double diathermy_rate = 0.05;
  double moves_an_hour = 0.2;
  double rebaselines_an_hour = 0.2;

  Loss loss = Loss::kNone;
  double loss_minutes = 240;         // when it begins
  double loss_share = 0.2;           // abrupt: what is left
  double loss_percent_a_minute = 1;  // slow
  bool one_leg = false;              // else both
  // Tried once in the middle of the loss.
  bool rebaseline_in_loss = false;
};

struct CaseOutcome {
  double hours = 0;
  int ambers = 0;  // alerts raised, whatever priority they came to
  int reds = 0;
  // Hours of the case in which one was raised.
  int hours_with_alert = 0;
  int hours_with_red = 0;
  std::map<std::string, int> why;  // "red loss": how many
  bool adaptive_red = false;

  // A leg that is to lose had an alert already when the loss began: nobody had resolved it.
  bool was_on = false;
  // Of the loss, of alerts that it raised or made worse. Trials that could be judged, the first one
  // is 1; 0: never.
  int trials_to_alert = 0;
  int trials_to_red = 0;
  double minutes_to_alert = 0;
  double minutes_to_drift = 0;  // 0: never
  // Muscle-trials in which the red limit was passed in two trials in a row, and in how many of them
  // the limb's alert was on.
  int red_met = 0;
  int red_met_told = 0;
  // The alert that the loss raised was off again before the end.
  bool cleared_itself = false;
  bool rebaseline_refused = false;
};

CaseOutcome RunCase(const CaseSettings& settings, std::uint64_t seed);

}  // namespace remora::surveillance
