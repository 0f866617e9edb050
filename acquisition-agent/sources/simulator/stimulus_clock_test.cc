#include "acquisition-agent/sources/simulator/stimulus_clock.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

struct Timed {
  std::string label;
  std::string site;
  double time_s;
  double intensity;
};

std::vector<Timed> Stimuli(const std::string& text, double end_s) {
  absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  const EventSchedule schedule(scenario->events, 1000);
  StimulusClock clock(*scenario, schedule);
  std::vector<Timed> out;
  while (const std::optional<Stimulus> s = clock.NextBefore(static_cast<int64_t>(end_s * 1e9))) {
    const Stimulator& which = scenario->stimulators[s->stimulator];
    out.push_back({StimulusLabel(which, s->number), StimulusSite(which, s->number),
                   static_cast<double>(s->time_ns) * 1e-9, s->intensity});
    EXPECT_LE(out[out.size() - std::min<size_t>(out.size(), 2)].time_s, out.back().time_s);
  }
  return out;
}

std::vector<Timed> Of(const std::vector<Timed>& all, const std::string& label) {
  std::vector<Timed> out;
  for (const Timed& timed : all) {
    if (timed.label == label) out.push_back(timed);
  }
  return out;
}

TEST(StimulusClock, SepPauseForATrainAndGoOn) {
  const auto all = Stimuli(
      "stimulate median both at 4.7 Hz\nstimulate mep C3-C4 every 10 s 400 V from 5 s\n", 40);
  const auto meps = Of(all, "MEP C3-C4");
  ASSERT_EQ(meps.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(meps[i].time_s, 5 + 10 * i, 1e-9);
    EXPECT_EQ(meps[i].intensity, 400);
    for (const Timed& other : all) {
      const double since_s = other.time_s - meps[i].time_s;
      EXPECT_FALSE(other.label != "MEP C3-C4" && since_s > -StimulusClock::kPauseBeforeS &&
                   since_s < StimulusClock::kPauseAfterS);
    }
  }
  EXPECT_GT(Of(all, "MED L").size(), 4.7 * 40 * 0.95);
}

TEST(StimulusClock, ATrainOfFourIsFourStimuliAtTwoHertz) {
  const auto tof =
      Of(Stimuli("stimulate tof left hand every 20 s 40 mA from 2 s\n", 30), "TOF L hand");
  ASSERT_EQ(tof.size(), 8u);
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(tof[i].time_s, 2 + 20 * (i / 4) + 0.5 * (i % 4), 1e-9);
}

TEST(StimulusClock, ATestStepsUpAndDownAndHasPrecedence) {
  const auto all = Stimuli(
      "screw L4 left threshold 9 mA\nstimulate mep C3-C4 every 5 s 400 V from 5 s\n"
      "at 9 s: test screw L4 left from 6 mA to 12 mA step 2 mA each 500 ms\n"
      "at 20 s: test screw L4 left from 12 mA to 8 mA step 2 mA each 500 ms\n",
      30);
  const auto screw = Of(all, "SCREW L4 L");
  ASSERT_EQ(screw.size(), 7u);
  const std::vector<double> ma = {6, 8, 10, 12, 12, 10, 8};
  for (int i = 0; i < 7; ++i) {
    EXPECT_NEAR(screw[i].intensity, ma[i], 1e-9);
    EXPECT_NEAR(screw[i].time_s, i < 4 ? 9 + 0.5 * i : 20 + 0.5 * (i - 4), 1e-9);
    EXPECT_EQ(screw[i].site, "L4 L");
  }
  // 10 s and 20 s are taken.
  const auto meps = Of(all, "MEP C3-C4");
  ASSERT_EQ(meps.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(meps[i].time_s, 5 + 10 * i, 1e-9);
}

TEST(StimulusClock, FromAndUntilBoundAStimulator) {
  const auto all = Stimuli(
      "stimulate rln left every 2 s 1 mA from 10 s until 15 s\n"
      "stimulate baep right at 11.1 Hz from 20 s until 21 s\n",
      40);
  EXPECT_EQ(Of(all, "RLN L").size(), 3u);
  for (const Timed& timed : Of(all, "BAEP R")) {
    EXPECT_GE(timed.time_s, 20);
    EXPECT_LT(timed.time_s, 21.2);
  }
  EXPECT_NEAR(Of(all, "BAEP R").size(), 11, 1);
}

TEST(StimulusClock, TheMidlinesContactsComeInTurn) {
  const auto all = Stimuli("stimulate midline at 2.1 Hz 2 mA\n", 10);
  ASSERT_GE(all.size(), 17u);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].site, "contact " + std::to_string(i % 8 + 1));
    EXPECT_EQ(all[i].label, "MIDLINE " + all[i].site);
  }
}

}  // namespace
}  // namespace remora::agent::sim
