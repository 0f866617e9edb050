#include "acquisition-agent/app/spooled_past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/record_codec.h"
#include "common/testing/fake_clock.h"

namespace remora::agent {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = 1'000'000'000;
// The hub's time of the case's begin.
constexpr int64_t kHubZeroNs = 1'700'000'000 * kSecond;
constexpr uint64_t kBootId = 9;

class SpooledPastTest : public testing::Test {
 protected:
  SpooledPastTest() : spool_(OpenSpool(files_)) {}

  OriginId origin() const { return spool_->origin(); }
  RecordKey Put(v1::Record record, double at_s = 1) {
    SpoolRecorder recorder({spool_->case_id(), spool_->origin(), kBootId}, *spool_, clock_,
                           nullptr);
    return recorder.PutOnce(&record, static_cast<int64_t>(at_s * kSecond));
  }
  RecordKey Raise(v1::AlertPriority priority = v1::ALERT_PRIORITY_MEDIUM,
                  const std::string& subject = "a trace") {
    v1::Record record;
    record.mutable_alert()->set_condition(v1::ALERT_CONDITION_RAISED);
    record.mutable_alert()->set_priority(priority);
    record.mutable_alert()->set_trace_id(subject);
    return Put(std::move(record));
  }
  RecordKey GoOn(const RecordKey& raised_by, v1::AlertPriority priority, uint32_t episode = 0,
                 v1::AlertCondition condition = v1::ALERT_CONDITION_UPDATED) {
    v1::Record record;
    v1::Alert& alert = *record.mutable_alert();
    *alert.mutable_raised_by() = ToProto(raised_by);
    alert.set_condition(condition);
    alert.set_priority(priority);
    alert.set_episode(episode);
    alert.set_trace_id("a trace");
    return Put(std::move(record));
  }
  RecordKey Recover(const RecordKey& raised_by, uint32_t episode = 0) {
    return GoOn(raised_by, v1::ALERT_PRIORITY_INFORMATION, episode, v1::ALERT_CONDITION_RECOVERED);
  }
  // A person's record, as the hub recorded it so long after the case's begin.
  void TakeIn(v1::Record record, double recorded_s = 1) {
    record.set_case_id(spool_->case_id().ToString());
    record.set_origin(std::string(16, 'p'));
    record.set_origin_seq(++people_);
    std::string stamped = record.SerializeAsString();
    RecordStamp stamp;
    stamp.epoch = 1;
    stamp.seq = people_;
    stamp.recorded_at =
        HubTime::FromNanoseconds(kHubZeroNs + static_cast<int64_t>(recorded_s * kSecond));
    AppendStamp(stamp, &stamped);
    EXPECT_TRUE(spool_->AppendInput(people_, stamped).ok());
  }
  void Close(const RecordKey& alert, const RecordKey& seen = {},
             v1::AlertActionKind kind = v1::ALERT_ACTION_KIND_RESOLVED) {
    v1::Record record;
    record.mutable_alert_action()->set_kind(kind);
    *record.mutable_alert_action()->mutable_alert() = ToProto(alert);
    if (seen.origin_seq > 0) *record.mutable_alert_action()->mutable_seen() = ToProto(seen);
    TakeIn(std::move(record));
  }
  void SayPhase(v1::Phase phase, double recorded_s = 1) {
    v1::Record record;
    record.mutable_phase_change()->set_phase(phase);
    record.mutable_phase_change()->set_actor("a person");
    TakeIn(std::move(record), recorded_s);
  }
  void TellPhase(v1::Phase phase, double at_s = 1) {
    v1::Record record;
    record.mutable_phase_change()->set_phase(phase);
    Put(std::move(record), at_s);
  }
  void KnowClock() {
    v1::Record record;
    record.mutable_clock_estimate()->set_boot_id(kBootId);
    record.mutable_clock_estimate()->set_offset_ns(kHubZeroNs);
    Put(std::move(record));
  }
  CasePast AfterRestart() {
    EXPECT_TRUE(spool_->Commit().ok());
    spool_.reset();
    spool_ = OpenSpool(files_);
    return PastOf(*spool_);
  }

  FakeFileSystem files_;
  FakeClock clock_;
  std::unique_ptr<CaseSpool> spool_;
  uint64_t people_ = 0;
};

TEST_F(SpooledPastTest, AnAlertThatIsOnIsKnownByItsNewestRecordAndItsCall) {
  const RecordKey raised = Raise();
  const RecordKey called = GoOn(raised, v1::ALERT_PRIORITY_HIGH);
  const RecordKey newest = GoOn(raised, v1::ALERT_PRIORITY_MEDIUM);
  const CasePast past = AfterRestart();
  ASSERT_THAT(past.alerts, SizeIs(1));
  EXPECT_EQ(past.alerts[0].key, newest);
  EXPECT_EQ(past.alerts[0].called_by, called);
  EXPECT_EQ(past.alerts[0].called, v1::ALERT_PRIORITY_HIGH);
  EXPECT_TRUE(past.alerts[0].is_on());
  EXPECT_FALSE(past.alerts[0].closed);
  EXPECT_EQ(LastAlertOf(past, "a trace"), &past.alerts[0]);
  EXPECT_EQ(LastAlertOf(past, "another"), nullptr);
}

TEST_F(SpooledPastTest, AnAlertThatHasRecoveredIsKnownUntilAPersonClosesIt) {
  const RecordKey raised = Raise();
  Recover(raised);
  CasePast past = AfterRestart();
  ASSERT_THAT(past.alerts, SizeIs(1));
  EXPECT_FALSE(past.alerts[0].is_on());
  Close(raised);
  past = AfterRestart();
  EXPECT_THAT(past.alerts, IsEmpty());
}

TEST_F(SpooledPastTest, AnAlertThatAPersonClosedIsOnAndClosed) {
  for (const auto kind : {v1::ALERT_ACTION_KIND_RESOLVED, v1::ALERT_ACTION_KIND_DISMISSED}) {
    const std::string subject = v1::AlertActionKind_Name(kind);
    Close(Raise(v1::ALERT_PRIORITY_HIGH, subject), {}, kind);
    const CasePast past = AfterRestart();
    ASSERT_NE(LastAlertOf(past, subject), nullptr);
    EXPECT_TRUE(LastAlertOf(past, subject)->is_on());
    EXPECT_TRUE(LastAlertOf(past, subject)->closed);
  }
}

TEST_F(SpooledPastTest, WhatElseIsDoneAboutAnAlertClosesNothing) {
  Close(Raise(), {}, v1::ALERT_ACTION_KIND_ACTED);
  EXPECT_FALSE(AfterRestart().alerts.at(0).closed);
}

TEST_F(SpooledPastTest, AnAlertOfAnotherAuthorWithTheSameNumberIsAnother) {
  const RecordKey raised = Raise();
  Close({OriginId::FromBytes(std::string(16, 'h')), 0, raised.origin_seq});
  const CasePast past = AfterRestart();
  ASSERT_THAT(past.alerts, SizeIs(1));
  EXPECT_FALSE(past.alerts[0].closed);
}

TEST_F(SpooledPastTest, WhatGotWorseSinceIsOpenAgain) {
  const RecordKey raised = Raise();
  Close(raised);
  GoOn(raised, v1::ALERT_PRIORITY_HIGH);
  EXPECT_FALSE(AfterRestart().alerts.at(0).closed);
}

TEST_F(SpooledPastTest, WhatCameBackSinceIsOpenAgain) {
  const RecordKey raised = Raise();
  Close(raised);
  Recover(raised);
  GoOn(raised, v1::ALERT_PRIORITY_LOW, /*episode=*/1);
  EXPECT_FALSE(AfterRestart().alerts.at(0).closed);
}

TEST_F(SpooledPastTest, NewNumbersAndARecoveryAreNoCall) {
  const RecordKey raised = Raise(v1::ALERT_PRIORITY_HIGH);
  Close(raised);
  GoOn(raised, v1::ALERT_PRIORITY_MEDIUM);
  GoOn(raised, v1::ALERT_PRIORITY_HIGH);
  EXPECT_TRUE(AfterRestart().alerts.at(0).closed);
}

TEST_F(SpooledPastTest, WhoeverHadNotSeenTheCallHasNotClosedIt) {
  const RecordKey raised = Raise();
  const RecordKey worse = GoOn(raised, v1::ALERT_PRIORITY_HIGH);
  // On its way while it got worse.
  Close(raised, /*seen=*/raised);
  EXPECT_FALSE(AfterRestart().alerts.at(0).closed);
  Close(raised, /*seen=*/worse);
  EXPECT_TRUE(AfterRestart().alerts.at(0).closed);
}

TEST_F(SpooledPastTest, OfOneConditionTheNewestAlertCounts) {
  const RecordKey first = Raise();
  Close(first);
  Recover(first);
  const RecordKey second = Raise();
  const CasePast past = AfterRestart();
  ASSERT_THAT(past.alerts, SizeIs(1));
  EXPECT_EQ(past.alerts[0].key, second);
}

TEST_F(SpooledPastTest, OfTwoPhasesTheLaterCountsWhoeverSaidIt) {
  TellPhase(v1::PHASE_POSITIONING);
  SayPhase(v1::PHASE_EXPOSURE);
  EXPECT_EQ(AfterRestart().phase, v1::PHASE_EXPOSURE);
  TellPhase(v1::PHASE_CORRECTION);
  EXPECT_EQ(AfterRestart().phase, v1::PHASE_CORRECTION);
  SayPhase(v1::PHASE_CLOSURE);
  EXPECT_EQ(AfterRestart().phase, v1::PHASE_CLOSURE);
}

// It was said while the hub was away, and taken in when it was back.
TEST_F(SpooledPastTest, APersonsPhaseThatComesLateIsOlderThanADevicesByTheHubsTime) {
  KnowClock();
  TellPhase(v1::PHASE_CORRECTION, /*at_s=*/300);
  SayPhase(v1::PHASE_EXPOSURE, /*recorded_s=*/100);
  EXPECT_EQ(AfterRestart().phase, v1::PHASE_CORRECTION);
  SayPhase(v1::PHASE_CLOSURE, /*recorded_s=*/301);
  EXPECT_EQ(AfterRestart().phase, v1::PHASE_CLOSURE);
}

TEST_F(SpooledPastTest, HostileRecordsArePassedOver) {
  Raise();
  EXPECT_TRUE(spool_->AppendRecord(0, 2, 0, "no record").ok());
  EXPECT_TRUE(spool_->AppendInput(1, "nor this").ok());
  GoOn({}, v1::ALERT_PRIORITY_HIGH);
  Close({OriginId(), 7, UINT64_MAX}, {OriginId(), 9, UINT64_MAX});
  v1::Record record;
  record.mutable_phase_change()->set_phase(v1::PHASE_EXPOSURE);
  EXPECT_TRUE(spool_->AppendInput(1, record.SerializeAsString()).ok()) << "without a stamp";
  const CasePast past = AfterRestart();
  EXPECT_EQ(past.phase, v1::PHASE_EXPOSURE);
  EXPECT_THAT(past.alerts, SizeIs(1));
}

}  // namespace
}  // namespace remora::agent
