#include "dsp/emg/train_slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "dsp/emg/burst_train.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 6000.0;
constexpr double kFloorUv = 3.0;
constexpr std::size_t kSlot = 120;

TrainSlots Slots() {
  return TrainSlots({.sample_rate_hz = kRateHz,
                     .threshold_over_floor = 5.0,
                     .broad_hz = 520.0,
                     .max_uv = 5000.0,
                     .artefact_tail_ms = 150.0,
                     .longest_hole_ms = 60.0});
}

// Samples of one hint.
struct Part {
  std::vector<double> uv;
  std::uint32_t hints = kNoArtefact;
};

std::vector<TrainSlot> PushAll(TrainSlots& slots, const std::vector<Part>& parts,
                               std::size_t block) {
  std::vector<TrainSlot> full;
  for (const Part& part : parts) {
    const std::span<const double> uv(part.uv);
    for (std::size_t at = 0; at < uv.size(); at += block) {
      slots.Push(uv.subspan(at, std::min(block, uv.size() - at)), part.hints, kFloorUv, full);
    }
  }
  return full;
}

Part Quiet(std::uint64_t seed, std::size_t samples) {
  return {TestNoise(seed).Gaussian(samples, kFloorUv)};
}

TEST(TrainSlots, MeasureTheirSamples) {
  const Part part = Quiet(1, 10 * kSlot);
  TrainSlots slots = Slots();
  EXPECT_EQ(slots.samples_per_slot(), kSlot);
  EXPECT_EQ(slots.reduced_rate_hz(), 3000.0);
  const std::vector<TrainSlot> full = PushAll(slots, {part}, 50);
  ASSERT_EQ(full.size(), 10u);
  for (std::size_t k = 0; k < full.size(); ++k) {
    const auto own = std::span(part.uv).subspan(k * kSlot, kSlot);
    double energy = 0.0;
    for (const double sample : own) energy += sample * sample;
    EXPECT_EQ(full[k].first_sample, k * kSlot);
    EXPECT_EQ(full[k].samples, kSlot);
    EXPECT_EQ(full[k].energy, energy);
    EXPECT_EQ(full[k].high_uv, *std::max_element(own.begin(), own.end()));
    EXPECT_EQ(full[k].low_uv, *std::min_element(own.begin(), own.end()));
    for (std::size_t bin = 0; bin < kBinsPerTrainSlot; ++bin) {
      float peak = 0.0F;
      for (const double sample : own.subspan(bin * 24, 24)) {
        peak = std::max(peak, static_cast<float>(std::abs(sample)));
      }
      EXPECT_EQ(full[k].bin_peaks[bin], peak);
    }
    ASSERT_EQ(full[k].reduced.size(), kSlot / 2);
    EXPECT_EQ(full[k].reduced[7], (own[14] + own[15]) / 2.0);
    EXPECT_TRUE(full[k].judged);
  }
  EXPECT_EQ(slots.unjudged_samples(), 0u);
}

TEST(TrainSlots, AreTheSameInAnyBlocks) {
  std::vector<Part> parts;
  parts.push_back(Quiet(1, 3017));
  parts.back().uv[500] = std::numeric_limits<double>::quiet_NaN();
  parts.back().uv[2000] = 5001.0;  // in the middle of a bin
  parts.push_back(Quiet(2, 179));
  parts.back().hints = kPassedOver;  // 30 ms
  parts.push_back(Quiet(3, 2000));
  parts.push_back(Quiet(4, 420));
  parts.back().hints = kPassedOver;  // 70 ms: longer than a hole may be
  parts.push_back(Quiet(5, 1500));
  parts.push_back(Quiet(6, 33));
  parts.back().hints = kArtefactStimulus;
  parts.push_back(Quiet(7, 2400));
  TrainSlots one_by_one = Slots();
  const std::vector<TrainSlot> expected = PushAll(one_by_one, parts, 1);
  const auto judged = std::count_if(expected.begin(), expected.end(),
                                    [](const TrainSlot& slot) { return slot.judged; });
  EXPECT_GT(judged, 20);
  EXPECT_GT(expected.size() - judged, 20u);
  for (const std::size_t block : {7u, 24u, 120u, 333u, 5000u}) {
    TrainSlots slots = Slots();
    const std::vector<TrainSlot> full = PushAll(slots, parts, block);
    ASSERT_EQ(full.size(), expected.size());
    EXPECT_EQ(slots.unjudged_samples(), one_by_one.unjudged_samples());
    for (std::size_t k = 0; k < full.size(); ++k) {
      EXPECT_EQ(full[k].judged, expected[k].judged) << block << " " << k;
      EXPECT_EQ(full[k].first_sample, expected[k].first_sample);
      EXPECT_EQ(full[k].energy, expected[k].energy);
      EXPECT_EQ(full[k].step_energy, expected[k].step_energy);
      EXPECT_EQ(full[k].bin_peaks, expected[k].bin_peaks);
      EXPECT_EQ(full[k].reduced, expected[k].reduced);
    }
  }
}

TEST(TrainSlots, OfAnArtefactAreNotJudgedUntilItsTailIsOver) {
  Part part = Quiet(1, 30 * kSlot);
  part.uv[5 * kSlot + 60] = 6000.0;  // behind it 900 samples: into the 14th slot
  TrainSlots slots = Slots();
  const std::vector<TrainSlot> full = PushAll(slots, {part}, 500);
  ASSERT_EQ(full.size(), 30u);
  for (std::size_t k = 0; k < full.size(); ++k) EXPECT_EQ(full[k].judged, k < 5 || k > 13) << k;
  EXPECT_EQ(slots.unjudged_samples(), 9 * kSlot);
  // What was no muscle's counts as silence.
  EXPECT_LT(full[5].high_uv, 20.0);
}

TEST(TrainSlots, OfBroadNoiseAreNotJudgedNorIsWhatFollows) {
  std::vector<Part> parts = {
      Quiet(1, 5 * kSlot), {TestNoise(2).Gaussian(2 * kSlot, 60.0)}, Quiet(3, 20 * kSlot)};
  TrainSlots slots = Slots();
  const std::vector<TrainSlot> full = PushAll(slots, parts, 77);
  ASSERT_EQ(full.size(), 27u);
  for (std::size_t k = 0; k < full.size(); ++k) {
    // 150 ms behind the end of the first that was found are 7.5 slots.
    EXPECT_EQ(full[k].judged, k < 5 || k > 13) << k;
  }
}

TEST(TrainSlots, BeforeTheFloorIsKnownAreNotJudged) {
  TrainSlots slots = Slots();
  std::vector<TrainSlot> full;
  slots.Push(Quiet(1, 2 * kSlot).uv, kNoArtefact, 0.0, full);
  slots.Push(Quiet(2, 2 * kSlot).uv, kNoArtefact, kFloorUv, full);
  ASSERT_EQ(full.size(), 4u);
  for (std::size_t k = 0; k < full.size(); ++k) EXPECT_EQ(full[k].judged, k >= 2);
}

TEST(TrainSlots, WhatWasBegunBeforeAPauseIsDropped) {
  TrainSlots slots = Slots();
  std::vector<TrainSlot> full;
  slots.Push(Quiet(1, kSlot + 50).uv, kNoArtefact, kFloorUv, full);
  slots.Restart();
  slots.Push(Quiet(2, kSlot).uv, kNoArtefact, kFloorUv, full);
  ASSERT_EQ(full.size(), 2u);
  EXPECT_EQ(full[1].first_sample, kSlot + 50);
  EXPECT_EQ(full[1].samples, kSlot);
}

}  // namespace
}  // namespace remora::dsp
