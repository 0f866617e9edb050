#include "dsp/evoked/epoch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

EpochCutter Cutter(double start_ms = -5.0, double end_ms = 20.0, std::size_t channels = 1) {
  return *EpochCutter::Create({1000.0, {start_ms, end_ms}, channels});
}

// One channel, from `first`, in blocks.
void Feed(EpochCutter& cutter, const std::vector<double>& samples, std::size_t block,
          std::vector<Epoch>& epochs, std::uint64_t first = 0) {
  for (std::size_t at = 0; at < samples.size(); at += block) {
    const std::array<std::span<const double>, 1> channels{
        std::span(samples).subspan(at, std::min(block, samples.size() - at))};
    ASSERT_TRUE(cutter.Push(first + at, channels, epochs).ok());
  }
}

TEST(EpochCutter, CutsWholePositionsExactlyInAnyBlocks) {
  for (const std::size_t block : {1, 17, 400, 5000}) {
    EpochCutter cutter = Cutter();
    ASSERT_TRUE(cutter.AddTrigger(100.0, 7).ok());
    ASSERT_TRUE(cutter.AddTrigger(3000.0, 8).ok());
    std::vector<Epoch> epochs;
    Feed(cutter, Ramp(5000), block, epochs);
    ASSERT_EQ(epochs.size(), 2u) << block;
    EXPECT_EQ(epochs[0].trigger_id, 7u);
    EXPECT_EQ(epochs[0].samples, 26u);
    EXPECT_EQ(epochs[0].missing_samples, 0u);
    for (std::size_t i = 0; i < 26; ++i) {
      EXPECT_EQ(epochs[0].Channel(0)[i], 95.0 + static_cast<double>(i));
      EXPECT_EQ(epochs[1].Channel(0)[i], 2995.0 + static_cast<double>(i));
    }
  }
  EXPECT_EQ(Cutter().timebase().LatencyMs(5.0), 0.0);
}

TEST(EpochCutter, InterpolatesFractionalTriggersToTheStatedError) {
  // A sine at 1/8 of the rate, the header's limit, for many fractions.
  const double frequency = 125.0;
  const std::vector<double> samples = Sine(4000, frequency, 1000.0, 1.0);
  double worst = 0.0;
  for (int step = 0; step < 40; ++step) {
    EpochCutter cutter = Cutter();
    const double trigger = 1000.0 + step * 0.025;
    ASSERT_TRUE(cutter.AddTrigger(trigger, 0).ok());
    std::vector<Epoch> epochs;
    Feed(cutter, samples, 4000, epochs);
    ASSERT_EQ(epochs.size(), 1u);
    for (std::size_t i = 0; i < epochs[0].samples; ++i) {
      const double position = trigger - 5.0 + static_cast<double>(i);
      const double expected = std::sin(2.0 * std::numbers::pi * frequency * position / 1000.0);
      worst = std::max(worst, std::abs(epochs[0].Channel(0)[i] - expected));
    }
  }
  std::printf("worst interpolation error at 1/8 of the rate: %.2e\n", worst);
  EXPECT_LT(worst, 2e-3);
}

TEST(EpochCutter, ChannelsStayTogether) {
  EpochCutter cutter = Cutter(0.0, 10.0, 3);
  ASSERT_TRUE(cutter.AddTrigger(50.0, 0).ok());
  const std::vector<double> a = Ramp(100);
  const std::vector<double> b(100, 5.0);
  const std::vector<double> c(100, kNaN);
  const std::array<std::span<const double>, 3> channels{a, b, c};
  std::vector<Epoch> epochs;
  ASSERT_TRUE(cutter.Push(0, channels, epochs).ok());
  ASSERT_EQ(epochs.size(), 1u);
  EXPECT_EQ(epochs[0].Channel(0)[0], 50.0);
  EXPECT_EQ(epochs[0].Channel(1)[10], 5.0);
  EXPECT_TRUE(std::isnan(epochs[0].Channel(2)[4]));
  EXPECT_EQ(epochs[0].non_finite_samples, 11u);
}

TEST(EpochCutter, LateTriggerStillGetsItsEpoch) {
  EpochCutter cutter = Cutter();
  std::vector<Epoch> epochs;
  Feed(cutter, Ramp(2000), 100, epochs);
  ASSERT_TRUE(cutter.AddTrigger(1200.0, 1).ok());  // 0.8 s late
  const std::array<std::span<const double>, 1> nothing{};
  ASSERT_TRUE(cutter.Push(2000, nothing, epochs).ok());
  ASSERT_EQ(epochs.size(), 1u);
  EXPECT_EQ(epochs[0].missing_samples, 0u);
  EXPECT_EQ(epochs[0].Channel(0)[5], 1200.0);
}

TEST(EpochCutter, TriggerBeyondMemoryYieldsAnEpochThatSaysSo) {
  EpochCutter cutter = Cutter();
  std::vector<Epoch> epochs;
  Feed(cutter, Ramp(20000), 100, epochs);
  ASSERT_TRUE(cutter.AddTrigger(100.0, 1).ok());
  const std::array<std::span<const double>, 1> nothing{};
  ASSERT_TRUE(cutter.Push(20000, nothing, epochs).ok());
  ASSERT_EQ(epochs.size(), 1u);
  EXPECT_EQ(epochs[0].missing_samples, 26u);
  EXPECT_TRUE(std::isnan(epochs[0].Channel(0)[0]));
}

TEST(EpochCutter, GapIsReportedAndMarksOnlyTheEpochsItTouches) {
  EpochCutter cutter = Cutter();
  for (const double trigger : {100.0, 298.0, 350.0, 500.0}) {
    ASSERT_TRUE(cutter.AddTrigger(trigger, static_cast<std::uint64_t>(trigger)).ok());
  }
  std::vector<Epoch> epochs;
  Feed(cutter, Ramp(300), 50, epochs);
  const std::vector<double> later(400, 1.0);
  const std::array<std::span<const double>, 1> channels{later};
  const auto report = cutter.Push(400, channels, epochs);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->gap_samples, 100u);
  ASSERT_EQ(epochs.size(), 4u);
  EXPECT_EQ(epochs[0].missing_samples, 0u);
  EXPECT_EQ(epochs[1].missing_samples, 19u);  // 300 .. 318
  EXPECT_EQ(epochs[2].missing_samples, 26u);
  EXPECT_EQ(epochs[3].missing_samples, 0u);
}

TEST(EpochCutter, HostileGapOfYearsIsAJumpNotALoop) {
  EpochCutter cutter = Cutter();
  std::vector<Epoch> epochs;
  Feed(cutter, Ramp(100), 100, epochs);
  ASSERT_TRUE(cutter.AddTrigger(5e10, 1).ok());
  const std::uint64_t far = 1ull << 50;
  ASSERT_TRUE(cutter.AddTrigger(static_cast<double>(far) + 10.0, 2).ok());
  Feed(cutter, Ramp(100), 100, epochs, far);
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_EQ(epochs[0].missing_samples, 26u);
  EXPECT_EQ(epochs[1].missing_samples, 0u);
  EXPECT_EQ(epochs[1].Channel(0)[0], 5.0);
}

TEST(EpochCutter, HostileTimeThatJumpsBackIsIgnoredAndCounted) {
  EpochCutter cutter = Cutter();
  ASSERT_TRUE(cutter.AddTrigger(100.0, 1).ok());
  std::vector<Epoch> epochs;
  Feed(cutter, Ramp(110), 110, epochs);
  const std::vector<double> wrong(50, -1.0);
  const std::array<std::span<const double>, 1> channels{wrong};
  const auto report = cutter.Push(80, channels, epochs);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->overlapping_samples, 30u);
  ASSERT_EQ(epochs.size(), 1u);
  EXPECT_EQ(epochs[0].Channel(0)[14], 109.0);
  EXPECT_EQ(epochs[0].Channel(0)[15], -1.0);
}

TEST(EpochCutter, FlushYieldsWhatIsUnfinished) {
  EpochCutter cutter = Cutter();
  ASSERT_TRUE(cutter.AddTrigger(95.0, 1).ok());
  std::vector<Epoch> epochs;
  Feed(cutter, Ramp(100), 100, epochs);
  EXPECT_TRUE(epochs.empty());
  EXPECT_EQ(cutter.pending_triggers(), 1u);
  cutter.Flush(epochs);
  ASSERT_EQ(epochs.size(), 1u);
  EXPECT_EQ(epochs[0].missing_samples, 16u);
  EXPECT_EQ(cutter.pending_triggers(), 0u);
}

TEST(EpochCutter, HostileTriggersAndBlocksAreRefused) {
  EpochCutter cutter = Cutter();
  for (const double trigger : {kNaN, -1.0, 1e300, std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(cutter.AddTrigger(trigger, 0).code(), absl::StatusCode::kInvalidArgument);
  }
  for (std::size_t i = 0; i < kMaxPendingTriggers; ++i) {
    ASSERT_TRUE(cutter.AddTrigger(1e6, i).ok());
  }
  EXPECT_EQ(cutter.AddTrigger(1e6, 0).code(), absl::StatusCode::kResourceExhausted);
  std::vector<Epoch> epochs;
  EXPECT_FALSE(cutter.Push(0, {}, epochs).ok());
  const std::vector<double> samples(10, 0.0);
  const std::array<std::span<const double>, 1> channels{samples};
  EXPECT_FALSE(cutter.Push(~0ull, channels, epochs).ok());
}

TEST(EpochCutter, HostileOptionsAreRefused) {
  EXPECT_FALSE(EpochCutter::Create({0.0, {-5.0, 20.0}, 1}).ok());
  EXPECT_FALSE(EpochCutter::Create({kNaN, {-5.0, 20.0}, 1}).ok());
  EXPECT_FALSE(EpochCutter::Create({1000.0, {20.0, -5.0}, 1}).ok());
  EXPECT_FALSE(EpochCutter::Create({1000.0, {kNaN, 20.0}, 1}).ok());
  EXPECT_FALSE(EpochCutter::Create({1000.0, {-5.0, 1e9}, 1}).ok());
  EXPECT_FALSE(EpochCutter::Create({1000.0, {-5.0, 20.0}, 0}).ok());
  EXPECT_FALSE(EpochCutter::Create({1e9, {-5.0, 20.0}, 1000}).ok());
}

}  // namespace
}  // namespace remora::dsp
