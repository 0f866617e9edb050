// The fixed criterion: amplitude and latency of a trial against a baseline (SEP: 50 % and 10 %).
//
// Used by the agent's surveillance for each trace, and by hub and reader to recompute an alert in
// replay; pure, thread-compatible, knows numbers only. One FixedCriterion a trace and baseline.
//
//   kNormal --- amber limit passed --> kAmber --- red limit passed --> kRed
//   kNormal ------------------- red limit passed --------------------> kRed
//   kNormal <------- recovered ------- kAmber <------- eased --------- kRed
//   kNormal <----------------------- recovered ----------------------- kRed
//
// Recovered and eased: inside the limit by its margin.
// Going up takes raise_trials in a row, going down recover_trials; in between the level holds.
//
// Invariants:
// 1. Only an interpretable, like-for-like trial lowers a level. Whatever cannot be judged holds it.
// 2. A trial that is not like-for-like may raise a level, marked so (safe side), never lower one.
// 3. A quality gate that fails does not hide a loss: when amplitude + 2 x residual noise is still
//    below the red limit, noise cannot explain the drop, and the trial counts.
// 4. A latency is judged only when the marker is certain; a level that latency has raised waits for
//    a certain latency before it is lowered.
//
// Sources: amplitude 50 %, latency 10 %: ACNS guideline 11B; ASNM position statement on SEP. Gate:
// MacDonald et al. 2005 (30 %); margins and trial counts: Remora's own, configurable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace remora::dsp {

struct CriterionLimits {
  double red_amplitude_drop_percent = 50.0;               // 0 < x <= 100; reached or passed: red
  std::optional<double> red_latency_rise_percent = 10.0;  // > 0; nullopt: latency not judged
  std::optional<double> amber_amplitude_drop_percent;     // < red
  std::optional<double> amber_latency_rise_percent;       // < red
  // How far inside a limit a trial must be to lower the level, percent points of baseline.
  double amplitude_margin_percent = 5.0;
  double latency_margin_percent = 1.0;
  int raise_trials = 1;    // >= 1
  int recover_trials = 1;  // >= 1
};

// kInvalidArgument names the limit that is wrong and its range.
absl::Status ValidateLimits(const CriterionLimits& limits);

// What must be equal for a comparison to mean anything. NaN or empty: not known, not compared.
struct RecordingConditions {
  std::string derivation;     // "CPc-Front"
  std::string filter;         // "zero phase butterworth 4, 30-500 Hz"
  std::string stimulus_site;  // "median right"
  double sample_rate_hz;
  double stimulus_rate_hz;
  double stimulus_intensity_ma;
  double stimulus_intensity_v;  // of a stimulator that holds the voltage

  RecordingConditions();
};

// Names of what differs ("stimulus_intensity_ma 30 -> 25"); numbers by more than 5 % (the intensity
// is set by hand) or 2 % (rates).
std::vector<std::string> Differences(const RecordingConditions& baseline,
                                     const RecordingConditions& trial);

// How sure the marker is. Mirrors evoked/peak.h, which this folder does not include.
enum class ResponseState : std::uint8_t { kPresent, kUncertain, kAbsent };

struct TrialMeasurement {
  ResponseState response = ResponseState::kPresent;
  double amplitude_uv = 0.0;       // >= 0; of an absent response: what was there
  double latency_ms = 0.0;         // ignored unless kPresent
  double residual_noise_uv = 0.0;  // rms in the average; NaN: unknown
  bool reproducible = true;        // odd and even halves agree
  bool technically_valid = true;  // false: electrode off, all sweeps rejected, held by interference
  std::vector<std::string> differences;  // from the baseline's conditions; empty: like for like
};

struct CriterionBaseline {
  double amplitude_uv = 0.0;  // > 0
  double latency_ms = 0.0;    // > 0
};

enum class AlertLevel : std::uint8_t { kNormal, kAmber, kRed };
enum class Interpretability : std::uint8_t {
  kAssessed,
  kNotLikeForLike,    // judged, with a mark; see invariant 2
  kNotReproducible,   // gate failed and noise could explain the drop: level held
  kNotInterpretable,  // technically invalid, noise unknown or too large for a loss: level held
};
enum class AlertTransition : std::uint8_t { kNone, kRaised, kEscalated, kEased, kRecovered };

// Bits: what spoke for the level of the trial.
enum CriterionReason : std::uint32_t {
  kReasonNone = 0,
  kReasonAmplitude = 1u << 0,
  kReasonLatency = 1u << 1,
  kReasonLoss = 1u << 2,  // response absent
};

struct Assessment {
  double amplitude_percent_of_baseline = 0.0;
  double latency_change_percent = 0.0;           // NaN when latency was not judged
  AlertLevel trial_level = AlertLevel::kNormal;  // of this trial alone
  AlertLevel level = AlertLevel::kNormal;        // after hysteresis
  AlertTransition transition = AlertTransition::kNone;
  Interpretability interpretability = Interpretability::kAssessed;
  std::uint32_t reasons = kReasonNone;  // of trial_level
};

class FixedCriterion {
 public:
  // Errors: kInvalidArgument -> limits, or a baseline that is not positive and finite.
  static absl::StatusOr<FixedCriterion> Create(CriterionLimits limits, CriterionBaseline baseline);

  // The level of one trial with no memory; transition kNone, level = trial_level.
  Assessment Judge(const TrialMeasurement& trial) const;
  // Judges and moves the level.
  Assessment Update(const TrialMeasurement& trial);

  // As after trials that led to this level: what an earlier life of the program had found.
  void Hold(AlertLevel level) { level_ = level; }

  AlertLevel level() const { return level_; }
  const CriterionBaseline& baseline() const { return baseline_; }
  const CriterionLimits& limits() const { return limits_; }

 private:
  FixedCriterion(CriterionLimits limits, CriterionBaseline baseline);
  struct Change {
    double amplitude_drop_percent;
    double latency_rise_percent;  // NaN: not judged
  };
  AlertLevel LevelOf(const Change& change, double amplitude_margin_percent,
                     double latency_margin_percent) const;
  std::uint32_t ReasonsOf(const TrialMeasurement& trial, const Change& change) const;
  Interpretability Interpret(const TrialMeasurement& trial) const;
  Change ChangeOf(const TrialMeasurement& trial) const;
  void RaiseTowards(AlertLevel target, Assessment& result);
  void LowerTowards(AlertLevel target, Assessment& result);

  CriterionLimits limits_;
  CriterionBaseline baseline_;
  AlertLevel level_ = AlertLevel::kNormal;
  std::uint32_t level_reasons_ = kReasonNone;  // of every trial since the level left kNormal
  AlertLevel pending_ = AlertLevel::kNormal;   // where the streak would lead
  int streak_ = 0;                             // > 0 trials upwards, < 0 downwards
};

}  // namespace remora::dsp
