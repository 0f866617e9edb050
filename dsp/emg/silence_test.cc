#include "dsp/emg/silence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 5000.0;
constexpr double kNoiseUv = 3.0;

std::size_t In(double seconds) { return static_cast<std::size_t>(seconds * kRateHz); }

// `seconds` of noise with a discharge of `height_uv` each 1 / rate_hz; rate 0: noise alone.
void Append(double seconds, double rate_hz, double height_uv, TestNoise& noise,
            std::vector<double>& emg) {
  const std::size_t begin = emg.size();
  for (const double sample : noise.Gaussian(In(seconds), kNoiseUv)) emg.push_back(sample);
  if (rate_hz <= 0.0) return;
  for (double at = 0.0; at + 0.01 < seconds; at += 1.0 / rate_hz) {
    for (std::size_t i = 0; i < 15; ++i) emg[begin + In(at) + i] += i < 8 ? height_uv : -height_uv;
  }
}

std::optional<SilenceAfterBurst> RunOver(SilenceWatch& watch, std::span<const double> emg) {
  std::optional<SilenceAfterBurst> told;
  for (std::size_t at = 0; at < emg.size(); at += 500) {
    const std::size_t count = std::min<std::size_t>(500, emg.size() - at);
    const auto found = watch.Push(emg.subspan(at, count), kNoArtefact, kNoiseUv);
    if (found) told = found;
  }
  return told;
}

SilenceWatch Watch() {
  SilenceOptions options;
  options.sample_rate_hz = kRateHz;
  return *SilenceWatch::Create(options);
}

TEST(Silence, AfterATallBurstInAnActiveMuscleIsTold) {
  TestNoise noise(1);
  std::vector<double> emg;
  Append(12.0, 8.0, 60.0, noise, emg);
  Append(0.4, 100.0, 600.0, noise, emg);
  Append(5.0, 0.0, 0.0, noise, emg);
  SilenceWatch watch = Watch();
  const auto told = RunOver(watch, emg);
  ASSERT_TRUE(told.has_value());
  EXPECT_NEAR(static_cast<double>(told->burst_first_sample), 12.0 * kRateHz, 0.051 * kRateHz);
  EXPECT_NEAR(static_cast<double>(told->burst_last_sample), 12.4 * kRateHz, 0.051 * kRateHz);
  EXPECT_NEAR(told->burst_peak_uv, 600.0, 20.0);
  EXPECT_NEAR(told->usual_peak_uv, 65.0, 8.0);
  EXPECT_GE(told->silent_ms, 3000.0);
}

// Samples that are none in the middle of a unit: it is not judged, whatever its peak.
TEST(Silence, IsTheSameInAnyBlocks) {
  TestNoise noise(1);
  std::vector<double> emg;
  Append(12.0, 8.0, 60.0, noise, emg);
  Append(0.4, 100.0, 600.0, noise, emg);
  Append(5.0, 0.0, 0.0, noise, emg);
  emg[In(2.0) + 17] = std::numeric_limits<double>::quiet_NaN();
  emg[In(14.0) + 130] = std::numeric_limits<double>::infinity();
  std::vector<SilenceAfterBurst> all;
  for (const std::size_t block : {1u, 7u, 249u, 250u, 333u, 10000u}) {
    SilenceWatch watch = Watch();
    for (std::size_t at = 0; at < emg.size(); at += block) {
      const std::size_t count = std::min(block, emg.size() - at);
      const auto found = watch.Push(std::span(emg).subspan(at, count), kNoArtefact, kNoiseUv);
      if (found) all.push_back(*found);
    }
  }
  ASSERT_EQ(all.size(), 6u);
  for (const SilenceAfterBurst& one : all) {
    EXPECT_EQ(one.burst_first_sample, all[0].burst_first_sample);
    EXPECT_EQ(one.burst_last_sample, all[0].burst_last_sample);
    EXPECT_EQ(one.burst_peak_uv, all[0].burst_peak_uv);
    EXPECT_LT(one.burst_peak_uv, 700.0);
    EXPECT_EQ(one.usual_peak_uv, all[0].usual_peak_uv);
    EXPECT_EQ(one.silent_ms, all[0].silent_ms);
  }
}

TEST(Silence, OfAMuscleThatGoesOnIsNone) {
  TestNoise noise(2);
  std::vector<double> emg;
  Append(12.0, 8.0, 60.0, noise, emg);
  Append(0.4, 100.0, 600.0, noise, emg);
  Append(1.5, 0.0, 0.0, noise, emg);
  Append(6.0, 8.0, 60.0, noise, emg);
  SilenceWatch watch = Watch();
  EXPECT_FALSE(RunOver(watch, emg).has_value());
}

TEST(Silence, OfAMuscleThatWasQuietBeforeIsNone) {
  TestNoise noise(3);
  std::vector<double> emg;
  Append(12.0, 0.0, 0.0, noise, emg);
  Append(0.4, 100.0, 600.0, noise, emg);
  Append(6.0, 0.0, 0.0, noise, emg);
  SilenceWatch watch = Watch();
  EXPECT_FALSE(RunOver(watch, emg).has_value());
}

TEST(Silence, WithoutABurstIsNone) {
  TestNoise noise(4);
  std::vector<double> emg;
  Append(12.0, 8.0, 60.0, noise, emg);
  Append(6.0, 0.0, 0.0, noise, emg);
  SilenceWatch watch = Watch();
  EXPECT_FALSE(RunOver(watch, emg).has_value());
}

TEST(Silence, AfterALongStretchOfTallActivityIsNone) {
  TestNoise noise(5);
  std::vector<double> emg;
  Append(12.0, 8.0, 60.0, noise, emg);
  Append(2.0, 100.0, 600.0, noise, emg);
  Append(6.0, 0.0, 0.0, noise, emg);
  SilenceWatch watch = Watch();
  EXPECT_FALSE(RunOver(watch, emg).has_value());
}

TEST(Silence, UnderAnArtefactIsNotTakenForSilence) {
  TestNoise noise(6);
  std::vector<double> emg;
  Append(12.0, 8.0, 60.0, noise, emg);
  Append(0.4, 100.0, 600.0, noise, emg);
  SilenceWatch watch = Watch();
  EXPECT_FALSE(RunOver(watch, emg).has_value());
  const std::vector<double> quiet = noise.Gaussian(In(1.0), kNoiseUv);
  std::size_t told = 0;
  std::size_t second = 0;
  for (; second < 5; ++second) told += watch.Push(quiet, kArtefactDiathermy, kNoiseUv).has_value();
  EXPECT_EQ(told, 0u);
  for (; second < 8; ++second) told += watch.Push(quiet, kNoArtefact, kNoiseUv).has_value();
  EXPECT_EQ(told, 1u);
}

TEST(Silence, HostileSamplesAndOptionsDoNoHarm) {
  SilenceWatch watch = Watch();
  EXPECT_FALSE(watch.Push(std::vector<double>(In(20.0), kNaN), kNoArtefact, kNoiseUv).has_value());
  EXPECT_FALSE(watch.Push(std::vector<double>(In(20.0), 1e300), kNoArtefact, kNaN).has_value());
  SilenceOptions options;
  EXPECT_FALSE(SilenceWatch::Create(options).ok());
  options.sample_rate_hz = kRateHz;
  options.silence_ms = 1e12;
  EXPECT_FALSE(SilenceWatch::Create(options).ok());
  options.silence_ms = kNaN;
  EXPECT_FALSE(SilenceWatch::Create(options).ok());
}

}  // namespace
}  // namespace remora::dsp
