// When cases are given to an archive, and when again: with archives that take their time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

const Duration kKeep = Duration::Seconds(3600);
const Duration kDay = Duration::Seconds(86'400);

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

TEST_F(RetentionTest, CaseThatFailedIsTriedBehindThoseThatNeverWere) {
  const CaseId failed = CloseCase(hub_, "OR 1").case_id;
  archive_.usable = false;
  hub_.RunFor(kKeep + Duration::Seconds(60));
  ASSERT_EQ(archive_.asked, std::vector<CaseId>{failed});
  std::vector<CaseId> all = {failed};
  for (int i = 0; i < 5; ++i) all.push_back(CloseCase(hub_, "OR 1").case_id);
  ASSERT_NE(*std::max_element(all.begin(), all.end()), failed) << "by id it is before some";
  while (hub_.metrics().gauge(metric::kCasesDue) < 6) hub_.RunFor(kRetentionInterval);
  // They have become due while the archive rests, and all wait for it now.
  for (const CaseId& asked : archive_.asked) ASSERT_EQ(asked, failed);
  archive_.asked.clear();
  archive_.usable = true;
  hub_.RunFor(kRetentionRetry);
  ASSERT_EQ(archive_.asked.size(), 6u);
  EXPECT_EQ(archive_.asked.back(), failed);
}

TEST_F(RetentionTest, WhatTheEndOfTheHubInterruptsIsNoFailure) {
  CloseCase(hub_, "OR 1");
  archive_.outcome = absl::CancelledError("the hub is going down");
  hub_.RunFor(kKeep + Duration::Seconds(60));
  EXPECT_GE(archive_.asked.size(), 1u);
  EXPECT_TRUE(hub_.retention().empty());
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=CANCELLED"), 0u);
}

// What is told of it is read from the file when somebody asks, and never at a start.
TEST_F(RetentionTest, WhereAPurgedCaseWentIsLookedUpWhenSomebodyAsks) {
  archive_.takes = Duration::Milliseconds(1);
  archive_.outcome = ArchivedCase{"name.record", 1, {}};
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kKeep + Duration::Seconds(60));
  ASSERT_EQ(cases(), 0u);
  hub_.RestartHub();
  EXPECT_EQ(hub_.journal().tombstone_lists(), 0u);
  const auto ask = [&](TestParticipant& agent) {
    agent.Hello(closed.origin);
    agent.Join(closed.case_id, "OR 1");
  };
  const auto told = [&] {
    TestParticipant agent(hub_, AgentIdentity());
    ask(agent);
    hub_.Run();
    const v1::Down* refused = agent.Last(v1::Down::kRefused);
    if (refused == nullptr) return std::string("nothing");
    EXPECT_EQ(refused->refused().reason(), v1::REFUSAL_REASON_WRONG_STAGE);
    EXPECT_EQ(refused->refused().case_id(), closed.case_id.bytes());
    return refused->refused().text();
  };
  EXPECT_THAT(told(), HasSubstr("archived as name.record"));
  {
    TestParticipant impatient(hub_, AgentIdentity());
    ask(impatient);
  }
  hub_.Run();
  hub_.journal().FailReads(absl::UnavailableError("the file is closed"));
  EXPECT_THAT(told(), HasSubstr("the case is archived and no longer on this hub"));
  hub_.journal().FailReads(absl::OkStatus());
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(3, closed.case_id);
  v1::Up up;
  up.mutable_history_request()->set_request_id(9);
  up.mutable_history_request()->set_case_id(closed.case_id.ToString());
  reader.SendUp(up);
  hub_.Run();
  ASSERT_EQ(reader.CountOf(v1::Down::kRefused), 2);
  EXPECT_EQ(reader.Last(v1::Down::kRefused)->refused().request_id(), 9u);
  EXPECT_THAT(reader.Last(v1::Down::kRefused)->refused().text(), HasSubstr("name.record"));
  EXPECT_EQ(hub_.journal().tombstone_lists(), 0u);
}

// The clock is wrong, or was.
class RetentionClockTest : public RetentionTest {
 protected:
  RetentionClockTest() {
    archive_.takes = Duration::Milliseconds(1);
    archive_.outcome = ArchivedCase{"name", 1, {}};
  }
  // A case that rests, of a life that is over.
  void CloseCaseOfAnEarlierLife(Duration keep_closed) {
    CloseCase(hub_, "OR 1");
    hub_.RunFor(kRestAfter + Duration::Seconds(60));
    Start(keep_closed);
  }
  void Start(Duration keep_closed) {
    hub_.UseArchive(&archive_, keep_closed);
    Pass(kRetentionInterval);
  }
  void Pass(Duration time) {
    hub_.clock().Advance(time - kRetentionInterval);
    hub_.RunFor(kRetentionInterval * 2);
  }
  int64_t NewestPurge() { return hub_.journal().ListTombstones()->front().purged_unix_ns; }
};

TEST_F(RetentionClockTest, ClockAMonthAheadAtTheStartSendsNothingAway) {
  CloseCaseOfAnEarlierLife(kDay * 30);
  hub_.clock().StepWall(kDay * 31);
  Start(kDay * 30);
  Pass(Duration::Seconds(23 * 3600));
  EXPECT_EQ(cases(), 1u);
  hub_.clock().StepWall(kDay * -31);
  hub_.clock_sync().Set(true);
  Pass(kDay * 5);
  EXPECT_EQ(cases(), 1u) << "the hub's own time is still ahead";
  Pass(kDay * 24);
  EXPECT_EQ(cases(), 1u);
  Pass(kDay);
  EXPECT_EQ(cases(), 0u) << "this life alone has kept it for so long";
}

TEST_F(RetentionClockTest, ClockThatNobodySetsIsBelievedWhenTheHubWasUpForADay) {
  CloseCaseOfAnEarlierLife(kDay * 30);
  hub_.clock().Advance(kDay * 30);
  Start(kDay * 30);
  Pass(Duration::Seconds(23 * 3600));
  EXPECT_EQ(cases(), 1u);
  Pass(Duration::Seconds(3600));
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionClockTest, ClockThatNobodySetsIsBelievedWhenTheHubWasUpForAsLongAsACaseIsKept) {
  CloseCaseOfAnEarlierLife(kDay / 2);
  hub_.clock().Advance(kDay * 30);
  Start(kDay / 2);
  Pass(kDay / 4);
  EXPECT_EQ(cases(), 1u);
  Pass(kDay / 4);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionClockTest, CaseOfALifeWhoseClockNobodyHadSetIsKeptForItsWholeTimeFromTheNext) {
  const Duration since_1970 = kDay * 20'453;
  hub_.clock().StepWall(Duration() - since_1970);
  hub_.RestartHub();
  CloseCase(hub_, "OR 1");
  hub_.RunFor(kRestAfter + Duration::Seconds(60));
  hub_.clock().StepWall(since_1970);
  hub_.clock_sync().Set(true);
  Start(kDay * 3);
  EXPECT_EQ(cases(), 1u);
  Pass(kDay * 2);
  EXPECT_EQ(cases(), 1u);
  Pass(kDay);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionClockTest, CaseOfThisLifeLeavesInItsTimeThoughNobodyHasSetTheClock) {
  hub_.clock().StepWall(kDay * -20'453);
  Start(kKeep);
  CloseCase(hub_, "OR 1");
  Pass(kKeep - Duration::Seconds(60));
  EXPECT_EQ(cases(), 1u);
  Pass(Duration::Seconds(120));
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionClockTest, SynchronisedClockCountsOverSeveralStarts) {
  hub_.clock_sync().Set(true);
  CloseCaseOfAnEarlierLife(kDay * 3);
  for (int day = 0; day < 2; ++day) {
    hub_.clock().Advance(kDay);
    Start(kDay * 3);
    EXPECT_EQ(cases(), 1u);
  }
  hub_.clock().Advance(kDay);
  Start(kDay * 3);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionClockTest, ClockADayBehindKeepsACaseLongerAndNotForEver) {
  hub_.clock_sync().Set(true);
  CloseCaseOfAnEarlierLife(kDay * 3);
  hub_.clock().StepWall(kDay * -1);
  Start(kDay * 3);
  Pass(kDay * 2);
  EXPECT_EQ(cases(), 1u);
  Pass(kDay);
  EXPECT_EQ(cases(), 0u) << "the hub was up for so long";
}

TEST_F(RetentionClockTest, ClockAMonthAheadKeepsNoCaseOfThisLifeLonger) {
  hub_.clock().StepWall(kDay * 31);
  Start(kKeep);
  hub_.clock().StepWall(kDay * -31);
  hub_.clock_sync().Set(true);
  CloseCase(hub_, "OR 1");
  Pass(kKeep - Duration::Seconds(60));
  EXPECT_EQ(cases(), 1u);
  Pass(Duration::Seconds(120));
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RetentionClockTest, HubTimeNeverGoesBehindTheNewestPurge) {
  Start(kKeep);
  CloseCase(hub_, "OR 1");
  Pass(kKeep + Duration::Seconds(60));
  ASSERT_EQ(cases(), 0u);
  EXPECT_FALSE(hub_.utc_behind());
  hub_.clock().StepWall(kDay * -2);
  hub_.RestartHub();
  ASSERT_TRUE(hub_.utc_behind());
  EXPECT_GE(*hub_.utc_behind(), kDay);
  const ClosedCase later = CloseCase(hub_, "OR 1");
  EXPECT_GE(hub_.journal().Restore(later.case_id)->head.last_recorded_unix_ns, NewestPurge());
}

TEST_F(RetentionClockTest, JournalThatIsFarAheadOfUtcIsTold) {
  hub_.clock().StepWall(kDay * 40);
  hub_.RestartHub();
  CloseCase(hub_, "OR 1");
  EXPECT_FALSE(hub_.utc_behind());
  hub_.clock().StepWall(kDay * -40);
  hub_.RestartHub();
  ASSERT_TRUE(hub_.utc_behind());
  EXPECT_NEAR(hub_.utc_behind()->seconds(), (kDay * 40).seconds(), 60);
  hub_.clock().StepWall(kDay * 40 - kDay / 2);
  hub_.RestartHub();
  EXPECT_FALSE(hub_.utc_behind()) << "half a day is not far";
}

// Something is missing of a case, or nobody knows.
class RetentionOfIncompleteTest : public RetentionTest {
 protected:
  RetentionOfIncompleteTest() {
    archive_.takes = Duration::Milliseconds(1);
    archive_.outcome = ArchivedCase{"name", 1, {}};
  }
  void Pass(Duration time) {
    hub_.RunFor(kRestAfter + kRetentionInterval);
    hub_.clock().Advance(time - kRestAfter - kRetentionInterval);
    hub_.RunFor(kRetentionInterval * 2);
  }
  void FromTechnologist(const CaseId& case_id, const v1::Record& body) {
    TestParticipant technologist(hub_, TechnologistIdentity());
    technologist.Hello();
    technologist.Join(case_id);
    hub_.Run();
    technologist.Publish({RecordWriter(case_id, technologist.origin).Write(body)});
    hub_.Run();
    EXPECT_EQ(technologist.CountOf(v1::Down::kRefused), 0);
  }
  double incomplete() { return hub_.metrics().gauge(metric::kCasesIncomplete); }
};

TEST_F(RetentionOfIncompleteTest, CaseWithGapsStaysUntilWhatIsMissingHasCome) {
  ClosedCase closed = CloseCase(hub_, "OR 1", 1, 3);
  Pass(kKeep * 2);
  EXPECT_EQ(cases(), 1u);
  EXPECT_EQ(incomplete(), 1);
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesDue), 0);
  Pass(kKeep * 2);
  ASSERT_EQ(hub_.retention().size(), 1u) << "said once";
  EXPECT_THAT(hub_.retention()[0].status().message(), HasSubstr("2 numbers are missing"));
  hub_.RestartHub();
  Pass(kKeep * 2);
  EXPECT_EQ(cases(), 1u);
  EXPECT_EQ(incomplete(), 1);
  {
    TestParticipant agent(hub_, AgentIdentity());
    agent.Hello(closed.origin);
    agent.Join(closed.case_id, "OR 1");
    hub_.Run();
    for (const uint64_t seq : {2, 3}) {
      agent.Publish({closed.writer.WriteAs(seq, BlockBody("EMG/L", seq * 64))});
    }
    hub_.RunFor(kAnnexQuiet + kCertificateInterval);
  }
  Pass(kKeep - Duration::Seconds(120));
  EXPECT_EQ(cases(), 1u) << "its last record is from now";
  EXPECT_EQ(incomplete(), 0);
  Pass(kKeep);
  EXPECT_EQ(cases(), 0u);
  ASSERT_TRUE(hub_.retention().back().ok());
  EXPECT_TRUE(hub_.retention().back()->complete);
  EXPECT_EQ(hub_.retention().back()->missing_count, 0u);
}

TEST_F(RetentionOfIncompleteTest, CaseWithGapsLeavesAfterItsOwnTimeAndItIsSaid) {
  hub_.UseArchive(&archive_, kKeep, kKeep * 3);
  CloseCase(hub_, "OR 1", 1, 3);
  CloseCase(hub_, "OR 2");
  Pass(kKeep * 2);
  EXPECT_EQ(cases(), 1u) << "the other one";
  Pass(kKeep);
  EXPECT_EQ(cases(), 0u);
  EXPECT_EQ(incomplete(), 0);
  ASSERT_TRUE(hub_.retention().back().ok());
  EXPECT_FALSE(hub_.retention().back()->complete);
  EXPECT_EQ(hub_.retention().back()->missing_count, 2u);
}

TEST_F(RetentionOfIncompleteTest, SealedCaseLeavesIfItIsCompleteAndStaysElse) {
  const ClosedCase whole = CloseCase(hub_, "OR 1");
  const ClosedCase gaps = CloseCase(hub_, "OR 2", 1, 3);
  for (const CaseId& case_id : {whole.case_id, gaps.case_id}) {
    FromTechnologist(case_id, LifecycleBody(v1::CASE_TRANSITION_SEALED));
  }
  Pass(kKeep * 2);
  ASSERT_EQ(cases(), 1u);
  EXPECT_EQ(hub_.journal().ListCases()->at(0).case_id, gaps.case_id);
  EXPECT_EQ(incomplete(), 1);
}

TEST_F(RetentionOfIncompleteTest, AbandonedCaseStaysWhileNobodyKnowsWhatItsAgentHolds) {
  const CaseId case_id = hub_.DrawCase();
  const OriginId origin = hub_.DrawOrigin();
  RecordWriter writer(case_id, origin);
  OpenCase(hub_, case_id, &writer, origin)->Publish({writer.Write(BlockBody("EMG/L", 64))});
  hub_.Run();
  FromTechnologist(case_id, LifecycleBody(v1::CASE_TRANSITION_ABANDONED, "", "called off"));
  Pass(kKeep * 2);
  EXPECT_EQ(cases(), 1u);
  ASSERT_EQ(hub_.retention().size(), 1u);
  EXPECT_THAT(hub_.retention()[0].status().message(), HasSubstr("not everybody has said"));
  hub_.UseArchive(&archive_, kKeep, kKeep * 2);
  Pass(kKeep * 2);
  EXPECT_EQ(cases(), 0u);
  EXPECT_FALSE(hub_.retention().back()->complete);
}

}  // namespace
}  // namespace remora::hub
