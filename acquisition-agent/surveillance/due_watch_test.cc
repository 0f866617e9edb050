#include "acquisition-agent/surveillance/due_watch.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr int64_t kMinute = 60'000'000'000;

constexpr char kPlan[] = R"(
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "CP3"
    trigger { label_prefix: "MED R" }
    component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 26 }
    component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 20 window_to_ms: 36 } }
  evoked { modality: MODALITY_BAEP side: SIDE_RIGHT derivation: "Cz"
    trigger { label_prefix: "CLICK" }
    component { label: "V" polarity: POLARITY_POSITIVE window_from_ms: 5 window_to_ms: 8 }
    component { label: "V'" polarity: POLARITY_NEGATIVE window_from_ms: 5.5 window_to_ms: 10 } }
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
    muscle { derivation: "TA" side: SIDE_RIGHT } })";

constexpr char kDWave[] = R"(
  evoked { modality: MODALITY_D_WAVE side: SIDE_MIDLINE derivation: "Cord"
    trigger { label_prefix: "MEP" }
    component { label: "D" polarity: POLARITY_NEGATIVE window_from_ms: 4 window_to_ms: 12 }
    component { label: "E" polarity: POLARITY_POSITIVE window_from_ms: 5 window_to_ms: 16 } })";

// Stimulated when there is something to ask, and awaited by nobody.
constexpr char kAsked[] = R"(
  motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "SCREW" }
    muscle { derivation: "TA" side: SIDE_RIGHT } }
  motor { modality: MODALITY_RLN_INTERMITTENT trigger { label_prefix: "RLN" }
    muscle { derivation: "VOC" side: SIDE_RIGHT } }
  motor { modality: MODALITY_EMG_TRIGGERED trigger { label_prefix: "NERVE" }
    muscle { derivation: "TA" side: SIDE_RIGHT } })";

ResolvedPlan Loaded(const std::string& text) {
  Drawing drawing;
  drawing.channels = {"CP3", "Cz", "TA", "Cord", "VOC"};
  const DrawnSource source(drawing);
  auto resolved = ResolvePlan(PlanOverChannels(text, drawing.channels), source.info());
  EXPECT_TRUE(resolved.ok()) << resolved.status();
  return resolved.ok() ? *std::move(resolved) : ResolvedPlan();
}

class DueWatchTest : public ::testing::Test, public RecordSink {
 protected:
  RecordKey Put(v1::Record* record, int64_t) override {
    told.push_back(record->alert());
    return {OriginId(), 0, told.size()};
  }
  // Time goes on to this minute, with each piece of signal.
  void Until(int64_t minute) {
    for (; now_ns <= minute * kMinute; now_ns += kMinute / 60) watch.OnTime(now_ns);
  }

  std::vector<v1::Alert> told;
  int64_t now_ns = 0;
  ResolvedPlan plan = Loaded(kPlan);
  DueWatch watch{plan, *this};
};

TEST_F(DueWatchTest, NothingIsOverdueWithoutARisk) {
  watch.OnPhase(v1::PHASE_EXPOSURE, 0);
  Until(60);
  EXPECT_TRUE(told.empty());
}

TEST_F(DueWatchTest, InARiskStageEachModalityIsOverdueAfterItsOwnTimeAndOnce) {
  Until(5);
  watch.OnPhase(v1::PHASE_CORRECTION, now_ns);
  Until(7);
  EXPECT_TRUE(told.empty()) << "awaited from the stage's beginning on";
  Until(14);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].trace_id(), "due/SEP_UPPER");
  EXPECT_EQ(told[0].alert_class(), v1::ALERT_CLASS_TECHNICAL);
  EXPECT_EQ(told[0].condition(), v1::ALERT_CONDITION_RAISED);
  watch.OnTrial(v1::MODALITY_SEP_UPPER, now_ns);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].condition(), v1::ALERT_CONDITION_RECOVERED);
  Until(16);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].trace_id(), "due/MEP_TRANSCRANIAL") << "after 10 min";
}

TEST_F(DueWatchTest, TheEndOfTheStageEndsIt) {
  watch.OnPhase(v1::PHASE_CORRECTION, 0);
  Until(4);
  ASSERT_EQ(told.size(), 1u);
  watch.OnPhase(v1::PHASE_CLOSURE, now_ns);
  EXPECT_EQ(told.back().condition(), v1::ALERT_CONDITION_RECOVERED);
  Until(60);
  EXPECT_EQ(told.size(), 2u);
}

TEST_F(DueWatchTest, ScrewsAndNervesAreNotAwaitedAndADWaveIs) {
  const ResolvedPlan all = Loaded(std::string(kPlan) + kDWave + kAsked);
  DueWatch of_all{all, *this};
  of_all.OnPhase(v1::PHASE_RESECTION, 0);
  of_all.OnTime(60 * kMinute);
  std::vector<std::string> overdue;
  for (const v1::Alert& alert : told) overdue.push_back(alert.trace_id());
  EXPECT_THAT(overdue, UnorderedElementsAre("due/SEP_UPPER", "due/MEP_TRANSCRANIAL", "due/D_WAVE"));
}

TEST_F(DueWatchTest, BehindARestartWhatWasOverdueIsNotRaisedAgainAndTheWaitBeginsAnew) {
  watch.OnPhase(v1::PHASE_CORRECTION, 0);
  Until(4);
  ASSERT_EQ(told.size(), 1u);
  CasePast past;
  past.phase = v1::PHASE_CORRECTION;
  past.alerts.push_back({RecordKey{OriginId::FromBytes(std::string(16, 'o')), 0, 7}, told[0]});
  DueWatch after{plan, *this};
  after.Restore(past, now_ns);
  for (int64_t end_ns = now_ns + 9 * kMinute; now_ns < end_ns; now_ns += kMinute) {
    after.OnTime(now_ns);
  }
  EXPECT_EQ(told.size(), 1u) << "nor is the MEP, for 10 min";
  after.OnTrial(v1::MODALITY_SEP_UPPER, now_ns);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(told[1].raised_by().origin_seq(), 7u);
  after.OnTime(now_ns + 2 * kMinute);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].trace_id(), "due/MEP_TRANSCRANIAL");
}

using DueCaseTest = DrawnCaseTest;

TEST_F(DueCaseTest, AnMepThatIsOverdueIsToldAndRecoversWithTheNextOne) {
  Drawing drawing;
  drawing.channels = {"TA"};
  drawing.rate_hz = 1000;
  drawing.seconds = 720;
  drawing.noise_uv = 5;
  drawing.block_ms = 500;
  drawing.items.push_back(SourceEvent{30'000'000'000, 0, "PHASE CORRECTION"});
  for (const auto& [at_s, label] :
       {std::pair<int64_t, const char*>{60, "MEP"}, {300, "SCREW L4"}, {690, "MEP"}}) {
    StimulusTrigger pulse;
    pulse.time_ns = at_s * 1'000'000'000;
    pulse.label = label;
    drawing.items.push_back(pulse);
  }
  Run(R"(
    motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
      muscle { derivation: "TA" side: SIDE_RIGHT } }
    motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "SCREW" }
      muscle { derivation: "TA" side: SIDE_RIGHT } })",
      std::move(drawing));
  std::vector<std::pair<v1::AlertCondition, int64_t>> found;
  for (const v1::Record& record : sink_.records) {
    if (!record.has_alert()) continue;
    EXPECT_EQ(record.alert().trace_id(), "due/MEP_TRANSCRANIAL");
    found.emplace_back(record.alert().condition(),
                       record.captured_at().monotonic_ns() / 1'000'000'000);
  }
  // Its sweep ended in the block that began at 60 s.
  EXPECT_THAT(found, ElementsAre(std::pair(v1::ALERT_CONDITION_RAISED, 661),
                                 std::pair(v1::ALERT_CONDITION_RECOVERED, 690)));
}

}  // namespace
}  // namespace remora::agent
