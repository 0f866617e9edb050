#include "dsp/filter/signal_quality.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 5000.0;

TEST(SignalQuality, CleanNoiseIsGood) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const BlockQuality quality = AssessBlock(TestNoise(seed).Gaussian(1000, 5.0), kRateHz, {});
    EXPECT_TRUE(quality.good()) << seed;
    EXPECT_NEAR(quality.rms_uv, 5.0, 1.0);
  }
}

TEST(SignalQuality, NonFiniteSamplesAreCountedAndTheRestMeasured) {
  std::vector<double> samples = TestNoise(1).Gaussian(1000, 5.0);
  samples[3] = std::numeric_limits<double>::quiet_NaN();
  samples[700] = -std::numeric_limits<double>::infinity();
  const BlockQuality quality = AssessBlock(samples, kRateHz, {});
  EXPECT_TRUE(quality.has(kQualityNonFinite));
  EXPECT_EQ(quality.non_finite_samples, 2u);
  EXPECT_TRUE(std::isfinite(quality.rms_uv));
}

TEST(SignalQuality, MeasuresAnyNumberOfSamplesAsAPlainLoopDoes) {
  for (const std::size_t count : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 997u, 998u, 999u, 1000u}) {
    for (const bool with_none : {false, true}) {
      std::vector<double> samples = TestNoise(count).Gaussian(count, 5.0);
      const std::vector<double> finite = samples;
      if (with_none) {
        const std::size_t place = count / 2;
        samples.insert(samples.begin() + static_cast<std::ptrdiff_t>(place),
                       std::numeric_limits<double>::quiet_NaN());
        samples.push_back(std::numeric_limits<double>::infinity());
      }
      double sum = 0.0;
      for (const double sample : finite) sum += sample;
      const double mean = sum / static_cast<double>(count);
      double squares = 0.0;
      for (const double sample : finite) squares += (sample - mean) * (sample - mean);
      const auto [low, high] = std::minmax_element(finite.begin(), finite.end());
      const BlockQuality quality = AssessBlock(samples, kRateHz, {});
      EXPECT_EQ(quality.non_finite_samples, with_none ? 2u : 0u);
      EXPECT_EQ(quality.range_uv, *high - *low) << count;
      EXPECT_NEAR(quality.rms_uv, std::sqrt(squares / static_cast<double>(count)), 1e-12) << count;
    }
  }
}

TEST(SignalQuality, ClippingAtKnownLimits) {
  QualityLimits limits;
  limits.clip_low_uv = -800.0;
  limits.clip_high_uv = 800.0;
  std::vector<double> samples = TestNoise(2).Gaussian(1000, 5.0);
  EXPECT_FALSE(AssessBlock(samples, kRateHz, limits).has(kQualityClipping));
  samples[500] = 800.0;
  const BlockQuality quality = AssessBlock(samples, kRateHz, limits);
  EXPECT_TRUE(quality.has(kQualityClipping));
  EXPECT_EQ(quality.clipped_samples, 1u);
}

TEST(SignalQuality, DisconnectedElectrodeIsFlatNotClipped) {
  const BlockQuality quality = AssessBlock(std::vector<double>(1000, 12.5), kRateHz, {});
  EXPECT_TRUE(quality.has(kQualityFlat));
  EXPECT_FALSE(quality.has(kQualityClipping));
  // Too short to say.
  EXPECT_FALSE(AssessBlock(std::vector<double>(10, 12.5), kRateHz, {}).has(kQualityFlat));
}

TEST(SignalQuality, MainsFractionIsTheShareOfPower) {
  const std::vector<double> noise = TestNoise(3).Gaussian(5000, 1.0);
  for (const double amplitude : {0.0, 0.5, 1.0, 2.0, 10.0}) {
    std::vector<double> samples = Sine(5000, 50.0, kRateHz, amplitude);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += noise[i];
    const double power = amplitude * amplitude / 2.0;
    const BlockQuality quality = AssessBlock(samples, kRateHz, {});
    EXPECT_NEAR(quality.mains_fraction, power / (power + 1.0), 0.05) << amplitude;
    EXPECT_EQ(quality.has(kQualityMains), power > 1.0) << amplitude;
  }
}

TEST(SignalQuality, HarmonicsCountAndDriftingMainsIsSeen) {
  EXPECT_GT(AssessBlock(Sine(5000, 150.0, kRateHz, 3.0), kRateHz, {}).mains_fraction, 0.95);
  EXPECT_GT(AssessBlock(Sine(1000, 50.2, kRateHz, 3.0), kRateHz, {}).mains_fraction, 0.9);
  EXPECT_LT(AssessBlock(Sine(5000, 75.0, kRateHz, 3.0), kRateHz, {}).mains_fraction, 0.01);
}

TEST(SignalQuality, PowerAtASineIsHalfItsSquare) {
  EXPECT_NEAR(PowerAt(Sine(5000, 60.0, kRateHz, 4.0), 60.0, kRateHz), 8.0, 0.01);
  EXPECT_NEAR(PowerAt(Sine(5000, 60.0, kRateHz, 4.0), 120.0, kRateHz), 0.0, 1e-6);
}

TEST(SignalQuality, HostileBlocksAreMarkedNotMeasured) {
  EXPECT_TRUE(AssessBlock({}, kRateHz, {}).good());
  const std::vector<double> nans(100, std::numeric_limits<double>::quiet_NaN());
  const BlockQuality quality = AssessBlock(nans, kRateHz, {});
  EXPECT_EQ(quality.marks, kQualityNonFinite);
  EXPECT_EQ(quality.rms_uv, 0.0);
  EXPECT_EQ(AssessBlock(std::vector<double>{1.0}, kRateHz, {}).mains_fraction, 0.0);
}

}  // namespace
}  // namespace remora::dsp
