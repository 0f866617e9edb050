#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "hub/participants/features.h"
#include "hub/participants/session_limits.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  HubHarness hub_;
};

TEST_F(SessionTest, WelcomeSaysWhoTheTransportSaysThatYouAre) {
  TestParticipant reader(hub_, ReaderIdentity("r.one"));
  reader.Hello();
  hub_.Run();
  ASSERT_EQ(reader.downs.size(), 1u);
  const v1::Welcome& welcome = reader.downs[0].welcome();
  EXPECT_EQ(welcome.version(), kProtocolVersion);
  EXPECT_EQ(welcome.participant(), "r.one");
  EXPECT_EQ(welcome.display_name(), "Dr r.one");
  EXPECT_EQ(welcome.role(), v1::ROLE_NEUROPHYSIOLOGIST);
  EXPECT_EQ(welcome.heartbeat_interval_ms(), 1000u);
  EXPECT_NE(welcome.hub_boot_id(), 0u);
}

TEST_F(SessionTest, HostileFirstMessagesEndOnlyTheirSession) {
  v1::Up heartbeat;
  heartbeat.mutable_heartbeat();
  v1::Up version;
  version.mutable_hello()->set_minimum_version(kProtocolVersion + 1);
  version.mutable_hello()->set_maximum_version(kProtocolVersion + 2);
  version.mutable_hello()->set_origin(std::string(16, 'o'));
  v1::Up origin;
  origin.mutable_hello()->set_maximum_version(1);
  origin.mutable_hello()->set_origin("short");
  v1::Up zero = origin;
  zero.mutable_hello()->set_origin(std::string(16, '\0'));
  TestParticipant good(hub_, ReaderIdentity("good"));
  good.Hello();
  for (const std::string& first :
       {heartbeat.SerializeAsString(), version.SerializeAsString(), origin.SerializeAsString(),
        zero.SerializeAsString(), std::string("\xff\xff\xff"), std::string(),
        std::string(kMaxMessageBytes + 1, 'x')}) {
    TestParticipant bad(hub_, ReaderIdentity("bad"));
    bad.SendBytes(first);
    hub_.Run();
    EXPECT_TRUE(bad.closed);
    ASSERT_EQ(bad.downs.size(), 1u);
    EXPECT_TRUE(bad.downs[0].has_refused());
    EXPECT_FALSE(bad.downs[0].refused().text().empty());
    bad.SendBytes(heartbeat.SerializeAsString());  // after the end: nothing happens
  }
  EXPECT_FALSE(good.closed);
}

TEST_F(SessionTest, HostileMessagesInASessionEndIt) {
  v1::Up both;
  both.mutable_heartbeat();
  both.add_records("x");
  v1::Up hello;
  hello.mutable_hello()->set_maximum_version(1);
  for (const std::string& message :
       {both.SerializeAsString(), hello.SerializeAsString(), std::string("\x0a\x7f")}) {
    TestParticipant bad(hub_, ReaderIdentity("bad"));
    bad.Hello();
    hub_.Run();
    bad.SendBytes(message);
    hub_.Run();
    EXPECT_TRUE(bad.closed);
    EXPECT_EQ(bad.CountOf(v1::Down::kRefused), 1);
  }
}

TEST_F(SessionTest, UnknownControlOfALaterVersionIsIgnored) {
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  hub_.Run();
  reader.SendBytes(std::string("\xfa\x01\x02hi", 5));  // field 31
  hub_.Run();
  EXPECT_FALSE(reader.closed);
}

TEST_F(SessionTest, SilentSessionIsEndedAtTheHelloDeadline) {
  TestParticipant silent(hub_, ReaderIdentity());
  hub_.RunFor(kHelloDeadline - Duration::Seconds(1));
  EXPECT_FALSE(silent.closed);
  hub_.RunFor(Duration::Seconds(2));
  EXPECT_TRUE(silent.closed);
}

TEST_F(SessionTest, OriginIsBoundToTheParticipantThatNamedItFirst) {
  const OriginId origin = hub_.DrawOrigin();
  TestParticipant first(hub_, ReaderIdentity("first"));
  first.Hello(origin);
  TestParticipant thief(hub_, ReaderIdentity("thief"));
  thief.Hello(origin);
  TestParticipant again(hub_, ReaderIdentity("first"));
  again.Hello(origin);
  hub_.Run();
  EXPECT_TRUE(thief.closed);
  EXPECT_EQ(thief.Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_ORIGIN_BOUND);
  EXPECT_FALSE(again.closed);
}

TEST_F(SessionTest, HeartbeatComesEachSecondOfAnIdleStreamAndCarriesHeads) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, case_id);
  hub_.RunFor(Duration::Milliseconds(500));
  reader.ClearReceived();
  hub_.RunFor(Duration::Seconds(10));
  EXPECT_GE(reader.CountOf(v1::Down::kHeartbeat), 7);
  EXPECT_LE(reader.CountOf(v1::Down::kHeartbeat), 10);
  const v1::HubHeartbeat& heartbeat = reader.Last(v1::Down::kHeartbeat)->heartbeat();
  ASSERT_EQ(heartbeat.heads_size(), 1);
  EXPECT_EQ(heartbeat.heads(0).head_seq(), hub_.JournalRecords(case_id).size());
  EXPECT_EQ(heartbeat.heads(0).lane_seq_size(), 6);
}

TEST_F(SessionTest, ClockProbeIsAnsweredWithHubTime) {
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  v1::Up up;
  up.mutable_clock_probe()->set_probe_id(4);
  up.mutable_clock_probe()->set_sent_monotonic_ns(77);
  reader.SendUp(up);
  hub_.Run();
  const v1::ClockReply& reply = reader.Last(v1::Down::kClockReply)->clock_reply();
  EXPECT_EQ(reply.probe_id(), 4u);
  EXPECT_EQ(reply.sent_monotonic_ns(), 77);
  EXPECT_EQ(reply.received_unix_ns(), hub_.clock().WallNow().nanoseconds());
}

TEST_F(SessionTest, HostileFloodOfProbesWithoutReadingEndsTheSession) {
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  hub_.Run();
  reader.reads = false;
  v1::Up up;
  up.mutable_clock_probe()->set_probe_id(1);
  for (size_t i = 0; i < 3 * kMaxWaitingControl; ++i) reader.SendUp(up);
  hub_.Run();
  EXPECT_TRUE(reader.closed);
}

TEST_F(SessionTest, DrainingHubRefusesNewSessionsAndNewCases) {
  TestParticipant agent(hub_, AgentIdentity());
  agent.Hello();
  const CaseId case_id = hub_.DrawCase();
  agent.Join(case_id, "OR 1");
  hub_.Run();
  hub_.core().StartDraining();
  RecordWriter writer(case_id, agent.origin);
  agent.Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"))});
  TestParticipant late(hub_, ReaderIdentity());
  late.Hello();
  hub_.Run();
  EXPECT_EQ(agent.Last(v1::Down::kRecordRefused)->record_refused().reason(),
            v1::REFUSAL_REASON_DRAINING);
  EXPECT_EQ(late.Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_DRAINING);
}

TEST_F(SessionTest, DirectoryIsCompleteFirstThenCoalescedChanges) {
  auto [first_id, origin, writer, agent] = OpenNewCase(hub_);
  TestParticipant wall(hub_, CentreIdentity("wall"));
  wall.Hello();
  wall.FollowDirectory(3);
  hub_.Run();
  ASSERT_EQ(wall.CountOf(v1::Down::kDirectory), 1);
  EXPECT_TRUE(wall.Last(v1::Down::kDirectory)->directory().complete());
  ASSERT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases_size(), 1);
  EXPECT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases(0).theatre(), "OR 1");
  wall.ClearReceived();
  for (int i = 0; i < 100; ++i) {
    agent->Publish({writer.Write(AlertBody("alert " + std::to_string(i)))});
    hub_.RunFor(Duration::Milliseconds(10));
  }
  EXPECT_LE(wall.CountOf(v1::Down::kDirectory), 6);
  EXPECT_GE(wall.CountOf(v1::Down::kDirectory), 4);
  hub_.RunFor(Duration::Milliseconds(300));
  const v1::DirectoryUpdate& update = wall.Last(v1::Down::kDirectory)->directory();
  EXPECT_FALSE(update.complete());
  ASSERT_EQ(update.cases_size(), 1);
  EXPECT_EQ(update.cases(0).open_alert_count(), 100u);
  EXPECT_EQ(update.cases(0).worst_alert(), "alert 99");
}

TEST_F(SessionTest, LargeDirectoryComesInPagesOfWhichOnlyTheFirstIsComplete) {
  const size_t count = 2 * kMaxDirectoryPage + 3;
  std::vector<std::unique_ptr<TestParticipant>> agents;
  std::vector<RecordWriter> writers;
  for (size_t i = 0; i < count; ++i) {
    const CaseId case_id = hub_.DrawCase();
    const OriginId origin = hub_.DrawOrigin();
    writers.emplace_back(case_id, origin);
    const std::string name = std::to_string(i);
    agents.push_back(OpenCase(hub_, case_id, &writers[i], origin, "OR " + name, "agent-" + name));
  }
  TestParticipant wall(hub_, CentreIdentity("wall"));
  wall.Hello();
  wall.FollowDirectory(3);
  hub_.Run();
  for (const bool first : {true, false}) {
    SCOPED_TRACE(first);
    std::set<std::string> cases;
    int pages = 0;
    for (const v1::Down& down : wall.downs) {
      if (!down.has_directory()) continue;
      EXPECT_EQ(down.directory().complete(), first && pages == 0);
      EXPECT_EQ(down.directory().follow_id(), 3u);
      EXPECT_LE(down.directory().cases_size(), static_cast<int>(kMaxDirectoryPage));
      EXPECT_EQ(down.directory().more(), pages < 2);
      for (const v1::CaseSummary& summary : down.directory().cases()) {
        EXPECT_TRUE(cases.insert(summary.case_id()).second);
      }
      ++pages;
    }
    EXPECT_EQ(cases.size(), count);
    EXPECT_EQ(pages, 3);
    if (!first) break;
    hub_.RunFor(Duration::Seconds(5));
    wall.ClearReceived();
    for (size_t i = 0; i < count; ++i) agents[i]->Publish({writers[i].Write(AlertBody("all"))});
    hub_.Run();
    hub_.RunFor(kDirectoryInterval);
  }
}

TEST_F(SessionTest, OnlyFeaturesThatBothEndsKnowAreAgreedOn) {
  TestParticipant reader(hub_, ReaderIdentity());
  v1::Up up;
  up.mutable_hello()->set_maximum_version(1);
  up.mutable_hello()->set_origin(reader.origin.ToString());
  up.mutable_hello()->add_features("of-the-future");
  reader.SendUp(up);
  hub_.Run();
  ASSERT_EQ(reader.CountOf(v1::Down::kWelcome), 1);
  EXPECT_EQ(reader.Last(v1::Down::kWelcome)->welcome().features_size(), 0);
  const std::array<absl::string_view, 3> known = {"a", "b", "c"};
  const std::vector<std::string> asked = {"c", "x", "a", "a"};
  EXPECT_EQ(CommonFeatures(asked, known), (std::vector<absl::string_view>{"a", "c"}));
}

TEST_F(SessionTest, RefusedHistoryNamesItsRequest) {
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  v1::Up up;
  up.mutable_history_request()->set_request_id(77);
  up.mutable_history_request()->set_case_id(hub_.DrawCase().ToString());
  reader.SendUp(up);
  hub_.Run();
  ASSERT_EQ(reader.CountOf(v1::Down::kRefused), 1);
  EXPECT_EQ(reader.Last(v1::Down::kRefused)->refused().request_id(), 77u);
  EXPECT_EQ(reader.Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_NO_SUCH_CASE);
}

TEST_F(SessionTest, IdentityOfOneTheatreSeesAndEntersNoOther) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_, "OR 1");
  TestParticipant other(hub_, {"surg", "Surgeon", v1::ROLE_SURGICAL_TEAM, {"OR 2"}});
  other.Hello();
  other.Join(case_id);
  other.FollowLive(1, case_id);
  other.FollowDirectory(2);
  hub_.Run();
  EXPECT_EQ(other.CountOf(v1::Down::kRefused), 2);
  EXPECT_EQ(other.CountOf(v1::Down::kJoined), 0);
  EXPECT_EQ(other.Last(v1::Down::kDirectory)->directory().cases_size(), 0);
}

TEST_F(SessionTest, TooManyJoinsAreRefused) {
  TestParticipant centre(hub_, CentreIdentity());
  centre.Hello();
  for (size_t i = 0; i < kMaxJoins + 1; ++i) centre.Join(hub_.DrawCase());
  hub_.Run();
  EXPECT_EQ(centre.CountOf(v1::Down::kJoined), static_cast<int>(kMaxJoins));
  EXPECT_EQ(centre.CountOf(v1::Down::kRefused), 1);
}

}  // namespace
}  // namespace remora::hub
