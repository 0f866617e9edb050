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
// A deep trial is learnt from as one of so many: an injury that comes and goes does not become how
// the muscle varies.
constexpr int kTrialsBetweenDeep = 10;
// Dropouts that make a case prone to them, and how long they do.
constexpr size_t kProneDropouts = 2;
constexpr std::int64_t kProneNs = std::int64_t{2} * 3600 * 1'000'000'000;

// What it is compared with in the index: that of before incision, or the first.
const SingleTrialCriterion* ReferenceOf(
    const std::optional<SingleTrialCriterion> (&against)[kBaselinePlaces]) {
  for (const BaselinePlace place : {BaselinePlace::kPreIncision, BaselinePlace::kFirst}) {
    const auto& one = against[static_cast<size_t>(place)];
    if (one) return &*one;
  }
  return nullptr;
}

AlertTransition Between(AlertLevel before, AlertLevel now) {
  if (now > before) {
    return before == AlertLevel::kNormal ? AlertTransition::kRaised : AlertTransition::kEscalated;
  }
  if (now == before) return AlertTransition::kNone;
  return now == AlertLevel::kNormal ? AlertTransition::kRecovered : AlertTransition::kEased;
}

bool CanBeJudged(const MuscleTrial& trial) {
  return trial.state != MuscleState::kNotJudged && trial.amplitude_uv > 0 &&
         std::isfinite(trial.amplitude_uv);
}

}  // namespace

void DropoutMemory::Note(std::int64_t time_ns) {
  times_ns_.push_back(time_ns);
  if (times_ns_.size() > kProneDropouts) times_ns_.pop_front();
}

bool DropoutMemory::IsProne(std::int64_t time_ns) const {
  return times_ns_.size() == kProneDropouts && time_ns - times_ns_.front() <= kProneNs;
}

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

absl::Status LimbJudge::CanSetBaseline() const {
  const bool is_open = level_ != AlertLevel::kNormal && !resolved_;
  if (!is_open && !(adaptive_ && adaptive_->is_frozen())) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "an alert is on, or a suspect trial is not settled: a baseline would hide it");
}

absl::Status LimbJudge::SetBaseline(size_t muscle, BaselinePlace place,
                                    const MotorBaseline& baseline) {
  const auto at = static_cast<size_t>(place);
  if (muscle >= muscles_.size() || at >= kBaselinePlaces) {
    return absl::InvalidArgumentError(
        absl::StrCat("baseline ", at, " of muscle ", muscle, ": there is no such place"));
  }
  std::optional<SingleTrialCriterion>& against = muscles_[muscle].against[at];
  if (against && place != BaselinePlace::kCurrent) {
    return absl::FailedPreconditionError("this baseline is set already, and is kept");
  }
  if (absl::Status status = CanSetBaseline(); !status.ok()) return status;
  absl::StatusOr<SingleTrialCriterion> criterion =
      SingleTrialCriterion::Create(rules_.absolute, baseline);
  if (!criterion.ok()) return criterion.status();
  against = *std::move(criterion);
  if (place == BaselinePlace::kCurrent) return absl::OkStatus();
  // The index is in other units from now on.
  early_sum_ = 0;
  early_trials_ = 0;
  if (adaptive_) adaptive_->Restart();
  return absl::OkStatus();
}

void LimbJudge::LearnFrom(const MuscleTrial& seen, const MuscleJudgement& judgement,
                          std::int64_t time_ns, Muscle* muscle) {
  const bool lost = seen.state == MuscleState::kLost;
  // What may be an injury is not how the muscle varies.
  const bool deep = std::any_of(judgement.against_each.begin(), judgement.against_each.end(),
                                [](const SingleTrialAssessment& one) { return one.deep; });
  const bool is_usual = !deep || muscle->since_deep >= kTrialsBetweenDeep;
  muscle->since_deep = deep ? 0 : muscle->since_deep + 1;
  if (!lost && is_usual && seen.like_for_like) muscle->spread.Add(std::log(seen.amplitude_uv));
  const bool was_alone = muscle->lost_in_a_row == 1 && !lost && seen.like_for_like;
  if (was_alone && muscle->level < AlertLevel::kRed) dropouts_.Note(time_ns);
  muscle->lost_in_a_row = lost ? muscle->lost_in_a_row + 1 : 0;
}

MuscleJudgement LimbJudge::JudgeMuscle(size_t muscle, const LimbTrial& trial,
                                       size_t lost_in_trial) {
  MuscleJudgement judgement;
  Muscle& own = muscles_[muscle];
  const MuscleTrial seen = muscle < trial.muscles.size() ? trial.muscles[muscle] : MuscleTrial();
  const bool is_judged = CanBeJudged(seen);
  SingleTrial offered;
  offered.amplitude_uv = seen.amplitude_uv;
  offered.lost = seen.state == MuscleState::kLost;
  offered.like_for_like = seen.like_for_like;
  offered.log_spread = own.spread.spread();
  offered.may_be_dropout = lost_in_trial < 2 && dropouts_.IsProne(trial.time_ns);
  judgement.against_each.resize(kBaselinePlaces);
  for (size_t place = 0; place < kBaselinePlaces; ++place) {
    if (!own.against[place]) continue;
    // What cannot be judged holds its level.
    SingleTrialAssessment& one = judgement.against_each[place];
    one.level = own.against[place]->level();
    if (is_judged) {
      one = own.against[place]->Update(offered);
      judgement.judged = true;
    }
    if (one.level > judgement.level) judgement.against = static_cast<BaselinePlace>(place);
    judgement.level = std::max(judgement.level, one.level);
    judgement.by_loss = judgement.by_loss || one.by_loss;
    judgement.suspect = judgement.suspect || one.suspect;
  }
  judgement.transition = Between(own.level, judgement.level);
  if (is_judged) LearnFrom(seen, judgement, trial.time_ns, &own);
  own.level = judgement.level;
  return judgement;
}

LimbJudge::Index LimbJudge::IndexOf(const LimbTrial& trial) const {
  Index index;
  index.muscles.resize(muscles_.size(), false);
  double sum = 0;
  for (size_t i = 0; i < std::min(muscles_.size(), trial.muscles.size()); ++i) {
    const SingleTrialCriterion* reference = ReferenceOf(muscles_[i].against);
    if (reference == nullptr || !CanBeJudged(trial.muscles[i])) continue;
    const MotorBaseline& baseline = reference->baseline();
    if (baseline.monitorability != Monitorability::kMonitorable) continue;
    sum += std::log(
        std::max(trial.muscles[i].amplitude_uv / baseline.amplitude_uv, kLeastShareInIndex));
    index.lost += trial.muscles[i].state == MuscleState::kLost ? 1 : 0;
    index.like_for_like = index.like_for_like && trial.muscles[i].like_for_like;
    index.baseline_trials =
        index.count == 0 ? baseline.trials : std::min(index.baseline_trials, baseline.trials);
    index.muscles[i] = true;
    ++index.count;
  }
  if (index.count > 0) index.logarithm = sum / static_cast<double>(index.count);
  return index;
}

// Since something was suspect, one that had been there before.
bool LimbJudge::LacksMuscles(const Index& index) const {
  for (size_t i = 0; i < index_muscles_.size(); ++i) {
    if (index_muscles_[i] && !index.muscles[i]) return true;
  }
  return false;
}

void LimbJudge::JudgeIndex(const LimbTrial& trial, LimbJudgement* judgement) {
  if (adaptive_) judgement->adaptive.level = adaptive_->level();
  if (drift_) judgement->drift.level = drift_->level();
  const Index index = IndexOf(trial);
  if (index.count < kLeastIndexMuscles) return;
  judgement->index = std::exp(index.logarithm);
  const bool is_settled = level_ == AlertLevel::kNormal && !(adaptive_ && adaptive_->is_frozen());
  const bool may_lower = index.like_for_like && (is_settled || !LacksMuscles(index));
  if (adaptive_) {
    AdaptiveTrial offered;
    offered.time_ns = trial.time_ns;
    offered.value = *judgement->index;
    offered.lost = index.lost == index.count;
    offered.like_for_like = may_lower;
    judgement->adaptive = adaptive_->Update(offered);
  }
  if (!may_lower) return;
  const bool is_quiet = is_settled && !judgement->adaptive.suspect;
  if (is_quiet) index_muscles_ = index.muscles;
  const double spread = std::max(index_spread_.spread(), kLeastDriftSpread);
  // A level that shifts is one step of many.
  if (index.lost == 0) index_spread_.Add(index.logarithm);
  if (!drift_) return;
  const bool knows_fade = trial.expected_percent > 0 && std::isfinite(trial.expected_percent);
  const double expected = knows_fade ? std::log(trial.expected_percent / 100) : 0;
  const double trials = std::max(index.baseline_trials, 1) + early_trials_;
  const double reference = early_sum_ / trials;
  // It is a mean of few trials: it may lie a standard error too high.
  const double error = spread / std::sqrt(trials);
  judgement->drift =
      drift_->Update(std::exp(index.logarithm - expected - reference + error), spread);
  const bool is_early = early_trials_ < kMostEarlyTrials && index.lost == 0 && is_quiet &&
                        judgement->drift.level == AlertLevel::kNormal &&
                        judgement->drift.fall_percent < rules_.drift->least_fall_percent;
  if (!is_early) return;
  early_sum_ += index.logarithm - expected;
  ++early_trials_;
}

LimbJudgement LimbJudge::Judge(const LimbTrial& trial) {
  LimbJudgement judgement;
  size_t lost = trial.lost_elsewhere;
  for (const MuscleTrial& muscle : trial.muscles) {
    lost += muscle.state == MuscleState::kLost ? 1 : 0;
  }
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
  judgement.transition = Between(level_, judgement.level);
  resolved_ = resolved_ && judgement.level <= level_ && judgement.level != AlertLevel::kNormal;
  level_ = judgement.level;
  return judgement;
}

void LimbJudge::BeginStage(std::int64_t time_ns) {
  if (adaptive_) adaptive_->BeginStage(time_ns);
}

void LimbJudge::OnResolved() {
  resolved_ = true;
  if (adaptive_) adaptive_->Restart();
}

void LimbJudge::Hold(size_t muscle, AlertLevel level) {
  if (muscle >= muscles_.size()) return;
  for (auto& criterion : muscles_[muscle].against) {
    if (criterion) criterion->Hold(level);
  }
  muscles_[muscle].level = level;
  level_ = std::max(level_, level);
}

void LimbJudge::HoldDrift(AlertLevel level) {
  if (!drift_) return;
  drift_->Hold(level);
  level_ = std::max(level_, level);
}

}  // namespace remora::dsp
