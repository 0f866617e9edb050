// Wave V of brainstem auditory responses: when its change is amber, and when red. One an ear.
//
//   amber  latency +0.5 ms (also +1.0 ms alone), or amplitude -30 %
//   red    amplitude -50 % in two averages in a row, with the latency or without; or wave V lost
//   none of it where wave I is lost as well: the ear insert, or the cochlea; amber, said so
//
// A late wave V alone is amber, however late: 932 operations with +1 ms alone had no hearing loss.
// Levels fall after two averages in a row within limits; what cannot be judged is not offered.
//
// Sources: Park 2018 (latency alone); Hatayama and Moller 1998 (amplitude); clinical custom for 0.5
// ms and 30 %. Pure, thread-compatible.
#pragma once

#include <string>

#include "dsp/assess/fixed_criteria.h"

namespace remora::dsp {

struct BaepAverage {
  bool has_wave_one = true;
  bool has_wave_five = true;
  double latency_rise_ms = 0;         // of wave V, against the baseline
  double amplitude_fall_percent = 0;  // of wave V
};

struct BaepAssessment {
  AlertLevel level = AlertLevel::kNormal;
  AlertTransition transition = AlertTransition::kNone;
  std::string words;  // of this average: "V +1.2 ms, -20 %"
};

class BaepRule {
 public:
  BaepAssessment Update(const BaepAverage& average);
  AlertLevel level() const { return level_; }

 private:
  AlertLevel level_ = AlertLevel::kNormal;
  int deep_in_a_row_ = 0;
  int well_in_a_row_ = 0;
};

}  // namespace remora::dsp
