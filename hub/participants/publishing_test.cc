#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/chain.h"
#include "common/origin_seq.h"
#include "common/testing/sample_records.h"
#include "hub/participants/session_limits.h"
#include "hub/participants/testing/one_case.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class PublishingTest : public OneCaseTest {
 protected:
  // Ranges of a lane that the last Acknowledge or Joined said are held.
  static std::vector<std::pair<uint64_t, uint64_t>> Held(
      const google::protobuf::RepeatedPtrField<v1::LaneRanges>& held, uint32_t lane) {
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const v1::LaneRanges& of_lane : held) {
      if (of_lane.lane() != lane) continue;
      for (const v1::SeqRange& range : of_lane.ranges()) {
        ranges.emplace_back(range.first(), range.last());
      }
    }
    return ranges;
  }
  uint64_t AcknowledgedUpTo(uint32_t lane) const {
    uint64_t last = 0;
    for (const v1::Down& down : agent_->downs) {
      if (!down.has_acknowledge()) continue;
      for (const auto& range : Held(down.acknowledge().held(), lane)) {
        last = std::max(last, range.second);
      }
    }
    return last;
  }
  // Checks density, uniqueness and the chain over all that the journal has; returns its records.
  std::vector<StampedRecord> CheckJournal() {
    journal_bytes_ = hub_.JournalRecords(case_id_);
    std::vector<StampedRecord> records;
    std::set<RecordKey> keys;
    ChainHead chain{};
    for (const std::string& bytes : journal_bytes_) {
      const StampedRecord record = *WalkStamped(bytes);
      EXPECT_EQ(record.stamp.seq, records.size() + 1);
      EXPECT_TRUE(keys.insert(record.header.key()).second) << "twice: " << record.stamp.seq;
      if (!records.empty()) {
        EXPECT_GE(record.stamp.recorded_at, records.back().stamp.recorded_at);
      }
      chain = ExtendChain(chain, bytes);
      records.push_back(record);
    }
    EXPECT_EQ(chain, hub_.journal().Restore(case_id_)->head.chain);
    return records;
  }
  std::unique_ptr<TestParticipant> JoinedReader(const std::string& name = "reader-1") {
    auto reader = std::make_unique<TestParticipant>(hub_, ReaderIdentity(name));
    reader->Hello();
    reader->Join(case_id_);
    hub_.Run();
    return reader;
  }

  std::vector<std::string> journal_bytes_;
};

TEST_F(PublishingTest, FirstStepOfANewCaseMakesItsRoomAndIsAcknowledged) {
  EXPECT_EQ(AcknowledgedUpTo(1), 1u);
  ASSERT_NE(agent_->Last(v1::Down::kJoined), nullptr);
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  const auto records = CheckJournal();
  ASSERT_GE(records.size(), 1u);
  EXPECT_EQ(records[0].header.kind, v1::Record::kCaseLifecycle);
}

TEST_F(PublishingTest, AcknowledgesOnlyWhatIsOnDisk) {
  hub_.journal().HoldCommits();
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false))});
  hub_.Run();
  EXPECT_EQ(AcknowledgedUpTo(3), 0u);
  hub_.journal().ReleaseCommits();
  hub_.Run();
  EXPECT_EQ(AcknowledgedUpTo(3), 1u);
}

TEST_F(PublishingTest, OneAppendADrainAndWhatCameMeanwhileGoesWithTheNext) {
  hub_.journal().HoldCommits();
  for (int i = 0; i < 10; ++i) {
    agent_->Publish({writer_.Write(SweepBody("SEP/R", i, false))});
    hub_.Run();
  }
  EXPECT_EQ(hub_.journal().held_appends(), 1u);
  hub_.journal().ReleaseCommits();
  hub_.Run();
  EXPECT_EQ(AcknowledgedUpTo(3), 10u);
  CheckJournal();
}

TEST_F(PublishingTest, DuplicateIsAcknowledgedAgainAndRecordedOnce) {
  const std::string message = writer_.Write(MessageBody("hello", agent_->identity.display_name));
  agent_->Publish({message});
  hub_.Run();
  const size_t before = CheckJournal().size();
  agent_->ClearReceived();
  agent_->Publish({message, message});
  hub_.Run();
  EXPECT_EQ(CheckJournal().size(), before);
  EXPECT_EQ(AcknowledgedUpTo(0), 1u);
  EXPECT_EQ(hub_.metrics().counter(metric::kRecordsDuplicate), 2u);
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
}

TEST_F(PublishingTest, DuplicateOfARecordThatIsNotYetOnDiskIsRecordedOnce) {
  hub_.journal().HoldCommits();
  const std::string sweep = writer_.Write(SweepBody("SEP/R", 0, false));
  agent_->Publish({sweep});
  hub_.Run();
  agent_->Publish({sweep});
  hub_.journal().ReleaseCommits();
  hub_.Run();
  int sweeps = 0;
  for (const StampedRecord& record : CheckJournal()) sweeps += record.header.lane == 3;
  EXPECT_EQ(sweeps, 1);
}

TEST_F(PublishingTest, SameIdWithOtherBytesIsRefusedCountedAndATechnicalAlert) {
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false))});
  hub_.Run();
  agent_->Publish({writer_.WriteAs(1, SweepBody("SEP/R", 1, false))});
  hub_.Run();
  const v1::Down* refused = agent_->Last(v1::Down::kRecordRefused);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->record_refused().reason(), v1::REFUSAL_REASON_ID_REUSED);
  EXPECT_EQ(hub_.metrics().counter(metric::kRecordsRefused, "reason=REFUSAL_REASON_ID_REUSED"), 1u);
  bool alerted = false;
  for (const StampedRecord& record : CheckJournal()) {
    if (record.header.kind != v1::Record::kAlert) continue;
    EXPECT_NE(record.header.origin, origin_);
    alerted = true;
  }
  EXPECT_TRUE(alerted);
}

TEST_F(PublishingTest, ControlLaneBeyondItsNextNumberIsOutOfOrderAndCanBeOfferedAgain) {
  const std::string first = writer_.Write(MessageBody("1", agent_->identity.display_name));
  const std::string second = writer_.Write(MessageBody("2", agent_->identity.display_name));
  agent_->ClearReceived();
  agent_->Publish({second});
  hub_.Run();
  ASSERT_NE(agent_->Last(v1::Down::kRecordRefused), nullptr);
  EXPECT_EQ(agent_->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_OUT_OF_ORDER);
  // It is told what is held, so that it can offer the rest again.
  ASSERT_NE(agent_->Last(v1::Down::kJoined), nullptr);
  agent_->Publish({first, second});
  hub_.Run();
  EXPECT_EQ(AcknowledgedUpTo(0), 2u);
  CheckJournal();
}

TEST_F(PublishingTest, BulkLanesComeInAnyOrderAndAreAcknowledgedByRanges) {
  const std::string one = writer_.Write(BlockBody("EMG/1", 0));
  const std::string two = writer_.Write(BlockBody("EMG/1", 64));
  const std::string three = writer_.Write(BlockBody("EMG/1", 128));
  agent_->Publish({three, one});
  hub_.Run();
  const v1::Down* acknowledge = agent_->Last(v1::Down::kAcknowledge);
  ASSERT_NE(acknowledge, nullptr);
  EXPECT_EQ(Held(acknowledge->acknowledge().held(), 5),
            (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}, {3, 3}}));
  agent_->Publish({two});
  hub_.Run();
  EXPECT_EQ(Held(agent_->Last(v1::Down::kAcknowledge)->acknowledge().held(), 5),
            (std::vector<std::pair<uint64_t, uint64_t>>{{1, 3}}));
}

TEST_F(PublishingTest, RefusedNumberIsUsedUpSoThatTheNextMayFollow) {
  auto reader = JoinedReader();
  RecordWriter writer(case_id_, reader->origin);
  const std::string not_permitted = writer.Write(AlertBody("I am no agent"));
  const std::string message = writer.Write(MessageBody("good", reader->identity.display_name));
  reader->Publish({not_permitted, message});
  hub_.Run();
  ASSERT_EQ(reader->CountOf(v1::Down::kRecordRefused), 1);
  const v1::RecordRefused& refused = reader->Last(v1::Down::kRecordRefused)->record_refused();
  EXPECT_EQ(refused.reason(), v1::REFUSAL_REASON_NOT_PERMITTED);
  EXPECT_EQ(refused.origin_seq(), 1u);
  const v1::Down* acknowledge = reader->Last(v1::Down::kAcknowledge);
  ASSERT_NE(acknowledge, nullptr);
  EXPECT_EQ(Held(acknowledge->acknowledge().held(), 0),
            (std::vector<std::pair<uint64_t, uint64_t>>{{2, 2}}));
}

TEST_F(PublishingTest, RefusedNumberStaysUsedUpThroughACrashOfTheHub) {
  auto reader = JoinedReader();
  const OriginId origin = reader->origin;
  RecordWriter writer(case_id_, origin);
  reader->Publish({writer.Write(AlertBody("I am no agent"))});
  hub_.RunFor(Duration::Seconds(2));  // nothing else is recorded meanwhile
  reader.reset();
  agent_.reset();
  hub_.RestartHub();
  hub_.Run();
  reader = std::make_unique<TestParticipant>(hub_, ReaderIdentity());
  reader->Hello(origin);
  reader->Join(case_id_);
  hub_.Run();
  reader->Publish({writer.Write(MessageBody("after", reader->identity.display_name))});
  hub_.Run();
  EXPECT_EQ(reader->CountOf(v1::Down::kRecordRefused), 0);
  ASSERT_NE(reader->Last(v1::Down::kAcknowledge), nullptr);
}

TEST_F(PublishingTest, JoiningAgainTellsWhatIsHeldOfTheOrigin) {
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false)),
                   writer_.Write(SweepBody("SEP/R", 1, false)),
                   writer_.Write(MessageBody("x", agent_->identity.display_name))});
  hub_.Run();
  agent_ = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent_->Hello(origin_);
  agent_->Join(case_id_, "OR 1");
  hub_.Run();
  const v1::Down* joined = agent_->Last(v1::Down::kJoined);
  ASSERT_NE(joined, nullptr);
  EXPECT_EQ(joined->joined().stage(), v1::CASE_STAGE_OPEN);
  EXPECT_EQ(joined->joined().epoch(), 1u);
  EXPECT_EQ(Held(joined->joined().held(), 0), (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}}));
  EXPECT_EQ(Held(joined->joined().held(), 1), (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}}));
  EXPECT_EQ(Held(joined->joined().held(), 3), (std::vector<std::pair<uint64_t, uint64_t>>{{1, 2}}));
}

TEST_F(PublishingTest, WhatTheAgentWroteBeforeItsCaseWasOpenedIsKeptInOrder) {
  auto [case_id, origin, writer, agent] = JoinNewCase(hub_, "OR 9", "agent-9");
  v1::Record note;
  note.mutable_source_note()->set_text("amplifier on");
  // As an outbox sends them: lane 0, then lane 1, then bulk.
  agent->Publish({writer.Write(AlertBody("offline alert")), writer.Write(note),
                  writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED_EMERGENCY, "OR 9")),
                  writer.Write(SweepBody("SEP/R", 0, false))});
  hub_.Run();
  EXPECT_EQ(agent->CountOf(v1::Down::kRecordRefused), 0);
  int of_agent = 0;
  for (const std::string& bytes : hub_.JournalRecords(case_id)) {
    of_agent += WalkStamped(bytes)->header.origin == origin;
  }
  EXPECT_EQ(of_agent, 4);
}

TEST_F(PublishingTest, WhatOneSaidBeforeAnotherOpenedTheCaseIsAskedForAgain) {
  const CaseId case_id = hub_.DrawCase();
  TestParticipant technologist(hub_, TechnologistIdentity("tech-9"));
  technologist.Hello();
  technologist.Join(case_id);
  hub_.Run();
  RecordWriter own(case_id, technologist.origin);
  const std::string message = own.Write(MessageBody("patient is in the room", "T tech-9"));
  technologist.Publish({message});
  hub_.Run();

  const OriginId origin = hub_.DrawOrigin();
  RecordWriter writer(case_id, origin);
  auto agent = OpenCase(hub_, case_id, &writer, origin, "OR 9", "agent-9");
  technologist.ClearReceived();
  hub_.RunFor(Duration::Milliseconds(300));  // it says nothing more by itself
  ASSERT_EQ(technologist.CountOf(v1::Down::kJoined), 1);
  EXPECT_NE(technologist.Last(v1::Down::kJoined)->joined().epoch(), 0u);
  technologist.Publish({message});
  hub_.Run();
  EXPECT_EQ(technologist.CountOf(v1::Down::kRecordRefused), 0);
  EXPECT_EQ(technologist.CountOf(v1::Down::kAcknowledge), 1);
}

TEST_F(PublishingTest, BacklogTooLargeToWaitForTheOpeningIsOfferedAgain) {
  auto [case_id, origin, writer, agent] = JoinNewCase(hub_, "OR 9", "agent-9");
  std::vector<std::string> alerts;
  size_t bytes = 0;
  while (bytes < 2 * kMaxBytesBeforeOpen) {
    alerts.push_back(writer.Write(AlertBody(std::string(100, 'a'))));
    bytes += alerts.back().size();
  }
  agent->Publish(alerts);
  agent->Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 9"))});
  hub_.Run();
  ASSERT_EQ(agent->CountOf(v1::Down::kJoined), 2);
  agent->Publish(alerts);
  hub_.Run();
  size_t of_agent = 0;
  for (const std::string& record : hub_.JournalRecords(case_id)) {
    const StampedRecord stamped = *WalkStamped(record);
    of_agent += stamped.header.origin == origin && stamped.header.lane == 0;
  }
  EXPECT_EQ(of_agent, alerts.size());
}

TEST_F(PublishingTest, OpeningsThatFailLeaveNoRoomBehind) {
  const double rooms = hub_.metrics().gauge(metric::kRooms);
  for (int i = 0; i < 10; ++i) {
    const CaseId case_id = hub_.DrawCase();
    RecordWriter writer(case_id, hub_.DrawOrigin());
    TestParticipant agent(hub_, AgentIdentity("agent-9"));
    agent.Hello(writer.LastKey(0).origin);
    agent.Join(case_id, "OR 9");
    // Too much for the buffer, so that the opening itself comes out of order.
    std::vector<std::string> notes;
    for (size_t bytes = 0; bytes < 2 * kMaxBytesBeforeOpen; bytes += notes.back().size()) {
      v1::Record note;
      note.mutable_source_note()->set_text(std::string(1'000, 'n'));
      notes.push_back(writer.Write(note));
    }
    notes.erase(notes.begin());  // the first is lost on the way
    agent.Publish(notes);
    agent.Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 9"))});
    hub_.Run();
  }
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(hub_.metrics().gauge(metric::kRooms), rooms);
}

TEST_F(PublishingTest, CaseWhoseFirstOpeningFailedCanBeOpened) {
  const CaseId case_id = hub_.DrawCase();
  for (const bool again : {false, true}) {
    RecordWriter writer(case_id, hub_.DrawOrigin());
    auto agent = std::make_unique<TestParticipant>(hub_, AgentIdentity("agent-9"));
    agent->Hello(writer.LastKey(0).origin);
    agent->Join(case_id, "OR 9");
    std::vector<std::string> notes;
    for (size_t bytes = 0; !again && bytes < 2 * kMaxBytesBeforeOpen;) {
      v1::Record note;
      note.mutable_source_note()->set_text(std::string(1'000, 'n'));
      notes.push_back(writer.Write(note));
      bytes += notes.back().size();
    }
    if (!again) notes.erase(notes.begin());
    agent->Publish(notes);
    agent->Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 9"))});
    hub_.Run();
    EXPECT_EQ(hub_.JournalRecords(case_id).empty(), !again);
    agent.reset();
    hub_.RunFor(Duration::Seconds(1));
  }
}

TEST_F(PublishingTest, HostileJoinsShareOneBufferBeforeTheirCasesAreOpen) {
  TestParticipant agent(hub_, AgentIdentity("agent-9"));
  agent.Hello();
  std::vector<RecordWriter> writers;
  for (size_t i = 0; i < 4; ++i) {
    const CaseId case_id = hub_.DrawCase();
    writers.emplace_back(case_id, agent.origin);
    agent.Join(case_id);
    std::vector<std::string> alerts;
    for (size_t bytes = 0; bytes < kMaxBytesBeforeOpen / 2; bytes += alerts.back().size()) {
      alerts.push_back(writers.back().Write(AlertBody(std::string(1'000, 'a'))));
    }
    agent.Publish(alerts);
  }
  hub_.Run();
  agent.ClearReceived();
  for (size_t i = 0; i < 4; ++i) {
    agent.Publish(
        {writers[i].Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 9" + std::to_string(i)))});
  }
  hub_.Run();
  // Who found no room is asked to offer again.
  EXPECT_GE(agent.CountOf(v1::Down::kJoined), 2);
}

TEST_F(PublishingTest, FailedJournalLosesNothingShowsNothingAndGoesOn) {
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowComplete(1, case_id_);
  hub_.Run();
  const size_t before = reader.records.size();
  hub_.journal().FailCommits(absl::UnavailableError("disk"));
  const std::string first = writer_.Write(SweepBody("SEP/R", 0, false));
  const std::string second = writer_.Write(SweepBody("SEP/R", 1, false));
  const std::string message = writer_.Write(MessageBody("m", agent_->identity.display_name));
  agent_->Publish({first});
  hub_.Run();
  agent_->Publish({second, message});  // comes while the room has failed
  hub_.RunFor(Duration::Seconds(3));
  EXPECT_EQ(reader.records.size(), before);
  EXPECT_EQ(AcknowledgedUpTo(3), 0u);
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  EXPECT_GT(hub_.metrics().counter(metric::kJournalFailures), 1u);
  EXPECT_EQ(hub_.metrics().gauge(metric::kRoomsFailed), 1);
  const v1::Down* told = agent_->Last(v1::Down::kRefused);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->refused().case_id(), case_id_.bytes());
  const int joined_before = agent_->CountOf(v1::Down::kJoined);

  hub_.journal().FailCommits(absl::OkStatus());
  hub_.RunFor(Duration::Seconds(3));
  EXPECT_EQ(AcknowledgedUpTo(3), 1u);
  EXPECT_EQ(agent_->CountOf(v1::Down::kJoined), joined_before + 1);
  agent_->Publish({message, first, second});  // as after any Joined
  hub_.Run();
  EXPECT_EQ(AcknowledgedUpTo(3), 2u);
  EXPECT_EQ(AcknowledgedUpTo(0), 1u);
  hub_.RunFor(Duration::Milliseconds(200));
  EXPECT_EQ(hub_.metrics().gauge(metric::kRoomsFailed), 0);
  CheckJournal();
  EXPECT_EQ(reader.records.size(), hub_.JournalRecords(case_id_).size());
}

TEST_F(PublishingTest, SlowDiskBoundsWhatIsUncommittedAndLosesNothing) {
  hub_.journal().HoldCommits();
  std::vector<std::string> blocks;
  size_t bytes = 0;
  while (bytes < kMaxUncommittedBytes + kMaxUncommittedBytes / 2) {
    blocks.push_back(writer_.Write(BlockBody("EMG/1", blocks.size(), 1500)));
    bytes += blocks.back().size();
  }
  for (const std::string& block : blocks) agent_->Publish({block});
  hub_.Run();
  EXPECT_LT(hub_.metrics().counter(metric::kRecordsAccepted, "lane=5"), blocks.size());
  hub_.journal().ReleaseCommits();
  hub_.Run();
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  EXPECT_EQ(agent_->CountOf(v1::Down::kJoined), 2);
  for (const std::string& block : blocks) agent_->Publish({block});
  hub_.Run();
  size_t recorded = 0;
  for (const StampedRecord& record : CheckJournal()) recorded += record.header.lane == 5;
  EXPECT_EQ(recorded, blocks.size());
}

TEST_F(PublishingTest, HostileRecordsHarmOnlyTheirSender) {
  const std::string good = writer_.Write(SweepBody("SEP/R", 0, false));
  std::string stamped = writer_.Write(SweepBody("SEP/R", 1, false));
  AppendStamp({1, 99, HubTime(), false}, &stamped);
  v1::Record endless = SweepBody("SEP/R", 2, false);
  endless.mutable_sweep()->set_sample_rate_hz(std::numeric_limits<double>::quiet_NaN());
  RecordWriter foreign(case_id_, hub_.DrawOrigin());
  RecordWriter elsewhere(hub_.DrawCase(), origin_);
  agent_->Publish({"", "garbage", std::string(100'000, '\xff'), stamped, writer_.Write(endless),
                   foreign.Write(SweepBody("SEP/R", 0, false)),
                   elsewhere.Write(SweepBody("SEP/R", 0, false)), good});
  hub_.Run();
  EXPECT_FALSE(agent_->closed);
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 7);
  const auto held = Held(agent_->Last(v1::Down::kAcknowledge)->acknowledge().held(), 3);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0], (std::pair<uint64_t, uint64_t>{1, 1}));
  EXPECT_EQ(Held(agent_->Last(v1::Down::kAcknowledge)->acknowledge().refused(), 3),
            (std::vector<std::pair<uint64_t, uint64_t>>{{2, 3}}));
  EXPECT_EQ(CheckJournal().size(), hub_.JournalRecords(case_id_).size());
}

// Neither it nor its refusal stands in the ledger, where all below it would be missing.
TEST_F(PublishingTest, HostileNumberThatNoRecordMayHaveIsRefusedAndForgotten) {
  const std::string beyond = writer_.WriteAs(UINT64_MAX, BlockBody("EMG/L", 0));
  const std::string one_beyond = writer_.WriteAs(kMaxOriginSeq + 1, BlockBody("EMG/L", 0));
  agent_->Publish({beyond, one_beyond, writer_.Write(BlockBody("EMG/L", 0))});
  hub_.Run();
  EXPECT_FALSE(agent_->closed);
  ASSERT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 2);
  const v1::RecordRefused& refused = agent_->Last(v1::Down::kRecordRefused)->record_refused();
  EXPECT_EQ(refused.reason(), v1::REFUSAL_REASON_MALFORMED);
  EXPECT_EQ(refused.origin_seq(), kMaxOriginSeq + 1);
  const v1::Acknowledge& acknowledge = agent_->Last(v1::Down::kAcknowledge)->acknowledge();
  EXPECT_EQ(Held(acknowledge.held(), 5), (std::vector<std::pair<uint64_t, uint64_t>>{{1, 1}}));
  EXPECT_TRUE(Held(acknowledge.refused(), 5).empty());
}

TEST_F(PublishingTest, HostileTotalThatNoLaneCanReachIsRefused) {
  v1::Record total;
  v1::LaneTotal* lane = total.mutable_publisher_total()->add_lanes();
  lane->set_lane(5);
  lane->set_last_origin_seq(UINT64_MAX);
  agent_->Publish({writer_.Write(total)});
  hub_.Run();
  ASSERT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_THAT(agent_->Last(v1::Down::kRecordRefused)->record_refused().text(),
              HasSubstr("at most 2^53 - 1"));
}

TEST_F(PublishingTest, HostileAuthorIsRefused) {
  auto reader = JoinedReader();
  RecordWriter writer(case_id_, reader->origin);
  reader->Publish({writer.Write(MessageBody("I am somebody else", "Dr Other")),
                   writer.Write(ActionBody({origin_, 0, 1}, v1::ALERT_ACTION_KIND_ACKNOWLEDGED,
                                           v1::PLACE_THEATRE, reader->identity.display_name))});
  hub_.Run();
  ASSERT_EQ(reader->CountOf(v1::Down::kRecordRefused), 2);
  EXPECT_THAT(reader->Last(v1::Down::kRecordRefused)->record_refused().text(),
              HasSubstr("PLACE_READER"));
}

// Without an author these records say that a device told them.
std::vector<v1::Record> WhatDevicesTellToo(const std::string& actor) {
  v1::Record vitals = SampleRecord(v1::Record::kVitals);
  vitals.mutable_vitals()->set_actor(actor);
  v1::Record drug = SampleRecord(v1::Record::kDrugGiven);
  drug.mutable_drug_given()->set_actor(actor);
  v1::Record position = SampleRecord(v1::Record::kPositionChange);
  position.mutable_position_change()->set_actor(actor);
  v1::Record contact = SampleRecord(v1::Record::kMappingContact);
  contact.mutable_mapping_contact()->set_actor(actor);
  return {vitals, drug, position, contact};
}

TEST_F(PublishingTest, HostileAuthorOfWhatADeviceTellsTooIsRefused) {
  for (const v1::Record& body : WhatDevicesTellToo("")) agent_->Publish({writer_.Write(body)});
  hub_.Run();
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0) << "passed on from a device";
  TestParticipant tech(hub_, TechnologistIdentity());
  tech.Hello();
  tech.Join(case_id_);
  hub_.Run();
  RecordWriter writer(case_id_, tech.origin);
  int refused = 0;
  for (const std::string& actor : {std::string("Dr Other"), std::string()}) {
    for (const v1::Record& body : WhatDevicesTellToo(actor)) {
      tech.Publish({writer.Write(body)});
      hub_.Run();
      ASSERT_EQ(tech.CountOf(v1::Down::kRecordRefused), ++refused) << body.body_case();
      EXPECT_THAT(tech.Last(v1::Down::kRecordRefused)->record_refused().text(),
                  HasSubstr(absl::StrCat("the author is '", actor, "'")));
    }
  }
  for (const v1::Record& body : WhatDevicesTellToo(tech.identity.display_name)) {
    tech.Publish({writer.Write(body)});
  }
  hub_.Run();
  EXPECT_EQ(tech.CountOf(v1::Down::kRecordRefused), refused);
  EXPECT_EQ(OnRecord(v1::Record::kPositionChange).size(), 2u);
  EXPECT_EQ(OnRecord(v1::Record::kMappingContact).size(), 2u);
}

// A screen of the surgical team.
TEST_F(PublishingTest, HostilePositionUnderTheNameOfAnotherIsRefused) {
  Identity identity = TechnologistIdentity("surgeons");
  identity.role = v1::ROLE_SURGICAL_TEAM;
  TestParticipant surgeons(hub_, identity);
  surgeons.Hello();
  surgeons.Join(case_id_);
  hub_.Run();
  RecordWriter writer(case_id_, surgeons.origin);
  v1::Record moved;
  moved.mutable_position_change()->set_position("right arm lowered");
  moved.mutable_position_change()->set_actor(ReaderIdentity().display_name);
  surgeons.Publish({writer.Write(moved)});
  hub_.Run();
  EXPECT_EQ(surgeons.CountOf(v1::Down::kRecordRefused), 1);
  moved.mutable_position_change()->set_actor(identity.display_name);
  surgeons.Publish({writer.Write(moved)});
  hub_.Run();
  EXPECT_EQ(surgeons.CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(OnRecord(v1::Record::kPositionChange).size(), 1u);
}

TEST_F(PublishingTest, OwnViewOfTheLinkMayComeFromWhoDoesNotKnowItsName) {
  const auto own_view = [this](const std::string& participant) {
    v1::Record body;
    body.mutable_link_state()->set_participant(participant);
    body.mutable_link_state()->set_condition(v1::LINK_CONDITION_LOST);
    body.mutable_link_state()->set_outage_ms(600'000);
    body.mutable_link_state()->set_own_view(true);
    return writer_.Write(body);
  };
  agent_->Publish({own_view(""), own_view(agent_->identity.name)});
  hub_.Run();
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  agent_->Publish({own_view("agent-of-another-theatre")});
  hub_.Run();
  ASSERT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_THAT(agent_->Last(v1::Down::kRecordRefused)->record_refused().text(),
              HasSubstr("your name or none"));
}

TEST_F(PublishingTest, LeavingACaseEndsPublishingInIt) {
  agent_->Leave(case_id_);
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false))});
  hub_.Run();
  ASSERT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(agent_->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_NO_SUCH_CASE);
}

}  // namespace
}  // namespace remora::hub
