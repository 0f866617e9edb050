#include "dsp/assess/fixed_criteria.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

FixedCriterion Criterion(CriterionLimits limits = {}) {
  return *FixedCriterion::Create(limits, {4.0, 20.0});
}

TrialMeasurement Trial(double amplitude_uv, double latency_ms = 20.0) {
  TrialMeasurement trial;
  trial.amplitude_uv = amplitude_uv;
  trial.latency_ms = latency_ms;
  trial.residual_noise_uv = 0.1;
  return trial;
}

CriterionLimits WithAmber() {
  CriterionLimits limits;
  limits.amber_amplitude_drop_percent = 30.0;
  limits.amber_latency_rise_percent = 5.0;
  return limits;
}

TEST(FixedCriterion, JudgesAmplitudeAndLatencyAtTheirLimits) {
  const FixedCriterion criterion = Criterion(WithAmber());
  const struct {
    double amplitude_uv, latency_ms;
    AlertLevel level;
    std::uint32_t reasons;
  } cases[] = {
      {4.0, 20.0, AlertLevel::kNormal, kReasonNone},
      {2.81, 20.9, AlertLevel::kNormal, kReasonNone},
      {2.8, 20.0, AlertLevel::kAmber, kReasonAmplitude},
      {4.0, 21.0, AlertLevel::kAmber, kReasonLatency},
      {2.01, 20.0, AlertLevel::kAmber, kReasonAmplitude},
      {2.0, 20.0, AlertLevel::kRed, kReasonAmplitude},
      {4.0, 22.0, AlertLevel::kRed, kReasonLatency},
      {1.0, 23.0, AlertLevel::kRed, kReasonAmplitude | kReasonLatency},
      {9.0, 15.0, AlertLevel::kNormal, kReasonNone},
  };
  for (const auto& c : cases) {
    const Assessment result = criterion.Judge(Trial(c.amplitude_uv, c.latency_ms));
    EXPECT_EQ(result.trial_level, c.level) << c.amplitude_uv << " uV " << c.latency_ms << " ms";
    EXPECT_EQ(result.reasons, c.reasons) << c.amplitude_uv << " uV " << c.latency_ms << " ms";
    EXPECT_NEAR(result.amplitude_percent_of_baseline, 25.0 * c.amplitude_uv, 1e-9);
    EXPECT_NEAR(result.latency_change_percent, 5.0 * (c.latency_ms - 20.0), 1e-9);
  }
}

TEST(FixedCriterion, RaisesAndRecoversOnceWithHysteresis) {
  FixedCriterion criterion = Criterion();
  const struct {
    double amplitude_uv;
    AlertLevel level;
    AlertTransition transition;
  } trials[] = {
      {4.0, AlertLevel::kNormal, AlertTransition::kNone},
      {1.9, AlertLevel::kRed, AlertTransition::kRaised},
      {1.0, AlertLevel::kRed, AlertTransition::kNone},
      {2.1, AlertLevel::kRed, AlertTransition::kNone},  // 52.5 %: inside the margin of 5
      {2.3, AlertLevel::kNormal, AlertTransition::kRecovered},
      {2.1, AlertLevel::kNormal, AlertTransition::kNone},
      {1.99, AlertLevel::kRed, AlertTransition::kRaised},
  };
  for (const auto& trial : trials) {
    const Assessment result = criterion.Update(Trial(trial.amplitude_uv));
    EXPECT_EQ(result.level, trial.level) << trial.amplitude_uv;
    EXPECT_EQ(result.transition, trial.transition) << trial.amplitude_uv;
  }
}

TEST(FixedCriterion, EscalatesAndEasesThroughAmber) {
  FixedCriterion criterion = Criterion(WithAmber());
  const struct {
    double amplitude_uv;
    AlertTransition transition;
  } trials[] = {
      {2.7, AlertTransition::kRaised},    {1.8, AlertTransition::kEscalated},
      {2.5, AlertTransition::kEased},     {2.9, AlertTransition::kNone},
      {3.1, AlertTransition::kRecovered},
  };
  for (const auto& trial : trials) {
    EXPECT_EQ(criterion.Update(Trial(trial.amplitude_uv)).transition, trial.transition)
        << trial.amplitude_uv;
  }
  EXPECT_EQ(criterion.Update(Trial(0.5)).transition, AlertTransition::kRaised);
  EXPECT_EQ(criterion.Update(Trial(4.0)).transition, AlertTransition::kRecovered);
}

TEST(FixedCriterion, CountsTrialsInARow) {
  CriterionLimits limits;
  limits.raise_trials = 2;
  limits.recover_trials = 3;
  FixedCriterion criterion = Criterion(limits);
  EXPECT_EQ(criterion.Update(Trial(1.0)).level, AlertLevel::kNormal);
  EXPECT_EQ(criterion.Update(Trial(4.0)).level, AlertLevel::kNormal);  // breaks the row
  EXPECT_EQ(criterion.Update(Trial(1.0)).level, AlertLevel::kNormal);
  EXPECT_EQ(criterion.Update(Trial(1.0)).transition, AlertTransition::kRaised);
  EXPECT_EQ(criterion.Update(Trial(4.0)).level, AlertLevel::kRed);
  EXPECT_EQ(criterion.Update(Trial(4.0)).level, AlertLevel::kRed);
  EXPECT_EQ(criterion.Update(Trial(4.0)).transition, AlertTransition::kRecovered);
}

TEST(FixedCriterion, LossIsRedWhateverItsReproducibility) {
  FixedCriterion criterion = Criterion();
  TrialMeasurement lost = Trial(0.15);
  lost.response = ResponseState::kAbsent;
  lost.reproducible = false;
  const Assessment result = criterion.Update(lost);
  EXPECT_EQ(result.level, AlertLevel::kRed);
  EXPECT_NE(result.reasons & kReasonLoss, 0u);
  EXPECT_TRUE(std::isnan(result.latency_change_percent));
}

TEST(FixedCriterion, NoiseThatCouldHideAResponseIsNoLoss) {
  FixedCriterion criterion = Criterion();
  TrialMeasurement lost = Trial(0.15);
  lost.response = ResponseState::kAbsent;
  for (const double noise_uv : {1.0, 5.0, kNaN}) {  // 2 x noise reaches the red amplitude of 2 uV
    lost.residual_noise_uv = noise_uv;
    const Assessment result = criterion.Update(lost);
    EXPECT_EQ(result.interpretability, Interpretability::kNotInterpretable) << noise_uv;
    EXPECT_EQ(result.level, AlertLevel::kNormal) << noise_uv;
  }
}

TEST(FixedCriterion, FailedGateHoldsTheLevelUnlessNoiseCannotExplainTheDrop) {
  FixedCriterion criterion = Criterion();
  TrialMeasurement trial = Trial(1.9);
  trial.reproducible = false;
  EXPECT_EQ(criterion.Update(trial).interpretability, Interpretability::kNotReproducible);
  EXPECT_EQ(criterion.level(), AlertLevel::kNormal);
  trial.amplitude_uv = 1.7;  // + 2 x 0.1 is below 2 uV
  EXPECT_EQ(criterion.Update(trial).level, AlertLevel::kRed);
  trial.amplitude_uv = 4.0;  // and a recovery needs the gate
  EXPECT_EQ(criterion.Update(trial).level, AlertLevel::kRed);
  trial.reproducible = true;
  EXPECT_EQ(criterion.Update(trial).transition, AlertTransition::kRecovered);
}

TEST(FixedCriterion, NotLikeForLikeMayRaiseButNeverLowers) {
  FixedCriterion criterion = Criterion();
  TrialMeasurement changed = Trial(1.0);
  changed.differences = {"stimulus_intensity_ma 30 -> 20"};
  const Assessment raised = criterion.Update(changed);
  EXPECT_EQ(raised.interpretability, Interpretability::kNotLikeForLike);
  EXPECT_EQ(raised.transition, AlertTransition::kRaised);
  changed.amplitude_uv = 4.0;
  EXPECT_EQ(criterion.Update(changed).level, AlertLevel::kRed);
}

TEST(FixedCriterion, UncertainMarkerJudgesAmplitudeOnly) {
  FixedCriterion criterion = Criterion();
  TrialMeasurement jumped = Trial(3.5, 25.0);
  jumped.response = ResponseState::kUncertain;
  const Assessment result = criterion.Update(jumped);
  EXPECT_EQ(result.level, AlertLevel::kNormal);
  EXPECT_TRUE(std::isnan(result.latency_change_percent));
  jumped.amplitude_uv = 1.0;
  EXPECT_EQ(criterion.Update(jumped).level, AlertLevel::kRed);
}

TEST(FixedCriterion, LevelRaisedByLatencyWaitsForACertainLatency) {
  FixedCriterion criterion = Criterion();
  EXPECT_EQ(criterion.Update(Trial(4.0, 23.0)).level, AlertLevel::kRed);
  TrialMeasurement uncertain = Trial(4.0, 20.0);
  uncertain.response = ResponseState::kUncertain;
  EXPECT_EQ(criterion.Update(uncertain).level, AlertLevel::kRed);
  EXPECT_EQ(criterion.Update(Trial(4.0, 20.0)).transition, AlertTransition::kRecovered);
  // One raised by amplitude alone does not wait.
  EXPECT_EQ(criterion.Update(Trial(1.0)).level, AlertLevel::kRed);
  EXPECT_EQ(criterion.Update(uncertain).transition, AlertTransition::kRecovered);
}

TEST(FixedCriterion, LatencyCanBeLeftOut) {
  CriterionLimits limits;
  limits.red_latency_rise_percent.reset();
  FixedCriterion criterion = Criterion(limits);
  EXPECT_EQ(criterion.Update(Trial(4.0, 40.0)).level, AlertLevel::kNormal);
}

TEST(FixedCriterion, HostileMeasurementsHoldTheLevel) {
  FixedCriterion criterion = Criterion();
  ASSERT_EQ(criterion.Update(Trial(1.0)).level, AlertLevel::kRed);
  for (const double amplitude : {kNaN, -1.0, std::numeric_limits<double>::infinity()}) {
    const Assessment result = criterion.Update(Trial(amplitude));
    EXPECT_EQ(result.interpretability, Interpretability::kNotInterpretable);
    EXPECT_EQ(result.level, AlertLevel::kRed);
  }
  TrialMeasurement electrode_off = Trial(4.0);
  electrode_off.technically_valid = false;
  EXPECT_EQ(criterion.Update(electrode_off).level, AlertLevel::kRed);
  EXPECT_EQ(criterion.Update(Trial(1.0, kNaN)).level, AlertLevel::kRed);
}

TEST(FixedCriterion, HostileLimitsAndBaselinesAreRefused) {
  CriterionLimits limits;
  limits.red_amplitude_drop_percent = 0.0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.red_amplitude_drop_percent = kNaN;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.amber_amplitude_drop_percent = 60.0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.amber_latency_rise_percent = 10.0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.raise_trials = 0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.amplitude_margin_percent = -1.0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  for (const CriterionBaseline baseline :
       {CriterionBaseline{0.0, 20.0}, CriterionBaseline{4.0, 0.0}, CriterionBaseline{kNaN, 20.0},
        CriterionBaseline{4.0, std::numeric_limits<double>::infinity()}}) {
    EXPECT_FALSE(FixedCriterion::Create({}, baseline).ok());
  }
}

TEST(RecordingConditions, NamesWhatDiffersAndIgnoresWhatIsNotKnown) {
  RecordingConditions baseline;
  baseline.derivation = "CPc-Front";
  baseline.stimulus_intensity_ma = 30.0;
  baseline.stimulus_rate_hz = 4.7;
  RecordingConditions trial = baseline;
  EXPECT_TRUE(Differences(baseline, trial).empty());
  trial.stimulus_intensity_ma = 31.0;  // 3 %
  EXPECT_TRUE(Differences(baseline, trial).empty());
  trial.stimulus_intensity_ma = 25.0;
  trial.derivation = "CPc-Fz";
  trial.stimulus_rate_hz = 2.7;
  trial.sample_rate_hz = 5000.0;  // not known at baseline
  const auto differences = Differences(baseline, trial);
  ASSERT_EQ(differences.size(), 3u);
  EXPECT_EQ(differences[0], "derivation CPc-Front -> CPc-Fz");
  EXPECT_EQ(differences[2], "stimulus_intensity_ma 30 -> 25");
}

}  // namespace
}  // namespace remora::dsp
