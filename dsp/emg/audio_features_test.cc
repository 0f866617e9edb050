#include "dsp/emg/audio_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 5000.0;

AudioFeatures Features(double bin_ms) { return *AudioFeatures::Create(kRateHz, bin_ms); }

TEST(AudioFeatures, OfAToneAreItsLevelAndItsFrequency) {
  for (const double hz : {60.0, 210.0, 800.0, 2000.0}) {
    AudioFeatures features = Features(50.0);
    std::vector<AudioBin> bins;
    features.Push(Sine(1000, hz, kRateHz, 100.0), 0.0, bins);
    ASSERT_EQ(bins.size(), 4u);
    for (const AudioBin& bin : bins) {
      EXPECT_NEAR(bin.rms_uv, 100.0 / std::sqrt(2.0), 8.0);
      EXPECT_NEAR(bin.dominant_hz, hz, 20.0) << hz;
      EXPECT_NEAR(bin.centroid_hz, hz, 0.08 * hz) << hz;
      EXPECT_EQ(bin.clicks, 0u);
    }
  }
}

TEST(AudioFeatures, NoiseIsHigherThanATrainOfUnits) {
  AudioFeatures features = Features(50.0);
  std::vector<AudioBin> bins;
  features.Push(TestNoise(1).Gaussian(5000, 10.0), 0.0, bins);
  for (const AudioBin& bin : bins) EXPECT_GT(bin.centroid_hz, 1000.0);
}

TEST(AudioFeatures, CountsEachDischargeOnceInTheBinWhereItBegins) {
  std::vector<double> emg(1000, 0.0);
  for (const std::size_t at : {10u, 40u, 99u, 500u}) {
    for (std::size_t i = 0; i < 8; ++i) emg[at + i] = i < 4 ? 80.0 : -60.0;
  }
  AudioFeatures features = Features(20.0);
  std::vector<AudioBin> bins;
  features.Push(emg, 30.0, bins);
  ASSERT_EQ(bins.size(), 10u);
  EXPECT_EQ(bins[0].clicks, 3u);
  EXPECT_EQ(bins[1].clicks, 0u);  // it went on from bin 0
  EXPECT_EQ(bins[5].clicks, 1u);
  EXPECT_EQ(bins[9].centroid_hz, 0.0);
  EXPECT_EQ(bins[9].dominant_hz, 0.0);
}

TEST(AudioFeatures, GivesTheSameInAnyBlocks) {
  const std::vector<double> emg = TestNoise(2).Gaussian(3000, 20.0);
  AudioFeatures whole = Features(20.0);
  std::vector<AudioBin> expected;
  whole.Push(emg, 50.0, expected);
  AudioFeatures pieces = Features(20.0);
  std::vector<AudioBin> bins;
  for (std::size_t at = 0; at < emg.size(); at += 77) {
    pieces.Push(std::span(emg).subspan(at, std::min<std::size_t>(77, emg.size() - at)), 50.0, bins);
  }
  ASSERT_EQ(bins.size(), expected.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    EXPECT_EQ(bins[i].rms_uv, expected[i].rms_uv);
    EXPECT_EQ(bins[i].dominant_hz, expected[i].dominant_hz);
    EXPECT_EQ(bins[i].centroid_hz, expected[i].centroid_hz);
    EXPECT_EQ(bins[i].clicks, expected[i].clicks);
  }
}

TEST(AudioFeatures, FourBytesKeepWhatIsHeard) {
  for (const double rms : {0.2, 3.0, 77.0, 5000.0}) {
    for (const double hz : {12.0, 60.0, 333.0, 4000.0}) {
      const AudioBin bin{0, 100, 0, rms, hz, 1.7 * hz, 3};
      const AudioBin back = UnpackAudioBin(PackAudioBin(bin));
      EXPECT_NEAR(back.rms_uv, rms, 0.03 * rms);
      EXPECT_NEAR(back.dominant_hz, hz, 0.015 * hz);
      EXPECT_NEAR(back.centroid_hz, 1.7 * hz, 0.015 * 1.7 * hz);
      EXPECT_EQ(back.clicks, 3u);
    }
  }
  static_assert(sizeof(PackedAudioBin) == 4);
  EXPECT_EQ(PackAudioBin({}), PackedAudioBin{});
  EXPECT_EQ(PackAudioBin({0, 100, 0, 1e12, 1e9, 1e9, 70000}), (PackedAudioBin{255, 255, 255, 255}));
}

TEST(AudioFeatures, RestartGivesTheHeldPartAndBeginsAgain) {
  AudioFeatures features = Features(20.0);
  std::vector<AudioBin> bins;
  features.Push(std::vector<double>(150, 1.0), 0.0, bins);
  features.Restart(bins);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[1].samples, 50u);
  features.Push(std::vector<double>(100, 1.0), 0.0, bins);
  EXPECT_EQ(bins[2].first_sample, 0u);
}

TEST(AudioFeatures, HostileSamplesAndOptionsDoNoHarm) {
  AudioFeatures features = Features(20.0);
  std::vector<double> emg(200, 2.0);
  emg[3] = kNaN;
  for (std::size_t i = 100; i < 200; ++i) emg[i] = std::numeric_limits<double>::infinity();
  std::vector<AudioBin> bins;
  features.Push(emg, kNaN, bins);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[0].non_finite_samples, 1u);
  EXPECT_NEAR(bins[0].rms_uv, 2.0, 1e-12);
  EXPECT_EQ(bins[1].non_finite_samples, 100u);
  EXPECT_EQ(PackAudioBin(bins[1]), PackedAudioBin{});
  EXPECT_EQ(PackAudioBin({0, 1, 0, kNaN, kNaN, kNaN, 0}), PackedAudioBin{});
  EXPECT_FALSE(AudioFeatures::Create(kNaN, 20.0).ok());
  EXPECT_FALSE(AudioFeatures::Create(kRateHz, 0.0).ok());
  EXPECT_FALSE(AudioFeatures::Create(kRateHz, 1e9).ok());
}

}  // namespace
}  // namespace remora::dsp
