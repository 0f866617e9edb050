// A record that is refused: when its sender is told, and that its number stays used for ever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/session_limits.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

using Pairs = std::vector<std::pair<uint64_t, uint64_t>>;

Pairs OfLane(const google::protobuf::RepeatedPtrField<v1::LaneRanges>& lanes, uint32_t lane) {
  Pairs pairs;
  for (const v1::LaneRanges& of_lane : lanes) {
    if (of_lane.lane() != lane) continue;
    for (const v1::SeqRange& range : of_lane.ranges()) {
      pairs.emplace_back(range.first(), range.last());
    }
  }
  return pairs;
}

class RefusalTest : public ::testing::Test {
 protected:
  RefusalTest()
      : case_id_(hub_.DrawCase()),
        origin_(hub_.DrawOrigin()),
        agent_writer_(case_id_, origin_),
        agent_(OpenCase(hub_, case_id_, &agent_writer_, origin_)),
        reader_origin_(hub_.DrawOrigin()),
        writer_(case_id_, reader_origin_),
        reader_(Reader()) {
    hub_.RunFor(Duration::Seconds(1));  // presence is on record
  }

  std::unique_ptr<TestParticipant> Reader() {
    auto reader = std::make_unique<TestParticipant>(hub_, ReaderIdentity());
    reader->Hello(reader_origin_);
    reader->Join(case_id_);
    hub_.Run();
    return reader;
  }
  // Not permitted to a reader.
  std::string Forbidden() { return writer_.Write(AlertBody("I am no agent")); }
  std::string Permitted() {
    return writer_.Write(MessageBody("good", reader_->identity.display_name));
  }

  HubHarness hub_;
  CaseId case_id_;
  OriginId origin_;
  RecordWriter agent_writer_;
  std::unique_ptr<TestParticipant> agent_;
  OriginId reader_origin_;
  RecordWriter writer_;
  std::unique_ptr<TestParticipant> reader_;
};

TEST_F(RefusalTest, IsToldOnlyWhenTheUsedUpNumberIsOnDisk) {
  hub_.journal().HoldCommits();
  reader_->Publish({Forbidden()});
  hub_.Run();
  EXPECT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 0);
  hub_.journal().ReleaseCommits();
  hub_.Run();
  ASSERT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
  const v1::RecordRefused& refused = reader_->Last(v1::Down::kRecordRefused)->record_refused();
  EXPECT_EQ(refused.reason(), v1::REFUSAL_REASON_NOT_PERMITTED);
  EXPECT_THAT(refused.text(), HasSubstr("may not publish"));
}

TEST_F(RefusalTest, LaneGoesOnAfterAHubThatDiedAsSoonAsItHadTold) {
  reader_->Publish({Forbidden()});
  hub_.Run();
  ASSERT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
  reader_.reset();
  agent_.reset();
  hub_.RestartHub();
  hub_.Run();
  reader_ = Reader();
  reader_->Publish({Permitted()});
  hub_.Run();
  EXPECT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 0);
  ASSERT_NE(reader_->Last(v1::Down::kAcknowledge), nullptr);
  EXPECT_EQ(OfLane(reader_->Last(v1::Down::kAcknowledge)->acknowledge().held(), 0),
            (Pairs{{2, 2}}));
}

TEST_F(RefusalTest, IsNotToldByAHubThatCannotRecordIt) {
  hub_.journal().FailCommits(absl::UnavailableError("disk"));
  reader_->Publish({Forbidden()});
  hub_.RunFor(Duration::Seconds(3));
  EXPECT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 0);
  hub_.journal().FailCommits(absl::OkStatus());
  hub_.RunFor(Duration::Seconds(3));
  EXPECT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
}

TEST_F(RefusalTest, NumberIsToldAsRefusedAndNeverAsHeld) {
  reader_->Publish({Forbidden(), Permitted()});
  hub_.Run();
  const v1::Acknowledge& acknowledge = reader_->Last(v1::Down::kAcknowledge)->acknowledge();
  EXPECT_EQ(OfLane(acknowledge.held(), 0), (Pairs{{2, 2}}));
  EXPECT_EQ(OfLane(acknowledge.refused(), 0), (Pairs{{1, 1}}));
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    reader_.reset();
    if (restarted) {
      agent_.reset();
      hub_.RestartHub();
    }
    reader_ = Reader();
    ASSERT_NE(reader_->Last(v1::Down::kJoined), nullptr);
    const v1::Joined& joined = reader_->Last(v1::Down::kJoined)->joined();
    EXPECT_EQ(OfLane(joined.held(), 0), (Pairs{{2, 2}}));
    EXPECT_EQ(OfLane(joined.refused(), 0), (Pairs{{1, 1}}));
  }
}

TEST_F(RefusalTest, RefusedNumberOfferedAgainIsRefusedAgainForTheSameReason) {
  const std::string forbidden = Forbidden();
  reader_->Publish({forbidden});
  hub_.Run();
  reader_->ClearReceived();
  reader_->Publish({forbidden});
  hub_.Run();
  ASSERT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(reader_->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_NOT_PERMITTED);
  // Also with other contents: the number is gone.
  reader_->Publish({writer_.WriteAs(1, MessageBody("good", reader_->identity.display_name))});
  hub_.Run();
  EXPECT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 2);
  EXPECT_EQ(reader_->Last(v1::Down::kRecordRefused)->record_refused().origin_seq(), 1u);
  // After a restart nobody knows why, but that.
  reader_.reset();
  agent_.reset();
  hub_.RestartHub();
  reader_ = Reader();
  reader_->Publish({writer_.WriteAs(1, MessageBody("good", reader_->identity.display_name))});
  hub_.Run();
  ASSERT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
  const v1::RecordRefused& refused = reader_->Last(v1::Down::kRecordRefused)->record_refused();
  EXPECT_EQ(refused.reason(), v1::REFUSAL_REASON_MALFORMED);
  EXPECT_THAT(refused.text(), HasSubstr("refused before"));
}

TEST_F(RefusalTest, RefusedNumberOfferedTwiceBeforeItIsOnDiskIsToldOnce) {
  hub_.journal().HoldCommits();
  const std::string forbidden = Forbidden();
  reader_->Publish({forbidden, forbidden});
  hub_.Run();
  hub_.journal().ReleaseCommits();
  hub_.Run();
  EXPECT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
}

TEST_F(RefusalTest, ManyRefusalsAtOnceAreAllToldAndEndNoSession) {
  hub_.journal().HoldCommits();
  reader_->reads = false;
  std::vector<std::string> many;
  const size_t count = 2 * kMaxWaitingControl;
  for (size_t i = 0; i < count; ++i) many.push_back(Forbidden());
  for (const std::string& one : many) reader_->Publish({one});
  hub_.Run();
  hub_.journal().ReleaseCommits();
  hub_.Run();
  EXPECT_FALSE(reader_->closed);
  reader_->ReadAll();
  ASSERT_NE(reader_->Last(v1::Down::kAcknowledge), nullptr);
  EXPECT_EQ(OfLane(reader_->Last(v1::Down::kAcknowledge)->acknowledge().refused(), 0),
            (Pairs{{1, count}}));
}

TEST_F(RefusalTest, HostileRefusalsOfEverySecondNumberAreBounded) {
  constexpr size_t kAtOnce = kMaxRefusalsToldSingly;
  for (size_t i = 0; i < kMaxHeldRanges; i += kAtOnce) {
    std::vector<std::string> records;
    for (size_t n = 0; n < kAtOnce; ++n) {
      records.push_back(Forbidden());
      records.push_back(Permitted());
    }
    reader_->Publish(records);
    hub_.Run();
  }
  reader_->ClearReceived();
  reader_->Publish({Forbidden()});
  hub_.Run();
  ASSERT_EQ(reader_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(reader_->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_TOO_MANY);
}

// Lane 0 is not on the wire.
TEST_F(RefusalTest, HostileAlertThatCannotBeReadUsesUpItsNumberToo) {
  std::string unreadable = agent_writer_.Write(AlertBody("first"));
  AppendStamp({1, 99, HubTime(), false}, &unreadable);
  agent_->Publish({unreadable, agent_writer_.Write(AlertBody("second"))});
  hub_.Run();
  ASSERT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(agent_->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_MALFORMED);
  const v1::Acknowledge& acknowledge = agent_->Last(v1::Down::kAcknowledge)->acknowledge();
  EXPECT_EQ(OfLane(acknowledge.held(), 0), (Pairs{{2, 2}}));
  EXPECT_EQ(OfLane(acknowledge.refused(), 0), (Pairs{{1, 1}}));
}

TEST_F(RefusalTest, HostileRecordBeforeItsCaseIsOpenIsRefusedInItsTurn) {
  const CaseId case_id = hub_.DrawCase();
  RecordWriter writer(case_id, hub_.DrawOrigin());
  TestParticipant agent(hub_, AgentIdentity("agent-9"));
  agent.Hello(writer.LastKey(0).origin);
  agent.Join(case_id, "OR 9");
  std::string unreadable = writer.Write(AlertBody("second"));
  AppendStamp({1, 99, HubTime(), false}, &unreadable);
  agent.Publish({unreadable, writer.Write(AlertBody("third")),
                 writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 9"))});
  hub_.Run();
  ASSERT_EQ(agent.CountOf(v1::Down::kRecordRefused), 1);
  const v1::Acknowledge& acknowledge = agent.Last(v1::Down::kAcknowledge)->acknowledge();
  EXPECT_EQ(OfLane(acknowledge.held(), 0), (Pairs{{2, 2}}));
  EXPECT_EQ(OfLane(acknowledge.refused(), 0), (Pairs{{1, 1}}));
}

TEST_F(RefusalTest, OpeningThatWasRefusedLeavesTheLaneUsableAlsoByAHubThatForgotIt) {
  const CaseId case_id = hub_.DrawCase();
  RecordWriter writer(case_id, hub_.DrawOrigin());
  const auto tech = [&] {
    auto participant = std::make_unique<TestParticipant>(hub_, TechnologistIdentity());
    participant->Hello(writer.LastKey(0).origin);
    participant->Join(case_id);
    hub_.Run();
    return participant;
  };
  auto first = tech();
  // OR 1 is the agent's.
  first->Publish({writer.Write(PhaseBody(v1::PHASE_PLANNED, first->identity.display_name)),
                  writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"))});
  hub_.Run();
  ASSERT_EQ(first->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(first->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_THEATRE_CLAIMED);
  first.reset();
  reader_.reset();
  agent_.reset();
  hub_.RestartHub();
  auto again = tech();
  // What was refused is not offered again.
  again->Publish({writer.WriteAs(1, PhaseBody(v1::PHASE_PLANNED, again->identity.display_name)),
                  writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 7"))});
  hub_.Run();
  // Told once more, since now it is on disk.
  ASSERT_EQ(again->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(again->Last(v1::Down::kRecordRefused)->record_refused().origin_seq(), 2u);
  const v1::Acknowledge& acknowledge = again->Last(v1::Down::kAcknowledge)->acknowledge();
  EXPECT_EQ(OfLane(acknowledge.held(), 1), (Pairs{{1, 1}, {3, 3}}));
  EXPECT_EQ(OfLane(acknowledge.refused(), 1), (Pairs{{2, 2}}));
}

}  // namespace
}  // namespace remora::hub
