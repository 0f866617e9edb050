// The theatre and its hub: delivery, outages, and whose record it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "acquisition-agent/app/testing/linked_theatre.h"
#include "common/testing/sample_records.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(LinkedTheatre, DeliversEverythingOnceAndEndsWhenTheHubHasIt) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  std::map<uint32_t, std::vector<uint64_t>> seen;
  for (int i = 0; i < 1200 && !theatre.done; ++i) {
    theatre.RunFor(0.1);
    for (const v1::Record& record : Take(theatre))
      seen[record.lane()].push_back(record.origin_seq());
    // A sign of life.
    v1::Down heartbeat;
    heartbeat.mutable_heartbeat();
    if (dialer_->IsOpen()) dialer_->Deliver(heartbeat);
    if (theatre.spool->closed()) Certify(theatre);
  }
  EXPECT_TRUE(theatre.done);
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  EXPECT_TRUE(theatre.spool->AllSettled());
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    ASSERT_EQ(seen[lane].size(), theatre.spool->last_seq(lane)) << "lane " << lane;
    std::sort(seen[lane].begin(), seen[lane].end());
    for (size_t i = 0; i < seen[lane].size(); ++i) EXPECT_EQ(seen[lane][i], i + 1);
  }
  link_->Stop();
}

TEST_F(LinkedTheatre, OutageOfTheHubIsToldInTheTheatreAndOnRecordOnceItIsOver) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  EXPECT_THAT(Outages(theatre), testing::IsEmpty());
  theatre.RunFor(12);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("AMBER")));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("ALARM the link to the hub is lost")));
  EXPECT_THAT(Outages(theatre), testing::IsEmpty()) << "it is not over";
  Greet(theatre);
  Attend(theatre, 3);
  EXPECT_THAT(Outages(theatre), testing::ElementsAre(testing::DoubleNear(12, 0.5)));
  link_->Stop();
}

TEST_F(LinkedTheatre, HubThatCannotRecordForNowIsToldOnceAndIsNoRefusal) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  v1::Down recording;
  recording.mutable_recording()->set_case_id(theatre.spool->case_id().ToString());
  recording.mutable_recording()->set_condition(v1::RECORDING_CONDITION_UNRECORDED);
  dialer_->Deliver(recording);
  v1::Down refused;
  refused.mutable_refused()->set_reason(v1::REFUSAL_REASON_TOO_MANY);
  refused.mutable_refused()->set_text("for now");
  refused.mutable_refused()->set_case_id(theatre.spool->case_id().ToString());
  dialer_->Deliver(refused);
  theatre.RunFor(0.1);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("ALARM the hub cannot record")));
  EXPECT_THAT(theatre.console.lines, Not(Contains(HasSubstr("ALARM the hub refuses"))));
  link_->Stop();
}

// Nothing can be added once its total is said.
TEST_F(LinkedTheatre, CaseThatEndsWhileTheHubIsAwaySaysForHowLongItWas) {
  for (const bool stopped : {false, true}) {
    FakeFileSystem files;
    held_.clear();
    Theatre theatre(files, Fall());
    Connect(theatre);
    theatre.Start();
    Attend(theatre, 3);
    theatre.RunFor(stopped ? 12 : 40);
    if (stopped) theatre.session->Stop(/*close_case=*/true);
    Greet(theatre);
    Attend(theatre, 3);
    EXPECT_THAT(Outages(theatre, v1::LINK_CONDITION_LOST),
                testing::ElementsAre(testing::DoubleNear(stopped ? 12 : 29, 1)));
    link_->Stop();
    link_.reset();
  }
}

TEST_F(LinkedTheatre, ThatTheHubIsReachedIsNotTakenForAReader) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 6);
  EXPECT_THAT(theatre.console.lines, Contains("The hub is reached"));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("nobody is reading this theatre yet")));
  v1::Record record;
  v1::Presence& presence = *record.mutable_presence();
  presence.set_participant("anna");
  presence.set_display_name("Dr Anna");
  presence.set_role(v1::ROLE_NEUROPHYSIOLOGIST);
  presence.set_change(v1::PRESENCE_CHANGE_JOINED);
  Deliver(theatre, record);
  Attend(theatre, 5);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("reading: Dr Anna")));
  presence.set_change(v1::PRESENCE_CHANGE_LEFT);
  Deliver(theatre, record);
  Attend(theatre, 5);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("nobody is reading: Dr Anna has gone")));
  link_->Stop();
}

TEST_F(LinkedTheatre, AgentThatWasAwayItselfSaysSinceWhenTheHubHadNothing) {
  FakeFileSystem files;
  {
    Theatre theatre(files, Fall());
    Connect(theatre);
    theatre.Start();
    Attend(theatre, 6);
    theatre.RunFor(5);  // the link is away, and then the agent is killed
    link_.reset();
  }
  Theatre theatre(files, Fall());
  theatre.clock().Advance(Duration::Seconds(11 + 40));
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 5);
  EXPECT_THAT(Outages(theatre), testing::ElementsAre(testing::DoubleNear(45, 1)));
  link_->Stop();
}

TEST_F(LinkedTheatre, WallClockThatWasSetWhileTheAgentWasAwayChangesNoOutage) {
  for (const double step_s : {-86'400.0, 86'400.0, 600.0, -600.0, 30 * 86'400.0}) {
    FakeFileSystem files;
    held_.clear();
    {
      Theatre theatre(files, Fall());
      Connect(theatre);
      theatre.Start();
      Attend(theatre, 6);
      theatre.RunFor(5);
      link_.reset();
    }
    Theatre theatre(files, Fall());
    theatre.clock().Advance(Duration::Seconds(11 + 40));
    theatre.clock().StepWall(Duration::FromSeconds(step_s));
    Connect(theatre);
    theatre.Start();
    Attend(theatre, 5);
    EXPECT_THAT(Outages(theatre), testing::ElementsAre(testing::DoubleNear(45, 1))) << step_s;
    link_->Stop();
    link_.reset();
  }
}

TEST_F(LinkedTheatre, HostileRecordThatIsNotTheOneTheHubSignedIsATechnicalAlarm) {
  FakeFileSystem files;
  for (const bool tampered : {false, true}) {
    held_.clear();
    delivered_ = 0;
    Theatre theatre(files, Fall());
    Connect(theatre);
    theatre.session->KeepWitnesses(key_files_, "/keys");
    theatre.Start();
    Attend(theatre, 3);
    v1::Record record;
    v1::SignedHead* head = record.mutable_signed_head();
    head->set_seq(100'000 + delivered_);
    head->set_chain(std::string(32, tampered ? 'y' : 'x'));
    signer_->Sign(theatre.spool->case_id(), head);
    Deliver(theatre, record);
    Attend(theatre, 1);
    EXPECT_EQ(WhatIsTold(theatre, "hub-record").alerts[v1::ALERT_CONDITION_RAISED],
              tampered ? 1 : 0);
    link_->Stop();
    link_.reset();
  }
}

TEST_F(LinkedTheatre, RefusalOfACaseOfAnEarlierRunIsNoAlarmOfTheOneThatRuns) {
  FakeFileSystem files;
  SpoolOptions options = Options();
  options.directory = "/spool/old";
  options.case_id = CaseId::FromBytes(std::string(16, 'p'));
  const auto old = OpenSpool(files, nullptr, options);
  ASSERT_NE(old, nullptr);
  Theatre theatre(files, Fall());
  theatre.session->AlsoClose(*old);
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 1);
  const auto refuse = [&](const CaseId& case_id, const std::string& text) {
    v1::Down down;
    down.mutable_refused()->set_reason(v1::REFUSAL_REASON_TOO_MANY);
    down.mutable_refused()->set_case_id(case_id.ToString());
    down.mutable_refused()->set_text(text);
    dialer_->Deliver(down);
    theatre.RunFor(0.1);
  };
  for (int i = 0; i < 2; ++i) refuse(options.case_id, "the case is just being archived");
  const auto count = [&](const std::string& words) {
    return std::count_if(
        theatre.console.lines.begin(), theatre.console.lines.end(),
        [&words](const std::string& line) { return line.find(words) != std::string::npos; });
  };
  EXPECT_EQ(count("of an earlier run stays in the spool: the case is just being archived"), 1);
  EXPECT_EQ(count("ALARM"), 0);
  refuse(theatre.spool->case_id(), "too many cases");
  EXPECT_EQ(count("ALARM the hub refuses this agent: too many cases"), 1);
  link_->Stop();
}

TEST_F(LinkedTheatre, AnUnreachedHubCostsTheTheatreNothingButItsReader) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  theatre.RunFor(5);
  dialer_->FailDials(absl::UnavailableError("gone"));
  dialer_->Break(absl::UnavailableError("gone"));
  theatre.RunToEnd();
  EXPECT_TRUE(absl::IsUnavailable(theatre.result)) << theatre.result;
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("high raised")));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("link to the hub is lost")));
  EXPECT_TRUE(theatre.spool->closed());
  EXPECT_FALSE(theatre.spool->AllSettled());
  link_->Stop();
}

}  // namespace
}  // namespace remora::agent
