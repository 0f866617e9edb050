#include "dsp/evoked/sample_ring.h"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace remora::dsp {
namespace {

// Of channel c at position p: p + 1000 c.
std::vector<std::vector<double>> Samples(std::int64_t first, std::size_t count) {
  std::vector<std::vector<double>> channels(2);
  for (std::size_t i = 0; i < count; ++i) {
    const double position = static_cast<double>(first) + static_cast<double>(i);
    channels[0].push_back(position);
    channels[1].push_back(position + 1000.0);
  }
  return channels;
}

std::vector<std::span<const double>> SpansOf(const std::vector<std::vector<double>>& channels) {
  return {channels.begin(), channels.end()};
}

void Append(SampleRing& ring, std::size_t count) {
  ring.Append(SpansOf(Samples(ring.end(), count)));
}

// What is there of positions from `first` on, a '.' for each that is not.
std::string Held(const SampleRing& ring, std::int64_t first, std::size_t count,
                 const std::vector<std::vector<double>>& next = {}) {
  const SampleRing::Stretch stretch = ring.Copy(first, count, SpansOf(next));
  std::string held;
  for (std::size_t i = 0; i < count; ++i) {
    const double position = static_cast<double>(first) + static_cast<double>(i);
    const bool is_missing = stretch.missing_before[i + 1] != stretch.missing_before[i];
    for (const std::size_t channel : {0u, 1u}) {
      const double value = stretch.values[channel * count + i];
      EXPECT_EQ(std::isnan(value), is_missing) << position;
      if (is_missing) continue;
      EXPECT_EQ(value, position + 1000.0 * static_cast<double>(channel));
    }
    held += is_missing ? '.' : 'x';
  }
  return held;
}

TEST(SampleRing, HoldsItsNewestSamplesHoweverTheyCame) {
  for (const std::size_t block : {1u, 3u, 7u, 10u}) {
    SampleRing ring = *SampleRing::Create(2, 10);
    ring.Start(1000003);
    while (ring.end() < 1000003 + 21) Append(ring, block);
    const std::int64_t end = ring.end();
    EXPECT_EQ(Held(ring, end - 12, 14), "..xxxxxxxxxx..") << block;
    EXPECT_EQ(Held(ring, end - 4, 3), "xxx") << block;
  }
}

TEST(SampleRing, ABlockLongerThanTheRingLeavesItsEnd) {
  SampleRing ring = *SampleRing::Create(2, 10);
  ring.Start(5);
  Append(ring, 37);
  EXPECT_EQ(ring.end(), 42);
  EXPECT_EQ(Held(ring, 30, 14), "..xxxxxxxxxx..");
}

TEST(SampleRing, WhatFollowsIsReadAsIfItWereThere) {
  SampleRing ring = *SampleRing::Create(2, 10);
  ring.Start(100);
  Append(ring, 6);
  EXPECT_EQ(Held(ring, 98, 13, Samples(106, 3)), "..xxxxxxxxx..");
  EXPECT_EQ(Held(ring, 107, 4, Samples(106, 3)), "xx..");  // none of it out of the ring
  EXPECT_EQ(Held(ring, 98, 13), "..xxxxxx.....");
}

TEST(SampleRing, WhatWasSkippedIsMissing) {
  SampleRing ring = *SampleRing::Create(2, 10);
  ring.Start(0);
  Append(ring, 4);
  ring.Skip(3);
  Append(ring, 2);
  EXPECT_EQ(Held(ring, -2, 13), "..xxxx...xx..");
}

TEST(SampleRing, HostileSkipOfYearsIsAJump) {
  SampleRing ring = *SampleRing::Create(2, 10);
  ring.Start(0);
  Append(ring, 10);
  const std::int64_t years = std::int64_t{1} << 50;
  ring.Skip(years);
  EXPECT_EQ(ring.end(), years + 10);
  Append(ring, 2);
  EXPECT_EQ(Held(ring, years, 13), "..........xx.");
  EXPECT_EQ(Held(ring, 0, 10), "..........");
}

TEST(SampleRing, StartsAnewAnywhere) {
  SampleRing ring = *SampleRing::Create(2, 10);
  ring.Start(50);
  Append(ring, 10);
  ring.Start(7);
  EXPECT_EQ(Held(ring, 0, 60), std::string(60, '.'));
  Append(ring, 1);
  EXPECT_EQ(Held(ring, 5, 5), "..x..");
}

TEST(SampleRing, HostileSizesAreRefused) {
  EXPECT_FALSE(SampleRing::Create(0, 10).ok());
  EXPECT_FALSE(SampleRing::Create(kMaxRingChannels + 1, 10).ok());
  EXPECT_FALSE(SampleRing::Create(2, 0).ok());
  EXPECT_FALSE(SampleRing::Create(2, std::numeric_limits<std::size_t>::max()).ok());
  EXPECT_TRUE(SampleRing::Create(1, 1).ok());
}

}  // namespace
}  // namespace remora::dsp
