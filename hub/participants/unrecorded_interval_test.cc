// What is told, and on record, of an interval in which nothing could be recorded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/testing/unrecorded_case.h"

namespace remora::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnrecordedIntervalTest : public UnrecordedTest {};

TEST_F(UnrecordedIntervalTest, EverybodyIsToldWhenItChangesAndWhoComesMeanwhile) {
  auto wall = Wall();
  auto complete = Follower("reader-2", 2, v1::DELIVERY_COMPLETE);
  auto old = Follower("reader-3", 1);
  FailDisk();
  agent_->Publish({Message("x")});
  hub_.RunFor(Duration::Seconds(1));
  auto late = Follower("reader-4");
  const auto unrecorded = v1::RECORDING_CONDITION_UNRECORDED;
  const auto recording = v1::RECORDING_CONDITION_RECORDING;
  for (const TestParticipant* each : {agent_.get(), reader_.get(), complete.get(), late.get()}) {
    EXPECT_THAT(Conditions(*each), ElementsAre(unrecorded)) << each->identity.name;
    const v1::Recording& told = each->Last(v1::Down::kRecording)->recording();
    EXPECT_EQ(told.case_id(), case_id_.bytes());
    EXPECT_THAT(told.cause(), HasSubstr("disk is full"));
    EXPECT_NE(told.since_unix_ns(), 0);
  }
  ASSERT_NE(wall->Last(v1::Down::kDirectory), nullptr);
  EXPECT_EQ(wall->Last(v1::Down::kDirectory)->directory().cases(0).recording(), unrecorded);
  // Who came late is shown what is not on disk, behind its snapshot.
  EXPECT_THAT(Unrecorded(*late), ElementsAre("x"));

  MendDisk();
  hub_.RunFor(Duration::Seconds(10));
  for (const TestParticipant* each : {agent_.get(), reader_.get(), complete.get(), late.get()}) {
    EXPECT_THAT(Conditions(*each), ElementsAre(unrecorded, recording)) << each->identity.name;
    EXPECT_EQ(each->Last(v1::Down::kRecording)->recording().cause(), "");
  }
  EXPECT_EQ(wall->Last(v1::Down::kDirectory)->directory().cases(0).recording(), recording);
  EXPECT_THAT(Conditions(*old), IsEmpty());
}

TEST_F(UnrecordedIntervalTest, IntervalSaysWhereItsOwnRecordsBegin) {
  const size_t on_disk = hub_.JournalRecords(case_id_).size();
  FailDisk();
  const std::string sweep = writer_.Write(SweepBody("SEP/R", 0, false));
  agent_->Publish({sweep});
  hub_.RunFor(Duration::Seconds(3));
  MendDisk();
  hub_.RunFor(Duration::Seconds(2));
  agent_->Publish({sweep});
  hub_.RunFor(Duration::Seconds(10));
  const std::vector<v1::Record> intervals = OnRecord(v1::Record::kUnrecordedInterval);
  const std::vector<v1::Record> sweeps = OnRecord(v1::Record::kSweep);
  ASSERT_EQ(intervals.size(), 1u);
  ASSERT_EQ(sweeps.size(), 1u);
  EXPECT_EQ(intervals[0].unrecorded_interval().first_seq(), on_disk + 1);
  EXPECT_GE(sweeps[0].stamp().seq(), intervals[0].unrecorded_interval().first_seq());
  EXPECT_LT(sweeps[0].stamp().seq(), intervals[0].stamp().seq());
}

TEST_F(UnrecordedIntervalTest, IntervalAndAlarmAreOnRecordWhenItIsOver) {
  FailDisk();
  const std::string message = Message("x");
  agent_->Publish({message});
  hub_.RunFor(Duration::Seconds(60));
  EXPECT_THAT(OnRecord(v1::Record::kUnrecordedInterval), IsEmpty());
  int shown_alerts = 0;
  for (const Received& received : reader_->OfLane(0)) {
    shown_alerts +=
        received.stamped.header.kind == v1::Record::kAlert && received.stamped.stamp.unrecorded;
  }
  EXPECT_EQ(shown_alerts, 1);
  MendDisk();
  hub_.RunFor(Duration::Seconds(10));
  const std::vector<v1::Record> intervals = OnRecord(v1::Record::kUnrecordedInterval);
  ASSERT_EQ(intervals.size(), 1u);
  const v1::UnrecordedInterval& interval = intervals[0].unrecorded_interval();
  EXPECT_NEAR(static_cast<double>(interval.to_unix_ns() - interval.from_unix_ns()) / 1e9,
              60 + kUnrecordedHold.seconds(), 1.5);
  EXPECT_THAT(interval.cause(), HasSubstr("disk is full"));
  EXPECT_EQ(interval.shown_count(), hub_.metrics().counter(metric::kRecordsShownUnrecorded));
  const std::vector<v1::Record> alerts = OnRecord(v1::Record::kAlert);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].alert().condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts[1].alert().condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(FromProto(alerts[1].alert().raised_by()),
            (RecordKey{OriginId::FromBytes(alerts[0].origin()), 0, alerts[0].origin_seq()}));
}

TEST_F(UnrecordedIntervalTest, WallIsCalledByWhatIsShownAndSnapshotsHoldOnlyWhatIsOnDisk) {
  auto wall = Wall();
  FailDisk();
  agent_->Publish({Message("the first one waits in the hub")});
  hub_.Run();
  agent_->Publish({writer_.Write(AlertBody("MEP lost", v1::ALERT_PRIORITY_HIGH))});
  hub_.RunFor(Duration::Seconds(1));
  const auto tile = [&wall] { return wall->Last(v1::Down::kDirectory)->directory().cases(0); };
  EXPECT_EQ(tile().calling_alert(), "MEP lost");
  EXPECT_EQ(tile().calling_priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(tile().recording(), v1::RECORDING_CONDITION_UNRECORDED);
  // Whether its agent is there is not on disk either.
  agent_.reset();
  hub_.RunFor(Duration::Seconds(15));
  EXPECT_EQ(tile().agent_link(), v1::LINK_CONDITION_LOST);
  auto late = Follower("reader-5");
  ASSERT_NE(late->Last(v1::Down::kSnapshot), nullptr);
  const v1::CaseSummary& held = late->Last(v1::Down::kSnapshot)->snapshot().state().summary();
  EXPECT_EQ(held.open_alert_count(), 0u);
  EXPECT_NE(held.agent_link(), v1::LINK_CONDITION_LOST);
  MendDisk();
  hub_.RunFor(Duration::Seconds(10));
  // Its sender did not come back with it: it is not on record, and calls no more.
  EXPECT_NE(tile().calling_alert(), "MEP lost");
  EXPECT_EQ(tile().agent_link(), v1::LINK_CONDITION_LOST);
}

TEST_F(UnrecordedIntervalTest, WhatGetsOnDiskWithinAnIntervalIsInTheTileOnce) {
  auto wall = Wall();
  hub_.RunFor(Duration::Seconds(1));
  CommitSlowly(writer_.Write(AlertBody("shown first")), Duration::Milliseconds(300));
  hub_.Run();
  agent_->Publish({writer_.Write(AlertBody("committed at once"))});
  hub_.RunFor(Duration::Seconds(1));
  const v1::CaseSummary tile = wall->Last(v1::Down::kDirectory)->directory().cases(0);
  EXPECT_EQ(tile.recording(), v1::RECORDING_CONDITION_UNRECORDED);
  // And the hub's own, that it is slow.
  EXPECT_EQ(tile.open_alert_count(), 3u);
}

TEST_F(UnrecordedIntervalTest, SecondIntervalWithinAMinuteHasItsAlarmWhenTheMinuteIsOver) {
  const auto raised = [this] {
    int count = 0;
    for (const Received& received : reader_->OfLane(0)) {
      v1::Record record;
      count += received.stamped.stamp.unrecorded && record.ParseFromString(received.bytes) &&
               record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_RAISED;
    }
    return count;
  };
  FailDisk();
  const std::string first = Message("1");
  agent_->Publish({first});
  hub_.RunFor(Duration::Seconds(7));
  MendDisk();
  hub_.RunFor(Duration::Seconds(8));
  agent_->Publish({first});
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(raised(), 1);
  FailDisk();
  agent_->Publish({Message("2")});
  hub_.RunFor(Duration::Seconds(10));
  EXPECT_EQ(raised(), 1);
  hub_.RunFor(kTechnicalAlertInterval);
  EXPECT_EQ(raised(), 2);
}

TEST_F(UnrecordedIntervalTest, DiskThatStallsEachSecondMakesOneInterval) {
  hub_.RunFor(Duration::Seconds(1));
  for (int i = 0; i < 20; ++i) {
    CommitSlowly(Message(std::to_string(i)), Duration::Milliseconds(500));
    hub_.RunFor(Duration::Milliseconds(500));
  }
  EXPECT_EQ(Conditions(*reader_).size(), 1u);
  hub_.RunFor(Duration::Seconds(10));
  EXPECT_EQ(Conditions(*reader_).size(), 2u);
  const std::vector<v1::Record> intervals = OnRecord(v1::Record::kUnrecordedInterval);
  ASSERT_EQ(intervals.size(), 1u);
  EXPECT_EQ(Recorded(*reader_).size(), 20u);
  EXPECT_EQ(Unrecorded(*reader_).size(), 20u);
}

TEST_F(UnrecordedIntervalTest, OneStallLastsAtLeastTheHold) {
  hub_.RunFor(Duration::Seconds(1));
  CommitSlowly(Message("x"), Duration::Milliseconds(300));
  hub_.RunFor(kUnrecordedHold - Duration::Milliseconds(400));
  EXPECT_EQ(Conditions(*reader_).size(), 1u);
  // In the hold, with the disk in order, records come with their seq, and with nothing else.
  agent_->Publish({Message("y")});
  hub_.Run();
  EXPECT_THAT(Recorded(*reader_), ElementsAre("x", "y"));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("x"));
  hub_.RunFor(Duration::Milliseconds(700));
  EXPECT_EQ(Conditions(*reader_).size(), 2u);
}

TEST_F(UnrecordedIntervalTest, HubThatStartsAgainInTheMiddleHasOnlyWhatIsOnDiskAndLosesNothing) {
  FailDisk();
  const std::string first = Message("1");
  const std::string second = Message("2");
  agent_->Publish({first});
  hub_.Run();
  agent_->Publish({second});
  hub_.RunFor(Duration::Seconds(2));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("1", "2"));
  agent_.reset();
  reader_.reset();
  hub_.RestartHub();
  hub_.Run();
  // Still no disk: the same again, under the same ids.
  agent_ = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent_->Hello(origin_);
  agent_->Join(case_id_, "OR 1");
  reader_ = Follower("reader-1");
  agent_->Publish({first, second});
  hub_.RunFor(Duration::Seconds(2));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("1", "2"));
  MendDisk();
  hub_.RunFor(Duration::Seconds(2));
  agent_->Publish({first, second});
  hub_.Run();
  EXPECT_THAT(Recorded(*reader_), ElementsAre("1", "2"));
}

TEST_F(UnrecordedIntervalTest, IntervalThatTheHubsEndCutOffIsOnRecordIfItsAlarmIs) {
  hub_.RunFor(Duration::Seconds(1));
  CommitSlowly(Message("slow"), Duration::Milliseconds(300));
  hub_.RunFor(Duration::Milliseconds(100));
  agent_.reset();
  reader_.reset();
  ASSERT_EQ(OnRecord(v1::Record::kAlert).size(), 1u);
  for (int start = 0; start < 2; ++start) {
    hub_.RestartHub();
    hub_.RunFor(Duration::Seconds(2));
    const std::vector<v1::Record> alerts = OnRecord(v1::Record::kAlert);
    ASSERT_EQ(alerts.size(), 2u);
    EXPECT_EQ(alerts[1].alert().condition(), v1::ALERT_CONDITION_RECOVERED);
    EXPECT_EQ(alerts[1].alert().raised_by().origin_seq(), alerts[0].origin_seq());
    const std::vector<v1::Record> intervals = OnRecord(v1::Record::kUnrecordedInterval);
    ASSERT_EQ(intervals.size(), 1u);
    EXPECT_EQ(intervals[0].unrecorded_interval().first_seq(), alerts[0].stamp().seq());
    EXPECT_GE(intervals[0].unrecorded_interval().to_unix_ns(),
              intervals[0].unrecorded_interval().from_unix_ns());
  }
}

}  // namespace
}  // namespace remora::hub
