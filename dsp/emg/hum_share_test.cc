#include "dsp/emg/hum_share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 5000.0;

std::size_t In(double seconds) { return static_cast<std::size_t>(seconds * kRateHz); }

// Noise and so much of a tone; under five stimuli a second a slow answer of 2 mV follows each.
std::vector<double> Muscle(double noise_uv, double tone_uv, double tone_hz, bool answers,
                           double rate_hz = kRateHz) {
  std::vector<double> uv = TestNoise(3).Gaussian(static_cast<std::size_t>(2 * rate_hz), noise_uv);
  for (std::size_t i = 0; i < uv.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    uv[i] += tone_uv * std::sin(2.0 * std::numbers::pi * tone_hz * t) - 300.0 + 20.0 * t;
    const double since_s = std::fmod(t, 0.2);
    if (answers && since_s < 0.112) uv[i] += 2000.0 * std::sin(80.0 * since_s);
  }
  return uv;
}

// In blocks of 100 ms that begin anywhere; with the answers left out, or with nothing.
double ShareOf(const std::vector<double>& uv, bool left_out, double rate_hz = kRateHz) {
  HumShare hum(rate_hz, 50.0);
  const auto block = static_cast<std::size_t>(0.1 * rate_hz);
  for (std::size_t at = 37; at + block <= uv.size(); at += block) {
    std::vector<SampleStretch> ranges;
    for (std::size_t i = 0; left_out && i < block; ++i) {
      if (std::fmod(static_cast<double>(at + i) / rate_hz, 0.2) >= 0.112) continue;
      if (ranges.empty() || ranges.back().to != i) ranges.push_back({i, i});
      ranges.back().to = i + 1;
    }
    hum.Push(std::span(uv).subspan(at, block), ranges);
  }
  return hum.share();
}

TEST(HumShare, IsThePartOfThePower) {
  for (const double rate_hz : {1000.0, 5000.0, 20000.0, 44100.0}) {
    EXPECT_NEAR(ShareOf(Muscle(1.0, 40.0, 50.0, false, rate_hz), false, rate_hz), 0.97, 0.03);
    EXPECT_NEAR(ShareOf(Muscle(20.0, 20.0 * std::sqrt(2.0), 50.0, false, rate_hz), false, rate_hz),
                0.5, 0.1);
    EXPECT_LT(ShareOf(Muscle(20.0, 0.0, 50.0, false, rate_hz), false, rate_hz), 0.05);
  }
}

TEST(HumShare, LooksBetweenAnswers) {
  EXPECT_GT(ShareOf(Muscle(3.0, 40.0, 50.0, true), true), 0.95);
  EXPECT_GT(ShareOf(Muscle(3.0, 40.0, 150.0, true), true), 0.7);
  EXPECT_LT(ShareOf(Muscle(3.0, 0.0, 50.0, true), true), 0.15);
  // Unless they are left out, nothing is known of it.
  EXPECT_LT(ShareOf(Muscle(3.0, 40.0, 50.0, true), false), 0.3);
}

TEST(HumShare, ATrainIsNoHum) {
  for (const double hz : {60.0, 65.0, 72.0, 90.0, 125.0}) {
    EXPECT_LT(ShareOf(Muscle(3.0, 100.0, hz, true), true), 0.3) << hz;
    EXPECT_LT(ShareOf(Muscle(3.0, 100.0, hz, false), false), 0.3) << hz;
  }
}

TEST(HumShare, HostileSamplesAndRangesSayNothing) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  HumShare hum(kRateHz, 50.0);
  std::vector<double> uv = Muscle(3.0, 40.0, 50.0, false);
  EXPECT_EQ(hum.share(), 0.0);
  hum.Push({}, {});
  hum.Push(std::vector<double>(In(0.1), kNaN), {});
  hum.Push(std::vector<double>(In(0.1), 1e308), {});
  EXPECT_EQ(hum.share(), 0.0);
  hum.Push(std::span(uv).first(In(0.1)), std::vector<SampleStretch>{{0, kMost}});
  EXPECT_EQ(hum.share(), 0.0);
  const std::vector<SampleStretch> wild = {{kMost, kMost}, {40, 3}, {kMost, 0}};
  hum.Push(std::span(uv).subspan(In(0.1), In(0.1)), wild);
  uv[In(0.25)] = kNaN;
  hum.Push(std::span(uv).subspan(In(0.2), In(0.1)), {});
  EXPECT_GT(hum.share(), 0.9);
  // Largest samples that are taken: nothing overflows to what is no number.
  hum.Push(std::vector<double>(In(0.3), 1e30), {});
  EXPECT_TRUE(std::isfinite(hum.share()));
  hum.Restart();
  EXPECT_EQ(hum.share(), 0.0);
  for (HumShare& none : std::vector<HumShare>{
           {kRateHz, 0.0}, {kRateHz, kNaN}, {0.0, 50.0}, {kNaN, 50.0}, {100.0, 50.0}}) {
    none.Push(uv, {});
    EXPECT_EQ(none.share(), 0.0);
  }
}

}  // namespace
}  // namespace remora::dsp
