#include "dsp/spectral/welch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 512.0;

WelchEstimator Estimator(std::size_t segment_samples = 1'024) {
  auto estimator = WelchEstimator::Create({kRateHz, segment_samples});
  EXPECT_TRUE(estimator.ok()) << estimator.status();
  return *std::move(estimator);
}

double Integral(const Spectrum& spectrum, double from_hz, double to_hz) {
  double sum = 0.0;
  const std::size_t end = spectrum.BinAtOrAbove(to_hz);
  for (std::size_t bin = spectrum.BinAtOrAbove(from_hz); bin < end; ++bin) {
    sum += spectrum.density_uv2_per_hz[bin] * spectrum.resolution_hz;
  }
  return sum;
}

double MeanSquare(const std::vector<double>& samples) {
  double sum = 0.0;
  for (const double sample : samples) sum += sample * sample;
  return sum / static_cast<double>(samples.size());
}

TEST(WelchEstimator, ASineIsAtItsFrequencyWithItsPower) {
  WelchEstimator estimator = Estimator();
  for (const double frequency_hz : {2.0, 10.0, 21.3, 100.0}) {
    const auto spectrum = estimator.Estimate(Sine(4'096, frequency_hz, kRateHz, 20.0));
    ASSERT_TRUE(spectrum.ok()) << spectrum.status();
    EXPECT_EQ(spectrum->bins(), 513u);
    EXPECT_DOUBLE_EQ(spectrum->resolution_hz, 0.5);
    EXPECT_NEAR(Integral(*spectrum, frequency_hz - 1.5, frequency_hz + 2.0), 200.0, 2.0)
        << frequency_hz;
    EXPECT_NEAR(Integral(*spectrum, 0.0, 256.5), 200.0, 2.0);
  }
}

TEST(WelchEstimator, ThePowerOfNoiseIsItsMeanSquareAndFlat) {
  TestNoise noise(5);
  const auto samples = noise.Gaussian(64 * 1'024, 3.0);
  const auto spectrum = Estimator(256).Estimate(samples);
  ASSERT_TRUE(spectrum.ok());
  EXPECT_NEAR(Integral(*spectrum, 0.0, 257.0), MeanSquare(samples), 0.02 * MeanSquare(samples));
  for (double from_hz = 8.0; from_hz < 240.0; from_hz += 8.0) {
    EXPECT_NEAR(Integral(*spectrum, from_hz, from_hz + 8.0), 9.0 * 8.0 / 256.0, 0.06) << from_hz;
  }
}

TEST(WelchEstimator, AnOffsetIsNoPowerAndScaleIsItsSquare) {
  TestNoise noise(6);
  auto samples = noise.Gaussian(4'096, 1.0);
  WelchEstimator estimator = Estimator();
  const auto plain = estimator.Estimate(samples);
  for (double& sample : samples) sample = 1'000.0 + 3.0 * sample;
  const auto moved = estimator.Estimate(samples);
  ASSERT_TRUE(plain.ok() && moved.ok());
  for (std::size_t bin = 1; bin < plain->bins(); ++bin) {
    EXPECT_NEAR(moved->density_uv2_per_hz[bin], 9.0 * plain->density_uv2_per_hz[bin],
                1e-3 * plain->density_uv2_per_hz[bin] + 1e-9)
        << bin;
  }
}

TEST(WelchEstimator, IsTheSameEachTimeAndAfterAMove) {
  TestNoise noise(7);
  const auto samples = noise.Gaussian(5'000, 1.0);
  WelchEstimator estimator = Estimator();
  const auto first = estimator.Estimate(samples);
  WelchEstimator moved = std::move(estimator);
  const auto second = moved.Estimate(samples);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->density_uv2_per_hz, second->density_uv2_per_hz);
}

TEST(WelchEstimator, HostileInputIsRefused) {
  EXPECT_FALSE(WelchEstimator::Create({0.0, 1'024}).ok());
  EXPECT_FALSE(WelchEstimator::Create({kNaN, 1'024}).ok());
  EXPECT_FALSE(WelchEstimator::Create({kRateHz, 0}).ok());
  EXPECT_FALSE(WelchEstimator::Create({kRateHz, 1'023}).ok());
  EXPECT_FALSE(WelchEstimator::Create({kRateHz, kMaxSegmentSamples + 2}).ok());
  WelchEstimator estimator = Estimator();
  EXPECT_FALSE(estimator.Estimate(Ramp(1'023)).ok());
  auto samples = Ramp(1'024);
  samples[700] = kNaN;
  EXPECT_FALSE(estimator.Estimate(samples).ok());
}

}  // namespace
}  // namespace remora::dsp
