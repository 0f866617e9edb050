#include "dsp/evoked/hotelling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

const Timebase kTimebase{1000.0, 0.0};
const LatencyWindow kAll{0.0, 99.0};

TEST(FisherUpperTail, IsThatOfTheTables) {
  EXPECT_EQ(FisherUpperTail(0.0, 3.0, 10.0), 1.0);
  // Closed forms: d1 = 2 gives (1 + 2 f / d2)^(-d2 / 2); d1 = d2 = 1 gives an arc tangent.
  for (const double f : {0.1, 1.0, 3.5, 20.0, 400.0}) {
    EXPECT_NEAR(FisherUpperTail(f, 2.0, 12.0), std::pow(1.0 + f / 6.0, -6.0), 1e-12) << f;
    const double cauchy = 1.0 - 2.0 / std::numbers::pi * std::atan(std::sqrt(f));
    EXPECT_NEAR(FisherUpperTail(f, 1.0, 1.0), cauchy, 1e-10);
    // 1/F has the degrees of freedom the other way round.
    EXPECT_NEAR(FisherUpperTail(f, 7.0, 43.0), 1.0 - FisherUpperTail(1.0 / f, 43.0, 7.0), 1e-12);
  }
}

TEST(Hotelling, StatisticOfOneFeatureIsTheSquareOfStudentsT) {
  HotellingTest test({0.0, 2.0}, kTimebase, 3, 1);
  const std::vector<double> values{1.0, 3.0, 2.0, 5.0, 4.0, 0.5};
  double mean = 0.0;
  for (const double value : values) {
    test.Add(std::vector<double>{value - 1.0, value, value + 1.0});
    mean += value / 6.0;
  }
  double variance = 0.0;
  for (const double value : values) variance += (value - mean) * (value - mean) / 5.0;
  EXPECT_NEAR(test.Statistic(), mean * mean / (variance / 6.0), 1e-9);
}

TEST(Hotelling, WithoutAResponseThePValueIsUniform) {
  // Coloured noise: neighbouring samples are alike.
  int below_tenth = 0;
  int below_hundredth = 0;
  constexpr int kTrials = 2000;
  TestNoise noise(17);
  for (int trial = 0; trial < kTrials; ++trial) {
    HotellingTest test(kAll, kTimebase, 100, 6);
    double held = 0.0;
    for (int i = 0; i < 40; ++i) {
      std::vector<double> sweep(100);
      for (double& sample : sweep) sample = held = 0.9 * held + noise.Gaussian();
      for (int skip = 0; skip < 40; ++skip) held = 0.9 * held + noise.Gaussian();
      test.Add(sweep);
    }
    const double p = test.PValue();
    below_tenth += p < 0.1;
    below_hundredth += p < 0.01;
  }
  EXPECT_NEAR(below_tenth, 0.1 * kTrials, 45.0);  // three standard deviations
  EXPECT_LE(below_hundredth, 34);
}

TEST(Hotelling, AResponseIsSeen) {
  TestNoise noise(4);
  HotellingTest test(kAll, kTimebase, 100, 8);
  for (int i = 0; i < 100; ++i) {
    std::vector<double> sweep = noise.Gaussian(100, 5.0);
    for (std::size_t k = 40; k < 60; ++k) sweep[k] += 2.0;
    test.Add(sweep);
  }
  EXPECT_LT(test.PValue(), 1e-6);
  test.Reset();
  EXPECT_EQ(test.sweeps(), 0u);
  EXPECT_EQ(test.PValue(), 1.0);
}

TEST(Hotelling, SaysNothingOfTooFewSweepsOrOfSweepsThatDoNotVary) {
  HotellingTest test(kAll, kTimebase, 100, 8);
  EXPECT_EQ(test.PValue(), 1.0);
  TestNoise noise(5);
  for (int i = 0; i < 8; ++i) test.Add(noise.Gaussian(100, 1.0));
  EXPECT_EQ(test.PValue(), 1.0);
  HotellingTest still(kAll, kTimebase, 100, 8);
  for (int i = 0; i < 30; ++i) still.Add(std::vector<double>(100, 3.0));
  EXPECT_EQ(still.PValue(), 1.0);
  HotellingTest empty({500.0, 600.0}, kTimebase, 100, 8);
  empty.Add(std::vector<double>(100, 3.0));
  EXPECT_EQ(empty.features(), 0u);
  EXPECT_EQ(empty.PValue(), 1.0);
}

}  // namespace
}  // namespace remora::dsp
