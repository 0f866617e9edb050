#include "common/fold/case_fold.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/random.h"
#include "common/record_codec.h"
#include "common/record_seal.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"

namespace remora {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class CaseFoldTest : public ::testing::Test {
 protected:
  CaseFoldTest()
      : random_(MakeSeededRandom(5)),
        case_id_(CaseId::Draw(*random_)),
        writer_(case_id_, OriginId::Draw(*random_)),
        fold_(case_id_) {}

  RecordKey Apply(const v1::Record& body) {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(body.body_case()));
    ++seq_;
    frames_.push_back(StampedForFold(writer_.Write(body), seq_, seq_ * kSecond));
    fold_.Apply(frames_.back());
    return writer_.LastKey(lane);
  }
  // A day in random order, of everything that the fold knows.
  void ApplyRandom(int count) {
    std::vector<RecordKey> alerts;
    for (int i = 0; i < count; ++i) {
      const std::string name = std::to_string(random_->Below(5));
      switch (random_->Below(16)) {
        case 0:
          alerts.push_back(Apply(AlertBody("a" + std::to_string(i))));
          break;
        case 1:
          if (!alerts.empty()) {
            Apply(ActionBody(alerts[random_->Below(alerts.size())],
                             static_cast<v1::AlertActionKind>(1 + random_->Below(8)),
                             static_cast<v1::Place>(1 + random_->Below(3)), "Dr " + name));
          }
          break;
        case 2:
          if (!alerts.empty()) {
            v1::Record update = AlertUpdateBody(
                alerts[random_->Below(alerts.size())],
                random_->Below(2) ? v1::ALERT_CONDITION_UPDATED : v1::ALERT_CONDITION_RECOVERED,
                "u" + std::to_string(i), static_cast<v1::AlertPriority>(1 + random_->Below(4)));
            update.mutable_alert()->set_episode(static_cast<uint32_t>(random_->Below(3)));
            Apply(update);
          }
          break;
        case 3:
          Apply(MessageBody("m" + std::to_string(i), "Dr " + name));
          break;
        case 4:
          Apply(PhaseBody(static_cast<v1::Phase>(1 + random_->Below(18))));
          break;
        case 5:
          Apply(EmgActivityBody("EMG/" + name, i / 3));
          break;
        case 6: {
          v1::Record body;
          body.mutable_presence()->set_participant("p" + std::to_string(random_->Below(200)));
          body.mutable_presence()->set_role(v1::ROLE_CENTRE);
          body.mutable_presence()->set_change(random_->Below(2) ? v1::PRESENCE_CHANGE_JOINED
                                                                : v1::PRESENCE_CHANGE_LEFT);
          Apply(body);
          break;
        }
        case 7: {
          v1::Record body;
          body.mutable_link_state()->set_participant("agent" + name);
          body.mutable_link_state()->set_condition(
              static_cast<v1::LinkCondition>(1 + random_->Below(4)));
          body.mutable_link_state()->set_outage_ms(static_cast<double>(random_->Below(20'000)));
          body.mutable_link_state()->set_own_view(random_->Below(4) == 0);
          intervals_.push_back(Apply(body));
          break;
        }
        case 10: {
          v1::Record body;
          body.mutable_unrecorded_interval()->set_cause("disk full");
          intervals_.push_back(Apply(body));
          break;
        }
        case 11:
          if (!intervals_.empty()) Apply(ReviewBody(intervals_[random_->Below(intervals_.size())]));
          break;
        case 12: {
          v1::Record body;
          body.mutable_view_seen()->set_screen_id(random_->Below(30));
          body.mutable_view_seen()->set_mode(v1::SEEN_MODE_LIVE);
          Apply(body);
          break;
        }
        case 8: {
          v1::Record body;
          body.mutable_timer_fired()->set_timer("t" + name);
          body.mutable_timer_fired()->set_deadline_unix_ns(i / 7);
          Apply(body);
          break;
        }
        case 13: {
          v1::Record body;
          v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
          total->set_lane(1);
          total->set_last_origin_seq(static_cast<uint64_t>(i));
          Apply(body);
          break;
        }
        case 14: {
          v1::Record body;
          body.mutable_certificate()->set_certificate_index(static_cast<uint32_t>(i) + 1);
          Apply(body);
          break;
        }
        case 15: {
          v1::Record body;
          body.mutable_signed_head()->set_seq(seq_);
          Apply(body);
          break;
        }
        case 9:
          Apply(AnnotationBody("note " + std::to_string(i), "Dr " + name));
          break;
        default:
          Apply(MeasurementBody("SEP/" + name, 20 + static_cast<double>(random_->Below(90)),
                                static_cast<v1::MeasurementState>(1 + random_->Below(6))));
      }
    }
  }

  static v1::Record ReviewBody(const RecordKey& interval) {
    v1::Record body;
    *body.mutable_backlog_reviewed()->mutable_interval() = ToProto(interval);
    body.mutable_backlog_reviewed()->set_actor("Dr A");
    return body;
  }
  static v1::Record OutageBody(double ms, bool own_view = false) {
    v1::Record body;
    body.mutable_link_state()->set_participant("agent");
    body.mutable_link_state()->set_condition(v1::LINK_CONDITION_LIVE);
    body.mutable_link_state()->set_outage_ms(ms);
    body.mutable_link_state()->set_own_view(own_view);
    return body;
  }
  v1::CaseState State() const {
    v1::CaseState state;
    EXPECT_TRUE(state.ParseFromString(fold_.EncodeCheckpoint()));
    return state;
  }

  std::vector<RecordKey> intervals_;
  std::unique_ptr<Random> random_;
  CaseId case_id_;
  RecordWriter writer_;
  CaseFold fold_;
  uint64_t seq_ = 0;
  std::vector<FoldedRecord> frames_;
};

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

TEST_F(CaseFoldTest, AcknowledgementIsPerPlaceAndCanBeUndone) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 1u);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_THEATRE, "T"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
  EXPECT_TRUE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_THEATRE));
  EXPECT_FALSE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_READER));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A"));
  EXPECT_FALSE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_READER));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 0u);
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_UNDONE, v1::PLACE_READER, "Dr B"));
  EXPECT_TRUE(fold_.alerts().IsAcknowledged(alert, v1::PLACE_READER)) << "not B's to undo";
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_UNDONE, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
}

TEST_F(CaseFoldTest, AlertStaysOpenUntilItsConditionIsGoneAndAReaderKnows) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_RECOVERED, "SEP back"));
  EXPECT_TRUE(fold_.alerts().IsOpen(alert));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  EXPECT_FALSE(fold_.alerts().IsOpen(alert));
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -70 % again"));
  EXPECT_TRUE(fold_.alerts().IsOpen(alert));
  EXPECT_EQ(fold_.Summary().worst_alert(), "SEP -70 % again");
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_RESOLVED, v1::PLACE_READER, "Dr A"));
  EXPECT_FALSE(fold_.alerts().IsOpen(alert));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 0u);
}

TEST_F(CaseFoldTest, AlertThatWorsensCallsAgainAfterItsAcknowledgement) {
  const RecordKey alert = Apply(AlertBody("SEP -42 %", v1::ALERT_PRIORITY_MEDIUM));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().calling_priority(), v1::ALERT_PRIORITY_UNSPECIFIED);
  Apply(
      AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -45 %", v1::ALERT_PRIORITY_MEDIUM));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 0u) << "new numbers do not call";
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -85 %"));
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
  EXPECT_EQ(fold_.Summary().calling_priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(fold_.Summary().calling_alert(), "SEP -85 %");
  EXPECT_EQ(fold_.Summary().calling_alert_unix_ns(), static_cast<int64_t>(seq_) * kSecond);
}

TEST_F(CaseFoldTest, AlertThatComesBackCallsAgainThoughItWasResolved) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_RESOLVED, v1::PLACE_READER, "Dr A"));
  Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_RECOVERED, "SEP back"));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 0u);
  v1::Record again = AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -60 % again");
  again.mutable_alert()->set_episode(1);
  Apply(again);
  EXPECT_EQ(fold_.Summary().open_alert_count(), 1u);
  EXPECT_EQ(fold_.Summary().calling_alert(), "SEP -60 % again");
}

TEST_F(CaseFoldTest, AcknowledgementHoldsForTheCallThatWasSeen) {
  const RecordKey alert = Apply(AlertBody("SEP -42 %", v1::ALERT_PRIORITY_MEDIUM));
  const RecordKey worse = Apply(AlertUpdateBody(alert, v1::ALERT_CONDITION_UPDATED, "SEP -85 %"));
  v1::Record late = ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A");
  *late.mutable_alert_action()->mutable_seen() = ToProto(alert);
  Apply(late);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u) << "-85 % had not been seen";
  *late.mutable_alert_action()->mutable_seen() = ToProto(worse);
  Apply(late);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 0u);
}

TEST_F(CaseFoldTest, UndoTakesBackTheActionThatItNames) {
  const RecordKey alert = Apply(AlertBody("SEP -64 %"));
  const RecordKey seen =
      Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_ACKNOWLEDGED, v1::PLACE_READER, "Dr A"));
  Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A"));
  v1::Record undo = ActionBody(alert, v1::ALERT_ACTION_KIND_UNDONE, v1::PLACE_READER, "Dr A");
  *undo.mutable_alert_action()->mutable_undone() = ToProto(seen);
  Apply(undo);
  EXPECT_EQ(fold_.Summary().unacknowledged_alert_count(), 1u);
}

TEST_F(CaseFoldTest, CallingIsTheWorstThatNobodyHasAcknowledged) {
  const RecordKey high = Apply(AlertBody("SEP -64 %"));
  Apply(AlertBody("EMG train", v1::ALERT_PRIORITY_MEDIUM));
  EXPECT_EQ(fold_.Summary().calling_alert(), "SEP -64 %");
  Apply(ActionBody(high, v1::ALERT_ACTION_KIND_COMMUNICATED, v1::PLACE_READER, "Dr A"));
  EXPECT_EQ(fold_.Summary().worst_alert(), "SEP -64 %");
  EXPECT_EQ(fold_.Summary().calling_alert(), "EMG train");
  EXPECT_EQ(fold_.Summary().calling_priority(), v1::ALERT_PRIORITY_MEDIUM);
}

TEST_F(CaseFoldTest, HostileActionsOnOneAlertPushNoOtherOut) {
  const RecordKey other = Apply(AlertBody("other"));
  const RecordKey flooded = Apply(AlertBody("flooded"));
  v1::Record padded = ActionBody(flooded, v1::ALERT_ACTION_KIND_SEEN, v1::PLACE_READER, "Dr A");
  padded.mutable_alert_action()->set_reason(std::string(60'000, 'x'));
  for (int i = 0; i < 40; ++i) Apply(padded);
  EXPECT_TRUE(fold_.alerts().IsOpen(other));
  EXPECT_EQ(fold_.Summary().open_alert_count(), 2u);
}

TEST_F(CaseFoldTest, OpenAlertsOutliveResolvedOnesWhenTheBoardIsFull) {
  const RecordKey open = Apply(AlertBody("the first, still open"));
  for (size_t i = 0; i < 3 * kMaxAlerts; ++i) {
    const RecordKey alert = Apply(AlertBody("resolved"));
    Apply(ActionBody(alert, v1::ALERT_ACTION_KIND_RESOLVED, v1::PLACE_READER, "Dr A"));
  }
  EXPECT_LE(fold_.alerts().size(), kMaxAlerts);
  EXPECT_TRUE(fold_.alerts().IsOpen(open));
  EXPECT_EQ(fold_.Summary().worst_alert(), "the first, still open");
}

TEST_F(CaseFoldTest, WorstOpenAlertIsTheMostUrgentThenTheNewest) {
  Apply(AlertBody("high", v1::ALERT_PRIORITY_HIGH));
  Apply(AlertBody("medium", v1::ALERT_PRIORITY_MEDIUM));
  EXPECT_EQ(fold_.Summary().worst_alert(), "high");
  Apply(AlertBody("higher", v1::ALERT_PRIORITY_HIGH));
  EXPECT_EQ(fold_.Summary().worst_alert(), "higher");
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
  EXPECT_EQ(kFoldVersion, 2u);
  EXPECT_EQ(absl::BytesToHexString(Blake2b256(fold.EncodeCheckpoint())),
            "c17e0b9addab129ea3d7c1813650cced14f18aa82969de517d921f84ed7c1079");
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
