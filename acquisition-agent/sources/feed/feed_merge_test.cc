#include "acquisition-agent/sources/feed/feed_merge.h"

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

FeedMerge Two() { return FeedMerge({{"Amp", 0, 1, true}, {"Stim", 1, 1, true}}); }

// "B0@20" a block of group 0 that ends at 20 ms, "T@7", "G@30", "N@20".
std::vector<std::string> PopAll(FeedMerge* merge, std::optional<int64_t> now_ms) {
  std::vector<std::string> popped;
  const auto name = [](const Item& item) -> std::string {
    if (const auto* block = std::get_if<SampleBlock>(&item))
      return "B" + std::to_string(block->rate_group);
    if (std::holds_alternative<StimulusTrigger>(item)) return "T";
    if (std::holds_alternative<Gap>(item)) return "G";
    if (std::holds_alternative<SourceEvent>(item)) return "N";
    return "V";
  };
  const std::optional<int64_t> now_ns =
      now_ms ? std::optional<int64_t>(*now_ms * kMs) : std::nullopt;
  while (const std::optional<Item> item = merge->Pop(now_ns))
    popped.push_back(name(*item) + "@" + std::to_string(DueTimeNs(*item) / kMs));
  return popped;
}

using Names = std::vector<std::string>;

TEST(FeedMerge, OneDeviceWaitsForNobody) {
  FeedMerge merge({{"Amp", 0, 2, true}});
  merge.Push(0, Trigger(7));
  merge.Push(0, Block(0, 20));
  merge.Push(0, Block(0, 30, 1));
  EXPECT_EQ(PopAll(&merge, 31), Names({"T@7", "B0@20", "B1@30"}));
}

TEST(FeedMerge, WaitsForTheOtherAndKeepsTheOrder) {
  FeedMerge merge = Two();
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
  FeedMerge merge = Two();
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
  FeedMerge merge = Two();
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
  while (std::optional<Item> item = merge.Pop(1100 * kMs)) {
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
  FeedMerge merge = Two();
  merge.Push(0, Block(0, 20));
  merge.Push(1, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names({"B0@20", "B1@20"}));
  EXPECT_EQ(merge.late(), 0u);
}

TEST(FeedMerge, AMonitorIsNotWaitedForAndItsValuesComeWhenTheyAreKnown) {
  FeedMerge merge({{"Amp", 0, 1, true}, {"Monitor", 1, 0, false}});
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names({"B0@20"}));
  merge.Push(1, VitalSign{3 * kMs, VitalSign::Kind::kHeartRate, 60, "", "m"});
  EXPECT_EQ(PopAll(&merge, 22), Names({"V@20"}));
}

TEST(FeedMerge, AGapStaysBetweenItsBlocks) {
  FeedMerge merge({{"Amp", 0, 2, true}});
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
  FeedMerge merge = Two();
  merge.Push(0, Trigger(9'000));
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, 21), Names());
  merge.Push(1, Block(0, 40));
  EXPECT_EQ(PopAll(&merge, 41), Names({"B0@20"}));
  merge.Push(0, Block(20, 40));
  EXPECT_EQ(PopAll(&merge, 41), Names({"B0@40", "B1@40"}));
  EXPECT_EQ(merge.late(), 0u);
  FeedMerge alone({{"Stim", 0, 0, true}});
  alone.Push(0, Trigger(9'000));
  EXPECT_EQ(PopAll(&alone, 8'999), Names());
  EXPECT_EQ(PopAll(&alone, 9'000), Names({"T@9000"}));
}

TEST(FeedMerge, NobodyIsLateForWhatWasNotTakenYet) {
  FeedMerge merge = Two();
  merge.Push(0, Block(0, 20));
  EXPECT_EQ(PopAll(&merge, std::nullopt), Names());
}

TEST(FeedMerge, HostileAFloodOfOneDeviceIsBounded) {
  FeedMerge merge = Two();
  for (size_t i = 0; i < kMaxWaitingItems + 10; ++i)
    merge.Push(0, Block(static_cast<int64_t>(i), static_cast<int64_t>(i) + 1));
  EXPECT_GE(PopAll(&merge, 0).size(), 10u);
}

}  // namespace
}  // namespace remora::agent::feed
