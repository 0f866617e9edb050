#include "dsp/assess/fixed_criteria.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Differences that a hand on a dial makes, and that a clock makes.
constexpr double kSettingTolerancePercent = 5.0;
constexpr double kRateTolerancePercent = 2.0;
// Peak-to-peak below this many times the residual noise cannot be told from none.
constexpr double kDetectionOverNoise = 2.0;
// With a limit near total loss (MEP), noise must still leave this share of the baseline visible.
constexpr double kLossVisibleShare = 0.2;

bool InRange(double value, double above, double up_to) { return value > above && value <= up_to; }

void CompareText(const char* name, const std::string& baseline, const std::string& trial,
                 std::vector<std::string>& differences) {
  if (baseline.empty() || trial.empty() || baseline == trial) return;
  differences.push_back(absl::StrCat(name, " ", baseline, " -> ", trial));
}

void CompareNumber(const char* name, double baseline, double trial, double tolerance_percent,
                   std::vector<std::string>& differences) {
  if (std::isnan(baseline) || std::isnan(trial)) return;
  if (std::abs(trial - baseline) <= std::abs(baseline) * tolerance_percent / 100.0) return;
  differences.push_back(absl::StrCat(name, " ", baseline, " -> ", trial));
}

}  // namespace

absl::Status ValidateLimits(const CriterionLimits& limits) {
  if (!InRange(limits.red_amplitude_drop_percent, 0.0, 100.0)) {
    return absl::InvalidArgumentError(absl::StrCat("red_amplitude_drop_percent ",
                                                   limits.red_amplitude_drop_percent,
                                                   ": must be above 0 and at most 100"));
  }
  if (limits.red_latency_rise_percent && !InRange(*limits.red_latency_rise_percent, 0.0, 1000.0)) {
    return absl::InvalidArgumentError(absl::StrCat("red_latency_rise_percent ",
                                                   *limits.red_latency_rise_percent,
                                                   ": must be above 0 and at most 1000"));
  }
  const double amber_drop = limits.amber_amplitude_drop_percent.value_or(kNaN);
  if (limits.amber_amplitude_drop_percent &&
      !(amber_drop > 0.0 && amber_drop < limits.red_amplitude_drop_percent)) {
    return absl::InvalidArgumentError(absl::StrCat("amber_amplitude_drop_percent ", amber_drop,
                                                   ": must be above 0 and below the red limit ",
                                                   limits.red_amplitude_drop_percent));
  }
  const double amber_rise = limits.amber_latency_rise_percent.value_or(kNaN);
  const double red_rise =
      limits.red_latency_rise_percent.value_or(std::numeric_limits<double>::infinity());
  if (limits.amber_latency_rise_percent && !(amber_rise > 0.0 && amber_rise < red_rise)) {
    return absl::InvalidArgumentError(absl::StrCat("amber_latency_rise_percent ", amber_rise,
                                                   ": must be above 0 and below the red limit ",
                                                   red_rise));
  }
  if (!(limits.amplitude_margin_percent >= 0.0 && limits.amplitude_margin_percent < 100.0) ||
      !(limits.latency_margin_percent >= 0.0 && limits.latency_margin_percent < 100.0)) {
    return absl::InvalidArgumentError("recovery margins: must be 0 to 100 percent points");
  }
  if (limits.raise_trials < 1 || limits.recover_trials < 1) {
    return absl::InvalidArgumentError(absl::StrCat("raise_trials ", limits.raise_trials,
                                                   ", recover_trials ", limits.recover_trials,
                                                   ": must be at least 1"));
  }
  return absl::OkStatus();
}

RecordingConditions::RecordingConditions()
    : sample_rate_hz(kNaN),
      stimulus_rate_hz(kNaN),
      stimulus_intensity_ma(kNaN),
      stimulus_intensity_v(kNaN) {}

std::vector<std::string> Differences(const RecordingConditions& baseline,
                                     const RecordingConditions& trial) {
  std::vector<std::string> differences;
  CompareText("derivation", baseline.derivation, trial.derivation, differences);
  CompareText("filter", baseline.filter, trial.filter, differences);
  CompareText("stimulus_site", baseline.stimulus_site, trial.stimulus_site, differences);
  CompareNumber("sample_rate_hz", baseline.sample_rate_hz, trial.sample_rate_hz,
                kRateTolerancePercent, differences);
  CompareNumber("stimulus_rate_hz", baseline.stimulus_rate_hz, trial.stimulus_rate_hz,
                kRateTolerancePercent, differences);
  CompareNumber("stimulus_intensity_ma", baseline.stimulus_intensity_ma,
                trial.stimulus_intensity_ma, kSettingTolerancePercent, differences);
  CompareNumber("stimulus_intensity_v", baseline.stimulus_intensity_v, trial.stimulus_intensity_v,
                kSettingTolerancePercent, differences);
  return differences;
}

absl::StatusOr<FixedCriterion> FixedCriterion::Create(CriterionLimits limits,
                                                      CriterionBaseline baseline) {
  absl::Status status = ValidateLimits(limits);
  if (!status.ok()) return status;
  if (!std::isfinite(baseline.amplitude_uv) || baseline.amplitude_uv <= 0.0 ||
      !std::isfinite(baseline.latency_ms) || baseline.latency_ms <= 0.0) {
    return absl::InvalidArgumentError(absl::StrCat("baseline ", baseline.amplitude_uv, " uV, ",
                                                   baseline.latency_ms,
                                                   " ms: both must be positive"));
  }
  return FixedCriterion(limits, baseline);
}

FixedCriterion::FixedCriterion(CriterionLimits limits, CriterionBaseline baseline)
    : limits_(limits), baseline_(baseline) {}

FixedCriterion::Change FixedCriterion::ChangeOf(const TrialMeasurement& trial) const {
  Change change;
  change.amplitude_drop_percent =
      100.0 * (baseline_.amplitude_uv - trial.amplitude_uv) / baseline_.amplitude_uv;
  const bool latency_known = trial.response == ResponseState::kPresent &&
                             limits_.red_latency_rise_percent.has_value() &&
                             std::isfinite(trial.latency_ms);
  change.latency_rise_percent =
      latency_known ? 100.0 * (trial.latency_ms - baseline_.latency_ms) / baseline_.latency_ms
                    : kNaN;
  return change;
}

AlertLevel FixedCriterion::LevelOf(const Change& change, double amplitude_margin_percent,
                                   double latency_margin_percent) const {
  // An unknown latency is NaN and passes no limit.
  const auto beyond = [&](double drop_limit, double rise_limit) {
    return change.amplitude_drop_percent >= drop_limit - amplitude_margin_percent ||
           change.latency_rise_percent >= rise_limit - latency_margin_percent;
  };
  constexpr double kNever = std::numeric_limits<double>::infinity();
  if (beyond(limits_.red_amplitude_drop_percent,
             limits_.red_latency_rise_percent.value_or(kNever))) {
    return AlertLevel::kRed;
  }
  if (beyond(limits_.amber_amplitude_drop_percent.value_or(kNever),
             limits_.amber_latency_rise_percent.value_or(kNever))) {
    return AlertLevel::kAmber;
  }
  return AlertLevel::kNormal;
}

std::uint32_t FixedCriterion::ReasonsOf(const TrialMeasurement& trial, const Change& change) const {
  const double drop_limit =
      limits_.amber_amplitude_drop_percent.value_or(limits_.red_amplitude_drop_percent);
  const double rise_limit = limits_.amber_latency_rise_percent.value_or(
      limits_.red_latency_rise_percent.value_or(std::numeric_limits<double>::infinity()));
  std::uint32_t reasons = kReasonNone;
  if (change.amplitude_drop_percent >= drop_limit) reasons |= kReasonAmplitude;
  if (change.latency_rise_percent >= rise_limit) reasons |= kReasonLatency;
  if (trial.response == ResponseState::kAbsent) reasons |= kReasonLoss;
  return reasons;
}

Interpretability FixedCriterion::Interpret(const TrialMeasurement& trial) const {
  if (!trial.technically_valid || !std::isfinite(trial.amplitude_uv) || trial.amplitude_uv < 0.0) {
    return Interpretability::kNotInterpretable;
  }
  const double noise = trial.residual_noise_uv;
  const double red_amplitude_uv =
      baseline_.amplitude_uv * (1.0 - limits_.red_amplitude_drop_percent / 100.0);
  // Unknown noise is NaN and compares false: nothing is known to be lost.
  const bool lost_beyond_noise =
      trial.amplitude_uv + kDetectionOverNoise * noise < red_amplitude_uv;
  const double visible_uv = std::max(red_amplitude_uv, kLossVisibleShare * baseline_.amplitude_uv);
  if (trial.response == ResponseState::kAbsent) {
    const bool loss_detectable = kDetectionOverNoise * noise < visible_uv;
    if (!loss_detectable) return Interpretability::kNotInterpretable;
  } else if (!trial.reproducible && !lost_beyond_noise) {
    return Interpretability::kNotReproducible;
  }
  return trial.differences.empty() ? Interpretability::kAssessed
                                   : Interpretability::kNotLikeForLike;
}

Assessment FixedCriterion::Judge(const TrialMeasurement& trial) const {
  Assessment result;
  const Change change = ChangeOf(trial);
  result.interpretability = Interpret(trial);
  result.amplitude_percent_of_baseline = 100.0 - change.amplitude_drop_percent;
  result.latency_change_percent = change.latency_rise_percent;
  if (result.interpretability == Interpretability::kAssessed ||
      result.interpretability == Interpretability::kNotLikeForLike) {
    result.trial_level =
        trial.response == ResponseState::kAbsent ? AlertLevel::kRed : LevelOf(change, 0.0, 0.0);
    result.reasons = ReasonsOf(trial, change);
  }
  result.level = result.trial_level;
  return result;
}

Assessment FixedCriterion::Update(const TrialMeasurement& trial) {
  Assessment result = Judge(trial);
  if (result.trial_level > level_) {
    RaiseTowards(result.trial_level, result);
  } else if (result.interpretability == Interpretability::kAssessed) {
    // Where the trial stands when each limit is moved inwards by its margin.
    const AlertLevel held = trial.response == ResponseState::kAbsent
                                ? AlertLevel::kRed
                                : LevelOf(ChangeOf(trial), limits_.amplitude_margin_percent,
                                          limits_.latency_margin_percent);
    // A level that a late response has raised is not eased by a trial that shows no latency.
    const bool latency_unknown =
        (level_reasons_ & kReasonLatency) != 0 && std::isnan(result.latency_change_percent);
    if (held < level_ && !latency_unknown) {
      LowerTowards(held, result);
    } else {
      streak_ = 0;
    }
  }
  level_reasons_ = level_ == AlertLevel::kNormal ? kReasonNone : level_reasons_ | result.reasons;
  result.level = level_;
  return result;
}

void FixedCriterion::RaiseTowards(AlertLevel target, Assessment& result) {
  // The streak leads no higher than its lowest trial.
  pending_ = streak_ > 0 ? std::min(pending_, target) : target;
  streak_ = std::max(streak_, 0) + 1;
  if (streak_ < limits_.raise_trials) return;
  result.transition =
      level_ == AlertLevel::kNormal ? AlertTransition::kRaised : AlertTransition::kEscalated;
  level_ = pending_;
  streak_ = 0;
}

void FixedCriterion::LowerTowards(AlertLevel target, Assessment& result) {
  pending_ = streak_ < 0 ? std::max(pending_, target) : target;
  streak_ = std::min(streak_, 0) - 1;
  if (-streak_ < limits_.recover_trials) return;
  level_ = pending_;
  result.transition =
      level_ == AlertLevel::kNormal ? AlertTransition::kRecovered : AlertTransition::kEased;
  streak_ = 0;
}

}  // namespace remora::dsp
