#include "dsp/assess/limb_judge.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

// Fewer muscles have no index: one that drops out would be the limb.
constexpr size_t kLeastIndexMuscles = 2;
// A muscle counts with no less: one that drops out is not the limb.
constexpr double kLeastShareInIndex = 1.0 / 6;
// Of an index, as the adaptive and the drift criterion see it: under it, agreement is chance. Drift
// has all trials of the case to know it from.
constexpr double kLeastIndexSpread = 0.2;
constexpr double kLeastDriftSpread = 0.15;
// Trials behind a baseline that add to what drift is judged against.
constexpr int kMostEarlyTrials = 10;

}  // namespace

AdaptiveLimits DefaultIndexLimits() {
  AdaptiveLimits limits;
  limits.reference.scale = AmplitudeScale::kLogarithmic;
  limits.reference.span_keeps_least = true;
  limits.reference.least_spread = kLeastIndexSpread;
  limits.amber_after_one = false;
  limits.suspect_spreads = 2;
  limits.pair_spreads = 3.3;
  limits.red_spreads = 5.5;
  return limits;
}

LimbJudge::LimbJudge(const LimbRules& rules, size_t muscles, DropoutMemory& dropouts)
    : rules_(rules), dropouts_(dropouts), muscles_(muscles) {
  if (rules.adaptive) adaptive_.emplace(*rules.adaptive);
  if (rules.drift) drift_.emplace(*rules.drift);
}

absl::StatusOr<std::unique_ptr<LimbJudge>> LimbJudge::Create(const LimbRules& rules, size_t muscles,
                                                             DropoutMemory& dropouts) {
  if (muscles == 0) return absl::InvalidArgumentError("a limb without a muscle");
  absl::Status status = ValidateLimits(rules.absolute);
  if (rules.adaptive) status.Update(ValidateLimits(*rules.adaptive));
  if (rules.drift) status.Update(ValidateLimits(*rules.drift));
  if (!status.ok()) return status;
  return std::unique_ptr<LimbJudge>(new LimbJudge(rules, muscles, dropouts));
}

absl::Status LimbJudge::SetBaseline(size_t muscle, size_t place, const MotorBaseline& baseline) {
  if (muscle >= muscles_.size() || place >= kPlaces) {
    return absl::InvalidArgumentError(
        absl::StrCat("baseline ", place, " of muscle ", muscle, ": there is no such place"));
  }
  absl::StatusOr<SingleTrialCriterion> criterion =
      SingleTrialCriterion::Create(rules_.absolute, baseline);
  if (!criterion.ok()) return criterion.status();
  muscles_[muscle].against[place] = *std::move(criterion);
  early_sum_ = 0;
  early_trials_ = 0;
  return absl::OkStatus();
}

MuscleJudgement LimbJudge::JudgeMuscle(size_t muscle, const LimbTrial& trial,
                                       size_t lost_in_trial) {
  MuscleJudgement judgement;
  Muscle& own = muscles_[muscle];
  const MuscleTrial& seen = trial.muscles[muscle];
  const bool lost = seen.state == MuscleState::kLost;
  const bool is_judged = seen.state != MuscleState::kNotJudged;
  SingleTrial offered;
  offered.amplitude_uv = seen.amplitude_uv;
  offered.lost = lost;
  offered.like_for_like = seen.like_for_like;
  offered.log_spread = own.spread.spread();
  offered.may_be_dropout = lost_in_trial < 2 && dropouts_.is_prone();
  judgement.against_each.resize(kPlaces);
  for (size_t place = 0; place < kPlaces; ++place) {
    if (!own.against[place]) continue;
    // What cannot be judged holds its level.
    SingleTrialAssessment& one = judgement.against_each[place];
    one.level = own.against[place]->level();
    if (is_judged) {
      one = own.against[place]->Update(offered);
      judgement.judged = true;
    }
    if (one.level > judgement.level || judgement.against == place) judgement.against = place;
    if (one.level > judgement.level) judgement.transition = one.transition;
    judgement.level = std::max(judgement.level, one.level);
    judgement.by_loss = judgement.by_loss || one.by_loss;
    judgement.suspect = judgement.suspect || one.suspect;
  }
  if (!judgement.judged) return judgement;
  if (!lost) own.spread.Add(std::log(seen.amplitude_uv));
  if (own.was_lost && !lost) dropouts_.Note();
  own.was_lost = lost;
  return judgement;
}

void LimbJudge::JudgeIndex(const LimbTrial& trial, LimbJudgement* judgement) {
  double sum = 0;
  size_t count = 0;
  size_t lost = 0;
  int baseline_trials = 0;
  for (size_t i = 0; i < muscles_.size(); ++i) {
    if (trial.muscles[i].state == MuscleState::kNotJudged) continue;
    // The newest baseline that it has.
    const SingleTrialCriterion* reference = nullptr;
    for (const auto& against : muscles_[i].against) {
      if (against) reference = &*against;
    }
    if (reference == nullptr) continue;
    if (reference->baseline().monitorability != Monitorability::kMonitorable) continue;
    const double share = trial.muscles[i].amplitude_uv / reference->baseline().amplitude_uv;
    sum += std::log(std::max(share, kLeastShareInIndex));
    lost += trial.muscles[i].state == MuscleState::kLost ? 1 : 0;
    baseline_trials = count == 0 ? reference->baseline().trials
                                 : std::min(baseline_trials, reference->baseline().trials);
    ++count;
  }
  if (adaptive_) judgement->adaptive.level = adaptive_->level();
  if (drift_) judgement->drift.level = drift_->level();
  if (count < kLeastIndexMuscles) return;
  const double log_index = sum / static_cast<double>(count);
  judgement->index = std::exp(log_index);
  if (adaptive_) {
    AdaptiveTrial offered;
    offered.time_ns = trial.time_ns;
    offered.value_uv = *judgement->index;
    offered.lost = lost == count;
    judgement->adaptive = adaptive_->Update(offered);
  }
  const double spread = std::max(index_spread_.spread(), kLeastDriftSpread);
  index_spread_.Add(log_index);
  if (drift_) {
    const double expected = std::log(trial.expected_percent / 100);
    const double trials = std::max(baseline_trials, 1) + early_trials_;
    const double reference = early_sum_ / trials;
    // It is a mean of few trials: it may lie a standard error too high.
    const double error = spread / std::sqrt(trials);
    judgement->drift = drift_->Update(std::exp(log_index - expected - reference + error), spread);
    if (early_trials_ < kMostEarlyTrials && lost == 0) {
      early_sum_ += log_index - expected;
      ++early_trials_;
    }
  }
}

LimbJudgement LimbJudge::Judge(const LimbTrial& trial) {
  LimbJudgement judgement;
  size_t lost = 0;
  for (const MuscleTrial& muscle : trial.muscles)
    lost += muscle.state == MuscleState::kLost ? 1 : 0;
  for (size_t i = 0; i < muscles_.size(); ++i) {
    judgement.muscles.push_back(JudgeMuscle(i, trial, lost));
    judgement.absolute = std::max(judgement.absolute, judgement.muscles.back().level);
    judgement.asks_for_repeat = judgement.asks_for_repeat || judgement.muscles.back().suspect;
  }
  JudgeIndex(trial, &judgement);
  judgement.asks_for_repeat =
      judgement.asks_for_repeat ||
      (judgement.adaptive.suspect && judgement.adaptive.level < AlertLevel::kRed);
  judgement.level = std::max({judgement.absolute, judgement.adaptive.level, judgement.drift.level});
  if (judgement.level > level_) {
    judgement.transition =
        level_ == AlertLevel::kNormal ? AlertTransition::kRaised : AlertTransition::kEscalated;
  } else if (judgement.level < level_) {
    judgement.transition = judgement.level == AlertLevel::kNormal ? AlertTransition::kRecovered
                                                                  : AlertTransition::kEased;
  }
  level_ = judgement.level;
  return judgement;
}

void LimbJudge::BeginStage(std::int64_t time_ns) {
  if (adaptive_) adaptive_->BeginStage(time_ns);
}

void LimbJudge::OnResolved() {
  if (adaptive_) adaptive_->Restart();
}

}  // namespace remora::dsp
