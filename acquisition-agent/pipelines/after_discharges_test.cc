#include "acquisition-agent/pipelines/after_discharges.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "gtest/gtest.h"

namespace remora::agent {
namespace {

constexpr double kRateHz = 250;
constexpr int kPieceSamples = 25;
constexpr double kPieceS = kPieceSamples / kRateHz;

// A rhythm of 9 Hz; nothing from 12 to 14 s, spikes at 3.5 Hz from 15 to 20 s.
double Cortex(double time_s) {
  if (time_s >= 12 && time_s < 14) return 0;
  double uv = 20 * std::sin(2 * std::numbers::pi * 9 * time_s);
  if (time_s > 14.9 && time_s < 20) {
    const double nearest_s = 15 + std::round((time_s - 15) * 3.5) / 3.5;
    uv += 400 * std::exp(-std::pow((time_s - nearest_s) / 0.02, 2));
  }
  return uv;
}

// 50 Hz from 12 to 14 s, the first second at 8 mA and the rest at 5: between two of these pulses
// each piece ends.
std::vector<Stimulus> Pulses() {
  std::vector<Stimulus> pulses;
  for (int i = 0; i < 100; ++i) {
    Stimulus pulse;
    pulse.time_ns = 12'005'000'000 + i * int64_t{20'000'000};
    pulse.own = {true};
    pulse.told.time_ns = pulse.time_ns;
    pulse.told.site = "G3";
    pulse.told.delivered_ma = i < 50 ? 8 : 5;
    pulses.push_back(pulse);
  }
  return pulses;
}

// Each stimulus is told so many pieces before the one that holds it.
std::vector<EegDischarge> Watched(int64_t pieces_ahead) {
  AfterDischarges watch = *AfterDischarges::Create(ResolvedTrigger(), kRateHz);
  const std::vector<Stimulus> pulses = Pulses();
  size_t told = 0;
  std::vector<EegDischarge> found;
  for (int64_t p = 0; p < 260; ++p) {
    const auto known_ns =
        static_cast<int64_t>(static_cast<double>(p + 1 + pieces_ahead) * kPieceS * 1e9);
    for (; told < pulses.size() && pulses[told].time_ns < known_ns; ++told) {
      watch.OnStimulus(pulses[told]);
    }
    Piece piece;
    piece.starts_segment = p == 0;
    piece.first_sent_index = p * kPieceSamples;
    for (int i = 0; i < kPieceSamples; ++i) {
      piece.sent_uv.push_back(Cortex(static_cast<double>(piece.first_sent_index + i) / kRateHz));
    }
    watch.OnPiece(piece, &found);
  }
  watch.OnEnd(&found);
  return found;
}

TEST(AfterDischarges, AreTheSameHoweverFarAheadStimuliAreTold) {
  const std::vector<EegDischarge> at_once = Watched(0);
  ASSERT_GE(at_once.size(), 3u);
  // One stimulation, of which the largest current counts.
  EXPECT_EQ(at_once[0].current_ma, 8);
  EXPECT_NEAR(static_cast<double>(at_once[0].started_ns) / 1e9, 15, 0.05);
  EXPECT_NEAR(at_once[0].after_stimulus_ms, 1015, 50);
  EXPECT_FALSE(at_once.back().ongoing);
  for (const int64_t ahead : {1, 3, 300}) {
    const std::vector<EegDischarge> told = Watched(ahead);
    ASSERT_EQ(told.size(), at_once.size()) << ahead;
    for (size_t i = 0; i < told.size(); ++i) {
      EXPECT_EQ(told[i].started_ns, at_once[i].started_ns);
      EXPECT_EQ(told[i].current_ma, at_once[i].current_ma);
      EXPECT_EQ(told[i].after_stimulus_ms, at_once[i].after_stimulus_ms);
      EXPECT_EQ(told[i].found.duration_ms, at_once[i].found.duration_ms);
      EXPECT_EQ(told[i].found.background_uv, at_once[i].found.background_uv);
    }
  }
}

}  // namespace
}  // namespace remora::agent
