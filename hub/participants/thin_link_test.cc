// Live follows behind thin links: what is shown is recent, alerts overtake, and what is left out
// is told.

#include <gtest/gtest.h>

#include "hub/participants/testing/thin_link.h"

namespace remora::hub {
namespace {

TEST_F(ThinLinkTest, AlertsOvertakeWaveformsThatFillTheLink) {
  Follow(kLinkOf2Mbit);
  RunFor(Duration::Seconds(3), 400'000);
  Measure(Duration::Seconds(60), 400'000);
  EXPECT_LT(AgeMs(0, 99), 50);
  EXPECT_GT(ShownOf(5) * 4'000.0, 60 * 2 * kMbit * 0.5) << "waveforms use the link";
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_FOLLOWER, 5), 0u);
}

TEST_F(ThinLinkTest, WhatIsShownOfATheatreOn256KbitIsRecent) {
  Follow(kLinkOf256Kbit);
  RunFor(Duration::Seconds(10), kTheatreBytes);
  Measure(Duration::Seconds(60), kTheatreBytes);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (lane == 1 || lane == 4) continue;  // not published here
    EXPECT_LT(AgeMs(lane, 99), 1'000) << "lane " << lane;
  }
  EXPECT_EQ(GapRecords(v1::GAP_CAUSE_SLOW_LINK, 5), 0u);
}

TEST_F(ThinLinkTest, ALinkOf64KbitGetsLanes0To2AndIsToldWhatItLeavesOut) {
  Follow(kLinkOf64Kbit);
  RunFor(Duration::Seconds(20), kTheatreBytes);
  int begins = 0;
  for (const v1::Down& down : reader_->downs) {
    begins +=
        down.has_gap() && down.gap().cause() == v1::GAP_CAUSE_SLOW_LINK && down.gap().count() == 0;
  }
  EXPECT_EQ(begins, 3) << "once a lane";
  Measure(Duration::Seconds(120), kTheatreBytes);
  EXPECT_LT(AgeMs(0, 95), 1'000);
  EXPECT_LT(AgeMs(2, 95), 1'000);
  EXPECT_LE(ShownOf(3) + ShownOf(5), 5u) << "a probe now and then";
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_LINK, 5), 1'000u);
}

TEST_F(ThinLinkTest, AFollowerOfVersion1IsToldOnlyCausesThatItKnows) {
  Follow(kLinkOf64Kbit, 0, 1);
  RunFor(Duration::Seconds(1), kTheatreBytes);
  PublishBacklogBlock();
  RunFor(Duration::Seconds(30), kTheatreBytes);
  for (const v1::Down& down : reader_->downs) {
    if (!down.has_gap()) continue;
    EXPECT_LE(down.gap().cause(), v1::GAP_CAUSE_BUDGET);
    EXPECT_GT(down.gap().count(), 0u);
  }
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_FOLLOWER, 5), 100u);
}

TEST_F(ThinLinkTest, ALinkThatCarriesMoreAgainGetsItsWaveformsBack) {
  Follow(kLinkOf64Kbit);
  RunFor(Duration::Seconds(20), kTheatreBytes);
  link_.bytes_per_second = 10 * kMbit;
  RunFor(kLongestLinkProbe, kTheatreBytes);
  Measure(Duration::Seconds(5), kTheatreBytes);
  EXPECT_GT(ShownOf(5), 40u);
  EXPECT_LT(AgeMs(5, 99), 100);
}

TEST_F(ThinLinkTest, AFollowerThatStoppedForMinutesStaysSmallAndStartsWithWhatIsNew) {
  Follow(kLinkOf10Mbit);
  RunFor(Duration::Seconds(5), 150'000);
  stopped_ = true;
  RunFor(Duration::Seconds(180), 150'000);
  EXPECT_LT(hub_.metrics().gauge(metric::kFollowQueueBytes), 8.0 * 1024 * 1024);
  stopped_ = false;
  Measure(Duration::Seconds(2), 150'000);
  ASSERT_FALSE(ages_ms_[5].empty());
  EXPECT_LT(ages_ms_[5].front(), 1'000);
  EXPECT_GT(GapRecords(v1::GAP_CAUSE_SLOW_FOLLOWER, 5), 0u);
}

TEST_F(ThinLinkTest, AFollowMayHaveABudgetOfItsOwn) {
  Follow(kLinkOf10Mbit, 16'000);
  RunFor(Duration::Seconds(30), kTheatreBytes);
  EXPECT_LT(static_cast<double>(reader_->bulk_bytes), 31 * 16'000.0);
  EXPECT_GT(static_cast<double>(reader_->bulk_bytes), 25 * 16'000.0);
  EXPECT_LT(AgeMs(0, 99), 50);
}

}  // namespace
}  // namespace remora::hub
