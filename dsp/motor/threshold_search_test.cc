#include "dsp/motor/threshold_search.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

// 'x' responds, '-' does not, '?' is doubtful.
Threshold After(const std::vector<std::pair<double, char>>& trials) {
  ThresholdSearch search(0.5);
  for (const auto& [intensity, seen] : trials) {
    const Presence presence = seen == 'x'   ? Presence::kPresent
                              : seen == '-' ? Presence::kAbsent
                                            : Presence::kUncertain;
    EXPECT_TRUE(search.Add(intensity, presence).ok());
  }
  return search.Current();
}

TEST(ThresholdSearch, RisingCurrentFindsTheFirstThatResponds) {
  const Threshold found = After({{2, '-'}, {4, '-'}, {6, '-'}, {8, 'x'}});
  EXPECT_EQ(found.verdict, ThresholdVerdict::kFound);
  EXPECT_EQ(found.value, 8.0);
  EXPECT_EQ(found.rising, 8.0);
  EXPECT_FALSE(found.falling.has_value());
  EXPECT_EQ(found.highest_without, 6.0);
  EXPECT_EQ(found.resolution(), 2.0);
}

TEST(ThresholdSearch, FallingCurrentFindsTheLastThatResponds) {
  const Threshold found = After({{10, 'x'}, {9, 'x'}, {8, 'x'}, {7, '-'}});
  EXPECT_EQ(found.value, 8.0);
  EXPECT_EQ(found.falling, 8.0);
  EXPECT_FALSE(found.rising.has_value());
}

TEST(ThresholdSearch, OfRisingAndFallingTheLowerOneCounts) {
  const Threshold found =
      After({{6, '-'}, {8, '-'}, {10, 'x'}, {9, 'x'}, {8.5, 'x'}, {8, 'x'}, {7.5, 'x'}, {7, '-'}});
  EXPECT_EQ(found.rising, 10.0);
  EXPECT_EQ(found.falling, 7.5);
  EXPECT_EQ(found.value, 7.5);
  // 8 mA was silent once and responded once: half is enough.
  EXPECT_FALSE(found.inconsistent);
}

TEST(ThresholdSearch, AMajorityOfRepeatsDecides) {
  const Threshold found = After({{4, '-'}, {5, 'x'}, {5, '-'}, {5, '-'}, {6, 'x'}});
  EXPECT_EQ(found.value, 6.0);
  EXPECT_EQ(found.highest_without, 5.0);
}

TEST(ThresholdSearch, ARespondingLowestSaysThatItMayBeLower) {
  const Threshold found = After({{4, 'x'}, {6, 'x'}});
  EXPECT_EQ(found.verdict, ThresholdVerdict::kAtOrBelowLowest);
  EXPECT_EQ(found.value, 4.0);
  EXPECT_FALSE(found.highest_without.has_value());
  EXPECT_EQ(found.resolution(), 0.0);
}

TEST(ThresholdSearch, NoResponseUpToTheHighestIsNoThreshold) {
  const Threshold none = After({{10, '-'}, {20, '-'}, {15, '-'}});
  EXPECT_EQ(none.verdict, ThresholdVerdict::kNoResponse);
  EXPECT_FALSE(none.value.has_value());
  EXPECT_EQ(none.highest_without, 20.0);
}

TEST(ThresholdSearch, SilenceAboveTheThresholdIsInconsistent) {
  const Threshold odd = After({{4, '-'}, {6, 'x'}, {8, '-'}, {10, 'x'}});
  EXPECT_EQ(odd.value, 6.0);
  EXPECT_TRUE(odd.inconsistent);
}

TEST(ThresholdSearch, DoubtfulTrialsDecideNothing) {
  const Threshold undecided = After({{4, '?'}, {5, '?'}});
  EXPECT_EQ(undecided.verdict, ThresholdVerdict::kUndecided);
  EXPECT_EQ(undecided.uncertain_trials, 2u);
  const Threshold found = After({{4, '-'}, {5, '?'}, {6, 'x'}});
  EXPECT_EQ(found.value, 6.0);
  EXPECT_EQ(found.highest_without, 4.0);
  EXPECT_EQ(found.rising, 6.0);
}

TEST(ThresholdSearch, HostileIntensitiesAreRefused) {
  ThresholdSearch search(0.1);
  EXPECT_EQ(search.Add(kNaN, Presence::kPresent).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(search.Add(-1.0, Presence::kPresent).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(search.Current().trials, 0u);
  for (std::size_t i = 0; i < kMaxIntensities; ++i) {
    ASSERT_TRUE(search.Add(0.1 * static_cast<double>(i), Presence::kAbsent).ok());
  }
  EXPECT_EQ(search.Add(1e6, Presence::kPresent).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(search.Add(0.0, Presence::kAbsent).ok()) << "again";
  EXPECT_FALSE(ThresholdSearch(0.0).Add(1.0, Presence::kPresent).ok());
  EXPECT_FALSE(ThresholdSearch(kNaN).Add(1.0, Presence::kPresent).ok());
  EXPECT_FALSE(ThresholdSearch(1e-300).Add(1.0, Presence::kPresent).ok());
}

TEST(ThresholdSearch, WhatIsDeliveredIsRoundedToTheStep) {
  // Three trials at 8 mA, as a stimulator reads them back.
  const Threshold found = After({{7.01, '-'}, {7.998, '-'}, {8.003, 'x'}, {8.02, 'x'}});
  EXPECT_EQ(found.value, 8.0);
  EXPECT_EQ(found.highest_without, 7.0);
}

}  // namespace
}  // namespace remora::dsp
