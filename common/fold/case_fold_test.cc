#include <gtest/gtest.h>

#include "common/testing/folded_case.h"

namespace remora {
namespace {

TEST_F(CaseFoldTest, FoldingOnFromACheckpointGivesTheSameBytes) {
  Apply(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  ApplyRandom(6000);
  const std::string expected = fold_.EncodeCheckpoint();
  for (size_t cut : {size_t{1}, size_t{100}, size_t{1999}, size_t{5000}, frames_.size()}) {
    CaseFold first(case_id_);
    for (size_t i = 0; i < cut; ++i) first.Apply(frames_[i]);
    CaseFold second(case_id_);
    ASSERT_TRUE(second.Restore(first.EncodeCheckpoint()).ok());
    EXPECT_EQ(second.EncodeCheckpoint(), first.EncodeCheckpoint()) << "cut at " << cut;
    for (size_t i = cut; i < frames_.size(); ++i) second.Apply(frames_[i]);
    EXPECT_EQ(second.EncodeCheckpoint(), expected) << "cut at " << cut;
  }
}

TEST_F(CaseFoldTest, BulkAndRecordsSeenBeforeChangeNothing) {
  Apply(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  ApplyRandom(50);
  const std::string before = fold_.EncodeCheckpoint();
  fold_.Apply(StampedForFold(writer_.Write(SweepBody("SEP/R", 0, false)), seq_ + 1, kSecond));
  fold_.Apply(frames_[10]);
  EXPECT_EQ(fold_.EncodeCheckpoint(), before);
}

TEST_F(CaseFoldTest, PlannedModalitiesAreListedAndMusclesTellOfATrainWhileItLasts) {
  v1::Record plan;
  plan.mutable_case_plan_set()->mutable_plan()->add_evoked()->set_modality(v1::MODALITY_SEP_UPPER);
  plan.mutable_case_plan_set()->mutable_plan()->add_emg()->set_derivation("EMG_L4");
  Apply(plan);
  v1::CaseSummary summary = fold_.Summary();
  ASSERT_EQ(summary.modalities_size(), 2);
  EXPECT_EQ(summary.modalities(1).modality(), v1::MODALITY_EMG_FREE_RUNNING);
  EXPECT_EQ(summary.modalities(1).worst_state(), v1::MEASUREMENT_STATE_UNSPECIFIED);

  v1::Record train = EmgActivityBody("EMG/L4", 7);
  train.mutable_emg_activity()->set_kind(v1::EMG_ACTIVITY_KIND_TRAIN);
  train.mutable_emg_activity()->set_ongoing(true);
  Apply(train);
  EXPECT_EQ(fold_.Summary().modalities(1).worst_state(), v1::MEASUREMENT_STATE_AMBER);
  train.mutable_emg_activity()->set_ongoing(false);
  Apply(train);
  summary = fold_.Summary();
  EXPECT_EQ(summary.modalities(1).worst_state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  EXPECT_EQ(summary.modalities(1).last_unix_ns(), static_cast<int64_t>(seq_) * kSecond);
}

v1::ModalitySummary OfModality(const v1::CaseSummary& summary, v1::Modality modality) {
  for (const v1::ModalitySummary& one : summary.modalities()) {
    if (one.modality() == modality) return one;
  }
  return v1::ModalitySummary();
}

TEST_F(CaseFoldTest, FinishedTrainWithANameEndsNoTrainThatBeganWithIt) {
  v1::Record train = EmgActivityBody("EMG/L4", 7);
  train.mutable_emg_activity()->set_kind(v1::EMG_ACTIVITY_KIND_TRAIN);
  train.mutable_emg_activity()->set_ongoing(true);
  Apply(train);
  v1::Record named = train;
  named.mutable_emg_activity()->set_train_pattern(v1::TRAIN_PATTERN_A);
  named.mutable_emg_activity()->set_ongoing(false);
  Apply(named);
  v1::Record shivering = EmgActivityBody("EMG/L4", 7);
  shivering.mutable_emg_activity()->set_kind(v1::EMG_ACTIVITY_KIND_ARTEFACT);
  shivering.mutable_emg_activity()->set_artefact_class(v1::ARTEFACT_CLASS_SHIVERING);
  Apply(shivering);
  EXPECT_EQ(OfModality(fold_.Summary(), v1::MODALITY_EMG_FREE_RUNNING).worst_state(),
            v1::MEASUREMENT_STATE_AMBER);
  EXPECT_EQ(State().activities_size(), 2) << "the train, and what stands beside it";
  CaseFold restored(case_id_);
  ASSERT_TRUE(restored.Restore(fold_.EncodeCheckpoint()).ok());
  EXPECT_EQ(restored.EncodeCheckpoint(), fold_.EncodeCheckpoint());
  train.mutable_emg_activity()->set_ongoing(false);
  Apply(train);
  EXPECT_EQ(OfModality(fold_.Summary(), v1::MODALITY_EMG_FREE_RUNNING).worst_state(),
            v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  EXPECT_EQ(State().activities_size(), 2);
}

TEST_F(CaseFoldTest, EveryListOfThePlanIsOnTheTileAlsoBeforeItRuns) {
  v1::Record body;
  v1::Plan& plan = *body.mutable_case_plan_set()->mutable_plan();
  plan.add_evoked()->set_modality(v1::MODALITY_SEP_UPPER);
  plan.add_emg();
  plan.add_motor()->set_modality(v1::MODALITY_MEP_TRANSCRANIAL);
  plan.add_motor()->set_modality(v1::MODALITY_PEDICLE_SCREW);
  plan.add_eeg();
  plan.add_eeg()->set_modality(v1::MODALITY_ECOG);
  plan.add_train_of_four();
  plan.add_mapping()->set_modality(v1::MODALITY_MAP_MIDLINE);
  plan.add_relation()->set_modality(v1::MODALITY_SEP_UPPER);
  Apply(body);
  std::vector<int> listed;
  const v1::CaseSummary summary = fold_.Summary();
  for (const v1::ModalitySummary& one : summary.modalities()) {
    EXPECT_EQ(one.last_unix_ns(), 0);
    listed.push_back(one.modality());
  }
  EXPECT_EQ(listed, (std::vector<int>{v1::MODALITY_SEP_UPPER, v1::MODALITY_MEP_TRANSCRANIAL,
                                      v1::MODALITY_EMG_FREE_RUNNING, v1::MODALITY_PEDICLE_SCREW,
                                      v1::MODALITY_EEG, v1::MODALITY_ECOG,
                                      v1::MODALITY_TRAIN_OF_FOUR, v1::MODALITY_MAP_MIDLINE}));
}

TEST_F(CaseFoldTest, PlannedModalityWithoutStatesTellsWhenItLastRan) {
  v1::Record body;
  v1::Plan& plan = *body.mutable_case_plan_set()->mutable_plan();
  plan.add_train_of_four();
  plan.add_eeg();
  plan.add_motor()->set_modality(v1::MODALITY_MEP_TRANSCRANIAL);
  Apply(body);
  v1::Record tof;
  tof.mutable_train_of_four()->set_twitch_count(4);
  Apply(tof);
  const int64_t tof_ns = static_cast<int64_t>(seq_) * kSecond;
  v1::Record threshold;
  threshold.mutable_stimulus_threshold()->set_modality(v1::MODALITY_MEP_TRANSCRANIAL);
  Apply(threshold);
  v1::Record unplanned;
  unplanned.mutable_spectral_edge()->set_modality(v1::MODALITY_ECOG);
  Apply(unplanned);
  CaseFold restored(case_id_);
  ASSERT_TRUE(restored.Restore(fold_.EncodeCheckpoint()).ok());
  v1::Record measured = MeasurementBody("MEP/L/TA", 0, v1::MEASUREMENT_STATE_NO_BASELINE);
  measured.mutable_measurement()->set_modality(v1::MODALITY_MEP_TRANSCRANIAL);
  Apply(measured);
  restored.Apply(frames_.back());
  for (const CaseFold* fold : {&fold_, &restored}) {
    const v1::CaseSummary summary = fold->Summary();
    EXPECT_EQ(summary.modalities_size(), 3);
    EXPECT_EQ(OfModality(summary, v1::MODALITY_TRAIN_OF_FOUR).last_unix_ns(), tof_ns);
    EXPECT_EQ(OfModality(summary, v1::MODALITY_EEG).last_unix_ns(), 0);
    EXPECT_EQ(OfModality(summary, v1::MODALITY_MEP_TRANSCRANIAL).last_unix_ns(),
              static_cast<int64_t>(seq_) * kSecond);
    EXPECT_EQ(fold->EncodeCheckpoint(), fold_.EncodeCheckpoint());
  }
  // Another plan, without it.
  body.mutable_case_plan_set()->mutable_plan()->clear_train_of_four();
  Apply(body);
  EXPECT_EQ(fold_.Summary().modalities_size(), 2);
}

TEST_F(CaseFoldTest, SecondTimerOfTheSameDeadlineIsIgnored) {
  v1::Record body;
  body.mutable_timer_fired()->set_timer("escalate");
  body.mutable_timer_fired()->set_deadline_unix_ns(42);
  Apply(body);
  EXPECT_TRUE(fold_.HasTimerFired("escalate", 42));
  EXPECT_FALSE(fold_.HasTimerFired("escalate", 43));
  v1::CaseState before;
  ASSERT_TRUE(before.ParseFromString(fold_.EncodeCheckpoint()));
  Apply(body);
  v1::CaseState after;
  ASSERT_TRUE(after.ParseFromString(fold_.EncodeCheckpoint()));
  ASSERT_EQ(after.timers_size(), 1);
  EXPECT_EQ(after.timers(0), before.timers(0));
}

TEST_F(CaseFoldTest, IntervalsAreUnreadUntilAReviewNamesThem) {
  const RecordKey outage = Apply(OutageBody(10'000));
  v1::Record body;
  body.mutable_unrecorded_interval()->set_cause("disk full");
  const RecordKey unrecorded = Apply(body);
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 2u);
  Apply(ReviewBody(outage));
  Apply(ReviewBody(outage));
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 1u) << "one review is of one interval";
  Apply(ReviewBody(unrecorded));
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 0u);
  EXPECT_EQ(State().outages_size(), 1);
  EXPECT_EQ(State().unrecorded_intervals_size(), 1);
  EXPECT_EQ(State().backlog_reviews_size(), 2);
}

TEST_F(CaseFoldTest, WhatWasOnlyStaleAndAnOwnViewAskForNoReview) {
  Apply(OutageBody(9'999));
  Apply(OutageBody(600'000, /*own_view=*/true));
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 0u);
  EXPECT_EQ(State().outages_size(), 2);
}

TEST_F(CaseFoldTest, OwnViewOfAReaderSaysNothingOfTheAgentsLink) {
  Apply(OutageBody(0));
  v1::Record reader = OutageBody(3'000, /*own_view=*/true);
  reader.mutable_link_state()->set_participant("anna");
  reader.mutable_link_state()->set_condition(v1::LINK_CONDITION_LOST);
  Apply(reader);
  EXPECT_EQ(fold_.Summary().agent_link(), v1::LINK_CONDITION_LIVE);
  EXPECT_EQ(fold_.LinkOf("anna"), v1::LINK_CONDITION_UNSPECIFIED);
}

TEST_F(CaseFoldTest, LinkOfAReaderIsNotTheAgentsAndItsOutageAsksForNoReview) {
  Apply(OutageBody(0));
  v1::Record body;
  body.mutable_presence()->set_participant("anna");
  body.mutable_presence()->set_role(v1::ROLE_NEUROPHYSIOLOGIST);
  body.mutable_presence()->set_change(v1::PRESENCE_CHANGE_JOINED);
  Apply(body);
  body = OutageBody(0);
  body.mutable_link_state()->set_participant("anna");
  body.mutable_link_state()->set_role(v1::ROLE_NEUROPHYSIOLOGIST);
  body.mutable_link_state()->set_condition(v1::LINK_CONDITION_LOST);
  Apply(body);
  EXPECT_EQ(fold_.Summary().agent_link(), v1::LINK_CONDITION_LIVE);
  ASSERT_EQ(fold_.Summary().participants_size(), 1);
  EXPECT_EQ(fold_.Summary().participants(0).link(), v1::LINK_CONDITION_LOST);
  CaseFold again(case_id_);
  ASSERT_TRUE(again.Restore(fold_.EncodeCheckpoint()).ok());
  EXPECT_EQ(again.EncodeCheckpoint(), fold_.EncodeCheckpoint());
  body.mutable_link_state()->set_condition(v1::LINK_CONDITION_LIVE);
  body.mutable_link_state()->set_outage_ms(600'000);
  Apply(body);
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 0u);
  EXPECT_EQ(fold_.Summary().participants(0).link(), v1::LINK_CONDITION_UNSPECIFIED);
}

TEST_F(CaseFoldTest, OfEachScreenTheNewestViewIsKept) {
  v1::Record body;
  body.mutable_view_seen()->set_mode(v1::SEEN_MODE_LIVE);
  for (const uint64_t screen : {1, 2, 1}) {
    body.mutable_view_seen()->set_screen_id(screen);
    body.mutable_view_seen()->set_control_seq(seq_);
    Apply(body);
  }
  const v1::CaseState state = State();
  ASSERT_EQ(state.views_seen_size(), 2);
  v1::Record newest;
  ASSERT_TRUE(newest.ParseFromString(state.views_seen(1)));
  EXPECT_EQ(newest.view_seen().screen_id(), 1u);
  EXPECT_EQ(newest.view_seen().control_seq(), 2u);
}

TEST_F(CaseFoldTest, StateStaysBoundedThroughALongNoisyCase) {
  Apply(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"));
  for (int i = 0; i < 400; ++i) {
    Apply(MessageBody(std::string(2000, 'm'), "Dr A"));
    Apply(AnnotationBody(std::string(2000, 'n'), "Dr A"));
    const RecordKey alert = Apply(AlertBody(std::string(1000, 'a')));
    v1::Record action = ActionBody(alert, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A");
    action.mutable_alert_action()->set_reason(std::string(1000, 'r'));
    for (int j = 0; j < 3; ++j) Apply(action);
    v1::Record presence;
    presence.mutable_presence()->set_participant(std::to_string(i) + std::string(120, 'p'));
    presence.mutable_presence()->set_display_name(std::string(120, 'd'));
    presence.mutable_presence()->set_role(v1::ROLE_CENTRE);
    presence.mutable_presence()->set_change(v1::PRESENCE_CHANGE_JOINED);
    Apply(presence);
    Apply(EmgActivityBody("EMG/" + std::string(120, 'e'), i));
  }
  for (int i = 0; i < 30'000; ++i) {
    Apply(MeasurementBody("SEP/" + std::string(110, 's') + std::to_string(i % 300), 90,
                          v1::MEASUREMENT_STATE_WITHIN_LIMITS));
  }
  EXPECT_LT(fold_.EncodeCheckpoint().size(), kMaxMessageBytes - kMaxSnapshotTraceBytes);
  size_t points = 0;
  for (const auto& [key, trend] : fold_.trends().trends()) points += trend.size();
  EXPECT_LE(points, kMaxTrendPointsOfCase);
}

TEST_F(CaseFoldTest, HostileCheckpointsAreRefused) {
  EXPECT_FALSE(CaseFold(case_id_).Restore("\xff\xff").ok());
  EXPECT_FALSE(CaseFold(case_id_).Restore("").ok());
  ApplyRandom(20);
  EXPECT_FALSE(CaseFold(CaseId::Draw(*random_)).Restore(fold_.EncodeCheckpoint()).ok());
  v1::CaseState state;
  ASSERT_TRUE(state.ParseFromString(fold_.EncodeCheckpoint()));
  state.add_messages("no record");
  EXPECT_FALSE(CaseFold(case_id_).Restore(state.SerializeAsString()).ok());
}

// Heads and certificates are signed over these bytes' digest. Where this fails, the encoding has
// changed: raise kFoldVersion, and put the new digest here.
TEST_F(CaseFoldTest, EncodingOfAStateIsPinnedToItsVersion) {
  CaseFold fold(CaseIdForTest());
  uint64_t seq = 0;
  for (const v1::Record& record : SampleRecords()) {
    ++seq;
    fold.Apply(StampedForFold(record.SerializeAsString(), seq, static_cast<int64_t>(seq)));
  }
  v1::Record reader = OutageBody(600'000);
  reader.mutable_link_state()->set_participant("anna");
  reader.mutable_link_state()->set_role(v1::ROLE_NEUROPHYSIOLOGIST);
  reader.set_case_id(CaseIdForTest().ToString());
  reader.set_origin(OriginIdForTest().ToString());
  reader.set_origin_seq(1'000);
  ++seq;
  fold.Apply(StampedForFold(reader.SerializeAsString(), seq, static_cast<int64_t>(seq)));
  EXPECT_EQ(kFoldVersion, 5u);
  EXPECT_EQ(absl::BytesToHexString(Blake2b256(fold.EncodeCheckpoint())),
            "f4c74608b0ee5036b03575d85c9e980b04f684d9b0493dd0476f4634a318b897");
}

// What leaves a state that is full is pinned too.
TEST_F(CaseFoldTest, EncodingOfALongCaseIsPinnedToItsVersion) {
  ApplyRandom(20'000);
  EXPECT_EQ(absl::BytesToHexString(Blake2b256(fold_.EncodeCheckpoint())),
            "aa6560f436bd947453bbce3f69144ce963a8b7510232c5e518828f2bd4f9d1b7");
}

// A backlog of ten minutes, recorded in one moment: how old what it says is does not depend on
// that.
TEST_F(CaseFoldTest, TimesOfABacklogAreThoseOfItsOriginAndNotOfItsRecording) {
  constexpr int64_t kMinute = 60'000'000'000;
  const int64_t recorded = 100 * kMinute;
  CaseFold fold(case_id_);
  uint64_t seq = 0;
  // Made so many minutes before it was recorded.
  const auto apply = [&](v1::Record body, int64_t minutes, uint64_t boot_id = 7) {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(body.body_case()));
    body.set_case_id(case_id_.ToString());
    body.set_origin(OriginIdForTest().ToString());
    body.set_lane(lane);
    body.set_origin_seq(++seq);
    body.mutable_captured_at()->set_boot_id(boot_id);
    body.mutable_captured_at()->set_monotonic_ns(50 * kMinute - minutes * kMinute);
    fold.Apply(StampedForFold(body.SerializeAsString(), seq, recorded));
  };
  v1::Record clock;
  clock.mutable_clock_estimate()->set_boot_id(7);
  clock.mutable_clock_estimate()->set_offset_ns(50 * kMinute);
  clock.mutable_clock_estimate()->set_at_monotonic_ns(50 * kMinute);
  apply(clock, 0);
  apply(PhaseBody(v1::PHASE_CORRECTION), 12);
  apply(AlertBody("SEP -64 %"), 10);
  apply(MeasurementBody("SEP/R", 40, v1::MEASUREMENT_STATE_RED), 10);
  CaseFold restored(case_id_);
  ASSERT_TRUE(restored.Restore(fold.EncodeCheckpoint()).ok());
  for (const CaseFold* each : {&fold, &restored}) {
    const v1::CaseSummary summary = each->Summary();
    ASSERT_EQ(summary.modalities_size(), 1);
    EXPECT_EQ(summary.modalities(0).last_unix_ns(), recorded - 10 * kMinute);
    EXPECT_EQ(summary.calling_alert_unix_ns(), recorded - 10 * kMinute);
    EXPECT_EQ(summary.phase_unix_ns(), recorded - 12 * kMinute);
    EXPECT_EQ(each->trends().trends().begin()->second.front().made_unix_ns,
              recorded - 10 * kMinute);
    EXPECT_EQ(each->EncodeCheckpoint(), fold.EncodeCheckpoint());
  }
  // Of another life of the machine nothing is known; and nothing is of the future.
  apply(MeasurementBody("SEP/R", 90, v1::MEASUREMENT_STATE_WITHIN_LIMITS), 10, 8);
  EXPECT_EQ(fold.Summary().modalities(0).last_unix_ns(), recorded);
  apply(MeasurementBody("SEP/R", 90, v1::MEASUREMENT_STATE_WITHIN_LIMITS), -20);
  EXPECT_EQ(fold.Summary().modalities(0).last_unix_ns(), recorded);
  // Neither does an estimate that lies anywhere harm.
  clock.mutable_clock_estimate()->set_offset_ns(std::numeric_limits<int64_t>::max());
  clock.mutable_clock_estimate()->set_drift_ppb(1e300);
  apply(clock, 0);
  EXPECT_EQ(fold.Summary().modalities(0).last_unix_ns(), recorded);
}

TEST_F(CaseFoldTest, IntervalThatNobodyHasLookedThroughIsPushedOutByNoBlinkAndNoReviewedOne) {
  const auto outage = [](double ms, bool own_view = false) {
    v1::Record body;
    body.mutable_link_state()->set_participant("agent-1");
    body.mutable_link_state()->set_condition(v1::LINK_CONDITION_LIVE);
    body.mutable_link_state()->set_outage_ms(ms);
    body.mutable_link_state()->set_own_view(own_view);
    return body;
  };
  Apply(outage(40'000));
  for (int i = 0; i < 300; ++i) Apply(outage(i % 2 == 0 ? 2'500 : 60'000, i % 2 == 1));
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 1u);
  for (size_t i = 0; i < 2 * kMaxIntervals - 10; ++i) {
    const RecordKey key = Apply(outage(20'000));
    v1::Record review;
    *review.mutable_backlog_reviewed()->mutable_interval() = ToProto(key);
    Apply(review);
  }
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), 1u) << "the first one";
  EXPECT_EQ(fold_.intervals_forgotten(), 0u);
  for (size_t i = 0; i < kMaxIntervals + 5; ++i) Apply(outage(20'000));
  EXPECT_EQ(fold_.Summary().unreviewed_interval_count(), kMaxIntervals);
  EXPECT_EQ(fold_.intervals_forgotten(), 6u) << "and is not silent about it";
  CaseFold restored(case_id_);
  ASSERT_TRUE(restored.Restore(fold_.EncodeCheckpoint()).ok());
  EXPECT_EQ(restored.Summary().unreviewed_interval_count(), kMaxIntervals);
}

TEST_F(CaseFoldTest, NewestCertificateIsOnTheTile) {
  EXPECT_FALSE(fold_.Summary().has_certificate());
  v1::Record body;
  v1::Certificate* certificate = body.mutable_certificate();
  certificate->set_certificate_index(1);
  v1::OriginLaneHead* head = certificate->add_heads();
  head->set_origin(OriginIdForTest().ToString());
  v1::NamedGap* gap = head->add_gaps();
  gap->set_first_origin_seq(4);
  gap->set_last_origin_seq(6);
  gap->set_cause(v1::NAMED_GAP_CAUSE_MISSING);
  Apply(body);
  EXPECT_EQ(fold_.Summary().certificate().missing_count(), 3u);
  EXPECT_FALSE(fold_.Summary().certificate().complete());
  gap->set_cause(v1::NAMED_GAP_CAUSE_DATA_GAP);
  v1::NamedGap* refused = head->add_gaps();
  refused->set_first_origin_seq(9);
  refused->set_last_origin_seq(9);
  refused->set_cause(v1::NAMED_GAP_CAUSE_REFUSED);
  certificate->set_certificate_index(2);
  certificate->set_complete(true);
  Apply(body);
  CaseFold restored(case_id_);
  ASSERT_TRUE(restored.Restore(fold_.EncodeCheckpoint()).ok());
  for (const CaseFold* fold : {&fold_, &restored}) {
    EXPECT_EQ(fold->Summary().certificate().certificate_index(), 2u);
    EXPECT_TRUE(fold->Summary().certificate().complete());
    EXPECT_EQ(fold->Summary().certificate().missing_count(), 0u);
    EXPECT_EQ(fold->Summary().certificate().given_up_count(), 3u);
    EXPECT_EQ(fold->Summary().certificate().refused_count(), 1u);
  }
}

}  // namespace
}  // namespace remora
