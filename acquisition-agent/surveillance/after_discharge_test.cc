// After-discharges in a drawn ECoG: found behind the plan's stimuli, told while they go on, with
// where was stimulated and how much.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kPlan[] = R"(
  eeg { modality: MODALITY_ECOG derivation: "G3" side: SIDE_LEFT
    after_discharge_trigger { label_prefix: "CORTEX" } })";

// Spikes at 3.5 Hz from `from_s` on.
struct Spikes {
  double from_s = 24;
  double seconds = 5.9;
  double uv = 400;
};

double Spike(const Spikes& spikes, double time_s) {
  const double since_s = time_s - spikes.from_s;
  if (since_s < -0.1 || since_s > spikes.seconds) return 0;
  const double nearest_s = std::round(since_s * 3.5) / 3.5;
  return spikes.uv * std::exp(-std::pow((since_s - nearest_s) / 0.02, 2));
}

class AfterDischargeTest : public DrawnCaseTest {
 protected:
  // Cortex with a rhythm, at its rail while it is stimulated and `rail_s` longer.
  static Drawing Cortex(const std::vector<Spikes>& spikes, double rail_s = 0) {
    Drawing drawing;
    drawing.channels = {"G3"};
    drawing.rate_hz = 1024;
    drawing.seconds = 45;
    drawing.noise_uv = 5;
    drawing.uv = [spikes, rail_s](int, double time_s) {
      if (time_s >= 20 && time_s < 23 + rail_s) return 10000.0;
      double uv = 20 * std::sin(2 * std::numbers::pi * 9 * time_s);
      for (const Spikes& one : spikes) uv += Spike(one, time_s);
      return uv;
    };
    return drawing;
  }
  // 50 Hz for `seconds`, each pulse a trigger.
  static void Stimulate(double from_s, double seconds, double ma, Drawing* drawing) {
    for (int i = 0; i < std::lround(seconds * 50); ++i) {
      StimulusTrigger pulse;
      pulse.time_ns = static_cast<int64_t>((from_s + i * 0.02) * 1e9);
      pulse.label = "CORTEX G3-G4";
      pulse.commanded_ma = ma + 1;
      pulse.delivered_ma = ma;
      drawing->items.push_back(pulse);
    }
  }
  std::vector<v1::EegActivity> Activities() const {
    return sink_.All(&v1::Record::has_eeg_activity, &v1::Record::eeg_activity);
  }
};

TEST_F(AfterDischargeTest, OneIsToldWhileItGoesOnAndWhenItIsOver) {
  Drawing drawing = Cortex({Spikes()});
  Stimulate(20, 3, 8, &drawing);
  Run(kPlan, std::move(drawing));
  const auto all = Activities();
  ASSERT_GE(all.size(), 5u);
  ASSERT_LE(all.size(), 8u);
  double last_ms = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].trace_id(), "ECOG/L/G3");
    EXPECT_EQ(all[i].kind(), v1::EEG_ACTIVITY_KIND_AFTER_DISCHARGE);
    EXPECT_EQ(all[i].started_monotonic_ns(), all[0].started_monotonic_ns());
    EXPECT_EQ(all[i].site(), "G3-G4");
    EXPECT_EQ(all[i].current_ma(), 8);
    EXPECT_EQ(all[i].ongoing(), i + 1 < all.size());
    EXPECT_GE(all[i].duration_ms(), last_ms);
    last_ms = all[i].duration_ms();
  }
  EXPECT_NEAR(all[0].started_monotonic_ns() / 1e9, 24, 0.05);
  EXPECT_NEAR(all[0].duration_ms(), 2000, 300);
  EXPECT_NEAR(last_ms, 5714, 100);
  EXPECT_NEAR(all.back().rate_hz(), 3.5, 0.1);
  EXPECT_NEAR(all.back().peak_uv(), 370, 60);
  EXPECT_THAT(all.back().reason(),
              AllOf(HasSubstr("21 discharges, the first 1.0 s after"), Not(HasSubstr("known"))));
}

TEST_F(AfterDischargeTest, WhatOthersStimulateOrTheCortexDoesByItselfIsNone) {
  Drawing drawing = Cortex({Spikes()});
  StimulusTrigger other;
  other.time_ns = 20'000'000'000;
  other.label = "MED R";
  drawing.items.push_back(other);
  Run(kPlan, std::move(drawing));
  EXPECT_THAT(Activities(), IsEmpty());
}

TEST_F(AfterDischargeTest, AQuietCortexAfterAStimulusHasNone) {
  Drawing drawing = Cortex({});
  Stimulate(20, 3, 8, &drawing);
  Run(kPlan, std::move(drawing));
  EXPECT_THAT(Activities(), IsEmpty());
}

TEST_F(AfterDischargeTest, OnesLargerThanAnyEegAndBehindASlowAmplifierAreFound) {
  // Spikes over reject_over_uv; the rail until 1.5 s after the stimulus.
  Drawing drawing = Cortex({{25, 6, 900}}, 1.5);
  Stimulate(20, 3, 8, &drawing);
  Run(kPlan, std::move(drawing));
  const auto all = Activities();
  ASSERT_THAT(all, Not(IsEmpty()));
  EXPECT_NEAR(all[0].started_monotonic_ns() / 1e9, 25, 0.05);
  EXPECT_THAT(all[0].reason(), HasSubstr("the first 2.0 s after the stimulus"));
}

TEST_F(AfterDischargeTest, AnAnnotationLastsAsLongAsItSays) {
  // 50 Hz within the amplifier's range: only its duration tells it from discharges.
  Drawing drawing = Cortex({{23.8, 5, 400}});
  const auto cortex = drawing.uv;
  drawing.uv = [cortex](int channel, double time_s) {
    if (time_s < 20 || time_s >= 23) return cortex(channel, time_s);
    return 800 * std::sin(2 * std::numbers::pi * 50 * time_s);
  };
  drawing.items.push_back(SourceEvent{20'000'000'000, 3'000'000'000, "CORTEX G3"});
  Run(kPlan, std::move(drawing));
  const auto all = Activities();
  ASSERT_THAT(all, Not(IsEmpty()));
  EXPECT_NEAR(all[0].started_monotonic_ns() / 1e9, 23.8, 0.05);
  EXPECT_EQ(all[0].site(), "G3");
  EXPECT_EQ(all[0].current_ma(), 0);
}

TEST_F(AfterDischargeTest, AnotherStimulusEndsItAndSaysThatTheEndIsNotKnown) {
  Drawing drawing = Cortex({{24, 15, 400}});
  Stimulate(20, 3, 8, &drawing);
  Stimulate(30, 1, 5, &drawing);
  Run(kPlan, std::move(drawing));
  const auto all = Activities();
  const auto over = std::find_if(all.begin(), all.end(),
                                 [](const v1::EegActivity& one) { return !one.ongoing(); });
  ASSERT_NE(over, all.end());
  EXPECT_EQ(over->current_ma(), 8);
  EXPECT_NEAR(over->duration_ms(), 6000, 400);
  EXPECT_THAT(over->reason(), HasSubstr("how long it went on is not known"));
  // What goes on behind the second one is its own.
  EXPECT_EQ(all.back().current_ma(), 5);
}

TEST_F(AfterDischargeTest, TheEndOfTheSourceEndsIt) {
  Drawing drawing = Cortex({{24, 30, 400}});
  drawing.seconds = 30;
  Stimulate(20, 3, 8, &drawing);
  Run(kPlan, std::move(drawing));
  ASSERT_THAT(Activities(), Not(IsEmpty()));
  EXPECT_FALSE(Activities().back().ongoing());
}

}  // namespace
}  // namespace remora::agent
