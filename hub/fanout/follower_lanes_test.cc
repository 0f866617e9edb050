#include "hub/fanout/follower_lanes.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "common/limits.h"
#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

class FollowerLanesTest : public ::testing::Test {
 protected:
  RecordFrame Frame(uint8_t lane, uint32_t trace, bool provisional = false, size_t bytes = 100) {
    while (keys_.size() <= trace) {
      keys_.push_back({static_cast<uint32_t>(keys_.size()), "t" + std::to_string(keys_.size())});
    }
    RecordFrame frame;
    frame.bytes = SharedBytes(std::string(bytes, 'x'));
    frame.seq = ++seq_;
    frame.origin_seq = seq_;
    frame.lane = lane;
    frame.trace = &keys_[trace];
    frame.provisional = provisional;
    frame.recorded_unix_ns = static_cast<int64_t>(seq_);
    return frame;
  }
  void Push(const RecordFrame& frame) { lanes_.Push(frame, v1::GAP_CAUSE_SLOW_FOLLOWER); }
  std::vector<uint64_t> Drain(uint32_t lane) {
    std::vector<uint64_t> seqs;
    for (; !lanes_.empty(lane); lanes_.DropFront(lane)) seqs.push_back(lanes_.Front(lane).seq);
    return seqs;
  }

  std::deque<TraceKey> keys_;
  uint64_t seq_ = 0;
  FollowerLanes lanes_;
};

TEST_F(FollowerLanesTest, NewerSweepTakesThePlaceOfTheOneThatWaits) {
  Push(Frame(3, 0));
  Push(Frame(3, 1));
  Push(Frame(3, 0));
  Push(Frame(3, 0));
  ASSERT_TRUE(lanes_.HasGap(3));
  const LaneGap gap = lanes_.TakeGap(3);
  EXPECT_EQ(gap.count, 2u);
  EXPECT_EQ(gap.from_seq, 1u);
  EXPECT_EQ(gap.to_seq, 3u);
  EXPECT_EQ(gap.cause, v1::GAP_CAUSE_REPLACED_BY_NEWER);
  EXPECT_FALSE(lanes_.HasGap(3));
  EXPECT_EQ(Drain(3), (std::vector<uint64_t>{2, 4}));
}

TEST_F(FollowerLanesTest, LateSweepNeverReplacesANewerOne) {
  Push(Frame(3, 0));
  RecordFrame late = Frame(3, 0);
  late.origin_seq = 0;
  Push(late);
  EXPECT_EQ(lanes_.TakeGap(3).from_seq, 2u);
  EXPECT_EQ(Drain(3), (std::vector<uint64_t>{1}));
}

TEST_F(FollowerLanesTest, FinishedSweepEndsTheGrowingOneButNotTheOtherWayRound) {
  Push(Frame(3, 0, false));
  Push(Frame(3, 0, true));
  EXPECT_FALSE(lanes_.HasGap(3));
  Push(Frame(3, 0, true));
  EXPECT_EQ(lanes_.TakeGap(3).count, 1u);
  Push(Frame(3, 0, false));
  EXPECT_EQ(lanes_.TakeGap(3).count, 2u);
  EXPECT_EQ(Drain(3), (std::vector<uint64_t>{4}));
}

TEST_F(FollowerLanesTest, MeasurementsOfOneMomentAreAllShownUntilTheLaneIsBehind) {
  for (size_t i = 0; i < kMeasurementSlack; ++i) Push(Frame(2, 0));
  EXPECT_FALSE(lanes_.HasGap(2));
  for (int i = 0; i < 10; ++i) Push(Frame(2, 0));
  EXPECT_EQ(lanes_.TakeGap(2).count, 10u);
  const std::vector<uint64_t> left = Drain(2);
  EXPECT_EQ(left.size(), kMeasurementSlack);
  EXPECT_EQ(left.back(), seq_) << "the newest survives";
}

TEST_F(FollowerLanesTest, FullBlockLaneLosesItsOldestAndStaysBounded) {
  for (int i = 0; i < 1000; ++i) {
    Push(Frame(5, 0, false, 4000));
    Push(Frame(4, 0, false, 2000));
  }
  EXPECT_LE(lanes_.queued_bytes(), kMaxQueuedBlockBytes + kMaxQueuedEnvelopeBytes);
  const LaneGap gap = lanes_.TakeGap(5);
  EXPECT_EQ(gap.cause, v1::GAP_CAUSE_SLOW_FOLLOWER);
  EXPECT_EQ(gap.from_seq, 1u);
  const std::vector<uint64_t> left = Drain(5);
  EXPECT_EQ(left.back(), seq_ - 1);
  EXPECT_EQ(gap.count + left.size(), 1000u);
  EXPECT_EQ(gap.to_seq + 2, left.front());
}

TEST_F(FollowerLanesTest, ManyTracesOfLargeSweepsStayBounded) {
  for (uint32_t trace = 0; trace < 1000; ++trace) Push(Frame(3, trace, false, kMaxSweepBytes));
  EXPECT_LE(lanes_.queued_bytes(), kMaxQueuedSweepBytes);
  EXPECT_EQ(lanes_.TakeGap(3).count + Drain(3).size(), 1000u);
}

TEST_F(FollowerLanesTest, WhatIsTooOldIsNotShownAsLive) {
  for (int i = 0; i < 10; ++i) Push(Frame(5, 0));
  lanes_.DropOlderThan(HubTime::FromNanoseconds(6), v1::GAP_CAUSE_BUDGET);
  const LaneGap gap = lanes_.TakeGap(5);
  EXPECT_EQ(gap.count, 5u);
  EXPECT_EQ(gap.cause, v1::GAP_CAUSE_BUDGET);
  EXPECT_EQ(Drain(5).front(), 6u);
}

TEST_F(FollowerLanesTest, GapsOfDifferentCausesAreToldApart) {
  lanes_.AddGap(5, 1, v1::GAP_CAUSE_SLOW_FOLLOWER);
  lanes_.AddGap(5, 2, v1::GAP_CAUSE_BUDGET);
  lanes_.AddGap(5, 3, v1::GAP_CAUSE_SLOW_FOLLOWER);
  const LaneGap first = lanes_.TakeGap(5);
  const LaneGap second = lanes_.TakeGap(5);
  EXPECT_EQ(first.count + second.count, 3u);
  EXPECT_NE(first.cause, second.cause);
  EXPECT_FALSE(lanes_.HasGap(5));
}

}  // namespace
}  // namespace remora::hub
