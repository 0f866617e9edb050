// How a case ends: totals, certificate, and what becomes of the spool.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/testing/linked_theatre.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(LinkedTheatre, OnlyACertificateEndsACaseAndClearsItsSpool) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  RunToClosed(theatre);
  EXPECT_TRUE(theatre.spool->AllSettled());
  EXPECT_FALSE(theatre.done) << "the hub has all, and has certified nothing";
  EXPECT_FALSE(theatre.session->IsCleared(theatre.spool->case_id()));
  Certify(theatre);
  EXPECT_TRUE(theatre.done);
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  EXPECT_TRUE(theatre.session->IsCleared(theatre.spool->case_id()));
  link_->Stop();
}

TEST_F(LinkedTheatre, CaseWithoutACertificateKeepsItsSpoolAndSaysSo) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  RunToClosed(theatre);
  Attend(theatre, 60);
  EXPECT_TRUE(theatre.done);
  EXPECT_TRUE(absl::IsUnavailable(theatre.result)) << theatre.result;
  EXPECT_THAT(std::string(theatre.result.message()), HasSubstr("no certificate"));
  EXPECT_FALSE(theatre.session->IsCleared(theatre.spool->case_id()));
  link_->Stop();
}

TEST_F(LinkedTheatre, HostileHubWithAnotherKeyIsATechnicalAlarmAndClearsNothing) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  signer_ = std::make_unique<RecordSigner>(RecordSigner::Seed{2});
  dialer_->Break(absl::UnavailableError("another hub"));
  theatre.RunFor(3);
  Greet(theatre);
  RunToClosed(theatre);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("ALARM The hub signs with another key")));
  EXPECT_EQ(WhatIsTold(theatre, "hub-key").alerts[v1::ALERT_CONDITION_RAISED], 1);
  Certify(theatre);
  EXPECT_FALSE(theatre.done);
  EXPECT_FALSE(theatre.session->IsCleared(theatre.spool->case_id()));
  link_->Stop();
}

TEST_F(LinkedTheatre, TheAlarmOfTheHubsKeyGoesOnBehindARestart) {
  FakeFileSystem files;
  const auto live = [&](uint8_t key, bool greeted) {
    signer_ = std::make_unique<RecordSigner>(RecordSigner::Seed{key});
    held_.clear();
    Theatre theatre(files, Fall());
    Dial(theatre);
    theatre.Start();
    theatre.RunFor(0.1);
    if (greeted) Greet(theatre);
    Attend(theatre, 1);
    link_->Stop();
    link_.reset();
    return WhatIsTold(theatre, "hub-key").alerts;
  };
  using Alerts = std::map<v1::AlertCondition, int>;
  EXPECT_EQ(live(1, true), Alerts());
  EXPECT_EQ(live(2, true), (Alerts{{v1::ALERT_CONDITION_RAISED, 1}}));
  EXPECT_EQ(live(2, true), (Alerts{{v1::ALERT_CONDITION_RAISED, 1}})) << "not a second time";
  EXPECT_EQ(live(1, false), (Alerts{{v1::ALERT_CONDITION_RAISED, 1}}))
      << "no hub has shown its key";
  shows_key_ = false;
  EXPECT_EQ(live(1, true), (Alerts{{v1::ALERT_CONDITION_RAISED, 1}})) << "this one shows none";
  shows_key_ = true;
  EXPECT_EQ(live(1, true),
            (Alerts{{v1::ALERT_CONDITION_RAISED, 1}, {v1::ALERT_CONDITION_RECOVERED, 1}}));
}

// The last number of lane 0 by the newest total.
uint64_t LastSaidOfLane0(const Theatre& theatre) {
  uint64_t said = 0;
  for (const std::string& bytes : theatre.Kept(1)) {
    v1::Record record;
    EXPECT_TRUE(record.ParseFromString(bytes));
    for (const v1::LaneTotal& lane : record.publisher_total().lanes()) {
      if (lane.lane() == 0) said = lane.last_origin_seq();
    }
  }
  return said;
}

TEST_F(LinkedTheatre, CaseWithoutAHubFromItsBeginningToItsEndSaysSo) {
  for (const bool stopped : {false, true}) {
    FakeFileSystem files;
    held_.clear();
    Theatre theatre(files, Fall());
    Dial(theatre);
    dialer_->FailDials(absl::UnavailableError("no hub"));
    dialer_->Break(absl::UnavailableError("no hub"));
    theatre.Start();
    theatre.RunFor(stopped ? 20 : 40);
    if (stopped) theatre.session->Stop(/*close_case=*/true);
    ASSERT_TRUE(theatre.spool->closed());
    EXPECT_THAT(Outages(theatre, v1::LINK_CONDITION_LOST, /*participant=*/""),
                ElementsAre(DoubleNear(stopped ? 20 : 32, 1)));
    EXPECT_EQ(LastSaidOfLane0(theatre), theatre.spool->last_seq(0)) << "the total covers it";
    link_->Stop();
    link_.reset();
  }
}

TEST_F(LinkedTheatre, OutageThatWasNotToldYetWhenTheCaseIsClosedIsInTheTotal) {
  FakeFileSystem files;
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
  Dial(theatre);
  theatre.Start();
  theatre.RunFor(0.5);
  Greet(theatre);
  Deliver(theatre, ClosingRecord(v1::CASE_TRANSITION_CLOSING, "end"));
  theatre.RunFor(0.3);
  EXPECT_THAT(Outages(theatre), ElementsAre(DoubleNear(45, 1)));
  EXPECT_EQ(LastSaidOfLane0(theatre), theatre.spool->last_seq(0));
  link_->Stop();
}

TEST_F(LinkedTheatre, WhoeverClosesTheCaseIsToldTheTotalEachTime) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  Connect(theatre);
  theatre.Start();
  Attend(theatre, 3);
  const auto totals = [&theatre] {
    int count = 0;
    for (const std::string& bytes : theatre.Kept(1)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      count += record.has_publisher_total() ? 1 : 0;
    }
    return count;
  };
  for (int closings = 1; closings <= 2; ++closings) {
    Deliver(theatre, ClosingRecord(v1::CASE_TRANSITION_CLOSING, "end"));
    Attend(theatre, 0.5);
    EXPECT_EQ(totals(), closings);
    Deliver(theatre, ClosingRecord(v1::CASE_TRANSITION_REOPENED, "bleeding"));
    Attend(theatre, 0.5);
  }
  link_->Stop();
}

}  // namespace
}  // namespace remora::agent
