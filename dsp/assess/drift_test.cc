#include "dsp/assess/drift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace remora::dsp {
namespace {

TEST(DriftCriterion, TellsALossOfOnePercentAMinuteBeforeHalfIsGone) {
  std::mt19937 random(6);
  std::normal_distribution<double> normal(0, 0.15);
  for (int seed = 0; seed < 20; ++seed) {
    DriftCriterion criterion{DriftLimits()};
    for (int i = 0; i < 20; ++i) criterion.Update(std::exp(normal(random)), 0.15);
    int minutes = 0;
    while (criterion.level() == AlertLevel::kNormal && minutes < 90) {
      minutes += 3;
      criterion.Update((1 - 0.01 * minutes) * std::exp(normal(random)), 0.15);
    }
    EXPECT_LT(minutes, 50) << seed;
  }
}

TEST(DriftCriterion, ASingleSmallTrialIsNoDrift) {
  DriftCriterion criterion{DriftLimits()};
  for (int i = 0; i < 10; ++i) criterion.Update(1, 0.2);
  EXPECT_EQ(criterion.Update(0.01, 0.2).level, AlertLevel::kNormal);
  EXPECT_EQ(criterion.Update(1, 0.2).level, AlertLevel::kNormal);
}

TEST(DriftCriterion, ABaselineTakenALittleHighIsNoDrift) {
  DriftCriterion criterion{DriftLimits()};
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(criterion.Update(0.85, 0.1).level, AlertLevel::kNormal) << i;
  }
}

TEST(DriftCriterion, RecoversWhenItIsBackAndBeginsAnew) {
  DriftCriterion criterion{DriftLimits()};
  for (int i = 0; i < 20; ++i) criterion.Update(0.6, 0.2);
  ASSERT_EQ(criterion.level(), AlertLevel::kAmber);
  DriftAssessment result;
  for (int i = 0; i < 10 && result.transition != AlertTransition::kRecovered; ++i) {
    result = criterion.Update(1, 0.2);
  }
  EXPECT_EQ(result.transition, AlertTransition::kRecovered);
  EXPECT_EQ(result.sum_spreads, 0);
}

TEST(DriftCriterion, HostileLimitsAreRefused) {
  EXPECT_TRUE(ValidateLimits(DriftLimits()).ok());
  DriftLimits limits;
  limits.smoothing = 0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.back_under_percent = limits.least_fall_percent;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.limit_spreads = std::nan("");
  EXPECT_FALSE(ValidateLimits(limits).ok());
}

}  // namespace
}  // namespace remora::dsp
