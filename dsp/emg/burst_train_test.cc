#include "dsp/emg/burst_train.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <numbers>
#include <vector>

#include "dsp/filter/butterworth.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 5000.0;
constexpr double kNoiseUv = 2.0;

std::size_t SamplesIn(double seconds) { return static_cast<std::size_t>(seconds * kRateHz); }

std::vector<double> Quiet(double seconds, std::uint64_t seed = 1) {
  return TestNoise(seed).Gaussian(SamplesIn(seconds), kNoiseUv);
}

// A biphasic motor unit of about 4 ms.
void AddUnit(std::vector<double>& emg, double at_s, double amplitude_uv) {
  for (std::size_t i = 0; i < 20; ++i) {
    const std::size_t at = SamplesIn(at_s) + i;
    if (at < emg.size()) {
      emg[at] += amplitude_uv * std::sin(2.0 * std::numbers::pi * static_cast<double>(i) / 20.0);
    }
  }
}

void AddTrain(std::vector<double>& emg, double from_s, double seconds, double rate_hz,
              double amplitude_uv) {
  const int units = static_cast<int>(std::lround(seconds * rate_hz));
  for (int i = 0; i <= units; ++i) AddUnit(emg, from_s + i / rate_hz, amplitude_uv);
}

std::vector<Activity> Detect(BurstTrainDetector& detector, const std::vector<double>& emg,
                             std::size_t block = 500, std::uint32_t hints = kNoArtefact) {
  std::vector<Activity> activities;
  for (std::size_t at = 0; at < emg.size(); at += block) {
    detector.Push(std::span(emg).subspan(at, std::min(block, emg.size() - at)), hints, activities);
  }
  return activities;
}

BurstTrainDetector Detector() {
  BurstTrainOptions options;
  options.sample_rate_hz = kRateHz;
  return *BurstTrainDetector::Create(options);
}

std::vector<Activity> Ended(const std::vector<Activity>& activities) {
  std::vector<Activity> ended;
  std::copy_if(activities.begin(), activities.end(), std::back_inserter(ended),
               [](const Activity& a) { return a.phase == ActivityPhase::kEnded; });
  return ended;
}

TEST(BurstTrain, NoiseAloneIsNeitherBurstNorTrain) {
  BurstTrainDetector detector = Detector();
  const auto activities = Detect(detector, Quiet(120.0));
  for (const Activity& activity : activities) EXPECT_EQ(activity.kind, ActivityKind::kSpike);
  EXPECT_LE(activities.size(), 6u);  // 5 sigma over two minutes
  EXPECT_NEAR(detector.noise_floor_uv(), kNoiseUv, 0.2);
}

TEST(BurstTrain, LearnsForOneSecond) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(1.5);
  AddUnit(emg, 0.5, 200.0);
  EXPECT_TRUE(detector.learning());
  EXPECT_TRUE(Detect(detector, emg).empty());
  EXPECT_FALSE(detector.learning());
  EXPECT_NEAR(detector.threshold_uv(), 5.0 * kNoiseUv, 1.5);
}

TEST(BurstTrain, NamesActivitiesByTheirLength) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(15.0, 5);
  AddUnit(emg, 3.0, 100.0);
  AddTrain(emg, 5.0, 0.3, 60.0, 150.0);
  AddTrain(emg, 8.0, 3.0, 80.0, 120.0);
  const auto ended = Ended(Detect(detector, emg));
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_EQ(ended[0].kind, ActivityKind::kSpike);
  EXPECT_LT(ended[0].duration_ms, 20.0);
  EXPECT_EQ(ended[1].kind, ActivityKind::kBurst);
  EXPECT_NEAR(ended[1].duration_ms, 303.0, 8.0);
  EXPECT_EQ(ended[2].kind, ActivityKind::kTrain);
  EXPECT_NEAR(ended[2].duration_ms, 3003.0, 10.0);
  EXPECT_NEAR(ended[2].discharge_rate_hz, 80.0, 1.0);
  EXPECT_NEAR(static_cast<double>(ended[2].first_sample) / kRateHz, 8.0, 0.005);
  EXPECT_NEAR(ended[2].peak_uv, 120.0, 8.0);
  EXPECT_STREQ(ActivityName(ended[2].kind), "train");
}

TEST(BurstTrain, TellsATrainAfterOneSecondNotAtItsEnd) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(10.0);
  AddTrain(emg, 3.0, 6.9, 60.0, 100.0);
  emg.resize(SamplesIn(4.1));
  const auto activities = Detect(detector, emg, 50);
  ASSERT_EQ(activities.size(), 1u);
  EXPECT_EQ(activities[0].kind, ActivityKind::kTrain);
  EXPECT_EQ(activities[0].phase, ActivityPhase::kBegan);
  EXPECT_NEAR(activities[0].duration_ms, 1000.0, 20.0);
  EXPECT_TRUE(detector.in_train());
}

TEST(BurstTrain, CountsSinusoidalTrainsByTheirCycles) {
  for (const double rate : {60.0, 100.0, 210.0}) {
    BurstTrainDetector detector = Detector();
    std::vector<double> emg = Quiet(6.0);
    const std::vector<double> tone = Sine(SamplesIn(2.0), rate, kRateHz, 150.0);
    for (std::size_t i = 0; i < tone.size(); ++i) emg[SamplesIn(3.0) + i] += tone[i];
    const auto ended = Ended(Detect(detector, emg));
    ASSERT_EQ(ended.size(), 1u) << rate;
    EXPECT_EQ(ended[0].kind, ActivityKind::kTrain);
    EXPECT_NEAR(ended[0].discharge_rate_hz, rate, 0.02 * rate);
  }
}

// A unit of four phases over 8 ms, each smaller than the one before.
void AddPolyphasicTrain(std::vector<double>& emg, double from_s, double seconds, double rate_hz,
                        double amplitude_uv) {
  const int units = static_cast<int>(std::lround(seconds * rate_hz));
  for (int i = 0; i <= units; ++i) {
    AddUnit(emg, from_s + i / rate_hz, amplitude_uv);
    AddUnit(emg, from_s + i / rate_hz + 0.004, 0.4 * amplitude_uv);
  }
}

TEST(BurstTrain, CountsAPolyphasicUnitOnce) {
  for (const double rate_hz : {20.0, 60.0, 100.0}) {
    BurstTrainDetector detector = Detector();
    std::vector<double> emg = Quiet(8.0);
    AddPolyphasicTrain(emg, 2.0, 3.0, rate_hz, 200.0);
    const auto ended = Ended(Detect(detector, emg));
    ASSERT_EQ(ended.size(), 1u) << rate_hz;
    EXPECT_NEAR(ended[0].discharge_rate_hz, rate_hz, 0.05 * rate_hz);
  }
}

TEST(BurstTrain, GoesOnCountingWhenTheUnitsGrowSmaller) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(8.0);
  AddTrain(emg, 2.0, 1.5, 80.0, 300.0);
  AddTrain(emg, 3.5 + 1 / 80.0, 1.5, 80.0, 60.0);
  const auto ended = Ended(Detect(detector, emg));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_NEAR(ended[0].discharge_rate_hz, 80.0, 4.0);
}

TEST(BurstTrain, ResultDoesNotDependOnTheBlocks) {
  std::vector<double> emg = Quiet(12.0, 8);
  AddTrain(emg, 4.0, 2.0, 40.0, 90.0);
  AddUnit(emg, 9.0, 90.0);
  BurstTrainDetector reference = Detector();
  const auto expected = Detect(reference, emg, emg.size());
  for (const std::size_t block : {1, 33, 2500}) {
    BurstTrainDetector detector = Detector();
    const auto activities = Detect(detector, emg, block);
    ASSERT_EQ(activities.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(activities[i].first_sample, expected[i].first_sample);
      EXPECT_EQ(activities[i].last_sample, expected[i].last_sample);
      EXPECT_EQ(activities[i].rms_uv, expected[i].rms_uv);
    }
  }
}

// Hints kArtefactDiathermy from `from_s` to `to_s`, in whole blocks of 0.1 s.
std::vector<Activity> DetectHinted(BurstTrainDetector& detector, const std::vector<double>& emg,
                                   double from_s, double to_s) {
  std::vector<Activity> activities;
  for (std::size_t at = 0; at < emg.size(); at += 500) {
    const bool hinted = at >= SamplesIn(from_s) && at < SamplesIn(to_s);
    detector.Push(std::span(emg).subspan(at, 500), hinted ? kArtefactDiathermy : kNoArtefact,
                  activities);
  }
  return activities;
}

TEST(BurstTrain, DischargesAfterAnArtefactAreATrainOfTheirOwn) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(12.0);
  AddTrain(emg, 4.0, 4.0, 100.0, 2000.0);
  const std::vector<Activity> activities = DetectHinted(detector, emg, 4.0, 6.0);
  ASSERT_EQ(activities.size(), 4u);
  EXPECT_EQ(activities[0].phase, ActivityPhase::kBegan);
  EXPECT_EQ(activities[1].kind, ActivityKind::kArtefact);
  EXPECT_EQ(activities[1].hints, kArtefactDiathermy);
  EXPECT_NEAR(activities[1].duration_ms, 2000.0, 20.0) << "as long as it was hinted";
  EXPECT_EQ(activities[2].kind, ActivityKind::kTrain);
  EXPECT_EQ(activities[2].phase, ActivityPhase::kBegan);
  EXPECT_EQ(activities[3].kind, ActivityKind::kTrain);
  EXPECT_NEAR(activities[3].duration_ms, 1850.0, 25.0);
  EXPECT_FALSE(activities[3].interrupted);
}

TEST(BurstTrain, OneHintInterruptsATrainAndTheRestIsTold) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(12.0);
  AddTrain(emg, 3.0, 6.0, 60.0, 100.0);
  const auto ended = Ended(DetectHinted(detector, emg, 5.0, 5.1));
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_EQ(ended[0].kind, ActivityKind::kTrain);
  EXPECT_TRUE(ended[0].interrupted);
  EXPECT_NEAR(ended[0].duration_ms, 2000.0, 40.0);
  EXPECT_EQ(ended[1].kind, ActivityKind::kArtefact);
  EXPECT_FALSE(ended[1].interrupted);
  EXPECT_NEAR(ended[1].duration_ms, 100.0, 5.0);
  EXPECT_EQ(ended[2].kind, ActivityKind::kTrain);
  EXPECT_NEAR(ended[2].duration_ms, 3750.0, 30.0);
  EXPECT_FALSE(ended[2].interrupted);
}

TEST(BurstTrain, SaysHowLongItHasBeenSilentAndUnassessed) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(9.0);
  AddTrain(emg, 3.0, 2.0, 60.0, 100.0);
  std::vector<Activity> activities;
  const auto push = [&](double from_s, double to_s, std::uint32_t hints) {
    detector.Push(std::span(emg).subspan(SamplesIn(from_s), SamplesIn(to_s - from_s)), hints,
                  activities);
  };
  push(0.0, 0.5, kNoArtefact);
  EXPECT_NEAR(detector.unassessed_ms(), 500.0, 1.0) << "it learns yet";
  push(0.5, 4.5, kNoArtefact);
  EXPECT_LT(detector.silent_ms(), 20.0);
  EXPECT_EQ(detector.unassessed_ms(), 0.0);
  push(4.5, 6.0, kArtefactClipping);
  EXPECT_EQ(detector.silent_ms(), 0.0);
  EXPECT_NEAR(detector.unassessed_ms(), 1500.0, 1.0);
  EXPECT_EQ(detector.unassessed_hints(), kArtefactClipping);
  push(6.0, 6.9, kNoArtefact);
  EXPECT_NEAR(detector.silent_ms(), 900.0, 1.0);
  EXPECT_NEAR(detector.unassessed_ms(), 2400.0, 1.0) << "a train takes a second to be one";
  push(6.9, 7.1, kNoArtefact);
  EXPECT_EQ(detector.unassessed_ms(), 0.0);
}

TEST(BurstTrain, TellsATrainThatGoesOnAsItIsNow) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(8.0);
  AddTrain(emg, 2.0, 1.5, 40.0, 60.0);
  AddTrain(emg, 3.5 + 1 / 40.0, 3.0, 100.0, 300.0);
  std::vector<Activity> activities;
  EXPECT_FALSE(detector.CurrentTrain().has_value());
  detector.Push(std::span(emg).first(SamplesIn(6.0)), kNoArtefact, activities);
  ASSERT_EQ(activities.size(), 1u);
  EXPECT_NEAR(activities[0].peak_uv, 60.0, 10.0);
  const auto current = detector.CurrentTrain();
  ASSERT_TRUE(current.has_value());
  EXPECT_EQ(current->first_sample, activities[0].first_sample);
  EXPECT_EQ(current->phase, ActivityPhase::kBegan);
  EXPECT_NEAR(current->duration_ms, 4000.0, 15.0);
  EXPECT_NEAR(current->peak_uv, 300.0, 10.0);
  EXPECT_GT(current->discharge_rate_hz, 70.0);
}

TEST(BurstTrain, TrainBeforeAnArtefactStaysATrain) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(10.0);
  AddTrain(emg, 3.0, 5.0, 60.0, 100.0);
  std::vector<Activity> activities;
  for (std::size_t at = 0; at < emg.size(); at += 500) {
    detector.Push(std::span(emg).subspan(at, 500),
                  at >= SamplesIn(5.0) ? kArtefactDiathermy : kNoArtefact, activities);
  }
  const auto ended = Ended(activities);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].kind, ActivityKind::kTrain);
  EXPECT_NEAR(ended[0].duration_ms, 2000.0, 40.0);
}

TEST(BurstTrain, MainsIsKeptFromBeingATrainByTheBlocksQuality) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(10.0);
  const std::vector<double> hum = Sine(SamplesIn(5.0), 50.0, kRateHz, 100.0);
  for (std::size_t i = 0; i < hum.size(); ++i) emg[SamplesIn(3.0) + i] += hum[i];
  std::vector<Activity> activities;
  for (std::size_t at = 0; at < emg.size(); at += 500) {
    const auto block = std::span(emg).subspan(at, 500);
    detector.Push(block, ArtefactHints(AssessBlock(block, kRateHz, {}).marks), activities);
  }
  for (const Activity& activity : activities) {
    EXPECT_EQ(activity.kind, ActivityKind::kArtefact);
    EXPECT_EQ(activity.hints, kArtefactMains);
  }
  EXPECT_EQ(activities.size(), 2u);
}

TEST(BurstTrain, FloorDoesNotLearnActivityButComesBackAfterRealNoise) {
  BurstTrainOptions options;
  options.sample_rate_hz = kRateHz;
  options.rebase_after_ms = 10000.0;
  BurstTrainDetector detector = *BurstTrainDetector::Create(options);
  std::vector<double> emg = Quiet(5.0);
  const std::vector<double> loud = TestNoise(2).Gaussian(SamplesIn(60.0), 10.0 * kNoiseUv);
  emg.insert(emg.end(), loud.begin(), loud.end());
  std::vector<Activity> activities;
  detector.Push(std::span(emg).first(SamplesIn(14.0)), kNoArtefact, activities);
  EXPECT_NEAR(detector.noise_floor_uv(), kNoiseUv, 0.3);
  EXPECT_TRUE(detector.in_train());
  detector.Push(std::span(emg).subspan(SamplesIn(14.0)), kNoArtefact, activities);
  EXPECT_NEAR(detector.noise_floor_uv(), 10.0 * kNoiseUv, 2.0);
  EXPECT_FALSE(detector.in_train());
  const auto sustained = std::find_if(activities.begin(), activities.end(),
                                      [](const Activity& a) { return a.sustained; });
  EXPECT_NE(sustained, activities.end());
}

TEST(BurstTrain, HostileSamplesAreArtefactAndHarmNothingAfter) {
  BurstTrainDetector detector = Detector();
  std::vector<double> emg = Quiet(10.0);
  AddTrain(emg, 6.0, 2.0, 60.0, 100.0);
  emg[SamplesIn(3.0)] = std::numeric_limits<double>::quiet_NaN();
  emg[SamplesIn(3.0) + 1] = std::numeric_limits<double>::infinity();
  const auto ended = Ended(Detect(detector, emg));
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].kind, ActivityKind::kArtefact);
  EXPECT_EQ(ended[0].hints, kArtefactNonFinite);
  EXPECT_EQ(ended[1].kind, ActivityKind::kTrain);
  EXPECT_TRUE(std::isfinite(detector.noise_floor_uv()));
}

TEST(BurstTrain, HostileOptionsAreRefusedByName) {
  BurstTrainOptions options;
  EXPECT_NE(BurstTrainDetector::Create(options).status().message().find("sample_rate_hz"),
            absl::string_view::npos);
  options.sample_rate_hz = kRateHz;
  EXPECT_TRUE(BurstTrainDetector::Create(options).ok());
  options.floor_quantile = 0.9;
  EXPECT_FALSE(BurstTrainDetector::Create(options).ok());
  options = {};
  options.sample_rate_hz = kRateHz;
  options.max_gap_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(BurstTrainDetector::Create(options).ok());
  options.max_gap_ms = 150.0;
  options.spike_max_ms = 2000.0;
  EXPECT_FALSE(BurstTrainDetector::Create(options).ok());
}

// Needle EMG of a chronic L5 radiculopathy: one large unit at 10.5/s. SciPy's find_peaks on the
// same filtered signal (height 1000 uV, distance 30 ms) counts 122 in these 11.5 s, 94.75 ms apart.
TEST(BurstTrain, FindsTheRegularTrainOfARealRecording) {
  const std::string path = DataFolder() + "/emg_needle_physionet/emg_neuropathy.dat";
  if (!FileExists(path)) GTEST_SKIP() << "skipped: no data";
  std::ifstream file(path, std::ios::binary);
  std::vector<double> emg;
  unsigned char bytes[2];
  while (file.read(reinterpret_cast<char*>(bytes), 2) && emg.size() < 46000) {    // 11.5 s
    emg.push_back(static_cast<std::int16_t>(bytes[0] | (bytes[1] << 8)) / 10.0);  // uV
  }
  const auto band = ButterworthBandPass(2, 20.0, 1500.0, 4000.0);
  ASSERT_TRUE(band.ok());
  StreamingFilter filter(*band);
  filter.ResetToNextSample();
  filter.Process(emg, emg);
  BurstTrainOptions options;
  options.sample_rate_hz = 4000.0;
  options.min_threshold_uv = 1000.0;  // a needle in an active muscle: only the large unit
  options.refractory_ms = 30.0;       // which is polyphasic
  BurstTrainDetector detector = *BurstTrainDetector::Create(options);
  std::vector<Activity> activities;
  detector.Push(emg, kNoArtefact, activities);
  detector.Flush(activities);
  double train_ms = 0.0;
  std::uint32_t discharges = 0;
  for (const Activity& activity : Ended(activities)) {
    if (activity.kind != ActivityKind::kTrain) continue;
    train_ms += activity.duration_ms;
    discharges += activity.discharges;
    EXPECT_NEAR(activity.discharge_rate_hz, 10.55, 0.4);
  }
  std::printf("trains of %.0f ms in all, %u discharges\n", train_ms, discharges);
  EXPECT_GT(train_ms, 9000.0);  // the first second is learnt from
  EXPECT_NEAR(discharges, 112.0, 4.0);
}

// Each second, from 0.5 s of it on, so much is passed over; in it, something tall.
std::vector<Activity> DetectOverHoles(std::vector<double> emg, double hole_s) {
  BurstTrainDetector detector = Detector();
  std::vector<Activity> activities;
  const std::size_t hole = SamplesIn(hole_s);
  for (std::size_t at = 0; at + SamplesIn(1) <= emg.size(); at += SamplesIn(1)) {
    const std::span<double> second = std::span(emg).subspan(at, SamplesIn(1));
    const std::size_t half = SamplesIn(0.5);
    for (std::size_t i = 0; i < hole; ++i) second[half + i] = i < 20 ? 3000.0 : 0.0;
    detector.Push(second.first(half), kNoArtefact, activities);
    detector.Push(second.subspan(half, hole), kPassedOver, activities);
    detector.Push(second.subspan(half + hole), kNoArtefact, activities);
  }
  return activities;
}

TEST(BurstTrain, WhatIsPassedOverIsNoDischargeAndEndsNone) {
  EXPECT_TRUE(DetectOverHoles(Quiet(6), 0.112).empty());
  std::vector<double> emg = Quiet(8);
  // At 10 a second, each hole takes two discharges: 296 ms without one.
  AddTrain(emg, 2.0, 4.0, 10, 80);
  const std::vector<Activity> activities = DetectOverHoles(emg, 0.112);
  ASSERT_EQ(activities.size(), 2u);
  EXPECT_EQ(activities[0].kind, ActivityKind::kTrain);
  EXPECT_EQ(activities[1].kind, ActivityKind::kTrain);
  EXPECT_FALSE(activities[1].interrupted);
  EXPECT_NEAR(activities[1].duration_ms, 4000, 20);
  EXPECT_LT(activities[1].peak_uv, 100);
}

// From 2 s on, five holes a second with 88 ms between; the sixth is clipped as well.
std::vector<Activity> DetectBetweenHoles(std::vector<double> emg) {
  BurstTrainDetector detector = Detector();
  std::vector<Activity> activities;
  const std::size_t period = SamplesIn(0.2);
  const std::size_t hole = SamplesIn(0.112);
  detector.Push(std::span(emg).first(SamplesIn(2)), kNoArtefact, activities);
  for (std::size_t i = 0; SamplesIn(2) + (i + 1) * period <= emg.size(); ++i) {
    const std::span<double> part = std::span(emg).subspan(SamplesIn(2) + i * period, period);
    detector.Push(part.first(hole), kPassedOver | (i == 5 ? kArtefactClipping : 0u), activities);
    detector.Push(part.subspan(hole), kNoArtefact, activities);
  }
  return activities;
}

TEST(BurstTrain, SpikesBetweenHolesAreNoTrain) {
  std::vector<double> emg = Quiet(12);
  AddTrain(emg, 3.55, 8.0, 1, 80);
  int spikes = 0;
  for (const Activity& activity : DetectBetweenHoles(emg)) {
    EXPECT_NE(activity.kind, ActivityKind::kTrain);
    spikes += activity.kind == ActivityKind::kSpike;
  }
  EXPECT_GE(spikes, 6);
}

TEST(BurstTrain, AnArtefactEndsThoughMuchIsPassedOver) {
  std::vector<double> emg = Quiet(8);
  AddTrain(emg, 4.0, 3.0, 50, 80);
  const std::vector<Activity> activities = DetectBetweenHoles(emg);
  ASSERT_EQ(activities.size(), 4u);
  EXPECT_EQ(activities[1].kind, ActivityKind::kArtefact);
  EXPECT_EQ(activities[1].phase, ActivityPhase::kEnded);
  EXPECT_NEAR(activities[1].duration_ms, 112, 2);
  EXPECT_EQ(activities[3].kind, ActivityKind::kTrain);
  EXPECT_NEAR(activities[3].duration_ms, 3000, 150);
}

TEST(BurstTrain, WhatIsPassedOverIsNotSilence) {
  std::vector<double> emg = Quiet(4);
  AddTrain(emg, 2.0, 1.0, 50, 80);
  BurstTrainDetector detector = Detector();
  std::vector<Activity> activities;
  const std::span<double> all(emg);
  detector.Push(all.first(SamplesIn(3)), kNoArtefact, activities);
  const double before_ms = detector.silent_ms();
  EXPECT_LT(before_ms, 30);
  detector.Push(all.subspan(SamplesIn(3), SamplesIn(0.2)), kPassedOver, activities);
  EXPECT_EQ(detector.silent_ms(), before_ms);
  detector.Push(all.subspan(SamplesIn(3.2), SamplesIn(0.1)), kNoArtefact, activities);
  EXPECT_NEAR(detector.silent_ms(), before_ms + 100, 0.1);
}

TEST(BurstTrain, WhatEndsBehindAHoleHasEnded) {
  std::vector<double> emg = Quiet(8);
  AddTrain(emg, 2.0, 1.45, 50, 80);
  const std::vector<Activity> activities = DetectOverHoles(emg, 0.112);
  ASSERT_EQ(activities.size(), 2u);
  EXPECT_NEAR(activities[1].duration_ms, 1450, 20);
  EXPECT_FALSE(activities[1].interrupted);
}

TEST(BurstTrain, AHoleThatIsTooLongIsAnArtefact) {
  std::vector<double> emg = Quiet(6);
  AddTrain(emg, 2.0, 2.9, 50, 80);
  bool interrupted = false;
  bool artefact = false;
  for (const Activity& activity : DetectOverHoles(emg, 0.3)) {
    interrupted = interrupted || activity.interrupted;
    artefact = artefact ||
               (activity.kind == ActivityKind::kArtefact && activity.hints == kArtefactStimulus);
  }
  EXPECT_TRUE(interrupted);
  EXPECT_TRUE(artefact);
}

// Stimuli of this rate from 2 s on; what the muscle answers, and the filter's tail, is passed over
// for 112 ms from each.
std::vector<Activity> DetectUnderStimuli(BurstTrainDetector& detector,
                                         const std::vector<double>& emg, double rate_hz,
                                         std::size_t block = 500) {
  std::vector<Activity> activities;
  const auto in_hole = [&](std::size_t sample) {
    return sample >= SamplesIn(2) &&
           std::fmod(static_cast<double>(sample) / kRateHz - 2, 1 / rate_hz) < 0.112;
  };
  for (std::size_t at = 0; at < emg.size();) {
    std::size_t end = at + 1;
    while (end < emg.size() && end - at < block && in_hole(end) == in_hole(at)) ++end;
    detector.Push(std::span(emg).subspan(at, end - at), in_hole(at) ? kPassedOver : kNoArtefact,
                  activities);
    at = end;
  }
  detector.Flush(activities);
  return activities;
}

TEST(BurstTrain, LateAnswersToStimuliAreNoTrain) {
  for (const double rate_hz : {2.0, 3.0, 4.0, 5.0}) {
    std::vector<double> emg = Quiet(14);
    // 150 ms behind each: behind the hole, and before the next.
    AddTrain(emg, 2.15, 10, rate_hz, 80);
    BurstTrainDetector detector = Detector();
    int spikes = 0;
    for (const Activity& activity : DetectUnderStimuli(detector, emg, rate_hz)) {
      EXPECT_EQ(activity.kind, ActivityKind::kSpike) << rate_hz;
      ++spikes;
    }
    EXPECT_NEAR(spikes, 10 * rate_hz, 2) << rate_hz;
  }
}

// Pairs of spikes, silent for 330 ms: in most, 112 ms of that were passed over.
TEST(BurstTrain, AHoleDoesNotJoinWhatTwoGapsPart) {
  for (const double rate_hz : {2.0, 2.7, 3.3, 4.0, 5.0}) {
    std::vector<double> emg = Quiet(14);
    AddTrain(emg, 2.2, 10, 1 / 0.36, 80);
    AddTrain(emg, 2.23, 10, 1 / 0.36, 80);
    BurstTrainDetector detector = Detector();
    bool interrupted = false;
    for (const Activity& activity : DetectUnderStimuli(detector, emg, rate_hz)) {
      EXPECT_LT(activity.duration_ms, 40) << rate_hz;
      EXPECT_NE(activity.kind, ActivityKind::kTrain) << rate_hz;
      interrupted = interrupted || activity.interrupted;
    }
    // Where holes lie close, no end is seen.
    if (rate_hz == 5.0 || rate_hz == 2.0) {
      EXPECT_EQ(interrupted, rate_hz == 5.0);
    }
  }
}

TEST(BurstTrain, ATrainIsToldUnderStimuliWithItsRate) {
  struct Case {
    double stimuli_hz;
    double train_hz;
  };
  const std::vector<Case> cases = {{2, 60},   {3, 60},   {4, 60},  {5, 60},
                                   {2, 10.5}, {3, 10.5}, {4.7, 33}};
  for (const Case& one : cases) {
    std::vector<double> emg = Quiet(8);
    AddTrain(emg, 3.15, 3.0, one.train_hz, 80);
    BurstTrainDetector detector = Detector();
    const auto activities = DetectUnderStimuli(detector, emg, one.stimuli_hz);
    const auto ended = Ended(activities);
    ASSERT_EQ(ended.size(), 1u) << one.stimuli_hz << " " << one.train_hz;
    EXPECT_EQ(ended[0].kind, ActivityKind::kTrain);
    // Where more than half is passed over, no end is seen.
    EXPECT_EQ(ended[0].interrupted, one.stimuli_hz > 4.5) << one.stimuli_hz;
    EXPECT_NEAR(ended[0].duration_ms, 3000, 160);
    EXPECT_NEAR(ended[0].discharge_rate_hz, one.train_hz, 0.2 * one.train_hz);
    // Of units of 4 ms.
    EXPECT_NEAR(ended[0].rms_uv, 80 * std::sqrt(0.002 * one.train_hz), 4);
    for (const std::size_t block : {1u, 37u, 4000u}) {
      BurstTrainDetector other = Detector();
      const auto again = DetectUnderStimuli(other, emg, one.stimuli_hz, block);
      ASSERT_EQ(again.size(), activities.size());
      for (std::size_t i = 0; i < again.size(); ++i) {
        EXPECT_EQ(again[i].first_sample, activities[i].first_sample);
        EXPECT_EQ(again[i].last_sample, activities[i].last_sample);
        EXPECT_EQ(again[i].rms_uv, activities[i].rms_uv);
        EXPECT_EQ(again[i].interrupted, activities[i].interrupted);
      }
    }
  }
}

// What no train could be told in is not assessed.
TEST(BurstTrain, MoreHolesThanMuscleIsNotAssessed) {
  const std::vector<double> emg = Quiet(14);
  for (const double rate_hz : {1.0, 3.0, 4.0}) {
    BurstTrainDetector detector = Detector();
    DetectUnderStimuli(detector, emg, rate_hz);
    EXPECT_LT(detector.unassessed_ms(), 400) << rate_hz;
  }
  BurstTrainDetector detector = Detector();
  DetectUnderStimuli(detector, emg, 5.0);
  EXPECT_NEAR(detector.unassessed_ms(), 12000, 1);
  EXPECT_EQ(detector.unassessed_hints(), static_cast<std::uint32_t>(kArtefactStimulus));
}

}  // namespace
}  // namespace remora::dsp
