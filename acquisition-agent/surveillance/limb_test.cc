// Motor evoked responses of a drawn case: a limb's references, its alerts, repeats that are asked
// for, relaxation, and going on after a restart.
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/baseline_records.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr double kEveryS = 2;
constexpr const char* kMuscles[] = {"TA L", "AH L", "GC L", "APB L"};
constexpr double kUsualUv[] = {900, 400, 600, 1500};

constexpr char kPlan[] = R"(
  procedure_kind: PROCEDURE_KIND_SPINAL_DEFORMITY
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
    stimulus { site: "scalp" electrodes: "C4-C3" voltage_v: 400 }
    muscle { derivation: "TA L" side: SIDE_LEFT myotome: "L4-L5" level_role: LEVEL_ROLE_BELOW }
    muscle { derivation: "AH L" side: SIDE_LEFT myotome: "S1-S2" level_role: LEVEL_ROLE_BELOW }
    muscle { derivation: "GC L" side: SIDE_LEFT myotome: "S1" level_role: LEVEL_ROLE_BELOW }
    muscle { derivation: "APB L" side: SIDE_LEFT myotome: "C8-T1" level_role: LEVEL_ROLE_ABOVE }
    baseline { first_trials_count: 5 } }
  train_of_four { derivation: "APB L" side: SIDE_LEFT limb: "left hand"
    trigger { label_prefix: "TOF" } })";

constexpr char kCriteria[] = R"(name: "t" version: "3"
  criterion { key: "MEP.cord" modality: MODALITY_MEP_TRANSCRANIAL
    procedure: PROCEDURE_KIND_SPINAL_DEFORMITY amber_amplitude_fall_percent: 50
    red_amplitude_fall_percent: 80 source: "Tanaka 2019" }
  criterion { key: "MEP.other" modality: MODALITY_MEP_TRANSCRANIAL
    procedure: PROCEDURE_KIND_SPINAL_ROOTS amber_amplitude_fall_percent: 10 source: "nobody" }
  criterion { key: "MEP.adaptive" modality: MODALITY_MEP_TRANSCRANIAL
    adaptive { least_fall_percent: 30 } source: "ISIN 2019" }
  criterion { key: "MEP.drift" modality: MODALITY_MEP_TRANSCRANIAL
    drift { least_fall_percent: 20 } source: "Page 1954" })";

// Shares of the usual amplitude, by trial and muscle; what is not named is 1.
using Shares = std::map<int, std::vector<double>>;

class LimbTest : public DrawnCaseTest {
 protected:
  LimbTest() { criteria_text_ = kCriteria; }

  void RunTrials(int trials, Shares shares, std::vector<Item> more = {},
                 const std::string& plan = kPlan) {
    Drawing drawing;
    drawing.channels.assign(std::begin(kMuscles), std::end(kMuscles));
    drawing.seconds = trials * kEveryS + 2;
    drawing.items = std::move(more);
    for (int i = 0; i < trials; ++i) {
      StimulusTrigger pulse;
      pulse.time_ns = static_cast<int64_t>((1 + i * kEveryS) * 1e9);
      pulse.label = "MEP";
      pulse.commanded_v = 400;
      drawing.items.push_back(pulse);
    }
    drawing.uv = [shares](int channel, double time_s) {
      const int trial = static_cast<int>((time_s - 1) / kEveryS);
      if (time_s < 1) return 0.0;
      double share = 1;
      if (const auto of = shares.find(trial); of != shares.end()) {
        share = of->second[static_cast<size_t>(channel)];
      }
      // Muscles vary by themselves, each in its own way.
      const double varies = 1 + 0.12 * std::sin(2.4 * trial + channel);
      return Biphasic(time_s - 1 - trial * kEveryS, channel == 3 ? 0.022 : 0.036,
                      share * varies * kUsualUv[channel]);
    };
    Run(plan, std::move(drawing));
  }
  static Shares Legs(int from, int to, double share) {
    Shares shares;
    for (int i = from; i < to; ++i) shares[i] = {share, share, share, 1};
    return shares;
  }
  std::vector<v1::Alert> Alerts() const {
    return sink_.All(&v1::Record::has_alert, &v1::Record::alert);
  }
  std::vector<v1::Request> Requests() const {
    return sink_.All(&v1::Record::has_request, &v1::Record::request);
  }
  std::vector<v1::BaselineSet> Baselines() const {
    return sink_.All(&v1::Record::has_baseline_set, &v1::Record::baseline_set);
  }
  std::vector<std::string> Messages() const {
    std::vector<std::string> texts;
    for (const v1::Message& one : sink_.All(&v1::Record::has_message, &v1::Record::message)) {
      texts.push_back(one.text());
    }
    return texts;
  }
  std::vector<v1::Measurement> Of(const std::string& derivation) const {
    std::vector<v1::Measurement> of;
    for (v1::Measurement& one : sink_.All(&v1::Record::has_measurement, &v1::Record::measurement)) {
      if (one.trace_id().find(derivation) != std::string::npos) of.push_back(std::move(one));
    }
    return of;
  }
  // Each record that a person wrote has a key of its own.
  v1::Record Person(const std::string& text) {
    v1::Record record;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &record)) << text;
    record.set_origin(std::string(16, 'p'));
    record.set_lane(record.has_alert_action() ? 0 : 1);
    record.set_origin_seq(++persons_);
    return record;
  }
  static int64_t TrialNs(int trial) { return static_cast<int64_t>((1.5 + trial * kEveryS) * 1e9); }

  uint64_t persons_ = 0;
};

TEST_F(LimbTest, FiveTrialsMakeASealedBaselineOfEachMuscle) {
  RunTrials(7, {});
  const auto baselines = Baselines();
  ASSERT_THAT(baselines, SizeIs(4));
  EXPECT_EQ(baselines[0].trace_id(), "MEP_TRANSCRANIAL/L/TA L");
  EXPECT_EQ(baselines[0].kind(), v1::BASELINE_KIND_PRE_INCISION);
  EXPECT_NEAR(baselines[0].amplitude_uv(), 900, 100);
  EXPECT_THAT(baselines[0].sweeps(), SizeIs(5));
  EXPECT_EQ(baselines[0].muscle().trial_count(), 5u);
  EXPECT_EQ(baselines[0].muscle().monitorability(), v1::MONITORABILITY_MONITORABLE);
  for (v1::BaselineSet set : baselines) {
    const std::string digest = set.digest();
    EXPECT_THAT(digest, SizeIs(32));
    set.set_amplitude_uv(set.amplitude_uv() * 1.01);
    Seal(&set);
    EXPECT_NE(set.digest(), digest) << "a change shows";
  }
  const auto ta = Of("TA L");
  ASSERT_THAT(ta, SizeIs(7));
  EXPECT_EQ(ta[4].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
  EXPECT_EQ(ta[5].state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  EXPECT_NEAR(ta[5].amplitude_percent_of_baseline(), 100, 25);
  // Its limits stand beside it.
  EXPECT_NEAR(ta[5].amber_under_uv(), 450, 60);
  EXPECT_GT(ta[5].amber_under_uv(), ta[5].red_under_uv());
  EXPECT_GT(ta[5].red_under_uv(), 50);
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(LimbTest, AFirstLostTrialIsAmberAtOnceWithAPreparedRepeatAndTheSecondIsRed) {
  RunTrials(16, Legs(12, 16, 0));
  const auto alerts = Alerts();
  ASSERT_GE(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts[0].priority(), v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_EQ(alerts[0].limb(), "left leg");
  EXPECT_EQ(alerts[0].trace_id(), "MEP_TRANSCRANIAL/L/left leg");
  EXPECT_EQ(alerts[0].alert_class(), v1::ALERT_CLASS_PHYSIOLOGICAL);
  EXPECT_TRUE(alerts[0].asks_for_repeat());
  EXPECT_EQ(alerts[1].condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_EQ(alerts[1].priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts[1].kind(), v1::ALERT_KIND_LOSS);
  EXPECT_EQ(alerts[1].criterion().key(), "MEP.cord");
  EXPECT_THAT(alerts[1].criterion().limits(), HasSubstr("red amplitude -80 %"));
  EXPECT_THAT(alerts[1].summary(), AllOf(HasSubstr("MEP left leg"), HasSubstr("TA L lost")));
  ASSERT_THAT(alerts[1].traces(), SizeIs(3)) << "each muscle of the leg, none of the arm";
  EXPECT_GT(alerts[1].evidence().reduced_trace().sample_count(), 0u);
  EXPECT_GT(alerts[1].evidence().reduced_baseline().sample_count(), 0u);
  EXPECT_GT(alerts[1].traces(1).evidence().reduced_trace().sample_count(), 0u);
  const auto requests = Requests();
  ASSERT_GE(requests.size(), 2u);
  EXPECT_EQ(requests[0].state(), v1::REQUEST_STATE_ASKED);
  EXPECT_THAT(requests[0].test(), HasSubstr("left leg"));
  EXPECT_EQ(requests[1].state(), v1::REQUEST_STATE_DONE);
  EXPECT_EQ(requests[1].answered_by().lane(), 2u) << "the trial that answered";
}

TEST_F(LimbTest, OneMuscleThatMissesATrialIsSettledByTheNext) {
  RunTrials(18, {{12, {0, 1, 1, 1}}});
  for (const v1::Alert& alert : Alerts()) {
    EXPECT_LT(alert.priority(), v1::ALERT_PRIORITY_HIGH);
  }
  ASSERT_FALSE(Alerts().empty());
  EXPECT_EQ(Alerts().back().condition(), v1::ALERT_CONDITION_RECOVERED);
}

TEST_F(LimbTest, AFallOfTheWholeLegIsToldWithinTwoTrialsByWhatItHasLatelyBeen) {
  RunTrials(18, Legs(14, 18, 0.42));
  const auto alerts = Alerts();
  ASSERT_FALSE(alerts.empty());
  EXPECT_LE(alerts[0].last_stimulus_monotonic_ns(), TrialNs(15));
  EXPECT_GE(alerts[0].last_stimulus_monotonic_ns(), TrialNs(13));
  EXPECT_THAT(alerts[0].evidence().recent_fall_percent(), testing::Ge(45));
}

TEST_F(LimbTest, ASlowFallIsDriftBeforeHalfIsGone) {
  Shares slow;
  for (int i = 6; i < 60; ++i) {
    const double share = 1 - 0.01 * (i - 6);
    slow[i] = {share, share, share, 1};
  }
  RunTrials(60, slow);
  const auto alerts = Alerts();
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].kind(), v1::ALERT_KIND_DRIFT);
  EXPECT_EQ(alerts[0].priority(), v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_EQ(alerts[0].criterion().key(), "MEP.drift");
  EXPECT_LT(alerts[0].last_stimulus_monotonic_ns(), TrialNs(6 + 50));
}

TEST_F(LimbTest, ARebaselineIsRefusedWhileAnAlertIsOnAndHidesNothing) {
  inputs_.emplace(TrialNs(16), Person(R"(baseline_set { trace_id: "MEP_TRANSCRANIAL/L/TA L"
    kind: BASELINE_KIND_REBASELINE reason: "new normal" actor: "Tech"
    sweeps { origin: "oooooooooooooooo" lane: 3 origin_seq: 1 } })"));
  RunTrials(24, Legs(12, 24, 0.1));
  EXPECT_THAT(Messages(), testing::Contains(HasSubstr("an alert is on")));
  EXPECT_THAT(Baselines(), SizeIs(4)) << "those of the plan alone";
  EXPECT_EQ(Alerts().back().priority(), v1::ALERT_PRIORITY_HIGH);
  for (const v1::Alert& alert : Alerts()) {
    EXPECT_NE(alert.condition(), v1::ALERT_CONDITION_RECOVERED) << alert.summary();
  }
}

TEST_F(LimbTest, ARebaselineAddsAReferenceAndTheFirstIsJudgedForEver) {
  // From 100 to 70 % with a re-baseline, then to 45 % of the first, which is 64 % of the newest.
  Shares steps;
  for (int i = 12; i < 30; ++i) steps[i] = {0.72, 0.72, 0.72, 1};
  for (int i = 30; i < 46; ++i) steps[i] = {0.4, 0.4, 0.4, 1};
  inputs_.emplace(TrialNs(27), Person(R"(baseline_set { trace_id: "MEP_TRANSCRANIAL/L/left leg"
    kind: BASELINE_KIND_REBASELINE reason: "after positioning" actor: "Tech" })"));
  criteria_text_ = R"(name: "t" version: "3"
    criterion { key: "MEP.cord" modality: MODALITY_MEP_TRANSCRANIAL
      amber_amplitude_fall_percent: 50 red_amplitude_fall_percent: 80 source: "s" })";
  RunTrials(46, steps);
  ASSERT_THAT(Baselines(), SizeIs(7)) << "three muscles have one more: " << Messages().size();
  const auto ta = Of("TA L");
  EXPECT_NEAR(ta[28].amplitude_percent_of_baseline(), 100, 25);
  EXPECT_NEAR(ta[28].first_amplitude_percent(), 72, 20);
  EXPECT_NEAR(ta[40].first_amplitude_percent(), 40, 12);
  ASSERT_FALSE(Alerts().empty()) << "against the first it is under half";
  EXPECT_GT(Alerts()[0].evidence().amplitude_percent_of_baseline(), 20);
  EXPECT_LT(Alerts()[0].evidence().amplitude_percent_of_baseline(), 50);
}

TEST_F(LimbTest, WhatARelaxantTakesAwayIsHeldAndRemovesNoAlert) {
  std::vector<Item> more;
  v1::Record counted = Person(R"(train_of_four { limb: "left hand" twitch_count: 1 })");
  counted.set_lane(2);
  // The leg is lost, then a relaxant is given: the alert stays; back to four twitches and well.
  inputs_.emplace(TrialNs(14), counted);
  v1::Record full = Person(R"(train_of_four { limb: "left hand" twitch_count: 4 ratio: 0.9 })");
  full.set_lane(2);
  inputs_.emplace(TrialNs(18), full);
  Shares shares = Legs(12, 15, 0);
  for (int i = 15; i < 19; ++i) shares[i] = {0, 0, 0, 0};
  RunTrials(30, shares);
  const auto alerts = Alerts();
  ASSERT_GE(alerts.size(), 3u);
  bool was_held = false;
  for (const v1::Alert& alert : alerts) {
    if (alert.held().empty()) continue;
    was_held = true;
    EXPECT_THAT(alert.held(), AllOf(HasSubstr("relaxant"), HasSubstr("TOF 1/4")));
    EXPECT_EQ(alert.priority(), v1::ALERT_PRIORITY_HIGH) << "as it was";
  }
  EXPECT_TRUE(was_held);
  for (const v1::Alert& alert : alerts) {
    EXPECT_NE(alert.limb(), "left arm") << "the arm was lost under relaxation alone";
  }
  EXPECT_EQ(alerts.back().condition(), v1::ALERT_CONDITION_RECOVERED);
  const auto apb = Of("APB L");
  EXPECT_THAT(apb[16].held(), HasSubstr("TOF 1/4"));
  EXPECT_EQ(apb[16].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
}

TEST_F(LimbTest, EachInputThatWasTakenIsOnRecord) {
  inputs_.emplace(TrialNs(2), Person("phase_change { phase: PHASE_CORRECTION actor: \"Tech\" }"));
  RunTrials(4, {});
  const auto taken = sink_.All(&v1::Record::has_input_taken, &v1::Record::input_taken);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].input().origin(), std::string(16, 'p'));
  EXPECT_EQ(taken[0].input().origin_seq(), 1u);
}

TEST_F(LimbTest, TheSameSignalsAndInputsMakeTheSameRecords) {
  const auto run = [&] {
    sink_ = KeepingSink();
    RunTrials(20, Legs(12, 16, 0.1));
    std::string all;
    for (const v1::Record& record : sink_.records) all += record.SerializeAsString();
    return all;
  };
  const std::string first = run();
  EXPECT_TRUE(first == run()) << "byte for byte";
}

TEST_F(LimbTest, ARestartTakesUpBaselinesAndAlert) {
  is_killed_at_end_ = true;
  RunTrials(15, Legs(12, 15, 0));
  ASSERT_FALSE(Alerts().empty());
  ASSERT_EQ(Alerts().back().priority(), v1::ALERT_PRIORITY_HIGH);
  Kill();
  past_->phase = v1::PHASE_CORRECTION;
  RunTrials(12, Legs(0, 3, 0));
  EXPECT_THAT(todo_, IsEmpty());
  EXPECT_THAT(Baselines(), IsEmpty()) << "those on record count";
  for (const v1::Alert& alert : Alerts()) {
    EXPECT_NE(alert.condition(), v1::ALERT_CONDITION_RAISED) << "it is the same alert";
  }
  ASSERT_FALSE(Alerts().empty());
  EXPECT_EQ(Alerts().back().condition(), v1::ALERT_CONDITION_RECOVERED);
}

}  // namespace
}  // namespace remora::agent
