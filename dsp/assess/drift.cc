#include "dsp/assess/drift.h"

#include <algorithm>
#include <cmath>

namespace remora::dsp {
namespace {

// One wild trial moves the sum no further than this, in spreads.
constexpr double kMostSpreads = 3;

}  // namespace

absl::Status ValidateLimits(const DriftLimits& limits) {
  const bool good =
      limits.allowance_spreads >= 0 && limits.limit_spreads > 0 && limits.smoothing > 0 &&
      limits.smoothing <= 1 && limits.least_fall_percent > 0 && limits.least_fall_percent < 100 &&
      limits.back_under_percent >= 0 && limits.back_under_percent < limits.least_fall_percent;
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "drift: allowance >= 0, limit > 0, 0 < smoothing <= 1, 0 <= back < least fall < 100");
}

DriftAssessment DriftCriterion::Update(double ratio, double spread) {
  const double far = kMostSpreads * spread;
  const double value =
      std::clamp(std::log(ratio), any_ ? smoothed_ - far : -far, any_ ? smoothed_ + far : far);
  smoothed_ = any_ ? smoothed_ + limits_.smoothing * (value - smoothed_) : value;
  any_ = true;
  sum_ = std::max(0.0, sum_ - value / spread - limits_.allowance_spreads);
  DriftAssessment result;
  result.fall_percent = 100 * (1 - std::exp(smoothed_));
  const bool over =
      sum_ >= limits_.limit_spreads && result.fall_percent >= limits_.least_fall_percent;
  over_in_a_row_ = over ? over_in_a_row_ + 1 : 0;
  if (level_ == AlertLevel::kNormal && over_in_a_row_ >= 2) {
    level_ = AlertLevel::kAmber;
    result.transition = AlertTransition::kRaised;
  } else if (level_ != AlertLevel::kNormal && result.fall_percent < limits_.back_under_percent) {
    level_ = AlertLevel::kNormal;
    sum_ = 0;
    result.transition = AlertTransition::kRecovered;
  }
  result.level = level_;
  result.sum_spreads = sum_;
  return result;
}

}  // namespace remora::dsp
