#include "dsp/assess/adaptive_criterion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace remora::dsp {
namespace {

constexpr std::int64_t kMinute = std::int64_t{60} * 1'000'000'000;

// An SEP whose averages vary by some percent.
class Averages {
 public:
  explicit Averages(AdaptiveLimits limits = Limits()) : criterion_(limits) {}
  static AdaptiveLimits Limits() {
    AdaptiveLimits limits;
    limits.reference.least_spread = 0.05;
    return limits;
  }
  AdaptiveAssessment Next(double share, bool lost = false) {
    const double wobble = 1 + 0.04 * ((count_++ % 3) - 1);
    AdaptiveTrial trial;
    trial.time_ns = time_ns_ += kMinute;
    trial.value = 2 * share * wobble;
    trial.lost = lost;
    return criterion_.Update(trial);
  }
  void Warm(int trials = 10) {
    for (int i = 0; i < trials; ++i) ASSERT_EQ(Next(1).level, AlertLevel::kNormal);
  }
  AdaptiveCriterion& criterion() { return criterion_; }
  void Skip(std::int64_t ns) { time_ns_ += ns; }

 private:
  AdaptiveCriterion criterion_;
  std::int64_t time_ns_ = 0;
  int count_ = 0;
};

TEST(AdaptiveCriterion, IsAmberAfterOneTrialAndRedAfterTwo) {
  Averages averages;
  averages.Warm();
  const AdaptiveAssessment first = averages.Next(0.6);
  EXPECT_EQ(first.level, AlertLevel::kAmber);
  EXPECT_EQ(first.transition, AlertTransition::kRaised);
  EXPECT_TRUE(first.suspect);
  EXPECT_TRUE(first.frozen);
  EXPECT_TRUE(first.abrupt);
  EXPECT_NEAR(first.comparison->fall_percent, 40, 5);
  const AdaptiveAssessment second = averages.Next(0.6);
  EXPECT_EQ(second.level, AlertLevel::kRed);
  EXPECT_EQ(second.transition, AlertTransition::kEscalated);
}

TEST(AdaptiveCriterion, SaysNothingBeforeItHasAReference) {
  Averages averages;
  for (int i = 0; i < 5; ++i) averages.Next(1);
  EXPECT_FALSE(averages.Next(0.1).comparison.has_value());
}

TEST(AdaptiveCriterion, AFallOfLessThanItsShareIsNone) {
  Averages averages;
  averages.Warm();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(averages.Next(0.75).level, AlertLevel::kNormal);
}

TEST(AdaptiveCriterion, ALossIsRedAtOnce) {
  Averages averages;
  averages.Warm();
  EXPECT_EQ(averages.Next(0.05, true).level, AlertLevel::kRed);
}

// 60 % lost for two hours: the reference does not follow it.
TEST(AdaptiveCriterion, ASustainedFallNeverBecomesNormal) {
  Averages averages;
  averages.Warm();
  for (int i = 0; i < 120; ++i) {
    const AdaptiveAssessment result = averages.Next(0.4);
    EXPECT_GE(result.level, AlertLevel::kAmber) << i;
    EXPECT_NE(result.transition, AlertTransition::kRecovered) << i;
    EXPECT_NEAR(result.comparison->fall_percent, 60, 5) << i;
  }
}

TEST(AdaptiveCriterion, ASlowFallIsFollowedAndRaisesNothing) {
  Averages averages;
  averages.Warm();
  for (int i = 0; i < 360; ++i) {
    EXPECT_EQ(averages.Next(1 - 0.37 * i / 360).level, AlertLevel::kNormal) << i;
  }
}

TEST(AdaptiveCriterion, RecoversWhenTheValueIsBack) {
  Averages averages;
  averages.Warm();
  averages.Next(0.4);
  averages.Next(0.4);
  EXPECT_EQ(averages.Next(1).level, AlertLevel::kRed);
  const AdaptiveAssessment back = averages.Next(1);
  EXPECT_EQ(back.level, AlertLevel::kNormal);
  EXPECT_EQ(back.transition, AlertTransition::kRecovered);
  EXPECT_FALSE(averages.criterion().is_frozen());
}

TEST(AdaptiveCriterion, AReturnToJustUnderTheLimitIsNone) {
  Averages averages;
  averages.Warm();
  averages.Next(0.4);
  averages.Next(0.4);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(averages.Next(0.69).level, AlertLevel::kRed) << i;
}

TEST(AdaptiveCriterion, APersonWhoResolvesItMakesWhatIsThereTheReference) {
  Averages averages;
  averages.Warm();
  averages.Next(0.4);
  averages.Next(0.4);
  averages.criterion().Restart();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(averages.Next(0.4).level, AlertLevel::kNormal);
  EXPECT_EQ(averages.Next(0.16).level, AlertLevel::kAmber);
}

TEST(AdaptiveCriterion, ChangeAfterAPauseIsNotAbrupt) {
  AdaptiveLimits limits = Averages::Limits();
  limits.reference.span_keeps_least = true;
  Averages averages(limits);
  averages.Warm();
  averages.Skip(20 * kMinute);
  const AdaptiveAssessment result = averages.Next(0.4);
  EXPECT_EQ(result.level, AlertLevel::kAmber);
  EXPECT_FALSE(result.abrupt);
}

AdaptiveLimits OfMuscles() {
  AdaptiveLimits limits;
  limits.reference.scale = AmplitudeScale::kLogarithmic;
  limits.reference.span_keeps_least = true;
  limits.reference.least_spread = 0.2;
  limits.amber_after_one = false;
  limits.suspect_spreads = 2;
  limits.pair_spreads = 3.3;
  limits.red_spreads = 4.5;
  return limits;
}

// A limb's index, a trial in five minutes.
class Index {
 public:
  AdaptiveAssessment Next(double index) {
    AdaptiveTrial trial;
    trial.time_ns = time_ns_ += 5 * kMinute;
    trial.value = index;
    return criterion_.Update(trial);
  }
  AlertLevel level() const { return criterion_.level(); }

 private:
  AdaptiveCriterion criterion_{OfMuscles()};
  std::int64_t time_ns_ = 0;
};

TEST(AdaptiveCriterion, OfMusclesNeedsTwoTrialsInARow) {
  Index index;
  for (int i = 0; i < 60; ++i) index.Next(i % 2 == 0 ? 0.9 : 1.1);
  const AdaptiveAssessment alone = index.Next(0.4);
  EXPECT_TRUE(alone.suspect);
  EXPECT_EQ(alone.level, AlertLevel::kNormal);
  // The next is none: it was alone, and the reference goes on.
  EXPECT_FALSE(index.Next(1.0).frozen);
  index.Next(0.4);
  EXPECT_EQ(index.Next(0.4).level, AlertLevel::kAmber);
}

// A false alarm must not turn red hours later because of what time does.
TEST(AdaptiveCriterion, WhatCreepsOnBelowAFrozenReferenceIsNotRed) {
  Index index;
  for (int i = 0; i < 10; ++i) index.Next(i % 2 == 0 ? 0.95 : 1.05);
  for (int i = 0; i < 4; ++i) index.Next(0.55);
  ASSERT_EQ(index.level(), AlertLevel::kAmber);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(index.Next(0.55 - 0.006 * i).level, AlertLevel::kAmber) << i;
  // But a second step is.
  index.Next(0.08);
  EXPECT_EQ(index.Next(0.08).level, AlertLevel::kRed);
}

TEST(AdaptiveCriterion, HostileLimitsAreRefused) {
  EXPECT_TRUE(ValidateLimits(AdaptiveLimits()).ok());
  AdaptiveLimits limits;
  limits.least_fall_percent = 100;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.suspect_spreads = std::nan("");
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.red_spreads = 0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.reference.trials = 1;
  EXPECT_FALSE(ValidateLimits(limits).ok());
}

}  // namespace
}  // namespace remora::dsp
