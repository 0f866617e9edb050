#include "dsp/assess/adaptive_criterion.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dsp/assess/robust.h"

namespace remora::dsp {
namespace {

// Trials behind a suspect one that are looked at for a return.
constexpr size_t kMostBackTrials = 5;
constexpr size_t kLeastBackTrials = 2;
// So near the centre the mean of the most trials is as it was.
constexpr double kAsItWasSpreads = 0.3;
// A change is abrupt when it is complete within so much.
constexpr std::int64_t kAbruptNs = std::int64_t{2} * 60 * 1'000'000'000;
constexpr int kAbruptTrials = 3;
// Trials from the first suspect on within which a pair makes red.
constexpr int kStepTrials = 4;
// Trials since the reference froze that are remembered.
constexpr size_t kMostSinceFreeze = 8;

absl::Status MustBePositive(const char* name, double value) {
  if (value > 0 && std::isfinite(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " ", value, ": must be over 0"));
}

}  // namespace

absl::Status ValidateLimits(const AdaptiveLimits& limits) {
  absl::Status status = ValidateLimits(limits.reference);
  status.Update(MustBePositive("suspect_spreads", limits.suspect_spreads));
  status.Update(MustBePositive("pair_spreads", limits.pair_spreads));
  status.Update(MustBePositive("red_spreads", limits.red_spreads));
  status.Update(MustBePositive("back_spreads", limits.back_spreads));
  if (!(limits.least_fall_percent > 0 && limits.least_fall_percent < 100)) {
    status.Update(absl::InvalidArgumentError(
        absl::StrCat("least_fall_percent ", limits.least_fall_percent, ": must be 0 to 100")));
  }
  return status;
}

bool AdaptiveCriterion::IsSuspect(const AdaptiveTrial& trial,
                                  const RecentComparison& comparison) const {
  if (trial.lost) return true;
  return comparison.fall_percent >= limits_.least_fall_percent &&
         comparison.deviation <= -limits_.suspect_spreads;
}

// The newest trial is a suspect.
AlertLevel AdaptiveCriterion::LevelOfNewest() const {
  const Judged& newest = since_freeze_.back();
  const bool is_pair = since_freeze_.size() >= 2 && since_freeze_[since_freeze_.size() - 2].suspect;
  if (newest.trial.lost && limits_.amber_after_one) return AlertLevel::kRed;
  if (is_pair) {
    const Judged& before = since_freeze_[since_freeze_.size() - 2];
    const auto is_deep = [&](const Judged& one) {
      return one.trial.lost || one.comparison.deviation <= -limits_.red_spreads;
    };
    if (is_deep(newest) && is_deep(before) && IsStep()) return AlertLevel::kRed;
    const double together =
        (newest.comparison.deviation + before.comparison.deviation) / std::sqrt(2.0);
    if (together <= -limits_.pair_spreads) return AlertLevel::kAmber;
  }
  return limits_.amber_after_one ? AlertLevel::kAmber : AlertLevel::kNormal;
}

// Whether the two newest trials came down at once: from the reference, or from what came since.
bool AdaptiveCriterion::IsStep() const {
  if (trials_since_freeze_ <= kStepTrials) return true;
  std::vector<double> earlier;
  for (size_t i = 0; i + 2 < since_freeze_.size(); ++i) {
    earlier.push_back(since_freeze_[i].comparison.deviation);
  }
  const double middle = Median(earlier);
  const double newest = since_freeze_.back().comparison.deviation - middle;
  const double before = since_freeze_[since_freeze_.size() - 2].comparison.deviation - middle;
  return newest <= -limits_.suspect_spreads && before <= -limits_.suspect_spreads &&
         (newest + before) / std::sqrt(2.0) <= -limits_.red_spreads;
}

bool AdaptiveCriterion::IsBack() const {
  // A suspect that nothing confirmed was alone as soon as the next is none.
  if (level_ == AlertLevel::kNormal) return !since_freeze_.back().suspect;
  double sum = 0;
  size_t count = 0;
  for (auto one = since_freeze_.rbegin(); one != since_freeze_.rend(); ++one) {
    if (one->suspect || count == kMostBackTrials) break;
    sum += one->comparison.deviation;
    ++count;
    if (count < kLeastBackTrials) continue;
    // Where the limit lies, in spreads from the centre.
    const RecentComparison& reference = one->comparison;
    const double share = 1 - limits_.least_fall_percent / 100;
    const double limit = limits_.reference.scale == AmplitudeScale::kLogarithmic
                             ? std::log(share) / reference.spread
                             : (share - 1) * reference.centre / reference.spread;
    const auto n = static_cast<double>(count);
    if (sum / n - limits_.back_spreads / std::sqrt(n) > limit) return true;
    if (count == kMostBackTrials && sum / n > -kAsItWasSpreads) return true;
  }
  return false;
}

AdaptiveAssessment AdaptiveCriterion::Update(const AdaptiveTrial& trial) {
  AdaptiveAssessment result;
  result.level = level_;
  result.comparison = reference_.Compare(trial.value, trial.floor_spread, trial.time_ns);
  if (!result.comparison) {
    if (!trial.lost && trial.like_for_like) reference_.Accept(trial.value, trial.time_ns);
    return result;
  }
  result.suspect = IsSuspect(trial, *result.comparison);
  if (!result.suspect && !trial.like_for_like) {
    result.frozen = reference_.is_frozen();
    return result;
  }
  if (!result.suspect && !reference_.is_frozen()) {
    reference_.Accept(trial.value, trial.time_ns);
    last_normal_ns_ = trial.time_ns;
    return result;
  }
  reference_.Freeze(trial.time_ns);
  since_freeze_.push_back({trial, *result.comparison, result.suspect});
  ++trials_since_freeze_;
  if (since_freeze_.size() > kMostSinceFreeze) since_freeze_.pop_front();
  const AlertLevel before = level_;
  if (result.suspect) {
    level_ = std::max(level_, LevelOfNewest());
    result.abrupt = level_ > AlertLevel::kNormal && trials_since_freeze_ <= kAbruptTrials &&
                    last_normal_ns_ && trial.time_ns - *last_normal_ns_ <= kAbruptNs;
  } else if (IsBack()) {
    level_ = AlertLevel::kNormal;
    reference_.Thaw();
    // What was a suspect alone is part of how the response varies.
    for (const Judged& one : since_freeze_) {
      if (!one.trial.lost && one.trial.like_for_like && before == AlertLevel::kNormal) {
        reference_.Accept(one.trial.value, one.trial.time_ns);
      }
    }
    if (before != AlertLevel::kNormal) reference_.Accept(trial.value, trial.time_ns);
    since_freeze_.clear();
    trials_since_freeze_ = 0;
    last_normal_ns_ = trial.time_ns;
  }
  if (level_ > before) {
    result.transition =
        before == AlertLevel::kNormal ? AlertTransition::kRaised : AlertTransition::kEscalated;
  } else if (level_ < before) {
    result.transition = AlertTransition::kRecovered;
  }
  result.level = level_;
  result.frozen = reference_.is_frozen();
  return result;
}

void AdaptiveCriterion::Restart() {
  reference_.Restart();
  since_freeze_.clear();
  trials_since_freeze_ = 0;
  level_ = AlertLevel::kNormal;
}

}  // namespace remora::dsp
