#include "dsp/motor/cubic_spline.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

TEST(CubicSpline, GoesThroughItsSamplesAndAlongALine) {
  const std::vector<double> values = {3.0, -1.0, 4.0, -1.0, 5.0, 9.0};
  const CubicSpline spline(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(spline.At(static_cast<double>(i)), values[i], 1e-12);
  }
  const CubicSpline line(Ramp(10));
  for (double at = 0.0; at <= 9.0; at += 0.37) EXPECT_NEAR(line.At(at), at, 1e-12);
  EXPECT_EQ(line.At(-1.0), 0.0);
  EXPECT_EQ(line.At(50.0), 9.0);
  EXPECT_NEAR(CubicSpline(std::vector<double>{1.0, 2.0}).At(0.5), 1.5, 1e-12);
}

// The only curve of cubic pieces through the samples whose slope and bend go on, and whose ends are
// straight.
TEST(CubicSpline, GoesOnAtEachSampleWithTheSameSlopeAndBend) {
  const std::vector<double> values = TestNoise(3).Gaussian(200, 5.0);
  const CubicSpline spline(values);
  constexpr double kStep = 1e-3;
  const auto bend = [&](double at) {
    return (spline.At(at - kStep) - 2 * spline.At(at) + spline.At(at + kStep)) / (kStep * kStep);
  };
  for (std::size_t i = 1; i + 1 < values.size(); ++i) {
    const double at = static_cast<double>(i);
    const double before =
        (spline.At(at) - spline.At(at - kStep)) / kStep + kStep / 2 * bend(at - 0.002);
    const double behind =
        (spline.At(at + kStep) - spline.At(at)) / kStep - kStep / 2 * bend(at + 0.002);
    EXPECT_NEAR(before, behind, 1e-3) << i;
    EXPECT_NEAR(bend(at - 0.002), bend(at + 0.002), 0.5) << i;
  }
  EXPECT_NEAR(bend(0.001), 0.0, 0.1);
  EXPECT_NEAR(bend(198.999), 0.0, 0.1);
}

TEST(CubicSpline, FindsTheExtremesOfASineBetweenItsSamples) {
  // Eight samples a period, none of them on the peak.
  std::vector<double> sine(65);
  for (std::size_t i = 0; i < sine.size(); ++i) {
    sine[i] = std::sin(2.0 * std::numbers::pi * (static_cast<double>(i) + 0.4) / 8.0);
  }
  const CubicSpline spline(sine);
  const auto largest = spline.Largest(32.0, 40.0);
  EXPECT_NEAR(largest.value, 1.0, 0.003);
  EXPECT_NEAR(largest.position, 33.6, 0.01);
  const auto smallest = spline.Smallest(32.0, 40.0);
  EXPECT_NEAR(smallest.value, -1.0, 0.003);
  EXPECT_NEAR(smallest.position, 37.6, 0.01);
}

TEST(CubicSpline, ExtremesAreThoseOfManyPoints) {
  TestNoise noise(7);
  const std::vector<double> values = noise.Gaussian(40, 1.0);
  const CubicSpline spline(values);
  for (double from = 0.0; from < 30.0; from += 1.7) {
    const double to = from + 6.3;
    double largest = spline.At(to), smallest = largest;
    for (double at = from; at <= to; at += 0.001) {
      largest = std::max(largest, spline.At(at));
      smallest = std::min(smallest, spline.At(at));
    }
    EXPECT_NEAR(spline.Largest(from, to).value, largest, 1e-4) << from;
    EXPECT_NEAR(spline.Smallest(from, to).value, smallest, 1e-4) << from;
    EXPECT_GE(spline.Largest(from, to).value, largest - 1e-12);
  }
}

}  // namespace
}  // namespace remora::dsp
