#include "dsp/filter/sos_bank.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <vector>

#include "dsp/filter/butterworth.h"
#include "dsp/filter/notch.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

// Low corners at a high rate lose the most digits.
Cascade Hard() { return *ButterworthBandPass(8, 5.0, 3000.0, 20000.0); }

// Channel after channel, of different size and offset.
std::vector<double> Planar(std::size_t channels, std::size_t frames) {
  TestNoise noise(channels * 1000 + frames);
  std::vector<double> samples;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t i = 0; i < frames; ++i) {
      samples.push_back(300.0 * static_cast<double>(channel) + 50.0 * noise.Gaussian());
    }
  }
  return samples;
}

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

std::vector<double> OneByOne(const Cascade& cascade, std::size_t channels,
                             const std::vector<double>& planar, bool steady) {
  const std::size_t frames = planar.size() / channels;
  std::vector<double> output(planar.size());
  for (std::size_t channel = 0; channel < channels; ++channel) {
    StreamingFilter filter(cascade);
    if (steady) filter.ResetToNextSample();
    filter.Process(std::span(planar).subspan(channel * frames, frames),
                   std::span(output).subspan(channel * frames, frames));
  }
  return output;
}

// In blocks of `block` frames.
std::vector<double> ByBank(SosBank& bank, const std::vector<double>& planar, std::size_t block) {
  const std::size_t channels = bank.channels();
  const std::size_t frames = planar.size() / channels;
  std::vector<double> output(planar.size());
  for (std::size_t at = 0; at < frames; at += block) {
    const std::size_t count = std::min(block, frames - at);
    std::vector<double> part(channels * count);
    for (std::size_t i = 0; i < part.size(); ++i) {
      part[i] = planar[i / count * frames + at + i % count];
    }
    bank.ProcessPlanar(part, part);
    for (std::size_t i = 0; i < part.size(); ++i) {
      output[i / count * frames + at + i % count] = part[i];
    }
  }
  return output;
}

std::size_t Differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::size_t count = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) count += !SameBits(a[i], b[i]);
  return count;
}

TEST(SosBank, IsAFilterForEachChannelToTheBit) {
  std::printf("vectors: %s\n", SosVectors());
  for (const std::size_t channels : {1u, 2u, 7u, 8u, 9u, 31u, 32u, 40u, 64u, 100u}) {
    const std::vector<double> input = Planar(channels, 1000);
    for (const bool steady : {false, true}) {
      const std::vector<double> expected = OneByOne(Hard(), channels, input, steady);
      for (const std::size_t block : {1u, 31u, 32u, 33u, 1000u}) {
        auto bank = SosBank::Create(Hard(), channels);
        ASSERT_TRUE(bank.ok());
        if (steady) bank->ResetToNextSample();
        EXPECT_EQ(Differences(ByBank(*bank, input, block), expected), 0u)
            << channels << " channels, blocks of " << block;
      }
    }
  }
}

TEST(SosBank, BothLayoutsGiveTheSame) {
  constexpr std::size_t kChannels = 13;
  constexpr std::size_t kFrames = 77;
  const std::vector<double> planar = Planar(kChannels, kFrames);
  std::vector<double> interleaved(planar.size());
  for (std::size_t i = 0; i < planar.size(); ++i) {
    interleaved[i % kFrames * kChannels + i / kFrames] = planar[i];
  }
  SosBank one = *SosBank::Create(Hard(), kChannels);
  SosBank other = *SosBank::Create(Hard(), kChannels);
  std::vector<double> from_planar(planar.size());
  one.ProcessPlanar(planar, from_planar);
  other.ProcessInterleaved(interleaved, interleaved);
  for (std::size_t i = 0; i < planar.size(); ++i) {
    EXPECT_TRUE(SameBits(interleaved[i % kFrames * kChannels + i / kFrames], from_planar[i]));
  }
}

TEST(SosBank, ResetIsSilenceBefore) {
  SosBank bank = *SosBank::Create(Hard(), 3);
  const std::vector<double> input = Planar(3, 200);
  const std::vector<double> expected = ByBank(bank, input, 200);
  bank.Reset();
  EXPECT_EQ(Differences(ByBank(bank, input, 200), expected), 0u);
}

TEST(SosBank, AnEmptyCascadeCopies) {
  SosBank bank = *SosBank::Create({}, 5);
  const std::vector<double> input = Planar(5, 50);
  EXPECT_EQ(Differences(ByBank(bank, input, 17), input), 0u);
}

TEST(SosBank, AConstantIntoAHighPassGivesNothingFromTheFirstSampleOn) {
  SosBank bank = *SosBank::Create(*ButterworthHighPass(4, 10.0, 5000.0), 2);
  bank.ResetToNextSample();
  std::vector<double> block(2 * 64, 5000.0);
  const auto reports = bank.ProcessPlanar(block, block);
  EXPECT_LT(MaxAbs(block), 1e-9);
  EXPECT_EQ(reports[0].restarts, 1u);
  EXPECT_EQ(reports[1].restarts, 1u);
}

TEST(SosBank, HostileSamplesHarmTheirChannelAloneAsInOneFilter) {
  constexpr std::size_t kChannels = 12;
  constexpr std::size_t kFrames = 300;
  std::vector<double> input = Planar(kChannels, kFrames);
  const auto at = [&](std::size_t channel, std::size_t frame) -> double& {
    return input[channel * kFrames + frame];
  };
  at(0, 0) = kNaN;
  at(3, 31) = std::numeric_limits<double>::infinity();
  at(3, 32) = -2e30;
  at(3, 200) = kNaN;
  at(5, 299) = kNaN;
  for (std::size_t frame = 90; frame < 250; ++frame) at(7, frame) = kNaN;
  for (const bool steady : {false, true}) {
    const std::vector<double> expected = OneByOne(Hard(), kChannels, input, steady);
    for (const std::size_t block : {1u, 30u, 64u, 300u}) {
      SosBank bank = *SosBank::Create(Hard(), kChannels);
      if (steady) bank.ResetToNextSample();
      EXPECT_EQ(Differences(ByBank(bank, input, block), expected), 0u) << block;
    }
  }
  SosBank bank = *SosBank::Create(Hard(), kChannels);
  std::vector<double> output(input.size());
  const auto reports = bank.ProcessPlanar(input, output);
  EXPECT_EQ(reports[3].non_finite_samples, 3u);
  EXPECT_EQ(reports[3].first_non_finite, 31u);
  EXPECT_EQ(reports[3].restarts, 2u);
  EXPECT_EQ(reports[7].non_finite_samples, 160u);
  EXPECT_EQ(reports[5].restarts, 0u);
  EXPECT_EQ(reports[1].non_finite_samples, 0u);
}

TEST(SosBank, HostileOptionsAreRefused) {
  EXPECT_FALSE(SosBank::Create(Hard(), 0).ok());
  EXPECT_FALSE(SosBank::Create(Hard(), kMaxBankChannels + 1).ok());
  EXPECT_FALSE(SosBank::Create({Section{1.0, 0.0, 0.0, -2.1, 1.0}}, 4).ok());
  SosBank bank = *SosBank::Create(Hard(), 4);
  std::vector<double> none;
  EXPECT_EQ(bank.ProcessPlanar(none, none).size(), 4u);
  std::vector<double> less(3, 1.0);  // not a frame
  bank.ProcessInterleaved(less, less);
  EXPECT_EQ(less, std::vector<double>(3, 1.0));
}

}  // namespace
}  // namespace remora::dsp
