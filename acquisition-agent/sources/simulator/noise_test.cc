#include "acquisition-agent/sources/simulator/noise.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

// Power of the octave from `low_hz` to 2 * low_hz, from Fourier sums over segments of a second.
double OctavePower(const std::vector<double>& x, int rate_hz, int low_hz) {
  double power = 0;
  for (int hz = low_hz; hz < 2 * low_hz; ++hz) {
    for (size_t at = 0; at + rate_hz <= x.size(); at += rate_hz) {
      const std::complex<double> step = std::polar(1.0, -2 * std::numbers::pi * hz / rate_hz);
      std::complex<double> phase = 1;
      std::complex<double> sum = 0;
      for (int i = 0; i < rate_hz; ++i, phase *= step) {
        const double hann = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / rate_hz);
        sum += x[at + i] * hann * phase;
      }
      power += std::norm(sum);
    }
  }
  return power;
}

TEST(PinkNoise, HasUnitVarianceAndTheSlopeItPromises) {
  constexpr int kRateHz = 1000;
  PinkNoise noise(kRateHz, SimRandom(3, 4));
  std::vector<double> x;
  double squares = 0;
  for (int i = 0; i < 400 * kRateHz; ++i) {
    x.push_back(noise.Next());
    squares += x.back() * x.back();
  }
  EXPECT_NEAR(std::sqrt(squares / x.size()), 1.0, 0.05);
  // 1/f: every octave has the same power, from 2 to 32 Hz within 1.5 dB.
  const double reference = OctavePower(x, kRateHz, 4);
  for (const int low_hz : {2, 8, 16}) {
    EXPECT_NEAR(10 * std::log10(OctavePower(x, kRateHz, low_hz) / reference), 0, 1.5) << low_hz;
  }
  // 1/f^2 above: half with each octave (and a little more, folded back at this low rate).
  EXPECT_NEAR(10 * std::log10(OctavePower(x, kRateHz, 128) / OctavePower(x, kRateHz, 64)), -3, 1.0);
}

TEST(PinkNoise, IsTheSameSizeAtEverySampleRate) {
  for (const double rate_hz : {500.0, 5000.0, 20'000.0}) {
    PinkNoise noise(rate_hz, SimRandom(5, 6));
    double squares = 0;
    const int n = static_cast<int>(60 * rate_hz);
    for (int i = 0; i < n; ++i) squares += std::pow(noise.Next(), 2);
    EXPECT_NEAR(std::sqrt(squares / n), 1.0, 0.12) << rate_hz;
  }
}

TEST(HeartBeat, BeatsSeventyTimesAMinuteWithAPeakOfOne) {
  HeartBeat heart(SimRandom(1, 1));
  int beats = 0;
  double highest = 0;
  bool above = false;
  for (int i = 0; i < 60'000; ++i) {
    const double value = heart.At(i * 1e-3);
    highest = std::max(highest, value);
    if (value > 0.7 && !above) ++beats;
    above = value > 0.7;
  }
  EXPECT_NEAR(beats, 70, 3);
  EXPECT_NEAR(highest, 1.0, 0.05);
}

TEST(Discharge, HasPeaksOfOneAndEnds) {
  EXPECT_NEAR(Discharge(-0.8), 1.0, 1e-12);
  EXPECT_NEAR(Discharge(0.8), -1.0, 1e-12);
  EXPECT_EQ(Discharge(4.0), 0);
  EXPECT_LT(std::abs(Discharge(3.99)), 1e-4);
}

}  // namespace
}  // namespace remora::agent::sim
