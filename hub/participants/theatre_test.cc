#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/testing/one_case.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

// Cases as their theatre lives them: claims, moves, links, presence.
class TheatreTest : public OneCaseTest {
 protected:
  std::unique_ptr<TestParticipant> Agent(const std::string& name, const CaseId& case_id,
                                         const std::string& theatre) {
    auto agent = std::make_unique<TestParticipant>(hub_, AgentIdentity(name));
    agent->Hello();
    agent->Join(case_id, theatre);
    hub_.Run();
    return agent;
  }
  template <typename Pick>
  std::vector<v1::Record> OnRecordWhere(v1::Record::BodyCase kind, Pick pick) {
    std::vector<v1::Record> found = OnRecord(kind);
    std::erase_if(found, [&](const v1::Record& record) { return !pick(record); });
    return found;
  }
};

TEST_F(TheatreTest, SecondAgentThatClaimsATheatreIsRefusedAndBothAreTold) {
  auto second = Agent("agent-2", hub_.DrawCase(), "OR 1");
  EXPECT_EQ(second->CountOf(v1::Down::kJoined), 0);
  ASSERT_EQ(second->CountOf(v1::Down::kRefused), 1);
  const v1::Refused& refused = second->Last(v1::Down::kRefused)->refused();
  EXPECT_EQ(refused.reason(), v1::REFUSAL_REASON_THEATRE_CLAIMED);
  EXPECT_THAT(refused.text(), HasSubstr("agent-1"));
  const auto alerts = OnRecord(v1::Record::kAlert);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_THAT(alerts[0].alert().summary(), HasSubstr("agent-2"));
  EXPECT_FALSE(second->closed);
}

TEST_F(TheatreTest, SecondAgentCannotEnterTheFirstOnesCaseByAnotherName) {
  auto second = Agent("agent-2", case_id_, "OR 7");
  EXPECT_EQ(second->CountOf(v1::Down::kJoined), 0);
  auto third = Agent("agent-3", case_id_, "");
  EXPECT_EQ(third->Last(v1::Down::kRefused)->refused().reason(),
            v1::REFUSAL_REASON_THEATRE_CLAIMED);
}

TEST_F(TheatreTest, SecondAgentThatOpensOrMovesIntoAClaimedTheatreIsRefused) {
  auto [other_id, other_origin, other_writer, second] = OpenNewCase(hub_, "OR 2", "agent-2");
  second->Publish({other_writer.Write(LifecycleBody(v1::CASE_TRANSITION_MOVED, "OR 1"))});
  hub_.Run();
  ASSERT_EQ(second->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(second->Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_THEATRE_CLAIMED);
  EXPECT_EQ(OnRecord(v1::Record::kAlert).size(), 1u);
  const CaseId third_id = hub_.DrawCase();
  const OriginId third_origin = hub_.DrawOrigin();
  RecordWriter third_writer(third_id, third_origin);
  TestParticipant third(hub_, AgentIdentity("agent-3"));
  third.Hello(third_origin);
  third.Join(third_id);  // does not say where it stands
  third.Publish({third_writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"))});
  hub_.Run();
  EXPECT_EQ(third.Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_THEATRE_CLAIMED);
  EXPECT_EQ(OnRecord(v1::Record::kAlert).size(), 2u);
}

TEST_F(TheatreTest, AgentThatCrashedReJoinsItsOwnCaseWhileItsOldSessionIsStillThere) {
  auto again = std::make_unique<TestParticipant>(hub_, AgentIdentity("agent-1"));
  again->Hello(origin_);
  again->Join(case_id_, "OR 1");
  hub_.Run();
  EXPECT_EQ(again->CountOf(v1::Down::kJoined), 1);
  agent_.reset();  // the old one is found dead: the claim stays with the new one
  auto second = Agent("agent-2", hub_.DrawCase(), "OR 1");
  EXPECT_EQ(second->CountOf(v1::Down::kJoined), 0);
}

TEST_F(TheatreTest, ClaimEndsWithTheSession) {
  agent_.reset();
  auto second = Agent("agent-2", hub_.DrawCase(), "OR 1");
  EXPECT_EQ(second->CountOf(v1::Down::kJoined), 1);
}

TEST_F(TheatreTest, MovingTakesTheClaimAlong) {
  agent_->Publish({writer_.Write(LifecycleBody(v1::CASE_TRANSITION_MOVED, "OR 5"))});
  hub_.Run();
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  EXPECT_EQ(Agent("agent-2", hub_.DrawCase(), "OR 5")->CountOf(v1::Down::kJoined), 0);
  EXPECT_EQ(Agent("agent-3", hub_.DrawCase(), "OR 1")->CountOf(v1::Down::kJoined), 1);
}

TEST_F(TheatreTest, StepThatIsRefusedChangesNoClaim) {
  // The number is used up: what is refused for its id must not move the claim.
  agent_->Publish({writer_.WriteAs(1, LifecycleBody(v1::CASE_TRANSITION_MOVED, "OR 5"))});
  hub_.Run();
  ASSERT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(Agent("agent-2", hub_.DrawCase(), "OR 5")->CountOf(v1::Down::kJoined), 1);
  EXPECT_EQ(Agent("agent-3", hub_.DrawCase(), "OR 1")->CountOf(v1::Down::kJoined), 0);
}

TEST_F(TheatreTest, CaseThatIsOverFreesItsTheatreWhileItsAgentStaysConnected) {
  agent_->Publish({writer_.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSING)), writer_.WriteTotal(),
                   writer_.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSED))});
  hub_.Run();
  EXPECT_EQ(agent_->CountOf(v1::Down::kRecordRefused), 0);
  EXPECT_EQ(Agent("agent-2", hub_.DrawCase(), "OR 1")->CountOf(v1::Down::kJoined), 1);
}

TEST_F(TheatreTest, ReopenedCaseTakesItsTheatreBackUnlessAnotherHasIt) {
  TestParticipant tech(hub_, TechnologistIdentity());
  tech.Hello();
  tech.Join(case_id_);
  hub_.Run();
  RecordWriter writer(case_id_, tech.origin);
  agent_->Publish({writer_.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSING)), writer_.WriteTotal(),
                   writer_.Write(LifecycleBody(v1::CASE_TRANSITION_CLOSED))});
  hub_.Run();
  {
    auto second = Agent("agent-2", hub_.DrawCase(), "OR 1");
    ASSERT_EQ(second->CountOf(v1::Down::kJoined), 1);
    tech.Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "bleeding"))});
    hub_.Run();
    ASSERT_EQ(tech.CountOf(v1::Down::kRecordRefused), 1);
    EXPECT_EQ(tech.Last(v1::Down::kRecordRefused)->record_refused().reason(),
              v1::REFUSAL_REASON_THEATRE_CLAIMED);
  }
  tech.Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "bleeding"))});
  hub_.Run();
  EXPECT_EQ(tech.CountOf(v1::Down::kRecordRefused), 1);
  EXPECT_EQ(Agent("agent-2", hub_.DrawCase(), "OR 1")->CountOf(v1::Down::kJoined), 0);
}

TEST_F(TheatreTest, AgentThatWaitedForACaseOfAnotherIsStillCheckedWhenItIsThere) {
  const CaseId case_id = hub_.DrawCase();
  auto early = Agent("agent-2", case_id, "");  // the case is not there yet
  ASSERT_EQ(early->CountOf(v1::Down::kJoined), 1);
  TestParticipant limited(hub_, {"agent-9", "Agent 9", v1::ROLE_AGENT, {"OR 9"}});
  limited.Hello();
  limited.Join(case_id, "OR 9");
  hub_.Run();
  const OriginId origin = hub_.DrawOrigin();
  RecordWriter writer(case_id, origin);
  auto third = OpenCase(hub_, case_id, &writer, origin, "OR 3", "agent-3");
  for (TestParticipant* agent : {early.get(), &limited}) {
    RecordWriter own(case_id, agent->origin);
    agent->Publish({own.Write(AlertBody("mine too"))});
    hub_.Run();
    ASSERT_GE(agent->CountOf(v1::Down::kRefused), 1);
    EXPECT_EQ(agent->Last(v1::Down::kRefused)->refused().case_id(), case_id.bytes());
  }
  EXPECT_EQ(early->Last(v1::Down::kRefused)->refused().reason(),
            v1::REFUSAL_REASON_THEATRE_CLAIMED);
  EXPECT_EQ(limited.Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_NOT_PERMITTED);
  for (const std::string& bytes : hub_.JournalRecords(case_id)) {
    EXPECT_NE(WalkStamped(bytes)->header.origin, early->origin);
    EXPECT_NE(WalkStamped(bytes)->header.origin, limited.origin);
  }
}

TEST_F(TheatreTest, CaseThatMovesAwayIsNoLongerShownToWhoMayNotFollowItThere) {
  TestParticipant surgeon(hub_, {"surg", "Surgeon", v1::ROLE_SURGICAL_TEAM, {"OR 1"}});
  TestParticipant roams(hub_, {"surg-2", "Surgeon 2", v1::ROLE_SURGICAL_TEAM, {"OR 1", "OR 5"}});
  for (TestParticipant* participant : {&surgeon, &roams}) {
    participant->Hello();
    participant->Join(case_id_);
    participant->FollowLive(1, case_id_);
  }
  hub_.Run();
  EXPECT_EQ(surgeon.CountOf(v1::Down::kSnapshot), 1);
  agent_->Publish({writer_.Write(LifecycleBody(v1::CASE_TRANSITION_MOVED, "OR 5"))});
  hub_.Run();
  agent_->Publish({writer_.Write(AlertBody("in OR 5"))});
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_EQ(surgeon.CountOf(v1::Down::kFollowEnded), 1);
  EXPECT_THAT(surgeon.Last(v1::Down::kFollowEnded)->follow_ended().cause(), HasSubstr("OR 5"));
  ASSERT_EQ(surgeon.CountOf(v1::Down::kRefused), 1);
  EXPECT_EQ(surgeon.Last(v1::Down::kRefused)->refused().case_id(), case_id_.bytes());
  for (const Received& record : surgeon.OfLane(0)) {
    EXPECT_EQ(record.bytes.find("in OR 5"), std::string::npos);
  }
  EXPECT_EQ(roams.CountOf(v1::Down::kFollowEnded), 0);
  bool shown = false;
  for (const Received& record : roams.OfLane(0)) {
    shown |= record.bytes.find("in OR 5") != std::string::npos;
  }
  EXPECT_TRUE(shown);
  RecordWriter writer(case_id_, surgeon.origin);
  surgeon.Publish({writer.Write(MessageBody("hello?", surgeon.identity.display_name))});
  hub_.Run();
  EXPECT_EQ(surgeon.Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_NO_SUCH_CASE);
}

TEST_F(TheatreTest, DirectoryOfATheatreLosesTheCaseThatMovesAway) {
  TestParticipant wall(hub_, {"wall", "Wall", v1::ROLE_CENTRE, {"OR 1"}});
  wall.Hello();
  wall.FollowDirectory(1);
  hub_.Run();
  ASSERT_EQ(wall.CountOf(v1::Down::kDirectory), 1);
  EXPECT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases_size(), 1);
  agent_->Publish({writer_.Write(LifecycleBody(v1::CASE_TRANSITION_MOVED, "OR 5"))});
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_TRUE(wall.Last(v1::Down::kDirectory)->directory().complete());
  EXPECT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases_size(), 0);
  const int told = wall.CountOf(v1::Down::kDirectory);
  agent_->Publish({writer_.Write(AlertBody("elsewhere"))});
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(wall.CountOf(v1::Down::kDirectory), told);
}

TEST_F(TheatreTest, LinkOfASilentAgentGoesStaleLostUnsupervisedAndComesBack) {
  agent_->reads = false;
  hub_.RunFor(Duration::Seconds(61));
  std::vector<v1::LinkCondition> conditions;
  for (const v1::Record& record : OnRecord(v1::Record::kLinkState)) {
    EXPECT_EQ(record.link_state().participant(), "agent-1");
    conditions.push_back(record.link_state().condition());
  }
  EXPECT_EQ(conditions, (std::vector<v1::LinkCondition>{
                            v1::LINK_CONDITION_LIVE, v1::LINK_CONDITION_STALE,
                            v1::LINK_CONDITION_LOST, v1::LINK_CONDITION_UNSUPERVISED}));
  v1::Up up;
  up.mutable_heartbeat();
  agent_->SendUp(up);
  hub_.RunFor(Duration::Milliseconds(200));
  const auto links = OnRecord(v1::Record::kLinkState);
  ASSERT_EQ(links.size(), 5u);
  EXPECT_EQ(links.back().link_state().condition(), v1::LINK_CONDITION_LIVE);
  EXPECT_NEAR(links.back().link_state().previous_duration_ms(), 1'200, 300);
}

TEST_F(TheatreTest, LinkOfAReaderWhoFallsSilentIsLostOnRecordAndComesBack) {
  TestParticipant reader(hub_, ReaderIdentity("r1"));
  reader.Hello();
  reader.FollowLive(1, case_id_);
  // An older page does not answer: its silence says nothing.
  TestParticipant old_page(hub_, ReaderIdentity("r2"));
  old_page.speaks = 1;
  old_page.Hello();
  old_page.FollowLive(1, case_id_);
  const auto of_readers = [this] {
    return OnRecordWhere(v1::Record::kLinkState, [](const v1::Record& record) {
      return record.link_state().participant() != "agent-1";
    });
  };
  v1::Up up;
  up.mutable_heartbeat();
  for (int second = 0; second < 20; ++second) {
    hub_.RunFor(Duration::Seconds(1));
    reader.SendUp(up);
  }
  EXPECT_TRUE(of_readers().empty());
  hub_.RunFor(Duration::Seconds(11));
  ASSERT_EQ(of_readers().size(), 1u);
  EXPECT_EQ(of_readers()[0].link_state().condition(), v1::LINK_CONDITION_LOST);
  EXPECT_EQ(of_readers()[0].link_state().participant(), "r1");
  reader.SendUp(up);
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_EQ(of_readers().size(), 2u);
  EXPECT_EQ(of_readers()[1].link_state().condition(), v1::LINK_CONDITION_LIVE);
  EXPECT_NEAR(of_readers()[1].link_state().outage_ms(), 11'000, 100);
}

TEST_F(TheatreTest, AnySessionOfAReaderThatIsInTheCaseEndsLostAndPreventsIt) {
  TestParticipant laptop(hub_, ReaderIdentity("r1"));
  laptop.Hello();
  laptop.FollowLive(1, case_id_);
  TestParticipant old_page(hub_, ReaderIdentity("r1"));
  old_page.speaks = 1;
  old_page.Hello();
  old_page.FollowLive(1, case_id_);
  TestParticipant writes(hub_, ReaderIdentity("r1"));
  writes.Hello();
  writes.Join(case_id_);
  TestParticipant elsewhere(hub_, ReaderIdentity("r1"));
  elsewhere.Hello();
  elsewhere.FollowDirectory(1);
  v1::Up up;
  up.mutable_heartbeat();
  const auto conditions = [this] {
    std::vector<v1::LinkCondition> said;
    for (const v1::Record& record : OnRecord(v1::Record::kLinkState)) {
      if (record.link_state().participant() != "r1") continue;
      said.push_back(record.link_state().condition());
    }
    return said;
  };
  using Said = std::vector<v1::LinkCondition>;
  for (TestParticipant* awake : {&old_page, &writes}) {
    for (int i = 0; i < 6; ++i) {
      hub_.RunFor(Duration::Seconds(5));
      awake->SendUp(up);
    }
  }
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(conditions(), Said{});
  Said expected;
  for (TestParticipant* awake : {&old_page, &writes}) {
    hub_.RunFor(Duration::Seconds(5));
    elsewhere.SendUp(up);
    hub_.RunFor(Duration::Seconds(6));
    expected.push_back(v1::LINK_CONDITION_LOST);
    EXPECT_EQ(conditions(), expected) << "who looks at the list of cases does not read this one";
    awake->SendUp(up);
    hub_.RunFor(Duration::Seconds(1));
    expected.push_back(v1::LINK_CONDITION_LIVE);
    EXPECT_EQ(conditions(), expected);
  }
}

TEST_F(TheatreTest, SilentReaderIsAskedThoughThereIsEnoughToWrite) {
  TestParticipant reader(hub_, ReaderIdentity("r1"));
  reader.Hello();
  reader.FollowLive(1, case_id_);
  hub_.RunFor(Duration::Seconds(3));
  const int before = reader.CountOf(v1::Down::kHeartbeat);
  for (int i = 0; i < 40; ++i) {
    agent_->Publish({writer_.Write(AlertBody("again"))});
    hub_.RunFor(Duration::Milliseconds(200));
  }
  EXPECT_GE(reader.CountOf(v1::Down::kHeartbeat) - before, 6);
}

TEST_F(TheatreTest, LinkOfAnAgentIsStillWatchedAfterTheHubRestarts) {
  hub_.RunFor(Duration::Seconds(1));
  agent_.reset();
  hub_.RestartHub();
  hub_.RunFor(Duration::Seconds(11));
  const auto links = OnRecord(v1::Record::kLinkState);
  ASSERT_FALSE(links.empty());
  EXPECT_EQ(links.back().link_state().condition(), v1::LINK_CONDITION_LOST);
}

TEST_F(TheatreTest, PresenceIsRecordedOnceForWhoComesAndGoes) {
  TestParticipant* watcher = new TestParticipant(hub_, ReaderIdentity("r1"));
  watcher->Hello();
  watcher->Join(case_id_);
  watcher->FollowLive(1, case_id_);
  hub_.RunFor(Duration::Seconds(1));
  const auto of_reader = [this] {
    return OnRecordWhere(v1::Record::kPresence, [](const v1::Record& record) {
      return record.presence().participant() == "r1";
    });
  };
  ASSERT_EQ(of_reader().size(), 1u);
  EXPECT_EQ(of_reader()[0].presence().change(), v1::PRESENCE_CHANGE_JOINED);
  delete watcher;
  hub_.RunFor(Duration::Seconds(1));
  {
    TestParticipant again(hub_, ReaderIdentity("r1"));  // a page reloaded
    again.Hello();
    again.FollowLive(1, case_id_);
    hub_.RunFor(Duration::Seconds(10));
    EXPECT_EQ(of_reader().size(), 1u);
  }
  hub_.RunFor(kPresenceGrace + Duration::Seconds(1));
  ASSERT_EQ(of_reader().size(), 2u);
  EXPECT_EQ(of_reader()[1].presence().change(), v1::PRESENCE_CHANGE_LEFT);
}

TEST_F(TheatreTest, HubsOwnRecordsAreValidAndDenseOfAnOriginOfItsOwn) {
  auto second = Agent("agent-2", hub_.DrawCase(), "OR 1");
  hub_.RunFor(Duration::Seconds(70));
  std::map<RecordKey, int> keys;
  std::map<uint32_t, uint64_t> last;
  std::set<OriginId> origins;
  for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
    const StampedRecord stamped = *WalkStamped(bytes);
    if (stamped.header.origin == origin_) continue;
    origins.insert(stamped.header.origin);
    EXPECT_EQ(stamped.header.origin_seq, ++last[stamped.header.lane]);
    const RecordHeader header = *WalkRecord(stamped.origin_bytes);
    v1::Record record;
    EXPECT_TRUE(ValidateBody(header, stamped.origin_bytes, &record).ok())
        << ValidateBody(header, stamped.origin_bytes, &record);
  }
  EXPECT_EQ(origins.size(), 1u);
}

}  // namespace
}  // namespace remora::hub
