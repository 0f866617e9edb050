#include "acquisition-agent/sources/simulator/schedule.h"

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

EventSchedule Schedule(const std::string& text, double sample_rate_hz = 1000) {
  absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return EventSchedule(scenario->events, sample_rate_hz);
}

TEST(EventSchedule, RampsResponsesDownAndBackUp) {
  const EventSchedule schedule =
      Schedule("at 10 s for 20 s: sep tibial left cortical amplitude 0.2 latency 1.1 ramp 4 s");
  const auto at = [&](double time_s) {
    return schedule.Response(Nerve::kTibial, Side::kLeft, Level::kCortical, time_s);
  };
  EXPECT_EQ(at(9.99).amplitude, 1);
  EXPECT_NEAR(at(12).amplitude, 0.6, 1e-12);
  EXPECT_NEAR(at(12).latency, 1.05, 1e-12);
  EXPECT_NEAR(at(14).amplitude, 0.2, 1e-12);
  EXPECT_NEAR(at(29.9).amplitude, 0.2, 1e-12);
  EXPECT_NEAR(at(32).amplitude, 0.6, 1e-12);
  EXPECT_EQ(at(34.01).amplitude, 1);
  EXPECT_EQ(schedule.Response(Nerve::kTibial, Side::kLeft, Level::kSubcortical, 20).amplitude, 1);
  EXPECT_EQ(schedule.Response(Nerve::kTibial, Side::kRight, Level::kCortical, 20).amplitude, 1);
  EXPECT_EQ(schedule.Response(Nerve::kMedian, Side::kLeft, Level::kCortical, 20).amplitude, 1);
}

TEST(EventSchedule, ChangesThatOverlapMultiply) {
  const EventSchedule schedule =
      Schedule("at 0 s: sep all both amplitude 0.5\nat 0 s: sep all left amplitude 0.5\n");
  EXPECT_NEAR(schedule.Response(Nerve::kMedian, Side::kLeft, Level::kCortical, 1).amplitude, 0.25,
              1e-12);
}

TEST(EventSchedule, VisitsEveryOccurrenceThatTouchesAStretch) {
  const EventSchedule schedule = Schedule("at 1 s every 10 s for 2 s: diathermy");
  std::vector<int64_t> begins;
  schedule.Visit(Kind::kDiathermy, 12'999, 31'001,
                 [&](const Occurrence& o) { begins.push_back(o.first_sample); });
  EXPECT_EQ(begins, (std::vector<int64_t>{11'000, 21'000, 31'000}));
  begins.clear();
  schedule.Visit(Kind::kDiathermy, 13'000, 21'000,
                 [&](const Occurrence& o) { begins.push_back(o.first_sample); });
  EXPECT_TRUE(begins.empty());
}

TEST(EventSchedule, ATimeThatIsNoSumOfBinaryFractionsBeginsOnItsSample) {
  const EventSchedule schedule = Schedule("at 300 ms for 100 ms: diathermy");
  schedule.Visit(Kind::kDiathermy, 0, 10'000, [&](const Occurrence& o) {
    EXPECT_EQ(o.first_sample, 300);
    EXPECT_EQ(o.end_sample, 400);
  });
}

TEST(EventSchedule, FindsTheEdgesOfGaps) {
  const EventSchedule schedule = Schedule("at 1 s every 5 s: gap 2 s\nat 2 s: gap 1.5 s");
  bool in_gap = false;
  EXPECT_EQ(schedule.NextGapEdge(0, &in_gap), 1000);
  EXPECT_FALSE(in_gap);
  EXPECT_EQ(schedule.NextGapEdge(1000, &in_gap), 3000);
  EXPECT_TRUE(in_gap);
  EXPECT_EQ(schedule.NextGapEdge(2000, &in_gap), 3500);  // the second one reaches farther
  EXPECT_EQ(schedule.NextGapEdge(3500, &in_gap), 6000);
  EXPECT_FALSE(in_gap);
  EXPECT_EQ(Schedule("").NextGapEdge(5, &in_gap), INT64_MAX);
}

TEST(EventSchedule, StopsStimulationOfWhatIsNamed) {
  const EventSchedule schedule = Schedule(
      "at 1 s for 1 s: stop stimulation tibial left\nat 5 s for 1 s: stop stimulation mep\n"
      "at 7 s for 1 s: stop stimulation\n");
  Stimulator tibial;
  tibial.nerve = Nerve::kTibial;
  Stimulator mep;
  mep.kind = StimulusKind::kMep;
  const auto stopped = [&](const Stimulator& stimulator, double time_s) {
    return schedule.IsInForce(Kind::kStopStimulation, stimulator, time_s);
  };
  EXPECT_TRUE(stopped(tibial, 1.5));
  EXPECT_FALSE(stopped(mep, 1.5));
  EXPECT_FALSE(stopped(tibial, 2.0));
  EXPECT_FALSE(stopped(tibial, 5.5));
  EXPECT_TRUE(stopped(mep, 5.5));
  EXPECT_TRUE(stopped(tibial, 7.5) && stopped(mep, 7.5));
  tibial.side = Side::kRight;
  EXPECT_FALSE(stopped(tibial, 1.5));
}

}  // namespace
}  // namespace remora::agent::sim
