#include "acquisition-agent/sources/feed/device_clock.h"

#include <algorithm>
#include <cstdlib>

#include "acquisition-agent/sources/feed/testing/fake_transport.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Device time of a clock that is `ppm` fast, `offset_ns` ahead at true time 0.
int64_t Device(int64_t true_ns, double ppm, int64_t offset_ns) {
  return offset_ns + true_ns + static_cast<int64_t>(static_cast<double>(true_ns) * ppm * 1e-6);
}

TEST(DeviceClock, FollowsADriftThroughJitterForAnHour) {
  for (const double ppm : {-100.0, -50.0, 0.0, 50.0, 100.0}) {
    for (const uint64_t seed : {1u, 2u, 3u}) {
      Jitter jitter(seed, 0.1, 3);
      DeviceClock clock;
      int64_t worst_ns = 0;
      int64_t arrived_ns = 0;
      for (int64_t true_ns = 0; true_ns < 3600 * kSecond; true_ns += kSecond / 50) {
        arrived_ns = std::max(arrived_ns, true_ns + jitter.Draw());
        const int64_t device_ns = Device(true_ns, ppm, -77 * kSecond);
        EXPECT_EQ(clock.Add(device_ns, arrived_ns), DeviceClock::Outcome::kTaken);
        if (true_ns == kSecond) clock.Settle();
        if (true_ns > 30 * kSecond) {
          worst_ns = std::max<int64_t>(worst_ns, std::llabs(clock.ToAgent(device_ns) - true_ns));
        }
      }
      // 0.1 ms of it is the way's least delay, which one side cannot see.
      EXPECT_LT(worst_ns, 250'000) << ppm << " ppm, seed " << seed;
      EXPECT_NEAR(clock.DriftPpm(), -ppm, 2) << "seed " << seed;
      EXPECT_LT(clock.BoundNs(), 500'000);
    }
  }
}

TEST(DeviceClock, ConvertedTimesStayInOrderWhileItLearns) {
  Jitter jitter(9, 0.2, 20);
  DeviceClock clock;
  int64_t before_ns = INT64_MIN;
  for (int64_t true_ns = 0; true_ns < 200 * kSecond; true_ns += kSecond / 100) {
    clock.Add(Device(true_ns, 80, 0), true_ns + jitter.Draw());
    if (true_ns == kSecond) {
      clock.Settle();
      before_ns = clock.ToAgent(Device(true_ns, 80, 0));
    }
    if (true_ns <= kSecond) continue;
    const int64_t now_ns = clock.ToAgent(Device(true_ns, 80, 0));
    ASSERT_GT(now_ns, before_ns) << true_ns;
    before_ns = now_ns;
  }
}

TEST(DeviceClock, LateMessagesChangeNothing) {
  DeviceClock clock;
  for (int i = 0; i < 3000; ++i) {
    const int64_t true_ns = i * (kSecond / 100);
    // One in ten is quick, the others wait up to a second.
    const int64_t delay_ns = i % 10 == 0 ? 100'000 : 1'000'000 + (i * 791'900LL) % kSecond;
    clock.Add(true_ns, true_ns + delay_ns);
  }
  EXPECT_NEAR(static_cast<double>(clock.ToAgent(30 * kSecond) - 30 * kSecond), 100'000, 1000);
}

TEST(DeviceClock, AStepAheadIsSeen) {
  DeviceClock clock;
  for (int i = 0; i < 500; ++i) clock.Add(i * (kSecond / 50), i * (kSecond / 50));
  clock.Settle();
  EXPECT_EQ(clock.Add(500 * (kSecond / 50) + kSecond, 500 * (kSecond / 50)),
            DeviceClock::Outcome::kStepped);
  EXPECT_EQ(clock.ToAgent(500 * (kSecond / 50) + kSecond), 500 * (kSecond / 50));
}

// A bridge that slept: its clock stood still, and all it sends looks late from then on.
TEST(DeviceClock, AStepThatMakesMessagesLateIsSeenInSeconds) {
  for (const int64_t known_s : {2, 10, 100}) {
    Jitter jitter(4, 0.1, 3);
    DeviceClock clock;
    int64_t sent_ns = 0;
    for (; sent_ns < known_s * kSecond; sent_ns += kSecond / 50) {
      ASSERT_EQ(clock.Add(sent_ns, sent_ns + jitter.Draw()), DeviceClock::Outcome::kTaken);
      if (sent_ns == kSecond) clock.Settle();
    }
    const int64_t slept_until_ns = sent_ns;
    int steps = 0;
    for (; sent_ns < slept_until_ns + 6 * kSecond; sent_ns += kSecond / 50) {
      const int64_t true_ns = sent_ns + 30 * kSecond;
      steps += clock.Add(sent_ns, true_ns + jitter.Draw()) == DeviceClock::Outcome::kStepped;
    }
    EXPECT_EQ(steps, 1) << known_s;
    EXPECT_LT(std::llabs(clock.ToAgent(sent_ns) - sent_ns - 30 * kSecond), 5'000'000) << known_s;
  }
}

TEST(DeviceClock, MessagesThatWaitedTogetherAreNoStep) {
  DeviceClock clock;
  int64_t sent_ns = 0;
  for (; sent_ns < 10 * kSecond; sent_ns += kSecond / 50) {
    clock.Add(sent_ns, sent_ns);
    if (sent_ns == kSecond) clock.Settle();
  }
  // Six seconds of messages come in one go, the oldest 6 s late.
  const int64_t arrived_ns = 16 * kSecond;
  for (; sent_ns < arrived_ns; sent_ns += kSecond / 50) {
    EXPECT_EQ(clock.Add(sent_ns, arrived_ns), DeviceClock::Outcome::kTaken);
  }
  for (; sent_ns < 30 * kSecond; sent_ns += kSecond / 50) {
    EXPECT_EQ(clock.Add(sent_ns, sent_ns), DeviceClock::Outcome::kTaken);
  }
  EXPECT_LT(std::llabs(clock.ToAgent(sent_ns) - sent_ns), 1'000'000);
}

TEST(DeviceClock, HostileTimesAtTheEndsOfTheRangeDoNotOverflow) {
  constexpr int64_t kFar = (int64_t{1} << 61) - 1;
  for (const int64_t first : {-kFar, int64_t{0}, kFar}) {
    for (const int64_t second : {-kFar, int64_t{1}, kFar}) {
      DeviceClock clock;
      clock.Add(first, 0);
      clock.Settle();
      clock.Add(second, kSecond);
      clock.Add(second, 10 * kSecond);
      clock.ToAgent(-kFar);
      clock.ToAgent(kFar);
      EXPECT_GE(clock.BoundNs(), 0);
    }
  }
}

}  // namespace
}  // namespace remora::agent::feed
