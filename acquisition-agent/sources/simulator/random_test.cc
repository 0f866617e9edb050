#include "acquisition-agent/sources/simulator/random.h"

#include <cmath>

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

TEST(SimRandom, SameSeedAndStreamGiveTheSameNumbersOthersDoNot) {
  SimRandom a(1, 2);
  SimRandom b(1, 2);
  SimRandom other_stream(1, 3);
  SimRandom other_seed(2, 2);
  for (int i = 0; i < 100; ++i) {
    const uint64_t bits = a.NextBits();
    EXPECT_EQ(bits, b.NextBits());
    EXPECT_NE(bits, other_stream.NextBits());
    EXPECT_NE(bits, other_seed.NextBits());
  }
}

TEST(SimRandom, GaussianHasItsMoments) {
  SimRandom random(42, 0);
  const int n = 1'000'000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  int beyond_two = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.Gaussian();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    beyond_two += std::abs(x) > 2 ? 1 : 0;
  }
  EXPECT_NEAR(sum / n, 0, 0.005);
  EXPECT_NEAR(squares / n, 1, 0.01);
  EXPECT_NEAR(fourth / n, 3, 0.05);
  EXPECT_NEAR(beyond_two / static_cast<double>(n), 0.0455, 0.001);
}

TEST(SimRandom, UniformFillsItsRange) {
  SimRandom random(7, 9);
  double low = 1;
  double high = 0;
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = random.Uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    low = std::min(low, x);
    high = std::max(high, x);
    sum += x;
  }
  EXPECT_LT(low, 1e-3);
  EXPECT_GT(high, 1 - 1e-3);
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
}

}  // namespace
}  // namespace remora::agent::sim
