#include "dsp/eeg/eeg_windows.h"

#include <gtest/gtest.h>

#include <utility>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 100.0;

struct Cut {
  EegWindows windows;
  std::vector<std::pair<std::uint64_t, double>> found;  // position, and value of the first sample

  void Push(std::uint64_t first, const std::vector<double>& samples) {
    windows.Push(first, samples, [&](std::uint64_t position, std::span<const double> window) {
      EXPECT_EQ(window.size(), windows.window_samples());
      found.emplace_back(position, window[0]);
    });
  }
};

Cut Start() { return {EegWindows::Create({kRateHz, 4'000.0, 2'000.0}).value(), {}}; }

using Found = std::vector<std::pair<std::uint64_t, double>>;

TEST(EegWindows, OverlapByTheirStepHoweverTheBlocksAreCut) {
  const auto samples = Ramp(1'000);
  const std::size_t blocks[] = {1, 7, 333, samples.size()};
  for (const std::size_t block : blocks) {
    Cut cut = Start();
    for (std::size_t at = 0; at < samples.size(); at += block) {
      const std::size_t end = std::min(at + block, samples.size());
      cut.Push(at, {samples.begin() + static_cast<std::ptrdiff_t>(at),
                    samples.begin() + static_cast<std::ptrdiff_t>(end)});
    }
    EXPECT_EQ(cut.found, (Found{{0, 0.0}, {200, 200.0}, {400, 400.0}, {600, 600.0}})) << block;
    EXPECT_EQ(cut.windows.left_out(), 0u);
  }
}

TEST(EegWindows, NoneLiesAcrossAGap) {
  Cut cut = Start();
  cut.Push(0, Ramp(650));
  cut.Push(700, Ramp(400));
  EXPECT_EQ(cut.found, (Found{{0, 0.0}, {200, 200.0}, {700, 0.0}}));
  EXPECT_EQ(cut.windows.left_out(), 50u) << "600 to 649";
}

TEST(EegWindows, NoneHoldsASampleThatIsNotFinite) {
  auto samples = Ramp(1'000);
  samples[450] = kNaN;
  Cut cut = Start();
  cut.Push(0, samples);
  EXPECT_EQ(cut.found, (Found{{0, 0.0}, {451, 451.0}}));
  EXPECT_EQ(cut.windows.left_out(), 51u);
}

TEST(EegWindows, WhatComesAgainIsNotTakenAgain) {
  Cut cut = Start();
  cut.Push(0, Ramp(300));
  cut.Push(100, std::vector<double>(150, 1e9));
  cut.Push(250, std::vector<double>(150, 5.0));
  EXPECT_EQ(cut.found, (Found{{0, 0.0}}));
}

TEST(EegWindows, HostileOptionsAreRefused) {
  EXPECT_FALSE(EegWindows::Create({0.0, 4'000.0, 2'000.0}).ok());
  EXPECT_FALSE(EegWindows::Create({kNaN, 4'000.0, 2'000.0}).ok());
  EXPECT_FALSE(EegWindows::Create({kRateHz, 4'000.0, 4'001.0}).ok());
  EXPECT_FALSE(EegWindows::Create({kRateHz, 4'000.0, 0.0}).ok());
  EXPECT_FALSE(EegWindows::Create({kRateHz, kMaxEegWindowMs + 1.0, 2'000.0}).ok());
  EXPECT_FALSE(EegWindows::Create({kRateHz, 4'000.0, 5.0}).ok()) << "half a sample";
}

}  // namespace
}  // namespace remora::dsp
