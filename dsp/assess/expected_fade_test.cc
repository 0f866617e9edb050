#include "dsp/assess/expected_fade.h"

#include <gtest/gtest.h>

namespace remora::dsp {
namespace {

// Ugawa et al. 2018.
TEST(ExpectedFade, GoesThroughThePublishedPoints) {
  const struct {
    double hours, hand, foot;
  } points[] = {{2, 100, 100}, {4, 101, 92}, {5, 86, 71}, {6, 81, 63}};
  for (const auto& point : points) {
    EXPECT_NEAR(FadeAt(FadeRegion::kHand, point.hours).percent, point.hand, 1e-9) << point.hours;
    EXPECT_NEAR(FadeAt(FadeRegion::kFoot, point.hours).percent, point.foot, 1e-9) << point.hours;
  }
  EXPECT_NEAR(FadeAt(FadeRegion::kFoot, 4.5).percent, 81.5, 1e-9);
}

TEST(ExpectedFade, BeforeTwoHoursIsNoneAndBeyondSixIsNotKnown) {
  EXPECT_EQ(FadeAt(FadeRegion::kFoot, 0.5).percent, 100);
  EXPECT_EQ(FadeAt(FadeRegion::kFoot, -1).percent, 100);
  EXPECT_FALSE(FadeAt(FadeRegion::kFoot, 6).is_beyond_source);
  EXPECT_TRUE(FadeAt(FadeRegion::kFoot, 6.1).is_beyond_source);
  EXPECT_EQ(FadeAt(FadeRegion::kFoot, 9).percent, 63);
}

TEST(ExpectedFade, BandHoldsTheCurveAndGrowsWithIt) {
  const ExpectedFade early = FadeAt(FadeRegion::kFoot, 1);
  EXPECT_EQ(early.low_percent, 90);
  EXPECT_EQ(early.high_percent, 110);
  const ExpectedFade late = FadeAt(FadeRegion::kFoot, 6);
  EXPECT_EQ(late.low_percent, 63 - 18.5);
  EXPECT_EQ(late.high_percent, 63 + 18.5);
}

}  // namespace
}  // namespace remora::dsp
