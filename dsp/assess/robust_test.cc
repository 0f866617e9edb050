#include "dsp/assess/robust.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace remora::dsp {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleValues) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median({7}), 7);
  EXPECT_TRUE(std::isnan(Median({})));
}

TEST(RobustSpread, IsTheStandardDeviationOfNormalValues) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal(5, 2);
  std::vector<double> values(20'000);
  for (double& value : values) value = normal(random);
  EXPECT_NEAR(RobustSpread(values, Median(values)), 2, 0.05);
}

TEST(RobustSpread, IsNotMovedByOneWildValueInTen) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal(0, 1);
  std::vector<double> values(20'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 10 == 0 ? 1000 : normal(random);
  EXPECT_NEAR(RobustSpread(values, Median(values)), 1, 0.25);
}

}  // namespace
}  // namespace remora::dsp
