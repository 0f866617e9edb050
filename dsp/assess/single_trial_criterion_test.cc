#include "dsp/assess/single_trial_criterion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace remora::dsp {
namespace {

MotorBaseline Baseline(double amplitude_uv = 500, double log_spread = 0.3, int trials = 6) {
  MotorBaseline baseline;
  baseline.monitorability = Monitorability::kMonitorable;
  baseline.amplitude_uv = amplitude_uv;
  baseline.log_spread = log_spread;
  baseline.trials = trials;
  return baseline;
}

SingleTrialCriterion Criterion(const SingleTrialLimits& limits = {},
                               const MotorBaseline& baseline = Baseline()) {
  return *SingleTrialCriterion::Create(limits, baseline);
}

SingleTrial Of(double amplitude_uv) {
  SingleTrial trial;
  trial.amplitude_uv = amplitude_uv;
  return trial;
}

SingleTrial Lost(double hidden_uv = 15) {
  SingleTrial trial = Of(hidden_uv);
  trial.lost = true;
  return trial;
}

TEST(SingleTrialCriterion, TwoDeepTrialsAreRedAndTheFirstCalls) {
  SingleTrialCriterion criterion = Criterion();
  const SingleTrialAssessment first = criterion.Update(Of(60));
  EXPECT_EQ(first.level, AlertLevel::kAmber);
  EXPECT_EQ(first.transition, AlertTransition::kRaised);
  EXPECT_TRUE(first.suspect);
  EXPECT_EQ(first.amplitude_percent_of_baseline, 12);
  const SingleTrialAssessment second = criterion.Update(Of(60));
  EXPECT_EQ(second.level, AlertLevel::kRed);
  EXPECT_EQ(second.transition, AlertTransition::kEscalated);
  EXPECT_FALSE(second.suspect);
  EXPECT_FALSE(second.by_loss);
}

TEST(SingleTrialCriterion, ALossCallsAtOnceAndTheSecondIsRed) {
  SingleTrialCriterion criterion = Criterion();
  EXPECT_EQ(criterion.Update(Lost()).level, AlertLevel::kAmber);
  const SingleTrialAssessment second = criterion.Update(Lost());
  EXPECT_EQ(second.level, AlertLevel::kRed);
  EXPECT_TRUE(second.by_loss);
}

TEST(SingleTrialCriterion, ALossOfARootMuscleIsNoMoreThanAmber) {
  SingleTrialLimits limits;
  limits.amber_fall_percent = 80;
  limits.red_fall_percent.reset();
  limits.loss_is_red = false;
  SingleTrialCriterion criterion = Criterion(limits);
  for (int i = 0; i < 5; ++i) criterion.Update(Lost());
  EXPECT_EQ(criterion.level(), AlertLevel::kAmber);
}

TEST(SingleTrialCriterion, AFallWithinTheMusclesOwnVariationIsNone) {
  // At a CV of 0.75 a muscle comes down to a third every now and then.
  SingleTrialCriterion criterion = Criterion({}, Baseline(500, 0.67));
  EXPECT_EQ(criterion.Update(Of(180)).level, AlertLevel::kNormal);
  EXPECT_EQ(criterion.Update(Of(180)).level, AlertLevel::kNormal);
  // The same in a steady one is beyond chance.
  SingleTrialCriterion steady = Criterion({}, Baseline(500, 0.25));
  EXPECT_EQ(steady.Update(Of(180)).level, AlertLevel::kNormal);
  EXPECT_EQ(steady.Update(Of(180)).level, AlertLevel::kAmber);
}

TEST(SingleTrialCriterion, TheCasesSpreadCountsAsTheBaselines) {
  SingleTrialCriterion criterion = Criterion({}, Baseline(500, 0.2));
  SingleTrial trial = Of(90);
  trial.log_spread = 0.8;
  EXPECT_EQ(criterion.Update(trial).level, AlertLevel::kNormal);
  // It varies so much, but a limit that is passed twice in a row is told.
  EXPECT_EQ(criterion.Update(trial).level, AlertLevel::kAmber);
  EXPECT_EQ(criterion.Update(trial).level, AlertLevel::kAmber);
}

TEST(SingleTrialCriterion, AMuscleThatDropsOutAtTimesAsksForTheNextTrial) {
  SingleTrialCriterion criterion = Criterion();
  criterion.Update(Lost());
  for (int i = 0; i < 5; ++i) criterion.Update(Of(500));
  ASSERT_EQ(criterion.level(), AlertLevel::kNormal);
  const SingleTrialAssessment again = criterion.Update(Lost());
  EXPECT_EQ(again.level, AlertLevel::kNormal);
  EXPECT_TRUE(again.suspect);
  EXPECT_EQ(criterion.Update(Lost()).level, AlertLevel::kRed);
}

TEST(SingleTrialCriterion, ALossThatMayBeADropoutIsRedWhenItIsThereAgain) {
  SingleTrialCriterion criterion = Criterion();
  SingleTrial lost = Lost();
  lost.may_be_dropout = true;
  EXPECT_EQ(criterion.Update(lost).level, AlertLevel::kNormal);
  EXPECT_EQ(criterion.Update(lost).level, AlertLevel::kRed);
}

TEST(SingleTrialCriterion, OneGoodTrialLowersNothing) {
  SingleTrialCriterion criterion = Criterion();
  criterion.Update(Lost());
  criterion.Update(Lost());
  EXPECT_EQ(criterion.Update(Of(500)).level, AlertLevel::kRed);
  EXPECT_EQ(criterion.Update(Of(500)).level, AlertLevel::kRed);
  const SingleTrialAssessment third = criterion.Update(Of(500));
  EXPECT_EQ(third.level, AlertLevel::kNormal);
  EXPECT_EQ(third.transition, AlertTransition::kRecovered);
}

TEST(SingleTrialCriterion, ASustainedFallOfSixtyPercentDoesNotClearItself) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0, 0.38);
  int cleared = 0;
  for (int seed = 0; seed < 50; ++seed) {
    SingleTrialCriterion criterion = Criterion({}, Baseline(500, 0.38));
    criterion.Update(Lost());
    criterion.Update(Lost());
    // Two hours, a trial in three minutes.
    for (int i = 0; i < 40; ++i) {
      criterion.Update(Of(200 * std::exp(normal(random))));
      if (criterion.level() == AlertLevel::kNormal) {
        ++cleared;
        break;
      }
    }
  }
  EXPECT_EQ(cleared, 0);
}

TEST(SingleTrialCriterion, NotLikeForLikeMayRaiseAndNeverLowers) {
  SingleTrialCriterion criterion = Criterion();
  SingleTrial changed = Of(50);
  changed.like_for_like = false;
  criterion.Update(changed);
  EXPECT_EQ(criterion.Update(changed).level, AlertLevel::kRed);
  changed.amplitude_uv = 600;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(criterion.Update(changed).level, AlertLevel::kRed);
}

TEST(SingleTrialCriterion, PresenceOnlyHasNoLimitOfAmplitude) {
  MotorBaseline weak = Baseline(40, 0.3, 10);
  weak.monitorability = Monitorability::kPresenceOnly;
  SingleTrialCriterion criterion = Criterion({}, weak);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(criterion.Update(Of(5)).level, AlertLevel::kNormal);
  for (int i = 0; i < 20; ++i) criterion.Update(Of(40));
  // One in 30 would drop out by chance: two in a row are one in a thousand, three are none.
  EXPECT_EQ(criterion.Update(Lost(12)).level, AlertLevel::kNormal);
  EXPECT_EQ(criterion.Update(Lost(12)).level, AlertLevel::kAmber);
  EXPECT_EQ(criterion.Update(Lost(12)).level, AlertLevel::kRed);
}

TEST(SingleTrialCriterion, WithoutAnAmberLimitOneDeepTrialStillCalls) {
  SingleTrialLimits limits;
  limits.amber_fall_percent.reset();
  limits.red_fall_percent = 70;
  SingleTrialCriterion criterion = Criterion(limits, Baseline(500, 0.25));
  EXPECT_EQ(criterion.Update(Of(60)).level, AlertLevel::kAmber);
  EXPECT_EQ(criterion.Update(Of(60)).level, AlertLevel::kRed);
}

TEST(SingleTrialCriterion, HostileLimitsAndBaselinesAreRefused) {
  SingleTrialLimits limits;
  limits.amber_fall_percent = 80;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.red_fall_percent = 101;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.run_spreads = std::nan("");
  EXPECT_FALSE(ValidateLimits(limits).ok());
  MotorBaseline none;
  EXPECT_FALSE(SingleTrialCriterion::Create({}, none).ok());
  EXPECT_FALSE(SingleTrialCriterion::Create({}, Baseline(std::nan(""))).ok());
}

}  // namespace
}  // namespace remora::dsp
