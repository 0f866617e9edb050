// When cases are given to an archive, and when again: with archives that take their time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

const Duration kKeep = Duration::Seconds(3600);

// Says after `takes` what it is to say.
class SlowArchive final : public CaseArchive {
 public:
  explicit SlowArchive(Executor& executor) : executor_(executor) {}
  void Keep(const CaseHead& head, Done done) override {
    asked.push_back(head.case_id);
    executor_.PostAfter(takes, [this, done = std::move(done)] { done(outcome); });
  }
  bool is_usable() const override { return usable; }

  std::vector<CaseId> asked;
  Duration takes = Duration::Seconds(25);
  absl::StatusOr<ArchivedCase> outcome = absl::UnavailableError("the disk");
  bool usable = true;

 private:
  Executor& executor_;
};

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() { hub_.UseArchive(&archive_, kKeep); }
  size_t cases() { return hub_.journal().ListCases()->size(); }

  HubHarness hub_;
  SlowArchive archive_{hub_.executor()};
};

TEST_F(RetentionTest, CaseThatFailsSlowlyIsTriedOnceEachRetryAndAfterAllOthers) {
  CloseCase(hub_, "OR 1");
  CloseCase(hub_, "OR 2");
  hub_.RunFor(kKeep + kRetentionRetry - Duration::Seconds(60));
  EXPECT_EQ(archive_.asked.size(), 2u);
  EXPECT_NE(archive_.asked.front(), archive_.asked.back());
  hub_.RunFor(kRetentionRetry);
  EXPECT_EQ(archive_.asked.size(), 4u);
}

TEST_F(RetentionTest, ArchiveThatCannotBeUsedIsLeftAloneForAllCases) {
  CloseCase(hub_, "OR 1");
  CloseCase(hub_, "OR 2");
  archive_.usable = false;
  archive_.takes = Duration::Milliseconds(1);
  hub_.RunFor(kKeep + kRetentionRetry - Duration::Seconds(60));
  EXPECT_EQ(archive_.asked.size(), 1u);
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesDue), 2);
  hub_.RunFor(kRetentionRetry);
  EXPECT_EQ(archive_.asked.size(), 2u);
  archive_.usable = true;
  archive_.outcome = ArchivedCase{"name", 1, {}};
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionTest, WhatTheEndOfTheHubInterruptsIsNoFailure) {
  CloseCase(hub_, "OR 1");
  archive_.outcome = absl::CancelledError("the hub is going down");
  hub_.RunFor(kKeep + Duration::Seconds(60));
  EXPECT_GE(archive_.asked.size(), 1u);
  EXPECT_TRUE(hub_.retention().empty());
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=CANCELLED"), 0u);
}

}  // namespace
}  // namespace remora::hub
