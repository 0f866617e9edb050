#include "acquisition-agent/surveillance/alert_slot.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/random.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

class AlertSlotTest : public ::testing::Test, public RecordSink {
 protected:
  RecordKey Put(v1::Record* record, int64_t /*captured_ns*/) override {
    alerts_.push_back(record->alert());
    return {origin_, 0, alerts_.size()};
  }
  void Show(v1::AlertPriority priority) {
    v1::Alert alert;
    alert.set_priority(priority);
    slot_.Show(std::move(alert), 1, 2, *this);
  }
  void Recover() { slot_.Recover(v1::Alert(), 3, *this); }
  // The first alert. `seen`: the newest record of it that the person had; 0: does not say.
  void Resolve(uint64_t seen = 0) {
    v1::AlertAction action;
    action.set_kind(v1::ALERT_ACTION_KIND_RESOLVED);
    *action.mutable_alert() = ToProto(RecordKey{origin_, 0, 1});
    if (seen > 0) *action.mutable_seen() = ToProto(RecordKey{origin_, 0, seen});
    slot_.OnResolved(action);
  }

  const OriginId origin_ = OriginId::Draw(*MakeSeededRandom(1));
  std::vector<v1::Alert> alerts_;
  AlertSlot slot_;
};

TEST_F(AlertSlotTest, CountsHowOftenTheConditionCameBack) {
  Show(v1::ALERT_PRIORITY_MEDIUM);
  Show(v1::ALERT_PRIORITY_HIGH);
  Recover();
  Show(v1::ALERT_PRIORITY_HIGH);
  ASSERT_EQ(alerts_.size(), 4u);
  EXPECT_EQ(alerts_[0].condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts_[1].episode(), 0u) << "worse is not again";
  EXPECT_EQ(alerts_[2].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(alerts_[2].episode(), 0u);
  EXPECT_EQ(alerts_[3].condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_EQ(alerts_[3].episode(), 1u);
}

TEST_F(AlertSlotTest, ResolvedAlertIsRaisedAnewWhenItsConditionComesBack) {
  Show(v1::ALERT_PRIORITY_HIGH);
  Resolve();
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_UPDATED) << "it has not gone yet";
  Recover();
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts_.back().episode(), 0u);
  EXPECT_FALSE(alerts_.back().has_raised_by());
}

TEST_F(AlertSlotTest, IsOpenUntilAPersonClosesItAndAgainWhenItGetsWorse) {
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_TRUE(slot_.is_open());
  Resolve();
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_TRUE(slot_.is_open()) << "worse calls again";
  Recover();
  EXPECT_FALSE(slot_.is_open());
}

TEST_F(AlertSlotTest, WhoeverHadNotSeenThatItGotWorseHasNotClosedIt) {
  Show(v1::ALERT_PRIORITY_MEDIUM);
  Show(v1::ALERT_PRIORITY_HIGH);
  Show(v1::ALERT_PRIORITY_HIGH);
  Resolve(/*seen=*/1);
  EXPECT_TRUE(slot_.is_open());
  Resolve(/*seen=*/2);
  EXPECT_FALSE(slot_.is_open());
}

TEST_F(AlertSlotTest, WhoeverHadNotSeenThatItCameBackHasNotClosedIt) {
  Show(v1::ALERT_PRIORITY_HIGH);
  Recover();
  Show(v1::ALERT_PRIORITY_LOW);
  Resolve(/*seen=*/2);
  EXPECT_TRUE(slot_.is_open());
  Resolve(/*seen=*/3);
  EXPECT_FALSE(slot_.is_open());
}

TEST_F(AlertSlotTest, AnotherAuthorsAlertOfTheSameNumberIsAnother) {
  Show(v1::ALERT_PRIORITY_HIGH);
  v1::AlertAction action;
  *action.mutable_alert() = ToProto(RecordKey{OriginId::Draw(*MakeSeededRandom(2)), 0, 1});
  slot_.OnResolved(action);
  EXPECT_TRUE(slot_.is_open());
}

class RestoredAlertSlotTest : public AlertSlotTest {
 protected:
  // Its record 1 raised it, MEDIUM; 2 called, HIGH; 3 is the newest.
  CasePast::Alert Past(v1::AlertCondition condition, bool closed) const {
    CasePast::Alert past;
    past.key = {origin_, 0, 3};
    past.last.set_condition(condition);
    past.last.set_priority(v1::ALERT_PRIORITY_MEDIUM);
    *past.last.mutable_raised_by() = ToProto(RecordKey{origin_, 0, 1});
    past.called_by = {origin_, 0, 2};
    past.called = v1::ALERT_PRIORITY_HIGH;
    past.closed = closed;
    return past;
  }
};

TEST_F(RestoredAlertSlotTest, WhatWasClosedIsUpdatedAndStaysClosed) {
  slot_.Restore(Past(v1::ALERT_CONDITION_UPDATED, /*closed=*/true));
  EXPECT_TRUE(slot_.is_on());
  EXPECT_FALSE(slot_.is_open());
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_FALSE(slot_.is_open()) << "as bad as it was when it was closed";
  Recover();
  Show(v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_RAISED) << "the next time";
}

TEST_F(RestoredAlertSlotTest, WhatHadRecoveredComesBackAsTheSameAlert) {
  slot_.Restore(Past(v1::ALERT_CONDITION_RECOVERED, /*closed=*/false));
  EXPECT_FALSE(slot_.is_on());
  Show(v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_EQ(alerts_.back().condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_EQ(alerts_.back().episode(), 1u);
  EXPECT_EQ(alerts_.back().raised_by().origin_seq(), 1u);
}

TEST_F(RestoredAlertSlotTest, IsClosedByWhoeverHadItsLastCallOfBefore) {
  slot_.Restore(Past(v1::ALERT_CONDITION_UPDATED, /*closed=*/false));
  Resolve(/*seen=*/1);
  EXPECT_TRUE(slot_.is_open());
  Resolve(/*seen=*/2);
  EXPECT_FALSE(slot_.is_open());
}

}  // namespace
}  // namespace remora::agent
