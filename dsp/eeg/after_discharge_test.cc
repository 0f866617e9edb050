#include "dsp/eeg/after_discharge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <numbers>
#include <span>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 1000.0;

std::size_t In(double seconds) { return static_cast<std::size_t>(seconds * kRateHz); }

// ECoG: slow noise of about 30 uV rms.
std::vector<double> Cortex(double seconds, TestNoise& noise) {
  std::vector<double> ecog(In(seconds));
  double slow = 0.0;
  for (double& sample : ecog) {
    slow = 0.95 * slow + noise.Gaussian();
    sample = 9.0 * slow + 3.0 * noise.Gaussian();
  }
  return ecog;
}

// Spike and wave of `peak_uv` from `first` on.
void AddSpikes(double first_s, double seconds, double rate_hz, double peak_uv, double jitter,
               TestNoise& noise, std::vector<double>& ecog) {
  for (double at = first_s; at < first_s + seconds;) {
    for (std::size_t i = 0; i < In(0.06); ++i) {
      const double t = static_cast<double>(i) / static_cast<double>(In(0.06));
      const std::size_t place = In(at) + i;
      if (place < ecog.size()) ecog[place] += peak_uv * std::sin(2.0 * std::numbers::pi * t);
    }
    at += std::max(0.3, 1.0 + jitter * noise.Gaussian()) / rate_hz;
  }
}

AfterDischargeDetector Detector() {
  AfterDischargeOptions options;
  options.sample_rate_hz = kRateHz;
  return *AfterDischargeDetector::Create(options);
}

// 10 s of background, 3 s of stimulation, then `ecog_after`.
std::vector<AfterDischarge> RunOver(AfterDischargeDetector& detector, TestNoise& noise,
                                const std::vector<double>& ecog_after) {
  std::vector<AfterDischarge> found;
  detector.Push(Cortex(10.0, noise), false, found);
  detector.Push(std::vector<double>(In(3.0), 30000.0), true, found);
  for (std::size_t at = 0; at < ecog_after.size(); at += 100) {
    detector.Push(std::span(ecog_after).subspan(at, std::min<std::size_t>(
                                                        100, ecog_after.size() - at)),
                  false, found);
  }
  return found;
}

TEST(AfterDischarge, RhythmicSpikesAfterStimulationAreOne) {
  for (const double rate_hz : {1.5, 3.0, 8.0, 14.0}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      TestNoise noise(seed);
      std::vector<double> after = Cortex(15.0, noise);
      AddSpikes(1.0, 5.0, rate_hz, 400.0, 0.1, noise, after);
      AfterDischargeDetector detector = Detector();
      const auto found = RunOver(detector, noise, after);
      ASSERT_EQ(found.size(), 2u) << rate_hz << " Hz, seed " << seed;
      EXPECT_EQ(found[0].phase, DischargePhase::kBegan);
      EXPECT_GE(found[0].duration_ms, 2000.0);
      const AfterDischarge& ended = found[1];
      EXPECT_EQ(ended.phase, DischargePhase::kEnded);
      EXPECT_FALSE(ended.interrupted);
      EXPECT_NEAR(ended.duration_ms, 5000.0, 1000.0 / rate_hz + 150.0);
      EXPECT_NEAR(ended.after_stimulus_ms, 1015.0, 60.0);
      EXPECT_NEAR(ended.rate_hz, rate_hz, 0.12 * rate_hz);
      EXPECT_NEAR(ended.peak_uv, 430.0, 120.0);
    }
  }
}

TEST(AfterDischarge, BackgroundAndAFewSpikesAreNone) {
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    TestNoise noise(200 + seed);
    std::vector<double> after = Cortex(20.0, noise);
    AddSpikes(1.0, 1.0, 3.0, 400.0, 0.1, noise, after);  // a second of them
    AddSpikes(4.5, 0.1, 1.0, 400.0, 0.1, noise, after);
    AfterDischargeDetector detector = Detector();
    told += static_cast<int>(RunOver(detector, noise, after).size());
  }
  EXPECT_EQ(told, 0);
}

// The amplifier comes back from saturation, with the mains' hum of the stimulator's cable.
TEST(AfterDischarge, TheStimulusArtefactIsNone) {
  int told = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    TestNoise noise(400 + seed);
    std::vector<double> after = Cortex(12.0, noise);
    const double slow_s = 0.1 + 1.5 * (noise.Uniform() + 0.5);
    for (std::size_t i = 0; i < after.size(); ++i) {
      const double t = static_cast<double>(i) / kRateHz;
      after[i] += 19000.0 * std::exp(-t / slow_s);
      if (t < 0.2) after[i] += 2000.0 * std::sin(2.0 * std::numbers::pi * 50.0 * t);
    }
    AfterDischargeDetector detector = Detector();
    told += static_cast<int>(RunOver(detector, noise, after).size());
  }
  EXPECT_EQ(told, 0);
}

TEST(AfterDischarge, AStimulationInItEndsItAsInterrupted) {
  TestNoise noise(5);
  std::vector<double> after = Cortex(6.0, noise);
  AddSpikes(1.0, 5.0, 4.0, 400.0, 0.05, noise, after);
  AfterDischargeDetector detector = Detector();
  auto found = RunOver(detector, noise, after);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(detector.discharging());
  detector.Push(std::vector<double>(In(1.0), 0.0), true, found);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[1].interrupted);
  // And the next one is held against the background of before.
  std::vector<double> again = Cortex(8.0, noise);
  AddSpikes(0.5, 4.0, 4.0, 400.0, 0.05, noise, again);
  detector.Push(again, false, found);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[2].background_uv, found[0].background_uv);
}

TEST(AfterDischarge, SpikesWithoutStimulationAreNotLookedAt) {
  TestNoise noise(6);
  std::vector<double> ecog = Cortex(30.0, noise);
  AddSpikes(5.0, 20.0, 4.0, 400.0, 0.05, noise, ecog);
  AfterDischargeDetector detector = Detector();
  std::vector<AfterDischarge> found;
  detector.Push(ecog, false, found);
  EXPECT_TRUE(found.empty());
}

TEST(AfterDischarge, WithoutABackgroundNothingIsTold) {
  TestNoise noise(7);
  std::vector<double> after = Cortex(8.0, noise);
  AddSpikes(1.0, 5.0, 4.0, 400.0, 0.05, noise, after);
  AfterDischargeDetector detector = Detector();
  std::vector<AfterDischarge> found;
  detector.Push(std::vector<double>(In(1.0), 0.0), true, found);
  detector.Push(after, false, found);
  EXPECT_FALSE(found.size());
}

TEST(AfterDischarge, HostileSamplesAndOptionsDoNoHarm) {
  TestNoise noise(8);
  std::vector<double> after = Cortex(6.0, noise);
  AddSpikes(1.0, 5.0, 4.0, 400.0, 0.05, noise, after);
  AfterDischargeDetector detector = Detector();
  auto found = RunOver(detector, noise, after);
  ASSERT_EQ(found.size(), 1u);
  detector.Push(std::vector<double>(3, kNaN), false, found);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[1].interrupted);
  detector.Push(std::vector<double>(In(20.0), kNaN), false, found);
  detector.Skip(~std::uint64_t{0}, found);
  EXPECT_EQ(found.size(), 2u);
  EXPECT_FALSE(detector.background_known());
  AfterDischargeOptions options;
  EXPECT_FALSE(AfterDischargeDetector::Create(options).ok());
  options.sample_rate_hz = kRateHz;
  options.watch_ms = kNaN;
  EXPECT_FALSE(AfterDischargeDetector::Create(options).ok());
  options = {};
  options.sample_rate_hz = kRateHz;
  options.min_uv = -1.0;
  EXPECT_FALSE(AfterDischargeDetector::Create(options).ok());
}

}  // namespace
}  // namespace remora::dsp
