#include "dsp/eeg/suppression.h"

#include <gtest/gtest.h>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 200.0;

SuppressionRatio Ratio() { return SuppressionRatio::Create({.sample_rate_hz = kRateHz}).value(); }

std::vector<double> Seconds(double seconds, double level_uv) {
  return std::vector<double>(static_cast<std::size_t>(seconds * kRateHz), level_uv);
}

TEST(SuppressionRatio, IsTheSuppressedPartOfTheLastMinute) {
  SuppressionRatio ratio = Ratio();
  for (int i = 0; i < 12; ++i) {
    ratio.Push(Seconds(2.0, 40.0));
    ratio.Push(Seconds(3.0, 1.0));
  }
  ASSERT_TRUE(ratio.percent().has_value());
  EXPECT_NEAR(*ratio.percent(), 60.0, 1e-9);
  EXPECT_TRUE(ratio.suppressed_now());
  ratio.Push(Seconds(60.0, 40.0));
  EXPECT_EQ(*ratio.percent(), 0.0);
  EXPECT_FALSE(ratio.suppressed_now());
}

TEST(SuppressionRatio, ShortQuietStretchesAreNone) {
  SuppressionRatio ratio = Ratio();
  for (int i = 0; i < 60; ++i) {
    ratio.Push(Seconds(0.51, 40.0));
    ratio.Push(Seconds(0.49, 1.0));
  }
  EXPECT_EQ(*ratio.percent(), 0.0);
}

TEST(SuppressionRatio, CountsFromItsFirstSampleHoweverTheBlocksAreCut) {
  TestNoise noise(9);
  std::vector<double> samples;
  for (int i = 0; i < 300; ++i) {
    const double level_uv = i % 3 == 0 ? 30.0 : 2.0;
    const auto part = Seconds(0.2 + 0.3 * (noise.Uniform() + 0.5), level_uv);
    samples.insert(samples.end(), part.begin(), part.end());
  }
  SuppressionRatio whole = Ratio();
  whole.Push(samples);
  SuppressionRatio single = Ratio();
  for (const double sample : samples) single.Push(std::vector<double>{sample});
  EXPECT_EQ(*whole.percent(), *single.percent());
  EXPECT_GT(*whole.percent(), 10.0);
}

TEST(SuppressionRatio, WhatCouldNotBeJudgedIsInNeitherPart) {
  SuppressionRatio ratio = Ratio();
  ratio.Push(Seconds(20.0, 1.0));
  EXPECT_FALSE(ratio.percent().has_value()) << "a third of the window";
  ratio.Push(Seconds(20.0, 40.0));
  EXPECT_NEAR(*ratio.percent(), 50.0, 1e-9);
  ratio.Push(Seconds(10.0, kNaN));
  EXPECT_NEAR(*ratio.percent(), 50.0, 1e-9);
  ratio.Skip(static_cast<std::uint64_t>(10.0 * kRateHz));
  EXPECT_NEAR(*ratio.percent(), 50.0, 1e-9);
  ratio.Skip(std::uint64_t{1} << 60);
  EXPECT_FALSE(ratio.percent().has_value());
}

TEST(SuppressionRatio, AGapEndsASuppression) {
  SuppressionRatio ratio = Ratio();
  ratio.Push(Seconds(40.0, 40.0));
  ratio.Push(Seconds(0.4, 1.0));
  ratio.Skip(10);
  ratio.Push(Seconds(0.4, 1.0));
  EXPECT_EQ(*ratio.percent(), 0.0) << "nobody saw 0.5 s of it";
}

TEST(SuppressionRatio, HostileOptionsAreRefused) {
  EXPECT_FALSE(SuppressionRatio::Create({.sample_rate_hz = 0.0}).ok());
  EXPECT_FALSE(SuppressionRatio::Create({.sample_rate_hz = kNaN}).ok());
  EXPECT_FALSE(SuppressionRatio::Create({.sample_rate_hz = 200.0, .limit_uv = kNaN}).ok());
  EXPECT_FALSE(SuppressionRatio::Create({.sample_rate_hz = 200.0, .shortest_ms = 1.0}).ok());
  EXPECT_FALSE(SuppressionRatio::Create({.sample_rate_hz = 200.0, .window_ms = 1e9}).ok());
}

}  // namespace
}  // namespace remora::dsp
