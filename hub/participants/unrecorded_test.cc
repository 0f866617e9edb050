#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/testing/unrecorded_case.h"

namespace remora::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
  agent_->PublishBacklog({sweep});
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
  agent_->PublishBacklog({writer_.Write(SweepBody("SEP/R", 0, false))});
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
  CommitSlowly(Message("slow"), Duration::Milliseconds(300));
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
  // The alert, three link states, that it left, and two states of the reader, who does not answer.
  ASSERT_EQ(shown.size(), 7u);
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
  auto wall = Wall();
  hub_.RunFor(Duration::Seconds(1));
  wall->ClearReceived();
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
  for (const v1::Down& down : wall->downs) {
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

TEST_F(UnrecordedTest, WhoResumesWhileTheJournalCannotBeReadStartsFromASnapshot) {
  agent_->Publish({Message("on disk")});
  hub_.RunFor(Duration::Seconds(1));
  v1::Follow resumed = FollowOf(1, case_id_);
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
