#include "acquisition-agent/sources/lsl/stream_clock.h"

#include <cmath>

#include "acquisition-agent/sources/simulator/random.h"
#include "gtest/gtest.h"

namespace remora::agent::lsl {
namespace {

TEST(StreamClock, FollowsAStreamThatKeepsItsRate) {
  StreamClock clock(500);
  EXPECT_FALSE(clock.started());
  for (int i = 0; i < 20'000; ++i) clock.Add(i, 1000 + i / 500.0);
  EXPECT_TRUE(clock.settled());
  EXPECT_NEAR(clock.TimeOf(20'000), 1040, 1e-9);
  EXPECT_NEAR(clock.IndexOf(1040.001), 20'000.5, 1e-5);
}

TEST(StreamClock, FindsADriftUnderJitter) {
  // 50 ppm fast, stamps that jitter by 5 ms: the line is within 0.3 ms after a minute.
  sim::SimRandom random(7, 0);
  StreamClock clock(1000);
  const double true_rate = 1000 * (1 + 50e-6);
  for (int i = 0; i < 60'000; ++i) {
    const double jitter = 0.005 * (2 * random.Uniform() - 1);
    clock.Add(i, 77 + i / true_rate + jitter);
  }
  EXPECT_NEAR(clock.TimeOf(60'000), 77 + 60'000 / true_rate, 3e-4);
  EXPECT_NEAR(clock.slope() * true_rate, 1, 2e-5);
}

TEST(StreamClock, CountsMissingSamplesAndForgetsOldOnes) {
  StreamClock clock(100);
  for (int i = 0; i < 5000; ++i) clock.Add(i, i / 100.0);
  for (int i = 9000; i < 30'000; ++i) clock.Add(i, i / 100.0 + 0.02);  // a step of 20 ms
  EXPECT_NEAR(clock.TimeOf(30'000), 300.02, 2e-3);
  clock.Restart(30'000, 5);
  EXPECT_FALSE(clock.settled());
  EXPECT_NEAR(clock.TimeOf(30'100), 6, 1e-12);
}

TEST(StreamClock, HostileStampsDoNotBendItsRate) {
  StreamClock clock(100);
  for (int i = 0; i < 5000; ++i) clock.Add(i, i % 7 == 0 ? 1e6 : -1e6);
  EXPECT_LE(std::abs(clock.slope() * 100 - 1), StreamClock::kMostDeviation + 1e-12);
  EXPECT_TRUE(std::isfinite(clock.TimeOf(1e9)));
}

}  // namespace
}  // namespace remora::agent::lsl
