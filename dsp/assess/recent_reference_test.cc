#include "dsp/assess/recent_reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace remora::dsp {
namespace {

constexpr std::int64_t kMinute = std::int64_t{60} * 1'000'000'000;

RecentReferenceLimits Linear() {
  RecentReferenceLimits limits;
  limits.least_spread = 0.05;
  return limits;
}

TEST(RecentReference, NeedsFiveTrialsBesideTheTwoNewest) {
  RecentReference reference(Linear());
  for (int i = 0; i < 5; ++i) reference.Accept(2.0, i * kMinute);
  EXPECT_FALSE(reference.Compare(2.0, 0, 5 * kMinute).has_value());
  reference.Accept(2.0, 5 * kMinute);
  const auto comparison = reference.Compare(1.0, 0, 6 * kMinute);
  ASSERT_TRUE(comparison.has_value());
  EXPECT_EQ(comparison->trials, 5);
  EXPECT_EQ(comparison->centre, 2.0);
  EXPECT_EQ(comparison->fall_percent, 50);
  EXPECT_NEAR(comparison->deviation, -1.0 / 0.05, 1e-9);
}

TEST(RecentReference, LeavesOutTheTrialBeforeTheJudgedOne) {
  RecentReference reference(Linear());
  for (int i = 0; i < 8; ++i) reference.Accept(2.0, i * kMinute);
  reference.Accept(0.5, 8 * kMinute);
  EXPECT_EQ(reference.Compare(0.5, 0, 9 * kMinute)->centre, 2.0);
}

TEST(RecentReference, IsBoundedInNumberAndInTime) {
  RecentReference reference(Linear());
  for (int i = 0; i < 20; ++i) reference.Accept(1.0 + i, i * kMinute);
  // Of the ten newest with the judged one: eight, 12 to 19.
  const auto comparison = reference.Compare(20, 0, 20 * kMinute);
  EXPECT_EQ(comparison->trials, 8);
  EXPECT_EQ(comparison->centre, 15.5);
  // Half an hour on, none of them is recent any more.
  EXPECT_FALSE(reference.Compare(20, 0, 60 * kMinute).has_value());
}

TEST(RecentReference, OfMusclesKeepsEnoughTrialsHoweverOld) {
  RecentReferenceLimits limits = Linear();
  limits.span_keeps_least = true;
  RecentReference reference(limits);
  for (int i = 0; i < 20; ++i) reference.Accept(1.0, i * kMinute);
  EXPECT_EQ(reference.Compare(1, 0, 200 * kMinute)->trials, 5);
}

TEST(RecentReference, BeginsAnewWithAStageOfRisk) {
  RecentReference reference(Linear());
  for (int i = 0; i < 10; ++i) reference.Accept(4.0, i * kMinute);
  reference.BeginStage(10 * kMinute);
  for (int i = 10; i < 16; ++i) reference.Accept(2.0, i * kMinute);
  EXPECT_EQ(reference.Compare(2, 0, 16 * kMinute)->centre, 2.0);
}

TEST(RecentReference, FrozenHoldsWhatItHeldForHours) {
  RecentReference reference(Linear());
  for (int i = 0; i < 10; ++i) reference.Accept(4.0, i * kMinute);
  reference.Freeze(10 * kMinute);
  for (int i = 10; i < 200; ++i) reference.Accept(1.0, i * kMinute);
  reference.BeginStage(150 * kMinute);
  const auto comparison = reference.Compare(1, 0, 200 * kMinute);
  ASSERT_TRUE(comparison.has_value());
  EXPECT_EQ(comparison->centre, 4.0);
  EXPECT_EQ(comparison->fall_percent, 75);
  reference.Restart();
  EXPECT_FALSE(reference.is_frozen());
  EXPECT_FALSE(reference.Compare(1, 0, 201 * kMinute).has_value());
}

TEST(RecentReference, SpreadIsNeverLessThanTheFloors) {
  RecentReference reference(Linear());
  for (int i = 0; i < 10; ++i) reference.Accept(2.0, i * kMinute);
  EXPECT_EQ(reference.Compare(1.9, 0, 10 * kMinute)->spread, 0.05);
  EXPECT_EQ(reference.Compare(1.9, 0.4, 10 * kMinute)->spread, 0.4);
}

TEST(RecentReference, ThatAgreesByChanceStillKnowsTheCase) {
  RecentReference reference(Linear());
  for (int i = 0; i < 20; ++i) reference.Accept(i % 2 == 0 ? 1.0 : 3.0, i * kMinute);
  for (int i = 20; i < 28; ++i) reference.Accept(2.0, i * kMinute);
  EXPECT_GT(reference.Compare(1, 0, 28 * kMinute)->spread, 1.0);
}

TEST(RecentReference, OfMusclesWorksOnLogarithms) {
  RecentReferenceLimits limits;
  limits.scale = AmplitudeScale::kLogarithmic;
  limits.least_spread = 0.2;
  RecentReference reference(limits);
  for (int i = 0; i < 10; ++i) reference.Accept(i % 2 == 0 ? 200 : 800, i * kMinute);
  const auto comparison = reference.Compare(40, 0, 10 * kMinute);
  EXPECT_NEAR(comparison->centre, 400, 1e-6);
  EXPECT_NEAR(comparison->fall_percent, 90, 1e-6);
}

TEST(RecentReference, HostileLimitsAreRefused) {
  RecentReferenceLimits limits;
  EXPECT_TRUE(ValidateLimits(limits).ok());
  limits.newest_left_out = 0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.least_trials = 10;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.span_ns = 0;
  EXPECT_FALSE(ValidateLimits(limits).ok());
  limits = {};
  limits.least_spread = std::nan("");
  EXPECT_FALSE(ValidateLimits(limits).ok());
}

}  // namespace
}  // namespace remora::dsp
