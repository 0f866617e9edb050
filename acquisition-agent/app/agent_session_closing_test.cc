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
