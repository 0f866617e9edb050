#include "dsp/assess/recent_reference.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dsp/assess/robust.h"

namespace remora::dsp {
namespace {

// The spread of the first few trials may be so much too small.
constexpr double kFewTrials = 1.5;

}  // namespace

absl::Status ValidateLimits(const RecentReferenceLimits& limits) {
  if (limits.newest_left_out < 1 || limits.least_trials < 2 ||
      limits.trials < limits.newest_left_out + limits.least_trials - 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("recent reference of ", limits.trials, " trials without the newest ",
                     limits.newest_left_out, ", at least ", limits.least_trials,
                     ": must leave that many, 2 or more"));
  }
  if (limits.span_ns <= 0 || !(limits.least_spread > 0) || !std::isfinite(limits.least_spread)) {
    return absl::InvalidArgumentError("recent reference: span and least spread must be positive");
  }
  return absl::OkStatus();
}

double RecentReference::Scaled(double value) const {
  return limits_.scale == AmplitudeScale::kLogarithmic ? std::log(value) : value;
}

std::optional<RecentComparison> RecentReference::Compare(double value, double floor_spread,
                                                         std::int64_t time_ns) const {
  const std::int64_t until_ns = frozen_at_ns_.value_or(time_ns);
  const std::int64_t from_ns = std::max(until_ns - limits_.span_ns, stage_began_ns_);
  const auto least = static_cast<size_t>(limits_.least_trials);
  const auto most = static_cast<size_t>(limits_.trials - limits_.newest_left_out);
  // The judged trial is not among those accepted.
  const auto left_out = static_cast<size_t>(limits_.newest_left_out - 1);
  std::vector<double> values;
  for (size_t back = left_out; back < trials_.size() && values.size() < most; ++back) {
    const Trial& trial = trials_[trials_.size() - 1 - back];
    const bool keeps = limits_.span_keeps_least && values.size() < least;
    if (trial.time_ns < from_ns && !keeps) break;
    values.push_back(trial.value);
  }
  if (values.size() < least) return std::nullopt;
  RecentComparison comparison;
  comparison.trials = static_cast<int>(values.size());
  const double middle = Median(values);
  comparison.centre = limits_.scale == AmplitudeScale::kLogarithmic ? std::exp(middle) : middle;
  const double known = case_spread_.spread();
  const double recent = RobustSpread(values, middle) * (known > 0 ? 1 : kFewTrials);
  comparison.spread = std::max({recent, known, limits_.least_spread, floor_spread});
  comparison.deviation = (Scaled(value) - middle) / comparison.spread;
  comparison.fall_percent = 100 * (1 - value / comparison.centre);
  return comparison;
}

void RecentReference::Accept(double value, std::int64_t time_ns) {
  if (is_frozen()) return;
  const double scaled = Scaled(value);
  case_spread_.Add(scaled);
  trials_.push_back({time_ns, scaled});
  if (trials_.size() > static_cast<size_t>(limits_.trials)) trials_.pop_front();
}

void RecentReference::BeginStage(std::int64_t time_ns) {
  // A frozen reference is what was before the change: a stage does not take it away.
  if (!is_frozen()) stage_began_ns_ = std::max(stage_began_ns_, time_ns);
}

void RecentReference::Freeze(std::int64_t time_ns) {
  if (!is_frozen()) frozen_at_ns_ = time_ns;
}

void RecentReference::Restart() {
  trials_.clear();
  frozen_at_ns_.reset();
}

}  // namespace remora::dsp
