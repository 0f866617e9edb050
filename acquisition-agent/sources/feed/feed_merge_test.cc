#include "acquisition-agent/sources/feed/feed_merge.h"

#include <algorithm>

#include "acquisition-agent/sources/feed/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMs = 1'000'000;

SampleBlock Block(int64_t start_ms, int64_t end_ms, int group = 0) {
  SampleBlock block;
  block.rate_group = group;
  block.start_time_ns = start_ms * kMs;
  block.end_time_ns = end_ms * kMs;
  block.samples_per_channel = static_cast<int32_t>(end_ms - start_ms);
  return block;
}

StimulusTrigger Trigger(int64_t at_ms) {
  StimulusTrigger trigger;
  trigger.time_ns = at_ms * kMs;
  trigger.label = "MED R";
  return trigger;
}

// Of devices that have told all until a block's end when they send it.
class Merge : public FeedMerge {
 public:
  using FeedMerge::FeedMerge;
  void Push(size_t device, Item item) {
    const int64_t key_ns = DueTimeNs(item);
    const bool is_block = std::holds_alternative<SampleBlock>(item);
    FeedMerge::Push(device, std::move(item));
    if (is_block) ToldUntil(device, key_ns);
  }
};

Merge Two() { return Merge({{"Amp", 0, 1, true}, {"Stim", 1, 1, true}}); }

// At that time, or before all that has arrived was taken: "B0@20" a block of group 0 that ends at
// 20 ms, "T@7", "G@30", "N@20".
std::vector<std::string> PopAll(Merge* merge, std::optional<int64_t> now_ms) {
  std::vector<std::string> popped;
  const auto name = [](const Item& item) -> std::string {
    if (const auto* block = std::get_if<SampleBlock>(&item))
      return "B" + std::to_string(block->rate_group);
    if (std::holds_alternative<StimulusTrigger>(item)) return "T";
    if (std::holds_alternative<Gap>(item)) return "G";
    if (std::holds_alternative<SourceEvent>(item)) return "N";
    return "V";
  };
  const int64_t now_ns = now_ms.value_or(1'000'000) * kMs;
  while (const std::optional<Item> item = merge->Pop(now_ns, now_ms.has_value()))
    popped.push_back(name(*item) + "@" + std::to_string(DueTimeNs(*item) / kMs));
  return popped;
}

using Names = std::vector<std::string>;

TEST(FeedMerge, OneDeviceWaitsForNobody) {
  Merge merge({{"Amp", 0, 2, true}});
  merge.Push(0, Trigger(7));
  merge.Push(0, Block(0, 20));
  merge.Push(0, Block(0, 30, 1));
  EXPECT_EQ(PopAll(&merge, 31), Names({"T@7", "B0@20", "B1@30"}));
}

TEST(FeedMerge, WaitsForTheOtherAndKeepsTheOrder) {
  Merge merge = Two();
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names());
  merge.Push(1, Trigger(5));
  merge.Push(1, Block(0, 15));
  EXPECT_EQ(PopAll(&merge, 22), Names({"T@5", "B1@15"}));
  merge.Push(1, Block(15, 35));
  EXPECT_EQ(PopAll(&merge, 36), Names({"B0@20"}));
  merge.ToldUntil(0, 40 * kMs);
  EXPECT_EQ(PopAll(&merge, 41), Names({"B1@35"}));
}

TEST(FeedMerge, ASilentDeviceHoldsTheOthersForABoundedTime) {
  Merge merge = Two();
  merge.Push(1, Block(0, 20));
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names({"B0@20", "B1@20"}));
  merge.Push(0, Block(20, 40));
  EXPECT_EQ(PopAll(&merge, 40 + kMaxWaitNs / kMs), Names());
  EXPECT_EQ(PopAll(&merge, 41 + kMaxWaitNs / kMs), Names({"B0@40"}));
  // No longer waited for.
  merge.Push(0, Block(40, 60));
  EXPECT_EQ(PopAll(&merge, 42 + kMaxWaitNs / kMs), Names({"B0@60"}));
}

TEST(FeedMerge, WhatComesTooLateIsAGapOfTheRightLength) {
  Merge merge = Two();
  merge.Push(1, Block(0, 20));
  size_t popped = 0;
  for (int64_t end_ms = 20; end_ms <= 1000; end_ms += 20) {
    merge.Push(0, Block(end_ms - 20, end_ms));
    popped += PopAll(&merge, end_ms + 1).size();
  }
  EXPECT_EQ(popped, 51u);
  // It is back: what ended before 1,000 ms is late, from there on all is right.
  merge.Push(1, Trigger(975));
  for (int64_t end_ms = 40; end_ms <= 1020; end_ms += 20)
    merge.Push(1, Block(end_ms - 20, end_ms, 0));
  Item gap;
  Item late_stimulus;
  std::optional<SampleBlock> block;
  while (std::optional<Item> item = merge.Pop(1100 * kMs, true)) {
    if (std::holds_alternative<Gap>(*item)) gap = *item;
    if (std::holds_alternative<SourceEvent>(*item)) late_stimulus = *item;
    if (std::holds_alternative<SampleBlock>(*item)) {
      ASSERT_FALSE(block);
      block = std::get<SampleBlock>(*item);
    }
  }
  ASSERT_TRUE(block);
  EXPECT_EQ(block->start_time_ns, 980 * kMs);
  EXPECT_EQ(block->first_sample_index, 20);
  ASSERT_TRUE(std::holds_alternative<Gap>(gap));
  EXPECT_EQ(std::get<Gap>(gap).from_ns, 20 * kMs);
  EXPECT_EQ(std::get<Gap>(gap).to_ns, 980 * kMs);
  ASSERT_TRUE(std::holds_alternative<SourceEvent>(late_stimulus));
  EXPECT_THAT(std::get<SourceEvent>(late_stimulus).text,
              HasSubstr("\"MED R\" (code 0) at 0.975 s"));
  EXPECT_EQ(merge.late(), 49u);
  // And the others wait for it again.
  merge.Push(0, Block(1000, 1040));
  EXPECT_EQ(PopAll(&merge, 1101), Names({"B1@1020"}));
}

TEST(FeedMerge, ABlockThatEqualsTheTimeReachedIsNotLate) {
  Merge merge = Two();
  merge.Push(0, Block(0, 20));
  merge.Push(1, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names({"B0@20", "B1@20"}));
  EXPECT_EQ(merge.late(), 0u);
}

TEST(FeedMerge, AMonitorIsNotWaitedForAndItsValuesComeWhenTheyAreKnown) {
  Merge merge({{"Amp", 0, 1, true}, {"Monitor", 1, 0, false}});
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names({"B0@20"}));
  merge.Push(1, VitalSign{3 * kMs, VitalSign::Kind::kHeartRate, 60, "", "m"});
  EXPECT_EQ(PopAll(&merge, 22), Names({"V@20"}));
}

TEST(FeedMerge, AGapStaysBetweenItsBlocks) {
  Merge merge({{"Amp", 0, 2, true}});
  merge.Push(0, Block(0, 20));
  merge.Push(0, Block(0, 100, 1));
  Gap gap;
  gap.from_ns = 20 * kMs;
  gap.to_ns = 40 * kMs;
  gap.rate_group = 0;
  merge.Push(0, gap);
  merge.Push(0, Block(40, 60));
  // The later block came first: what waits is put in order.
  EXPECT_EQ(PopAll(&merge, 101), Names({"B0@20", "G@20", "B0@60", "B1@100"}));
}

TEST(FeedMerge, HostileAStimulusOfTheFutureWaitsForItsTimeAndHoldsNobody) {
  Merge merge = Two();
  merge.Push(0, Trigger(9'000));
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names());
  merge.Push(1, Block(0, 40));
  EXPECT_EQ(PopAll(&merge, 41), Names({"B0@20"}));
  merge.Push(0, Block(20, 40));
  EXPECT_EQ(PopAll(&merge, 41), Names({"B0@40", "B1@40"}));
  EXPECT_EQ(merge.late(), 0u);
  Merge alone({{"Stim", 0, 0, true}});
  alone.Push(0, Trigger(9'000));
  EXPECT_EQ(PopAll(&alone, 8'999), Names());
  EXPECT_EQ(PopAll(&alone, 9'000), Names({"T@9000"}));
}

TEST(FeedMerge, NobodyIsLateForWhatWasNotTakenYet) {
  Merge merge = Two();
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, std::nullopt), Names());
}

TEST(FeedMerge, HostileAFloodOfOneDeviceIsBounded) {
  Merge merge = Two();
  for (int64_t i = 0; i < 3 * int64_t{kMaxWaitingItems}; ++i) {
    merge.Push(0, Block(i, i + 1));
    merge.Push(0, Trigger(i));
  }
  EXPECT_TRUE(merge.full());
  EXPECT_LE(merge.waiting(0), 2 * kMaxWaitingItems);
  EXPECT_GE(merge.late(), 4 * kMaxWaitingItems);
  // Nobody is waited for any longer, and it is told, once.
  Names popped = PopAll(&merge, 3 * int64_t{kMaxWaitingItems});
  EXPECT_GE(popped.size(), kMaxWaitingItems);
  EXPECT_EQ(std::count_if(popped.begin(), popped.end(),
                          [](const std::string& name) { return name[0] == 'N'; }),
            1);
  EXPECT_EQ(merge.waiting(0), 0u);
  EXPECT_EQ(merge.waiting_bytes(), 0u);
}

TEST(FeedMerge, HostileLargeBlocksAreBoundedByTheirBytes) {
  Merge merge = Two();
  SampleBlock block = Block(0, 1);
  block.samples.resize(100'000);
  for (int64_t i = 0; i < 200; ++i) {
    // The other device has told nothing, and half of it ends in the future.
    block.start_time_ns = i * kMs;
    block.end_time_ns = (i + 1) * kMs;
    merge.Push(0, block);
  }
  EXPECT_TRUE(merge.full());
  EXPECT_LE(merge.waiting_bytes(), 2 * kMaxWaitingBytes);
  EXPECT_EQ(merge.late(), 200 - merge.waiting(0));
  PopAll(&merge, 1);
  EXPECT_LE(merge.waiting_bytes(), 2 * kMaxWaitingBytes);
}

TEST(FeedMerge, HostileABlockOfTheFutureWaitsForItsTimeAndHoldsNobody) {
  Merge merge = Two();
  merge.FeedMerge::Push(0, Block(0, 9'000));
  merge.ToldUntil(0, 20 * kMs);
  merge.Push(1, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names({"B1@20"}));
  EXPECT_EQ(PopAll(&merge, std::nullopt).size(), 0u) << "the other has not told";
  merge.ToldUntil(0, 9'000 * kMs);
  merge.ToldUntil(1, 9'000 * kMs);
  EXPECT_EQ(PopAll(&merge, 8'999), Names());
  EXPECT_EQ(PopAll(&merge, 9'000), Names({"B0@9000"}));
  EXPECT_EQ(merge.late(), 0u);
}

TEST(FeedMerge, ADeviceWhoseClockIsLearntIsWaitedForThatMuchLonger) {
  Merge merge = Two();
  merge.Push(0, Block(0, 20));
  merge.SetSettling(1, true);
  const int64_t wait_ms = (kMaxWaitNs + kSettleNs) / kMs;
  EXPECT_EQ(PopAll(&merge, 20 + wait_ms), Names());
  merge.SetSettling(1, false);
  merge.Push(1, Trigger(10));
  merge.Push(1, Block(0, 30));
  merge.Push(0, Block(20, 40));
  EXPECT_EQ(PopAll(&merge, 20 + wait_ms), Names({"T@10", "B0@20", "B1@30", "B0@40"}));
  EXPECT_EQ(merge.late(), 0u);
  // Not for ever: one whose clock is never known.
  Merge other = Two();
  other.Push(0, Block(0, 20));
  other.SetSettling(1, true);
  EXPECT_EQ(PopAll(&other, 21 + wait_ms), Names({"B0@20"}));
  other.SetSettling(1, true);
  other.Push(0, Block(20, 40));
  EXPECT_EQ(PopAll(&other, 22 + wait_ms), Names({"B0@40"}));
}

TEST(FeedMerge, SamplesThatAreAlwaysTooLateAreTold) {
  Merge merge = Two();
  Names remarks;
  std::string text;
  for (int64_t end_ms = 20; end_ms <= 30'000; end_ms += 20) {
    merge.Push(0, Block(end_ms - 20, end_ms));
    // Sent when they are 600 ms old.
    if (end_ms > 600) merge.Push(1, Block(end_ms - 620, end_ms - 600));
    while (const std::optional<Item> item = merge.Pop((end_ms + 1) * kMs, true)) {
      const auto* block = std::get_if<SampleBlock>(&*item);
      if (block != nullptr) {
        EXPECT_EQ(block->rate_group, 0);
      }
      if (const auto* event = std::get_if<SourceEvent>(&*item)) {
        EXPECT_TRUE(event->is_remark);
        remarks.push_back(event->text);
      }
    }
  }
  ASSERT_EQ(remarks.size(), 3u) << "each 10 s";
  EXPECT_THAT(remarks[0], HasSubstr("Stim: its samples come too late"));
  EXPECT_THAT(remarks[0], HasSubstr("blocks are missing"));
  EXPECT_GT(merge.late(), 1'000u);
}

}  // namespace
}  // namespace remora::agent::feed
