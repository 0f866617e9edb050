#include "tests/faults/bottleneck.h"

#include <memory>

#include "gtest/gtest.h"

namespace remora::testing {
namespace {

using Kind = Bottleneck::Kind;

DeviceTime At(double seconds) {
  return DeviceTime::FromNanoseconds(static_cast<int64_t>(seconds * 1e9));
}

class BottleneckTest : public ::testing::Test {
 protected:
  void Shape(const LinkShape& shape) { link_.SetShape(At(0), shape); }
  // A sender that always has more, looked at each `step`: how many bytes arrive in (from, to].
  size_t Saturate(double from, double to, double step = 0.001) {
    size_t arrived = 0;
    for (double t = from; t <= to; t += step) {
      if (const size_t space = link_.Space(At(t)); space > 0) {
        link_.Enter(At(t), {1, Kind::kBytes, std::string(space, 'x')});
      }
      while (const auto packet = link_.Arrive(At(t))) arrived += packet->bytes.size();
    }
    return arrived;
  }

  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  Bottleneck link_{*random_};
};

TEST_F(BottleneckTest, WithoutAShapeEverythingArrivesAtOnce) {
  link_.Enter(At(1), {7, Kind::kBytes, "abc"});
  const auto packet = link_.Arrive(At(1));
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->connection, 7u);
  EXPECT_EQ(packet->bytes, "abc");
  EXPECT_FALSE(link_.Arrive(At(1)));
}

TEST_F(BottleneckTest, TheBufferIsBoundedAndItsTimeIsItsSizeAtTheRate) {
  Shape({.rate_bits_per_second = 64'000, .buffer_bytes = 16'000});
  EXPECT_EQ(link_.Space(At(0)), 16'000u);
  link_.Enter(At(0), {1, Kind::kBytes, std::string(16'000, 'x')});
  EXPECT_EQ(link_.Space(At(0)), 0u);
  link_.Enter(At(0), {1, Kind::kEnd, ""});
  std::optional<double> ended;
  for (double t = 0; t < 5 && !ended; t += 0.001) {
    while (const auto packet = link_.Arrive(At(t))) {
      if (packet->kind == Kind::kEnd) ended = t;
    }
  }
  ASSERT_TRUE(ended) << "the end comes after the bytes";
  EXPECT_NEAR(*ended, 16'000 * 8 / 64'000., 0.01);
}

TEST_F(BottleneckTest, DelayIsAddedAndThenTheSame) {
  Shape({.delay = Duration::Milliseconds(80)});
  link_.Enter(At(1), {1, Kind::kBytes, "a"});
  EXPECT_FALSE(link_.Arrive(At(1.0799)));
  ASSERT_TRUE(link_.NextEvent());
  EXPECT_EQ(*link_.NextEvent(), At(1.08));
  EXPECT_TRUE(link_.Arrive(At(1.08)));
}

TEST_F(BottleneckTest, JitterSpreadsButKeepsTheOrderWithinAConnection) {
  Shape({.delay = Duration::Milliseconds(10), .jitter = Duration::Milliseconds(50)});
  std::map<uint64_t, std::string> sent, arrived;
  bool overtaken = false;
  uint64_t last = 0;
  for (int i = 0; i < 2'000; ++i) {
    const double t = i * 0.001;
    const uint64_t connection = 1 + i % 2;
    const std::string bytes = std::to_string(i) + " ";
    sent[connection] += bytes;
    link_.Enter(At(t), {connection, Kind::kBytes, bytes});
    while (const auto packet = link_.Arrive(At(t))) {
      arrived[packet->connection] += packet->bytes;
      const uint64_t number = std::stoull(packet->bytes);
      if (number < last) overtaken = true;
      last = number;
    }
  }
  while (const auto packet = link_.Arrive(At(9))) arrived[packet->connection] += packet->bytes;
  EXPECT_EQ(arrived, sent);
  EXPECT_TRUE(overtaken) << "one connection overtakes the other";
}

TEST_F(BottleneckTest, IdleTimeIsMadeGoodOnlyUpToTheBucket) {
  Shape({.rate_bits_per_second = 80'000, .bucket_bytes = 3'000});
  link_.Enter(At(100), {1, Kind::kBytes, std::string(15'000, 'x')});
  size_t at_once = 0;
  while (const auto packet = link_.Arrive(At(100))) at_once += packet->bytes.size();
  EXPECT_EQ(at_once, 3'000u);
}

TEST_F(BottleneckTest, AChangedRateHoldsFromNowOn) {
  Shape({.rate_bits_per_second = 8'000});
  const size_t slow = Saturate(0, 10);
  EXPECT_NEAR(slow, 10'000, 2 * kPacketBytes);
  link_.SetShape(At(10), {.rate_bits_per_second = 800'000});
  EXPECT_NEAR(Saturate(10, 20), 1'000'000, 2 * kPacketBytes);
}

TEST_F(BottleneckTest, WhatIsForgottenNeitherArrivesNorTakesSpace) {
  Shape({.rate_bits_per_second = 8'000});
  link_.Enter(At(0), {1, Kind::kBytes, std::string(30'000, 'x')});
  link_.Enter(At(0), {2, Kind::kBytes, "y"});
  link_.Forget(1);
  EXPECT_EQ(link_.Space(At(0)), kDefaultBufferBytes - 1);
  const auto packet = link_.Arrive(At(1));
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->connection, 2u);
  EXPECT_FALSE(link_.NextEvent());
}

class BottleneckRate : public ::testing::TestWithParam<uint64_t> {};

TEST_P(BottleneckRate, IsKeptToThePacketOverShortAndLongTimes) {
  const std::unique_ptr<Random> random = MakeSeededRandom(1);
  Bottleneck link(*random);
  link.SetShape(At(0), {.delay = Duration::Milliseconds(20),
                        .jitter = Duration::Milliseconds(5),
                        .rate_bits_per_second = GetParam()});
  const double bytes_per_second = static_cast<double>(GetParam()) / 8;
  size_t arrived = 0;
  for (int ms = 0; ms <= 30'000; ++ms) {
    const DeviceTime now = At(ms / 1000.);
    if (const size_t space = link.Space(now); space > 0) {
      link.Enter(now, {1, Kind::kBytes, std::string(space, 'x')});
    }
    while (const auto packet = link.Arrive(now)) arrived += packet->bytes.size();
    if (ms % 1000 != 0 || ms == 0) continue;
    // Between the longest way and the shortest, give or take the bucket and a packet.
    const double seconds = ms / 1000.;
    ASSERT_GE(arrived, (seconds - 0.025) * bytes_per_second - kPacketBytes) << seconds << " s";
    ASSERT_LE(arrived, (seconds - 0.020) * bytes_per_second + 2 * kPacketBytes) << seconds << " s";
  }
}

INSTANTIATE_TEST_SUITE_P(Links, BottleneckRate,
                         ::testing::Values(64'000, 256'000, 2'000'000, 20'000'000));

}  // namespace
}  // namespace remora::testing
