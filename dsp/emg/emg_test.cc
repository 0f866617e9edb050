#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "dsp/emg/envelope.h"
#include "dsp/emg/rms.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Rms, OfASineIsItsAmplitudeOverRootTwo) {
  EXPECT_NEAR(Rms(Sine(5000, 50.0, 5000.0, 10.0)), 10.0 / std::sqrt(2.0), 1e-9);
  EXPECT_TRUE(std::isnan(Rms({})));
  EXPECT_TRUE(std::isnan(Rms(std::vector<double>{1.0, kNaN})));
}

TEST(MovingRms, EqualsRmsOfTheWindowAndKeepsNoRounding) {
  TestNoise noise(1);
  std::vector<double> samples = noise.Gaussian(20000, 5.0);
  for (std::size_t i = 5000; i < 5100; ++i) samples[i] *= 1e6;  // a huge artefact passes
  MovingRms moving(250);
  std::vector<double> rms(samples.size());
  moving.Process(samples, rms);
  for (const std::size_t at : {0, 10, 249, 250, 4999, 12345, 19999}) {
    const std::size_t first = at < 249 ? 0 : at - 249;
    EXPECT_NEAR(rms[at], Rms(std::span(samples).subspan(first, at + 1 - first)), 1e-9) << at;
  }
}

TEST(MovingRms, HostileSampleLeavesWithItsWindow) {
  std::vector<double> samples(1000, 3.0);
  samples[100] = kNaN;
  samples[130] = std::numeric_limits<double>::infinity();
  samples[131] = 1e300;  // its square overflows
  MovingRms moving(50);
  std::vector<double> rms(samples.size());
  moving.Process(samples, rms);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i >= 100 && i < 181) {
      EXPECT_TRUE(std::isnan(rms[i])) << i;
    } else {
      EXPECT_NEAR(rms[i], 3.0, 1e-12) << i;
    }
  }
}

TEST(EmgEnvelope, BinsHoldExtremesAndRmsInAnyBlocks) {
  const std::vector<double> samples = TestNoise(2).Gaussian(5000, 20.0);
  std::vector<EnvelopeBin> expected;
  auto whole = EmgEnvelope::Create(5000.0, 20.0);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->samples_per_bin(), 100u);
  whole->Push(samples, expected);
  ASSERT_EQ(expected.size(), 50u);
  for (std::size_t bin = 0; bin < 50; ++bin) {
    const auto part = std::span(samples).subspan(bin * 100, 100);
    EXPECT_EQ(expected[bin].first_sample, bin * 100);
    EXPECT_EQ(expected[bin].min_uv, *std::min_element(part.begin(), part.end()));
    EXPECT_EQ(expected[bin].max_uv, *std::max_element(part.begin(), part.end()));
    EXPECT_NEAR(expected[bin].rms_uv, Rms(part), 1e-9);
  }
  auto pieces = EmgEnvelope::Create(5000.0, 20.0);
  std::vector<EnvelopeBin> bins;
  for (std::size_t at = 0; at < samples.size(); at += 77) {
    pieces->Push(std::span(samples).subspan(at, std::min<std::size_t>(77, samples.size() - at)),
                 bins);
  }
  ASSERT_EQ(bins.size(), expected.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    EXPECT_EQ(bins[i].rms_uv, expected[i].rms_uv);
    EXPECT_EQ(bins[i].smoothed_uv, expected[i].smoothed_uv);
  }
}

TEST(EmgEnvelope, SmoothedFollowsTheMeanOfTheRectified) {
  auto envelope = EmgEnvelope::Create(5000.0, 50.0, 5.0);
  ASSERT_TRUE(envelope.ok());
  std::vector<EnvelopeBin> bins;
  envelope->Push(Sine(10000, 200.0, 5000.0, 100.0), bins);
  EXPECT_NEAR(bins.back().smoothed_uv, 100.0 * 2.0 / std::numbers::pi, 1.0);
}

TEST(EmgEnvelope, RestartGivesTheHeldPartAndBeginsAgain) {
  auto envelope = EmgEnvelope::Create(1000.0, 20.0);
  ASSERT_TRUE(envelope.ok());
  std::vector<EnvelopeBin> bins;
  envelope->Push(std::vector<double>(25, 1.0), bins);
  envelope->Restart(bins);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[1].samples, 5u);
  envelope->Push(std::vector<double>(20, 1.0), bins);
  EXPECT_EQ(bins[2].first_sample, 0u);
}

TEST(EmgEnvelope, HostileSamplesAreCountedNotMeasured) {
  auto envelope = EmgEnvelope::Create(1000.0, 10.0);
  ASSERT_TRUE(envelope.ok());
  std::vector<double> samples(30, 2.0);
  samples[3] = kNaN;
  for (std::size_t i = 10; i < 20; ++i) samples[i] = std::numeric_limits<double>::infinity();
  std::vector<EnvelopeBin> bins;
  envelope->Push(samples, bins);
  ASSERT_EQ(bins.size(), 3u);
  EXPECT_EQ(bins[0].non_finite_samples, 1u);
  EXPECT_NEAR(bins[0].rms_uv, 2.0, 1e-12);
  EXPECT_EQ(bins[1].non_finite_samples, 10u);
  EXPECT_TRUE(std::isnan(bins[1].min_uv) && std::isnan(bins[1].rms_uv));
  EXPECT_NEAR(bins[2].smoothed_uv, 2.0, 1e-9);
}

TEST(EmgEnvelope, HostileOptionsAreRefused) {
  EXPECT_FALSE(EmgEnvelope::Create(0.0, 20.0).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, 0.0).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, kNaN).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, 1e6).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, 20.0, 9000.0).ok());
}

}  // namespace
}  // namespace remora::dsp
