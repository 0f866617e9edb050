#include "dsp/assess/trial_spread.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace remora::dsp {
namespace {

TEST(TrialSpread, IsUnknownOfFewTrials) {
  TrialSpread spread;
  for (int i = 0; i < 6; ++i) spread.Add(i % 2);
  EXPECT_EQ(spread.spread(), 0);
  spread.Add(0);
  EXPECT_GT(spread.spread(), 0);
}

// Trials of which each is a fifth like the one before it.
TEST(TrialSpread, IsThatOfOneTrial) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal(0, 1);
  TrialSpread spread;
  double value = 0;
  double sum = 0;
  constexpr int kCases = 100;
  for (int i = 0; i < kCases; ++i) {
    for (int trial = 0; trial < 128; ++trial) {
      value = 0.2 * value + std::sqrt(1 - 0.04) * normal(random);
      spread.Add(value);
    }
    sum += spread.spread();
  }
  EXPECT_NEAR(sum / kCases, 1, 0.03);
}

TEST(TrialSpread, DoesNotCountWhatGoesSlowly) {
  std::mt19937 random(4);
  std::normal_distribution<double> normal(0, 0.1);
  TrialSpread spread;
  for (int trial = 0; trial < 100; ++trial) spread.Add(-0.02 * trial + normal(random));
  EXPECT_LT(spread.spread(), 0.15);
}

TEST(TrialSpread, IsNotCarriedAwayByAWildStep) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal(0, 0.1);
  TrialSpread spread;
  for (int trial = 0; trial < 100; ++trial) spread.Add(trial == 50 ? -20 : normal(random));
  EXPECT_LT(spread.spread(), 0.15);
}

}  // namespace
}  // namespace remora::dsp
