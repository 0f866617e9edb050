// Slow drift: a response that goes by so little from trial to trial that no trial is remarkable.
//
// Each trial's amplitude against a reference that does not move, corrected for what is expected of
// time (expected_fade.h), is summed up by a one-sided CUSUM; and smoothed, so that a sum that grew
// out of a baseline taken a little high does not alarm without a fall that matters.
//
//   S = max(0, S + (-deviation - allowance)),  deviation = ln(amplitude / reference) / spread
//   amber when S >= limit and the smoothed fall >= least_fall_percent, in two trials in a row
//   normal again when the smoothed fall is under back_under_percent: S begins anew
//
// Source: Page 1954 (the sum); allowance: the usual half (Montgomery,
// Statistical Quality Control); its limit, the fall and the smoothing are Remora's own: a limit of
// two and a half alone would alarm often, and the fall that must go with it keeps it quiet.
// Pure, thread-compatible.
#pragma once

#include "absl/status/status.h"
#include "dsp/assess/fixed_criteria.h"

namespace remora::dsp {

struct DriftLimits {
  double allowance_spreads = 0.5;  // >= 0
  double limit_spreads = 2.5;      // > 0
  double smoothing = 0.4;          // weight of the newest trial, 0 < x <= 1
  double least_fall_percent = 20;  // of the smoothed amplitude; 0 < x < 100
  double back_under_percent = 12;  // < least_fall_percent
};

absl::Status ValidateLimits(const DriftLimits& limits);

struct DriftAssessment {
  AlertLevel level = AlertLevel::kNormal;  // normal or amber
  AlertTransition transition = AlertTransition::kNone;
  double sum_spreads = 0;
  double fall_percent = 0;  // smoothed
};

class DriftCriterion {
 public:
  // The limits are valid.
  explicit DriftCriterion(const DriftLimits& limits) : limits_(limits) {}

  // An accepted trial. `ratio` > 0: amplitude over what is expected of it now. `spread` > 0: the
  // standard deviation of one trial's logarithm.
  DriftAssessment Update(double ratio, double spread);
  void Hold(AlertLevel level) { level_ = level; }
  AlertLevel level() const { return level_; }

 private:
  DriftLimits limits_;
  AlertLevel level_ = AlertLevel::kNormal;
  double sum_ = 0;
  double smoothed_ = 0;  // logarithm
  bool any_ = false;
  int over_in_a_row_ = 0;
};

}  // namespace remora::dsp
