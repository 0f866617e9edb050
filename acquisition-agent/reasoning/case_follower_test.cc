// Rankings from the records of a case: the first words of each scenario, and what stays unknown.
#include "acquisition-agent/reasoning/case_follower.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/plan/cause_file.h"
#include "common/file_system.h"
#include "common/record_codec.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr int64_t kMinute = int64_t{60} * 1'000'000'000;

constexpr char kPlan[] = R"(case_plan_set { revision: 1 plan {
  procedure_kind: PROCEDURE_KIND_SPINAL_DEFORMITY target_map_mmhg: 80
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_LEFT level_role: LEVEL_ROLE_ABOVE
    derivation: "CP4-Fz" component { label: "N20" expected_ms: 20 } }
  evoked { modality: MODALITY_SEP_LOWER side: SIDE_LEFT level_role: LEVEL_ROLE_BELOW
    derivation: "CPz-Fz" component { label: "P37" expected_ms: 38 } }
  evoked { modality: MODALITY_SEP_LOWER side: SIDE_LEFT level_role: LEVEL_ROLE_PERIPHERAL_CONTROL
    derivation: "PF L" component { label: "N8" expected_ms: 8 } }
  motor { modality: MODALITY_MEP_TRANSCRANIAL stimulus { electrodes: "C3-C4" }
    muscle { derivation: "TA L" side: SIDE_LEFT level_role: LEVEL_ROLE_BELOW myotome: "L4-L5" }
    muscle { derivation: "AH L" side: SIDE_LEFT level_role: LEVEL_ROLE_BELOW myotome: "S1-S2" }
    muscle { derivation: "TA R" side: SIDE_RIGHT level_role: LEVEL_ROLE_BELOW myotome: "L4-L5" }
    muscle { derivation: "AH R" side: SIDE_RIGHT level_role: LEVEL_ROLE_BELOW myotome: "S1-S2" }
    muscle { derivation: "APB L" side: SIDE_LEFT level_role: LEVEL_ROLE_ABOVE myotome: "C8-T1" }
    muscle { derivation: "APB R" side: SIDE_RIGHT level_role: LEVEL_ROLE_ABOVE myotome: "C8-T1" } }
} })";

class CaseFollowerTest : public testing::Test {
 protected:
  CaseFollowerTest() : follower_(Standard()) { Tell(kPlan, 0); }

  static dsp::CauseModel Standard() {
    const char* root = std::getenv("REMORA_SOURCE_DIR");
    const auto files = MakePosixFileSystem();
    const auto model = LoadCauses(*files, (root != nullptr ? std::string(root) + "/" : "") +
                                              "acquisition-agent/plans/standard.causes");
    EXPECT_TRUE(model.ok()) << model.status();
    return *model;
  }
  // What the record led to.
  std::vector<v1::CauseRanking> Tell(const std::string& text, int64_t at_ns) {
    v1::Record record;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &record)) << text;
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record.body_case()));
    RecordKey key{OriginId::FromBytes(std::string(16, 'o')), lane, ++seq_};
    auto rankings = follower_.OnRecord(record, key, at_ns);
    if (!rankings.empty()) last_ = rankings.back();
    return rankings;
  }
  void Muscle(const std::string& name, double percent, int64_t at_ns) {
    const char side = name.back();
    Tell("measurement { trace_id: \"MEP_TRANSCRANIAL/" + std::string(1, side) + "/" + name +
             "\" modality: MODALITY_MEP_TRANSCRANIAL component: \"response\" baseline { lane: 1 } "
             "amplitude_percent_of_baseline: " +
             std::to_string(percent) +
             (percent > 0 ? " state: MEASUREMENT_STATE_WITHIN_LIMITS"
                          : " state: MEASUREMENT_STATE_NO_RESPONSE") +
             " }",
         at_ns);
  }
  void Legs(double percent, int64_t at_ns) {
    for (const char* name : {"TA L", "AH L", "TA R", "AH R"}) Muscle(name, percent, at_ns);
  }
  void Arms(double percent, int64_t at_ns) {
    for (const char* name : {"APB L", "APB R"}) Muscle(name, percent, at_ns);
  }
  void Sep(const std::string& id, double percent, int64_t at_ns) {
    Tell("measurement { trace_id: \"" + id +
             "\" component: \"x\" baseline { lane: 1 } state: MEASUREMENT_STATE_WITHIN_LIMITS "
             "amplitude_percent_of_baseline: " +
             std::to_string(percent) + " }",
         at_ns);
  }
  // All well, some trials long.
  void Quiet(int64_t until_ns) {
    for (int64_t at_ns = kMinute; at_ns <= until_ns; at_ns += 2 * kMinute) {
      Legs(100, at_ns);
      Arms(100, at_ns);
      Sep("SEP_UPPER/L/CP4-Fz", 100, at_ns);
      Sep("SEP_LOWER/L/CPz-Fz", 100, at_ns);
      Sep("SEP_LOWER/L/PF L", 100, at_ns);
    }
  }
  void LegsAreLost(int64_t at_ns) {
    Legs(0, at_ns);
    Arms(100, at_ns);
    Tell(
        "alert { condition: ALERT_CONDITION_RAISED priority: ALERT_PRIORITY_HIGH "
        "alert_class: ALERT_CLASS_PHYSIOLOGICAL trace_id: \"MEP_TRANSCRANIAL/L/left leg\" "
        "traces { trace_id: \"MEP_TRANSCRANIAL/L/TA L\" } onset_monotonic_ns: " +
            std::to_string(at_ns) + " }",
        at_ns);
  }
  std::vector<std::string> Causes() const {
    std::vector<std::string> keys;
    for (const v1::RankedCause& cause : last_.causes()) keys.push_back(cause.key());
    return keys;
  }

  uint64_t seq_ = 0;
  CaseFollower follower_;
  v1::CauseRanking last_;
};

TEST_F(CaseFollowerTest, LostLegsInACorrectionWithWellArmsAreOfTheCord) {
  Quiet(20 * kMinute);
  Tell("phase_change { phase: PHASE_CORRECTION }", 20 * kMinute);
  LegsAreLost(21 * kMinute);
  ASSERT_THAT(last_.causes(), Not(IsEmpty()));
  EXPECT_EQ(last_.causes(0).key(), "cord");
  EXPECT_EQ(last_.causes(0).group(), v1::CAUSE_GROUP_SURGICAL);
  EXPECT_THAT(last_.causes(0).evidence_for(), Not(IsEmpty())) << "never without its evidence";
  EXPECT_LE(last_.causes_size(), 3);
  EXPECT_THAT(last_.table(), HasSubstr("1."));
  EXPECT_THAT(last_.changed(), SizeIs(4));
}

TEST_F(CaseFollowerTest, WhatWasNeverRecordedIsMissingAndNotNormal) {
  Quiet(20 * kMinute);
  Tell("phase_change { phase: PHASE_CORRECTION }", 20 * kMinute);
  LegsAreLost(21 * kMinute);
  v1::Alert alert;
  alert.set_onset_monotonic_ns(21 * kMinute);
  const dsp::CasePicture picture = follower_.PictureOf(alert, 21 * kMinute);
  EXPECT_FALSE(picture.relaxation.value);
  EXPECT_FALSE(picture.pressure_is_low.value);
  EXPECT_FALSE(picture.relaxant_given.value) << "nobody enters drugs";
  EXPECT_THAT(picture.relaxation.words, HasSubstr("no train-of-four"));
  // The cortical SEP of before says nothing of now, but for a minute.
  const dsp::CasePicture later = follower_.PictureOf(alert, 30 * kMinute);
  EXPECT_THAT(later.traces, SizeIs(6)) << "the muscles of the trial alone";
}

TEST_F(CaseFollowerTest, LowPressureBesideALossInACorrectionKeepsSurgicalInTheFirstTwo) {
  Quiet(20 * kMinute);
  Tell("phase_change { phase: PHASE_CORRECTION }", 20 * kMinute);
  Tell("vitals { vitals { kind: VITAL_KIND_MEAN_ARTERIAL_PRESSURE value: 52 } }", 20 * kMinute);
  LegsAreLost(21 * kMinute);
  ASSERT_GE(last_.causes_size(), 2);
  const bool surgical_early = last_.causes(0).group() == v1::CAUSE_GROUP_SURGICAL ||
                              last_.causes(1).group() == v1::CAUSE_GROUP_SURGICAL;
  EXPECT_TRUE(surgical_early) << last_.ShortDebugString();
}

TEST_F(CaseFollowerTest, AllMusclesUnderARelaxantAreOfTheRelaxant) {
  Quiet(20 * kMinute);
  Tell("drug_given { drug: \"Rocuronium\" dose: \"50 mg\" change: DRUG_CHANGE_BOLUS amount: 50 }",
       20 * kMinute);
  Tell("train_of_four { limb: \"left hand\" twitch_count: 0 }", 21 * kMinute);
  Arms(0, 22 * kMinute);
  LegsAreLost(22 * kMinute);
  Arms(0, 22 * kMinute);
  Tell("train_of_four { limb: \"left hand\" twitch_count: 0 }", 23 * kMinute);
  EXPECT_EQ(last_.causes(0).key(), "relaxant") << last_.ShortDebugString();
  EXPECT_EQ(last_.causes(0).support(), v1::CAUSE_SUPPORT_STRONG);
}

TEST_F(CaseFollowerTest, ANewFactThatOrdersTheCausesAnewIsToldAndNotMoreThanEachMinute) {
  Quiet(20 * kMinute);
  LegsAreLost(21 * kMinute);
  EXPECT_FALSE(last_.separating_test().empty());
  EXPECT_THAT(Tell("phase_change { phase: PHASE_CORRECTION }", 21 * kMinute + 1), IsEmpty());
  EXPECT_THAT(
      Tell("train_of_four { limb: \"left hand\" twitch_count: 4 ratio: 0.95 }", 22 * kMinute),
      SizeIs(testing::Le(1u)));
  EXPECT_EQ(last_.causes(0).key(), "cord");
  // The same again is no news.
  EXPECT_THAT(
      Tell("train_of_four { limb: \"left hand\" twitch_count: 4 ratio: 0.95 }", 24 * kMinute),
      IsEmpty());
}

TEST_F(CaseFollowerTest, AnAlertThatHasRecoveredIsFollowedNoMore) {
  Quiet(20 * kMinute);
  LegsAreLost(21 * kMinute);
  Tell(
      "alert { condition: ALERT_CONDITION_RECOVERED alert_class: ALERT_CLASS_PHYSIOLOGICAL "
      "raised_by { origin: \"oooooooooooooooo\" lane: 0 origin_seq: " +
          std::to_string(last_.alert().origin_seq()) + " } }",
      22 * kMinute);
  EXPECT_THAT(Tell("phase_change { phase: PHASE_CORRECTION }", 23 * kMinute), IsEmpty());
}

}  // namespace
}  // namespace remora::agent
