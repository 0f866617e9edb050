#include "dsp/assess/motor_baseline.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "dsp/assess/robust.h"

namespace remora::dsp {
namespace {

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Of a sample; 0 of a single value.
double StandardDeviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

void Classify(double hidden_uv, MotorBaseline* baseline) {
  if (2 * baseline->absent >= baseline->trials) {
    baseline->reason =
        absl::StrCat("absent in ", baseline->absent, " of ", baseline->trials, " trials");
    return;
  }
  std::vector<std::string> reasons;
  if (baseline->absent > 0) {
    reasons.push_back(
        absl::StrCat("absent in ", baseline->absent, " of ", baseline->trials, " trials"));
  }
  if (baseline->amplitude_uv < kPresenceOnlyUnderUv) {
    reasons.push_back(absl::StrFormat("median %.0f uV, under %.0f uV", baseline->amplitude_uv,
                                      kPresenceOnlyUnderUv));
  }
  if (baseline->cv > kPresenceOnlyOverCv) {
    reasons.push_back(absl::StrFormat("varies by %.0f %% from trial to trial, more than %.0f %%",
                                      100 * baseline->cv, 100 * kPresenceOnlyOverCv));
  }
  const double error = std::sqrt(1 + 1.0 / std::max(baseline->trials - baseline->absent, 1));
  const double reach =
      kBeyondChanceSpreads * std::max(baseline->log_spread, kLeastLogSpread) * error;
  if (hidden_uv > 0 && std::log(baseline->amplitude_uv / hidden_uv) < reach) {
    reasons.push_back(absl::StrFormat("varies down to the %.0f uV that noise hides", hidden_uv));
  }
  baseline->monitorability =
      reasons.empty() ? Monitorability::kMonitorable : Monitorability::kPresenceOnly;
  baseline->reason = absl::StrJoin(reasons, "; ");
}

}  // namespace

absl::StatusOr<MotorBaseline> MakeMotorBaseline(const std::vector<MotorBaselineTrial>& trials,
                                                double hidden_uv) {
  if (trials.size() < kMinMotorBaselineTrials) {
    return absl::InvalidArgumentError(absl::StrCat("a baseline of ", trials.size(),
                                                   " trials: at least ", kMinMotorBaselineTrials,
                                                   " accepted ones are needed"));
  }
  MotorBaseline baseline;
  baseline.trials = static_cast<int>(trials.size());
  std::vector<double> amplitudes;
  std::vector<double> logarithms;
  std::vector<double> latencies;
  for (const MotorBaselineTrial& trial : trials) {
    if (!trial.present) {
      ++baseline.absent;
      continue;
    }
    if (!std::isfinite(trial.amplitude_uv) || trial.amplitude_uv <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("a response of ", trial.amplitude_uv, " uV: must be positive and finite"));
    }
    amplitudes.push_back(trial.amplitude_uv);
    logarithms.push_back(std::log(trial.amplitude_uv));
    if (std::isfinite(trial.latency_ms) && trial.latency_ms > 0) {
      latencies.push_back(trial.latency_ms);
    }
  }
  if (!amplitudes.empty()) {
    baseline.amplitude_uv = Median(amplitudes);
    baseline.lowest_uv = *std::min_element(amplitudes.begin(), amplitudes.end());
    baseline.highest_uv = *std::max_element(amplitudes.begin(), amplitudes.end());
    baseline.cv = StandardDeviation(amplitudes) / Mean(amplitudes);
    baseline.log_spread = StandardDeviation(logarithms);
    if (!latencies.empty()) baseline.latency_ms = Median(latencies);
  }
  Classify(hidden_uv, &baseline);
  return baseline;
}

}  // namespace remora::dsp
