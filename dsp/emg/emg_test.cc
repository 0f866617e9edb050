#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "dsp/emg/envelope.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

double Rms(std::span<const double> samples) {
  double squares = 0.0;
  for (const double sample : samples) squares += sample * sample;
  return std::sqrt(squares / static_cast<double>(samples.size()));
}

TEST(EmgEnvelope, RmsOfASineIsItsAmplitudeOverRootTwo) {
  auto envelope = EmgEnvelope::Create(5000.0, 100.0);
  ASSERT_TRUE(envelope.ok());
  std::vector<EnvelopeBin> bins;
  envelope->Push(Sine(500, 50.0, 5000.0, 10.0), bins);
  ASSERT_EQ(bins.size(), 1u);
  EXPECT_NEAR(bins[0].rms_uv, 10.0 / std::sqrt(2.0), 1e-9);
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
  }
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
  EXPECT_NEAR(bins[2].rms_uv, 2.0, 1e-12);
}

TEST(EmgEnvelope, HostileOptionsAreRefused) {
  EXPECT_FALSE(EmgEnvelope::Create(0.0, 20.0).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, 0.0).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, kNaN).ok());
  EXPECT_FALSE(EmgEnvelope::Create(5000.0, 1e6).ok());
}

}  // namespace
}  // namespace remora::dsp
