#include "dsp/assess/single_trial_criterion.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

// Trials in a row that a return is judged on.
constexpr size_t kLeastBackTrials = 3;
constexpr size_t kMostBackTrials = 8;
// Of eight, a geometric mean over this is as it was.
constexpr double kAsItWas = 0.9;
// Trials that a run of fallen ones is looked back on, and how much less they tell than independent
// ones (serial correlation of a fifth).
constexpr size_t kMostRunTrials = 10;
constexpr double kCorrelatedTrials = 1.5;
// A loss of a presence-only muscle is told when its dropouts would do so as rarely.
constexpr double kAmberChance = 1e-3;
constexpr double kRedChance = 1e-4;

}  // namespace

absl::Status ValidateLimits(const SingleTrialLimits& limits) {
  const auto in_range = [](const std::optional<double>& fall) {
    return !fall || (*fall > 0 && *fall <= 100);
  };
  if (!in_range(limits.amber_fall_percent) || !in_range(limits.red_fall_percent)) {
    return absl::InvalidArgumentError("fall limits: must be above 0 and at most 100 percent");
  }
  if (limits.amber_fall_percent && limits.red_fall_percent &&
      *limits.amber_fall_percent >= *limits.red_fall_percent) {
    return absl::InvalidArgumentError(
        absl::StrCat("amber_fall_percent ", *limits.amber_fall_percent,
                     ": must be below the red limit ", *limits.red_fall_percent));
  }
  if (!(limits.single_spreads > 0 && limits.run_spreads > 0 && limits.red_spreads >= 0 &&
        limits.back_spreads > 0)) {
    return absl::InvalidArgumentError("spreads of a criterion: must not be negative, or NaN");
  }
  return absl::OkStatus();
}

absl::StatusOr<SingleTrialCriterion> SingleTrialCriterion::Create(const SingleTrialLimits& limits,
                                                                  const MotorBaseline& baseline) {
  if (absl::Status status = ValidateLimits(limits); !status.ok()) return status;
  if (baseline.monitorability == Monitorability::kNotMonitorable || !(baseline.amplitude_uv > 0) ||
      !std::isfinite(baseline.amplitude_uv)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a baseline that nothing can be compared with: ", baseline.reason));
  }
  return SingleTrialCriterion(limits, baseline);
}

SingleTrialCriterion::Judged SingleTrialCriterion::Judge(const SingleTrial& trial) const {
  Judged judged;
  judged.log_ratio = std::log(trial.amplitude_uv / baseline_.amplitude_uv);
  // Of the trial, and of a baseline that is a middle of few.
  judged.own_spread = std::max({baseline_.log_spread, trial.log_spread, kLeastLogSpread});
  judged.spread = judged.own_spread * std::sqrt(1 + 1.0 / std::max(baseline_.trials, 1));
  judged.lost = trial.lost;
  judged.like_for_like = trial.like_for_like;
  judged.may_be_dropout = trial.may_be_dropout;
  const double fall_percent = 100 * (1 - trial.amplitude_uv / baseline_.amplitude_uv);
  const bool has_limits = baseline_.monitorability == Monitorability::kMonitorable;
  const auto beyond = [&](const std::optional<double>& limit) {
    return has_limits && limit && fall_percent >= *limit;
  };
  // What this muscle's own variation could not hide in the noise.
  const bool beyond_chance = judged.log_ratio <= -limits_.red_spreads * judged.spread;
  judged.past_red = has_limits && (trial.lost || beyond(limits_.red_fall_percent));
  judged.deep = (trial.lost || judged.past_red) && beyond_chance;
  judged.fallen = judged.past_red || beyond(limits_.amber_fall_percent);
  return judged;
}

bool SingleTrialCriterion::IsLossBeyondDropouts(double chance) const {
  if (loss_run_ < 2) return false;
  const double rate = (baseline_.absent + dropouts_ + 1.0) / (baseline_.trials + trials_ + 2.0);
  return std::pow(rate, loss_run_) <= chance;
}

bool SingleTrialCriterion::IsRunBeyondChance() const {
  double sum = 0;
  size_t count = 0;
  for (auto one = newest_.rbegin(); one != newest_.rend() && one->fallen; ++one) {
    sum += one->log_ratio;
    ++count;
    if (count < 2) continue;
    const auto n = static_cast<double>(count);
    const double error = newest_.back().own_spread *
                         std::sqrt(kCorrelatedTrials / n + 1.0 / std::max(baseline_.trials, 1));
    if (sum / n <= -limits_.run_spreads * error) return true;
  }
  return false;
}

AlertLevel SingleTrialCriterion::LevelOfRun(bool* by_loss) const {
  const Judged& newest = newest_.back();
  *by_loss = newest.lost;
  if (newest.lost) {
    if (IsLossBeyondDropouts(kRedChance) && limits_.loss_is_red) return AlertLevel::kRed;
    if (IsLossBeyondDropouts(kAmberChance)) return AlertLevel::kAmber;
  }
  if (baseline_.monitorability == Monitorability::kPresenceOnly || !newest.fallen) {
    return AlertLevel::kNormal;
  }
  const Judged* before = newest_.size() >= 2 ? &newest_[newest_.size() - 2] : nullptr;
  if (before != nullptr && newest.deep && before->deep) {
    const bool is_loss = newest.lost || before->lost;
    return limits_.loss_is_red || !is_loss ? AlertLevel::kRed : AlertLevel::kAmber;
  }
  const bool is_clear = newest.log_ratio <= -limits_.single_spreads * newest.spread &&
                        !(newest.lost && (dropouts_ > 0 || newest.may_be_dropout));
  if (newest.deep && is_clear) return AlertLevel::kAmber;
  if (before != nullptr && before->past_red && newest.past_red) return AlertLevel::kAmber;
  return IsRunBeyondChance() ? AlertLevel::kAmber : AlertLevel::kNormal;
}

bool SingleTrialCriterion::IsBack() const {
  const double limit_percent = limits_.amber_fall_percent.value_or(
      limits_.red_fall_percent.value_or(100 * (1 - kPresenceOnlyUnderUv / baseline_.amplitude_uv)));
  const bool has_limit = baseline_.monitorability == Monitorability::kMonitorable;
  const double limit = std::log(std::max(1 - limit_percent / 100, 0.05));
  double sum = 0;
  size_t count = 0;
  for (auto one = newest_.rbegin(); one != newest_.rend() && count < kMostBackTrials; ++one) {
    if (one->lost || one->deep || !one->like_for_like) break;
    sum += one->log_ratio;
    ++count;
    if (count < kLeastBackTrials) continue;
    // All that is asked of a muscle without limits of amplitude is that it answers.
    if (!has_limit) return true;
    const auto n = static_cast<double>(count);
    if (sum / n - limits_.back_spreads * one->spread / std::sqrt(n) > limit) return true;
    if (count == kMostBackTrials && sum / n > std::log(kAsItWas)) return true;
  }
  return false;
}

void SingleTrialCriterion::LearnDropouts() {
  const bool lost = newest_.back().lost;
  const bool was_alone = loss_run_ == 1 && !lost;
  if (level_ < AlertLevel::kRed && newest_.back().like_for_like) {
    if (was_alone) ++dropouts_;
    // The first of a run is a trial as any other; the rest of it says nothing of dropouts.
    if (!lost || loss_run_ == 0) ++trials_;
  }
  loss_run_ = lost ? loss_run_ + 1 : 0;
}

SingleTrialAssessment SingleTrialCriterion::Update(const SingleTrial& trial) {
  newest_.push_back(Judge(trial));
  if (newest_.size() > kMostRunTrials) newest_.pop_front();
  const Judged& judged = newest_.back();
  SingleTrialAssessment result;
  result.amplitude_percent_of_baseline = 100 * trial.amplitude_uv / baseline_.amplitude_uv;
  result.deviation = judged.log_ratio / judged.spread;
  result.deep = judged.deep;
  if (baseline_.monitorability == Monitorability::kMonitorable) {
    const double by_chance = std::exp(-limits_.red_spreads * judged.spread);
    const auto left = [](double fall_percent) { return 1 - fall_percent / 100; };
    if (limits_.amber_fall_percent) {
      result.amber_under_uv = baseline_.amplitude_uv * left(*limits_.amber_fall_percent);
    }
    if (limits_.red_fall_percent) {
      result.red_under_uv =
          baseline_.amplitude_uv * std::min(left(*limits_.red_fall_percent), by_chance);
    }
  }
  const AlertLevel before = level_;
  LearnDropouts();
  bool by_loss = false;
  const AlertLevel run = LevelOfRun(&by_loss);
  if (run > level_) {
    level_ = run;
    by_loss_ = by_loss;
    result.transition =
        before == AlertLevel::kNormal ? AlertTransition::kRaised : AlertTransition::kEscalated;
  } else if (level_ > AlertLevel::kNormal && IsBack()) {
    level_ = AlertLevel::kNormal;
    by_loss_ = false;
    result.transition = AlertTransition::kRecovered;
  }
  result.level = level_;
  result.by_loss = by_loss_;
  result.suspect = (judged.past_red || judged.lost) && level_ < AlertLevel::kRed;
  return result;
}

}  // namespace remora::dsp
