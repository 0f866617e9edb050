#include "acquisition-agent/sources/feed/block_times.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "acquisition-agent/sources/feed/limits.h"
#include "common/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;
using Outcome = BlockTimes::Outcome;

constexpr int64_t kMs = 1'000'000;

// Blocks of 20 ms at 1 kHz.
ToldBlock Told(uint64_t first, int64_t start_ns) {
  return {first, 20, start_ns, start_ns + 20 * kMs};
}

TEST(BlockTimes, TimesThatJitterAreOneStretchThatFollowsThem) {
  for (const double rate_hz : {1'000.0, 20'000.0, 200'000.0}) {
    const std::unique_ptr<Random> random = MakeSeededRandom(3);
    BlockTimes times;
    const auto count = static_cast<uint64_t>(rate_hz / 50);
    int64_t end_ns = 0;
    int64_t worst_ns = 0;
    int64_t worst_stretch_ns = 0;
    for (int64_t i = 0; i < 3'000; ++i) {
      const int64_t true_ns = i * 20 * kMs;
      const auto jitter_ns = static_cast<int64_t>((random->Uniform() - 0.5) * 0.8e6);
      const BlockTimes::Placed placed =
          times.Place({static_cast<uint64_t>(i) * count, count, true_ns + jitter_ns,
                       true_ns + jitter_ns + 20 * kMs},
                      rate_hz, "Amp");
      ASSERT_EQ(placed.outcome, Outcome::kPlaced);
      ASSERT_FALSE(placed.gap) << i;
      if (i > 0) {
        ASSERT_EQ(placed.start_ns, end_ns);
        worst_stretch_ns =
            std::max<int64_t>(worst_stretch_ns, std::llabs(placed.end_ns - end_ns - 20 * kMs));
      }
      end_ns = placed.end_ns;
      if (i > 100) worst_ns = std::max<int64_t>(worst_ns, std::llabs(placed.start_ns - true_ns));
    }
    EXPECT_LT(worst_ns, 150'000) << rate_hz;
    EXPECT_LE(worst_stretch_ns, 20 * kMs * kMaxBlockSlewPpm / 1'000'000);
  }
}

TEST(BlockTimes, ARateThatIsALittleOffIsFollowed) {
  BlockTimes times;
  for (int64_t i = 0; i < 30'000; ++i) {
    // 200 ppm slower than stated.
    const int64_t start_ns = i * 20 * kMs + i * 4'000;
    const BlockTimes::Placed placed =
        times.Place(Told(static_cast<uint64_t>(i) * 20, start_ns), 1'000, "Amp");
    ASSERT_FALSE(placed.gap) << i;
    ASSERT_LT(std::llabs(placed.start_ns - start_ns), 200'000);
  }
}

TEST(BlockTimes, OnlyAStepBeyondTheLimitIsAGap) {
  for (const int64_t step_ns : {kMaxSeamNs - 1'000, kMaxSeamNs + 1'000}) {
    BlockTimes times;
    times.Place(Told(0, 0), 1'000, "Amp");
    const BlockTimes::Placed placed = times.Place(Told(20, 20 * kMs + step_ns), 1'000, "Amp");
    EXPECT_EQ(placed.gap.has_value(), step_ns > kMaxSeamNs);
    EXPECT_EQ(placed.start_ns, 20 * kMs + (step_ns > kMaxSeamNs ? step_ns : 0));
  }
}

TEST(BlockTimes, NoTimeComesTwiceWhereTheyGoBack) {
  BlockTimes times;
  times.Place(Told(0, 0), 1'000, "Amp");
  EXPECT_EQ(times.Place(Told(20, 15 * kMs), 1'000, "Amp").outcome, Outcome::kOld);
  const BlockTimes::Placed placed = times.Place(Told(40, 35 * kMs), 1'000, "Amp");
  ASSERT_TRUE(placed.gap);
  EXPECT_EQ(placed.gap->from_ns, 20 * kMs);
  EXPECT_EQ(placed.gap->to_ns, 35 * kMs);
  EXPECT_THAT(placed.gap->cause, HasSubstr("went back by 5.0 ms"));
}

TEST(BlockTimes, CountsThatBeginAnewAreKnownByTheirTimes) {
  BlockTimes times;
  // A counter of 32 bits.
  times.Place(Told((uint64_t{1} << 32) - 20, 0), 1'000, "Amp");
  const BlockTimes::Placed wrapped = times.Place(Told(0, 20 * kMs), 1'000, "Amp");
  EXPECT_EQ(wrapped.outcome, Outcome::kPlaced);
  EXPECT_TRUE(wrapped.counts_anew);
  ASSERT_TRUE(wrapped.gap);
  EXPECT_EQ(wrapped.gap->to_ns - wrapped.gap->from_ns, 0);
  // One index far ahead, and then those that are right.
  const BlockTimes::Placed ahead = times.Place(Told(1'000'000'000, 40 * kMs), 1'000, "Amp");
  EXPECT_THAT(ahead.gap->cause, HasSubstr("its clock does not agree"));
  EXPECT_EQ(ahead.start_ns, 40 * kMs);
  EXPECT_EQ(times.Place(Told(40, 60 * kMs), 1'000, "Amp").outcome, Outcome::kPlaced);
  EXPECT_FALSE(times.Place(Told(60, 80 * kMs), 1'000, "Amp").gap);
}

TEST(BlockTimes, HostileSamplesThatCameBeforeComeOnce) {
  BlockTimes times;
  times.Place(Told(0, 0), 1'000, "Amp");
  EXPECT_EQ(times.Place(Told(0, 0), 1'000, "Amp").outcome, Outcome::kRepeated);
  EXPECT_EQ(times.Place(Told(10, 0), 1'000, "Amp").outcome, Outcome::kMixed);
  EXPECT_FALSE(times.Place(Told(20, 20 * kMs), 1'000, "Amp").gap);
}

}  // namespace
}  // namespace remora::agent::feed
