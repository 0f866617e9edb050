#include "dsp/emg/rhythm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

TEST(Periodicity, OfASinusoidIsOneAtItsRate) {
  for (const double rate_hz : {50.0, 62.0, 97.3, 150.0, 209.0, 330.0}) {
    const std::vector<double> sine = Sine(250, rate_hz, 2500.0, 80.0);
    const Periodicity found = FindPeriodicity(sine, 2500.0, 40.0, 400.0);
    EXPECT_GT(found.strength, 0.85) << rate_hz;
    EXPECT_NEAR(found.rate_hz, rate_hz, 0.015 * rate_hz);
  }
}

TEST(Periodicity, OfNoiseIsLow) {
  TestNoise noise(3);
  double sum = 0.0;
  for (int i = 0; i < 50; ++i) {
    sum += FindPeriodicity(noise.Gaussian(250, 10.0), 2500.0, 40.0, 400.0).strength / 50.0;
  }
  EXPECT_LT(sum, 0.25);
}

TEST(Periodicity, OfTooShortAStretchIsNotKnown) {
  EXPECT_EQ(FindPeriodicity(Sine(100, 100.0, 2500.0, 80.0), 2500.0, 40.0, 400.0).strength, 0.0);
  EXPECT_EQ(FindPeriodicity({}, 2500.0, 40.0, 400.0).strength, 0.0);
  EXPECT_EQ(FindPeriodicity(std::vector<double>(250, 0.0), 2500.0, 40.0, 400.0).rate_hz, 0.0);
}

TEST(Components, AreStretchesOverTheThreshold) {
  //                              0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
  const std::vector<float> bins{0, 9, 9, 0, 0, 0, 9, 0, 9, 0, 0, 9, 0, 0, 0, 9};
  const Components apart = FindComponents(bins, 4.0, 5.0, 0);
  EXPECT_EQ(apart.count, 5u);
  const Components merged = FindComponents(bins, 4.0, 5.0, 1);
  EXPECT_EQ(merged.count, 4u);  // onsets 1, 6, 11, 15
  EXPECT_NEAR(merged.rate_hz, 1000.0 / 20.0, 1e-9);
  EXPECT_NEAR(merged.median_ms, 8.0, 4.0);
  EXPECT_EQ(FindComponents(bins, 4.0, 5.0, 3).count, 1u);
  EXPECT_NEAR(Occupancy(bins, 5.0, 0), 6.0 / 15.0, 1e-12);
  EXPECT_NEAR(Occupancy(bins, 5.0, 3), 1.0, 1e-12);
}

TEST(Components, RegularityIsThatOfTheIntervals) {
  std::vector<float> regular(300, 0.0f);
  std::vector<float> chance(300, 0.0f);
  TestNoise noise(8);
  for (std::size_t i = 0; i < 300; i += 15) regular[i] = 9.0f;
  for (float& bin : chance) bin = noise.Uniform() > 0.43 ? 9.0f : 0.0f;
  EXPECT_NEAR(FindComponents(regular, 4.0, 5.0, 0).interval_cv, 0.0, 1e-12);
  EXPECT_GT(FindComponents(chance, 4.0, 5.0, 0).interval_cv, 0.5);
  EXPECT_GT(FindComponents(chance, 4.0, 5.0, 0).interval_mad, 0.4);
}

TEST(Components, OfSilenceAreNone) {
  const Components none = FindComponents(std::vector<float>(20, 1.0f), 4.0, 5.0, 1);
  EXPECT_EQ(none.count, 0u);
  EXPECT_EQ(none.rate_hz, 0.0);
  EXPECT_EQ(Occupancy({}, 5.0, 1), 0.0);
}

}  // namespace
}  // namespace remora::dsp
