#include "acquisition-agent/pipelines/stimulus_queue.h"

#include <limits>
#include <utility>
#include <vector>

#include "acquisition-agent/pipelines/limits.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

Stimulus At(int64_t time_ns, int pulses = 1, double interval_ms = 0) {
  Stimulus stimulus;
  stimulus.time_ns = time_ns;
  stimulus.told.pulses = pulses;
  stimulus.told.pulse_interval_ms = interval_ms;
  return stimulus;
}

TEST(StimulusQueue, GivesEachPulseByTimeAndTheFirstOfATrainAsItsOwn) {
  StimulusQueue queue;
  queue.Add(At(10'000'000), false);
  queue.Add(At(5'000'000, 3, 4), true);  // at 5, 9 and 13 ms
  std::vector<std::pair<int64_t, bool>> pulses;
  while (const auto pulse = queue.NextBefore(13'000'000)) {
    pulses.emplace_back(pulse->time_ns, pulse->own);
  }
  EXPECT_EQ(pulses, (std::vector<std::pair<int64_t, bool>>{
                        {5'000'000, true}, {9'000'000, false}, {10'000'000, false}}));
  EXPECT_TRUE(queue.NextBefore(13'000'001).has_value());
  EXPECT_FALSE(queue.NextBefore(std::numeric_limits<int64_t>::max()).has_value());
}

TEST(StimulusQueue, OfWhatIsKnownOnlyItsOwnSweepWaits) {
  StimulusQueue queue;
  Stimulus known = At(1'000'000, 3, 4);
  known.known = true;
  queue.Add(known, false);
  EXPECT_FALSE(queue.NextBefore(20'000'000).has_value());
  queue.Add(known, true);
  EXPECT_TRUE(queue.NextBefore(20'000'000).has_value());
  EXPECT_FALSE(queue.NextBefore(20'000'000).has_value());
}

TEST(StimulusQueue, WhatWasGivenFromALookIsNotDueAndDoesNotComeAgain) {
  StimulusQueue queue;
  queue.Add(At(100), true);
  queue.Add(At(200), true);
  EXPECT_EQ(queue.DueNs(0, 0, 50), 150);
  EXPECT_EQ(queue.DueNs(1, 0, 50), 250);
  EXPECT_EQ(queue.DueNs(0, 150, 50), 250);
  queue.Give(100);
  EXPECT_TRUE(queue.was_given(100));
  EXPECT_EQ(queue.DueNs(0, 0, 50), 250);
  EXPECT_FALSE(queue.Finish(100));
  EXPECT_FALSE(queue.was_given(100));
  EXPECT_TRUE(queue.Finish(200));
  EXPECT_EQ(queue.DueNs(0, 0, 50), std::numeric_limits<int64_t>::max());
  queue.Give(300);  // nobody waits for it
  EXPECT_FALSE(queue.was_given(300));
}

TEST(StimulusQueue, HostileNumbersOfStimuliCostTheOldest) {
  StimulusQueue queue;
  for (size_t i = 0; i < kMaxWaitingTriggers + 10; ++i) {
    queue.Add(At(static_cast<int64_t>(i)), true);
  }
  EXPECT_EQ(queue.dropped_total(), 10u);
  EXPECT_EQ(queue.NextBefore(1'000'000)->time_ns, 10);
}

}  // namespace
}  // namespace remora::agent
