#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/session_limits.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnrecordedTest : public ::testing::Test {
 protected:
  UnrecordedTest()
      : case_id_(hub_.DrawCase()), origin_(hub_.DrawOrigin()), writer_(case_id_, origin_) {
    agent_ = OpenCase(hub_, case_id_, &writer_, origin_);
    reader_ = Follower("reader-1");
  }

  // Joined too; has read everything so far.
  std::unique_ptr<TestParticipant> Follower(const std::string& name, uint32_t speaks = 2,
                                            v1::Delivery delivery = v1::DELIVERY_LIVE) {
    auto follower = std::make_unique<TestParticipant>(hub_, ReaderIdentity(name));
    follower->speaks = speaks;
    follower->Hello();
    follower->Join(case_id_);
    delivery == v1::DELIVERY_LIVE ? follower->FollowLive(1, case_id_)
                                  : follower->FollowComplete(1, case_id_);
    hub_.RunFor(Duration::Seconds(1));
    return follower;
  }
  void FailDisk() { hub_.journal().FailCommits(absl::ResourceExhaustedError("disk is full")); }
  void MendDisk() { hub_.journal().FailCommits(absl::OkStatus()); }
  std::string Message(const std::string& text) {
    return writer_.Write(MessageBody(text, agent_->identity.display_name));
  }
  static std::vector<std::string> Texts(const std::vector<Received>& records, bool unrecorded) {
    std::vector<std::string> texts;
    for (const Received& received : records) {
      v1::Record record;
      if (received.stamped.stamp.unrecorded != unrecorded) continue;
      if (record.ParseFromString(received.bytes) && record.has_message()) {
        texts.push_back(record.message().text());
      }
    }
    return texts;
  }
  static std::vector<std::string> Unrecorded(const TestParticipant& participant) {
    return Texts(participant.records, true);
  }
  static std::vector<std::string> Recorded(const TestParticipant& participant) {
    return Texts(participant.records, false);
  }
  static std::vector<v1::RecordingCondition> Conditions(const TestParticipant& participant) {
    std::vector<v1::RecordingCondition> conditions;
    for (const v1::Down& down : participant.downs) {
      if (down.has_recording()) conditions.push_back(down.recording().condition());
    }
    return conditions;
  }
  // Of the journal, of this kind.
  std::vector<v1::Record> OnRecord(v1::Record::BodyCase kind) {
    std::vector<v1::Record> found;
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
      v1::Record record;
      if (record.ParseFromString(bytes) && record.body_case() == kind) found.push_back(record);
    }
    return found;
  }

  HubHarness hub_;
  CaseId case_id_;
  OriginId origin_;
  RecordWriter writer_;
  std::unique_ptr<TestParticipant> agent_;
  std::unique_ptr<TestParticipant> reader_;
};

TEST_F(UnrecordedTest, FailedCommitIsShownLiveOnceWithTheMarkAndMovesNothing) {
  auto complete = Follower("reader-2", 2, v1::DELIVERY_COMPLETE);
  auto old = Follower("reader-3", 1);
  hub_.RunFor(Duration::Seconds(1));
  const size_t on_disk = hub_.JournalRecords(case_id_).size();
  for (TestParticipant* each : {agent_.get(), reader_.get(), complete.get(), old.get()}) {
    each->ClearReceived();
  }
  FailDisk();
  const std::string first = Message("one");
  const std::string second = Message("two");
  const std::string sweep = writer_.Write(SweepBody("SEP/R", 0, false));
  agent_->Publish({first});
  hub_.Run();
  agent_->Publish({second, sweep, first, second, sweep});
  hub_.RunFor(Duration::Seconds(3));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("one", "two"));
  ASSERT_EQ(reader_->OfLane(3).size(), 1u);
  EXPECT_TRUE(reader_->OfLane(3)[0].stamped.stamp.unrecorded);
  EXPECT_EQ(reader_->OfLane(3)[0].seq(), 0u);
  EXPECT_EQ(reader_->OfLane(3)[0].stamped.stamp.epoch, 1u);
  EXPECT_THAT(complete->records, IsEmpty());
  EXPECT_THAT(old->records, IsEmpty());
  EXPECT_EQ(hub_.JournalRecords(case_id_).size(), on_disk);
  EXPECT_EQ(agent_->CountOf(v1::Down::kAcknowledge), 0);
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  ASSERT_NE(reader_->Last(v1::Down::kHeartbeat), nullptr);
  const v1::CaseHead& head = reader_->Last(v1::Down::kHeartbeat)->heartbeat().heads(0);
  EXPECT_EQ(head.head_seq(), on_disk);
  EXPECT_EQ(head.recording(), v1::RECORDING_CONDITION_UNRECORDED);
  EXPECT_GE(hub_.metrics().counter(metric::kRecordsShownUnrecorded), 3u);
  EXPECT_EQ(hub_.metrics().gauge(metric::kRoomsUnrecorded), 1);

  MendDisk();
  hub_.RunFor(Duration::Seconds(2));
  EXPECT_EQ(agent_->CountOf(v1::Down::kJoined), 1);
  agent_->Publish({first, second, sweep});
  hub_.RunFor(Duration::Seconds(10));
  EXPECT_THAT(Recorded(*reader_), ElementsAre("one", "two"));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("one", "two"));
  EXPECT_EQ(reader_->OfLane(3).size(), 2u);
  EXPECT_EQ(complete->records.size(), hub_.JournalRecords(case_id_).size() - on_disk);
  EXPECT_EQ(old->CountOf(v1::Down::kFollowEnded), 1);
  EXPECT_EQ(hub_.metrics().gauge(metric::kRoomsUnrecorded), 0);
}

TEST_F(UnrecordedTest, FollowerOfVersion1IsToldThatItIsShownNothingAndMayFollowAgain) {
  auto old = Follower("reader-3", 1);
  auto complete = Follower("reader-4", 1, v1::DELIVERY_COMPLETE);
  FailDisk();
  agent_->Publish({Message("one")});
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_NE(old->Last(v1::Down::kFollowEnded), nullptr);
  EXPECT_THAT(old->Last(v1::Down::kFollowEnded)->follow_ended().cause(),
              HasSubstr("cannot record this case"));
  EXPECT_EQ(complete->CountOf(v1::Down::kFollowEnded), 0) << "it has no picture of now";
  old->FollowLive(2, case_id_);
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_NE(old->Last(v1::Down::kRefused), nullptr) << "still so";
  EXPECT_EQ(old->Last(v1::Down::kRefused)->refused().follow_id(), 2u);
  EXPECT_EQ(old->Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_TOO_MANY)
      << "links ask again by themselves";
  MendDisk();
  hub_.RunFor(Duration::Seconds(10));
  old->FollowLive(3, case_id_);
  hub_.RunFor(Duration::Seconds(1));
  old->ClearReceived();
  agent_->Publish({Message("two")});
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(old->CountOf(v1::Down::kFollowEnded), 0);
  EXPECT_THAT(Recorded(*old), ElementsAre("two"));
}

TEST_F(UnrecordedTest, BulkThatIsOfferedAgainFromABacklogIsToldAndHistoryHasIt) {
  FailDisk();
  const std::string first = Message("one");
  const std::string sweep = writer_.Write(SweepBody("SEP/R", 0, false));
  agent_->Publish({first});
  hub_.Run();
  agent_->Publish({sweep});
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_EQ(reader_->OfLane(3).size(), 1u);
  MendDisk();
  hub_.RunFor(Duration::Seconds(2));
  agent_->Publish({first});
  v1::Up up;
  up.add_records(sweep);
  up.set_backlog(true);
  agent_->SendUp(up);
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_THAT(Recorded(*reader_), ElementsAre("one"));
  EXPECT_EQ(reader_->OfLane(3).size(), 1u);
  ASSERT_NE(reader_->Last(v1::Down::kGap), nullptr);
  const v1::Gap gap = reader_->Last(v1::Down::kGap)->gap();
  EXPECT_EQ(gap.cause(), v1::GAP_CAUSE_LATE);
  EXPECT_EQ(gap.count(), 1u);
  // By its id in history, the mark goes.
  v1::Up request;
  request.mutable_history_request()->set_request_id(1);
  request.mutable_history_request()->set_case_id(case_id_.ToString());
  request.mutable_history_request()->set_from_seq(gap.from_seq());
  request.mutable_history_request()->set_to_seq(gap.to_seq());
  reader_->SendUp(request);
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_NE(reader_->Last(v1::Down::kHistoryPage), nullptr);
  const v1::HistoryPage page = reader_->Last(v1::Down::kHistoryPage)->history_page();
  ASSERT_EQ(page.records_size(), 1);
  const StampedRecord again = *WalkStamped(page.records(0));
  EXPECT_EQ(again.header.key(), reader_->OfLane(3)[0].stamped.header.key());
  EXPECT_FALSE(again.stamp.unrecorded);
}

TEST_F(UnrecordedTest, BacklogIsNoPictureOfNowEvenWhereItCannotBeRecorded) {
  FailDisk();
  agent_->Publish({Message("one")});
  hub_.Run();
  v1::Up up;
  up.add_records(writer_.Write(SweepBody("SEP/R", 0, false)));
  up.set_backlog(true);
  agent_->SendUp(up);
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("one"));
  EXPECT_TRUE(reader_->OfLane(3).empty());
  EXPECT_EQ(hub_.metrics().counter(metric::kRecordsShownUnrecorded), 2u) << "and the hub's alarm";
}

TEST_F(UnrecordedTest, SlowCommitWithAnEventIsShownAfter250MsAndAgainWhenItIsOnDisk) {
  hub_.RunFor(Duration::Seconds(1));
  hub_.journal().HoldCommits();
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false)), Message("slow")});
  hub_.RunFor(Duration::Milliseconds(249));
  EXPECT_THAT(Unrecorded(*reader_), IsEmpty());
  EXPECT_THAT(Conditions(*reader_), IsEmpty());
  hub_.RunFor(Duration::Milliseconds(1));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("slow"));
  EXPECT_EQ(reader_->OfLane(3).size(), 1u);
  EXPECT_THAT(Conditions(*reader_), ElementsAre(v1::RECORDING_CONDITION_UNRECORDED));
  // What comes now is shown at once.
  agent_->Publish({Message("next")});
  hub_.Run();
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("slow", "next"));
  EXPECT_THAT(Recorded(*reader_), IsEmpty());
  hub_.journal().ReleaseCommits();
  hub_.Run();
  // It succeeded after all: nobody has to offer anything again.
  EXPECT_EQ(agent_->CountOf(v1::Down::kJoined), 1);
  EXPECT_THAT(Recorded(*reader_), ElementsAre("slow", "next"));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("slow", "next"));
  EXPECT_EQ(reader_->OfLane(3).size(), 2u);
}

TEST_F(UnrecordedTest, SlowCommitOfBulkAloneIsShownBeforeItLooksStale) {
  agent_->Publish({Message("a sign of life")});
  hub_.RunFor(Duration::Milliseconds(200));
  hub_.journal().HoldCommits();
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false))});
  hub_.RunFor(kUnrecordedBulkAfter - Duration::Milliseconds(100));
  EXPECT_THAT(reader_->OfLane(3), IsEmpty());
  hub_.RunFor(Duration::Milliseconds(200));
  ASSERT_EQ(reader_->OfLane(3).size(), 1u);
  EXPECT_TRUE(reader_->OfLane(3)[0].stamped.stamp.unrecorded);
  hub_.journal().ReleaseCommits();
}

TEST_F(UnrecordedTest, OrderHoldsAndWhatWouldBeRefusedIsNotShownButPassedOver) {
  FailDisk();
  agent_->Publish({Message("1")});
  hub_.Run();
  const std::string second = Message("2");
  const std::string not_permitted = writer_.Write(MessageBody("I am somebody else", "Dr Somebody"));
  const std::string fourth = Message("4");
  agent_->Publish({fourth});
  hub_.Run();
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("1"));
  agent_->Publish({second, not_permitted, fourth});
  hub_.Run();
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("1", "2", "4"));
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  MendDisk();
  hub_.RunFor(Duration::Seconds(2));
  agent_->Publish({second, not_permitted, fourth});
  hub_.Run();
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_THAT(Recorded(*reader_), ElementsAre("1", "2", "4"));
}

TEST_F(UnrecordedTest, StageIsCheckedAgainstWhatWasShown) {
  FailDisk();
  agent_->Publish({Message("before"), writer_.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSING)),
                   writer_.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSED)),
                   // Not allowed after that: passed over.
                   writer_.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"))});
  hub_.Run();
  int steps = 0;
  for (const Received& received : reader_->OfLane(1)) {
    steps += received.stamped.header.kind == v1::Record::kCaseLifecycle &&
             received.stamped.stamp.unrecorded;
  }
  EXPECT_EQ(steps, 1) << "CLOSED waits: the books are struck over what is on record";
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("before"));
}

TEST_F(UnrecordedTest, TalkGoesBothWaysWhileNothingIsRecorded) {
  TestParticipant team(hub_, {"team", "Team", v1::ROLE_SURGICAL_TEAM, {}});
  team.Hello();
  team.Join(case_id_);
  team.FollowLive(1, case_id_);
  hub_.RunFor(Duration::Seconds(1));
  FailDisk();
  RecordWriter by_reader(case_id_, reader_->origin);
  RecordWriter by_team(case_id_, team.origin);
  reader_->Publish({by_reader.Write(MessageBody("hold on", reader_->identity.display_name))});
  hub_.Run();
  team.Publish({by_team.Write(MessageBody("waiting", "Team"))});
  hub_.Run();
  EXPECT_THAT(Unrecorded(team), ElementsAre("hold on", "waiting"));
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("hold on", "waiting"));
}

TEST_F(UnrecordedTest, EverybodyIsToldWhenItChangesAndWhoComesMeanwhile) {
  TestParticipant wall(hub_, {"wall", "Wall", v1::ROLE_CENTRE, {}});
  wall.Hello();
  v1::Follow directory;
  directory.set_follow_id(1);
  directory.set_directory(true);
  wall.Follow(directory);
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
  ASSERT_NE(wall.Last(v1::Down::kDirectory), nullptr);
  EXPECT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases(0).recording(), unrecorded);
  // Who came late is shown what is not on disk, behind its snapshot.
  EXPECT_THAT(Unrecorded(*late), ElementsAre("x"));

  MendDisk();
  hub_.RunFor(Duration::Seconds(10));
  for (const TestParticipant* each : {agent_.get(), reader_.get(), complete.get(), late.get()}) {
    EXPECT_THAT(Conditions(*each), ElementsAre(unrecorded, recording)) << each->identity.name;
    EXPECT_EQ(each->Last(v1::Down::kRecording)->recording().cause(), "");
  }
  EXPECT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases(0).recording(), recording);
  EXPECT_THAT(Conditions(*old), IsEmpty());
}

TEST_F(UnrecordedTest, IntervalSaysWhereItsOwnRecordsBegin) {
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

TEST_F(UnrecordedTest, IntervalAndAlarmAreOnRecordWhenItIsOver) {
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

TEST_F(UnrecordedTest, WallIsCalledByWhatIsShownAndSnapshotsHoldOnlyWhatIsOnDisk) {
  TestParticipant wall(hub_, {"wall", "Wall", v1::ROLE_CENTRE, {}});
  wall.Hello();
  v1::Follow directory;
  directory.set_follow_id(1);
  directory.set_directory(true);
  wall.Follow(directory);
  FailDisk();
  agent_->Publish({Message("the first one waits in the hub")});
  hub_.Run();
  agent_->Publish({writer_.Write(AlertBody("MEP lost", v1::ALERT_PRIORITY_HIGH))});
  hub_.RunFor(Duration::Seconds(1));
  const auto tile = [&wall] { return wall.Last(v1::Down::kDirectory)->directory().cases(0); };
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

TEST_F(UnrecordedTest, WhatGetsOnDiskWithinAnIntervalIsInTheTileOnce) {
  TestParticipant wall(hub_, {"wall", "Wall", v1::ROLE_CENTRE, {}});
  wall.Hello();
  v1::Follow directory;
  directory.set_follow_id(1);
  directory.set_directory(true);
  wall.Follow(directory);
  hub_.RunFor(Duration::Seconds(1));
  hub_.journal().HoldCommits();
  agent_->Publish({writer_.Write(AlertBody("shown first"))});
  hub_.RunFor(Duration::Milliseconds(300));
  hub_.journal().ReleaseCommits();
  hub_.Run();
  agent_->Publish({writer_.Write(AlertBody("committed at once"))});
  hub_.RunFor(Duration::Seconds(1));
  const v1::CaseSummary tile = wall.Last(v1::Down::kDirectory)->directory().cases(0);
  EXPECT_EQ(tile.recording(), v1::RECORDING_CONDITION_UNRECORDED);
  // And the hub's own, that it is slow.
  EXPECT_EQ(tile.open_alert_count(), 3u);
}

TEST_F(UnrecordedTest, WhatWaitsWhenTheDiskFailsIsShownBeforeWhatTheHubSaysOfIt) {
  FailDisk();
  agent_.reset();  // the first record that cannot be written is the hub's own
  hub_.RunFor(Duration::Seconds(4));
  std::vector<v1::Record::BodyCase> kinds;
  for (const Received& received : reader_->OfLane(0)) {
    v1::Record record;
    if (!received.stamped.stamp.unrecorded || !record.ParseFromString(received.bytes)) continue;
    kinds.push_back(record.body_case());
  }
  EXPECT_THAT(kinds, ElementsAre(v1::Record::kLinkState, v1::Record::kAlert));
}

TEST_F(UnrecordedTest, WhatWaitedUnseenIsShownBeforeWhatComesWhenItIsLate) {
  hub_.RunFor(Duration::Seconds(1));
  hub_.journal().HoldCommits();
  agent_->Publish({Message("slow")});
  hub_.RunFor(Duration::Milliseconds(300));
  hub_.journal().ReleaseCommits();
  hub_.Run();
  hub_.journal().HoldCommits();
  agent_->Publish({Message("waits")});
  hub_.Run();
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("slow"));
  // The hub's timers are late.
  hub_.clock().Advance(Duration::Milliseconds(300));
  agent_->Publish({Message("next")});
  hub_.Run();
  EXPECT_THAT(Unrecorded(*reader_), ElementsAre("slow", "waits", "next"));
  hub_.journal().ReleaseCommits();
}

TEST_F(UnrecordedTest, SecondIntervalWithinAMinuteHasItsAlarmWhenTheMinuteIsOver) {
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

TEST_F(UnrecordedTest, DiskThatStallsEachSecondMakesOneInterval) {
  hub_.RunFor(Duration::Seconds(1));
  for (int i = 0; i < 20; ++i) {
    hub_.journal().HoldCommits();
    agent_->Publish({Message(std::to_string(i))});
    hub_.RunFor(Duration::Milliseconds(500));
    hub_.journal().ReleaseCommits();
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

TEST_F(UnrecordedTest, OneStallLastsAtLeastTheHold) {
  hub_.RunFor(Duration::Seconds(1));
  hub_.journal().HoldCommits();
  agent_->Publish({Message("x")});
  hub_.RunFor(Duration::Milliseconds(300));
  hub_.journal().ReleaseCommits();
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

TEST_F(UnrecordedTest, HubsOwnRecordsAreShownAndOnRecordUnderTheSameIds) {
  FailDisk();
  agent_->Publish({Message("x")});
  hub_.Run();
  agent_.reset();  // its link is cut in the middle of it
  hub_.RunFor(Duration::Seconds(70));
  std::vector<RecordKey> shown;
  for (const Received& received : reader_->records) {
    if (received.stamped.stamp.unrecorded && received.stamped.header.origin != origin_) {
      shown.push_back(received.stamped.header.key());
    }
  }
  // The alert, three link states, and that it left.
  ASSERT_EQ(shown.size(), 5u);
  MendDisk();
  hub_.RunFor(Duration::Seconds(10));
  std::set<RecordKey> recorded;
  for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
    recorded.insert(WalkStamped(bytes)->header.key());
  }
  for (const RecordKey& key : shown) EXPECT_TRUE(recorded.contains(key)) << key.origin_seq;
  ASSERT_FALSE(OnRecord(v1::Record::kLinkState).empty());
  EXPECT_EQ(OnRecord(v1::Record::kLinkState).back().link_state().condition(),
            v1::LINK_CONDITION_UNSUPERVISED);
}

TEST_F(UnrecordedTest, NewCaseCanBeFoundAndFollowedBeforeItsOpeningIsOnDisk) {
  TestParticipant wall(hub_, {"wall", "Wall", v1::ROLE_CENTRE, {}});
  wall.Hello();
  v1::Follow directory;
  directory.set_follow_id(1);
  directory.set_directory(true);
  wall.Follow(directory);
  hub_.RunFor(Duration::Seconds(1));
  wall.ClearReceived();
  FailDisk();
  const CaseId case_id = hub_.DrawCase();
  RecordWriter writer(case_id, hub_.DrawOrigin());
  const std::string opened = writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 2"));
  const std::string sweep = writer.Write(SweepBody("SEP/L", 0, false));
  TestParticipant agent(hub_, AgentIdentity("agent-2"));
  agent.Hello(writer.LastKey(1).origin);
  agent.Join(case_id, "OR 2");
  hub_.Run();
  agent.Publish({opened});
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_THAT(Conditions(agent), ElementsAre(v1::RECORDING_CONDITION_UNRECORDED));
  v1::CaseSummary summary;
  for (const v1::Down& down : wall.downs) {
    for (const v1::CaseSummary& listed : down.directory().cases()) {
      if (listed.case_id() == case_id.bytes()) summary = listed;
    }
  }
  EXPECT_EQ(summary.stage(), v1::CASE_STAGE_OPEN);
  EXPECT_EQ(summary.theatre(), "OR 2");
  EXPECT_EQ(summary.recording(), v1::RECORDING_CONDITION_UNRECORDED);
  TestParticipant reader(hub_, ReaderIdentity("reader-9"));
  reader.Hello();
  reader.FollowLive(1, case_id);
  hub_.Run();
  agent.Publish({sweep});
  hub_.Run();
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot), 1);
  ASSERT_FALSE(reader.OfLane(1).empty());
  EXPECT_EQ(reader.OfLane(1)[0].stamped.header.kind, v1::Record::kCaseLifecycle);
  EXPECT_TRUE(reader.OfLane(1)[0].stamped.stamp.unrecorded);
  EXPECT_EQ(reader.OfLane(3).size(), 1u);
  EXPECT_EQ(agent.CountOf(v1::Down::kAcknowledge), 0);
  MendDisk();
  hub_.RunFor(Duration::Seconds(2));
  agent.Publish({opened, sweep});
  hub_.Run();
  EXPECT_EQ(reader.OfLane(3).size(), 2u);
  EXPECT_GE(hub_.JournalRecords(case_id).size(), 2u);
}

TEST_F(UnrecordedTest, HubThatStartsAgainInTheMiddleHasOnlyWhatIsOnDiskAndLosesNothing) {
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

TEST_F(UnrecordedTest, IntervalThatTheHubsEndCutOffIsOnRecordIfItsAlarmIs) {
  hub_.RunFor(Duration::Seconds(1));
  hub_.journal().HoldCommits();
  agent_->Publish({Message("slow")});
  hub_.RunFor(Duration::Milliseconds(300));
  hub_.journal().ReleaseCommits();
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

TEST_F(UnrecordedTest, WhoResumesWhileTheJournalCannotBeReadStartsFromASnapshot) {
  agent_->Publish({Message("on disk")});
  hub_.RunFor(Duration::Seconds(1));
  v1::Follow resumed;
  resumed.set_follow_id(1);
  resumed.set_case_id(case_id_.ToString());
  resumed.set_delivery(v1::DELIVERY_LIVE);
  resumed.mutable_cursor()->set_epoch(1);
  for (const bool checks_digest : {false, true}) {
    FailDisk();
    hub_.journal().FailReads(absl::UnavailableError("the file is closed"));
    agent_->Publish({Message("not on disk")});
    hub_.RunFor(Duration::Seconds(90));  // what is recent has left the memory
    v1::LaneCursor* lane = resumed.mutable_cursor()->add_lanes();
    lane->set_lane(1);
    lane->set_seq(1);
    if (checks_digest) lane->set_digest(7);
    TestParticipant reader(hub_, ReaderIdentity("reader-7"));
    reader.Hello();
    reader.Follow(resumed);
    hub_.RunFor(kReadPatience * 3);
    ASSERT_EQ(reader.CountOf(v1::Down::kSnapshot), 1);
    EXPECT_EQ(reader.Last(v1::Down::kSnapshot)->snapshot().cause(), "journal cannot be read");
    EXPECT_EQ(reader.CountOf(v1::Down::kFollowEnded), 0);
    EXPECT_THAT(Unrecorded(reader), testing::Contains("not on disk"));
    hub_.journal().FailReads(absl::OkStatus());
  }
}

TEST_F(UnrecordedTest, HostilePublisherIsShownOnceAndMemoryStaysBounded) {
  hub_.RunFor(Duration::Seconds(1));
  FailDisk();
  std::vector<std::string> alerts;
  size_t bytes = 0;
  while (bytes < 4 * kMaxUnrecordedControlBytes) {
    alerts.push_back(writer_.Write(AlertBody(std::string(1'900, 'a'))));
    bytes += alerts.back().size();
  }
  reader_->reads = false;
  for (int round = 0; round < 3; ++round) {
    for (const std::string& alert : alerts) agent_->Publish({alert});
    hub_.Run();
  }
  // A bulk lane full of holes: what is not remembered is not shown.
  for (uint64_t number = 1; number < 4 * kMaxUnrecordedRanges; number += 2) {
    agent_->Publish({writer_.WriteAs(number, BlockBody("EMG/1", number))});
  }
  hub_.RunFor(Duration::Seconds(1));
  reader_->reads = true;
  reader_->wants_write = true;
  hub_.RunFor(Duration::Seconds(1));
  size_t shown_bytes = 0;
  std::set<RecordKey> shown;
  for (const Received& received : reader_->records) {
    if (!received.stamped.stamp.unrecorded) continue;
    EXPECT_TRUE(shown.insert(received.stamped.header.key()).second);
    if (received.lane() == 0) shown_bytes += received.bytes.size();
  }
  EXPECT_GT(shown_bytes, kMaxUnrecordedControlBytes / 2);
  EXPECT_LE(shown_bytes, kMaxUnrecordedControlBytes);
  EXPECT_LE(hub_.metrics().counter(metric::kRecordsShownUnrecorded),
            alerts.size() + kMaxUnrecordedRanges + 4);
}

}  // namespace
}  // namespace remora::hub
