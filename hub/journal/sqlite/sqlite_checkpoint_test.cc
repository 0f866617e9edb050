// Checkpoints that cannot be written: they are a cache, and hold nobody up.

#include <deque>
#include <string>
#include <vector>

#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

constexpr char kBadSector[] = "on a bad sector";

// Large enough to have pages of its own, far from its beginning, which lies beside other cases'.
std::string StateOnABadSector() {
  std::string state(20'000, 'x');
  while (state.size() < 40'000) state += kBadSector;
  return state;
}

class JournalCheckpointTest : public ::testing::Test {
 protected:
  JournalCheckpointTest() {
    bench_.UseClock(clock_);
    EXPECT_TRUE(bench_.Open().ok());
  }
  CaseScript& AppendCase() {
    const uint64_t number = cases_.size() + 1;
    const absl::StatusOr<uint32_t> epoch = bench_.journal().CreateCase(CaseIdOf(number));
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    cases_.emplace_back(CaseIdOf(number), epoch.value_or(0), number);
    Append(cases_.back());
    return cases_.back();
  }
  void Append(CaseScript& script) {
    ASSERT_TRUE(AppendAndWait(bench_.journal(), bench_.executor(), script.Next({0, 5})).ok());
  }
  void Save(const CaseScript& script, const std::string& state, const std::string& note = "") {
    bench_.journal().SaveCheckpoint(script.case_id(), {script.last_seq(), state, note});
    ASSERT_TRUE(bench_.journal().Flush().ok());
  }
  // Each case has records and a checkpoint each minute, as rooms do.
  void RunForMinutes(int minutes) {
    for (int minute = 0; minute < minutes; ++minute) {
      for (CaseScript& script : cases_) {
        clock_.Advance(Duration::Seconds(60) / static_cast<int64_t>(cases_.size()));
        Append(script);
        Save(script, "new");
      }
    }
  }
  uint64_t CheckpointOf(const CaseScript& script) {
    return bench_.journal().Restore(script.case_id())->checkpoint.seq;
  }

  FaultVfs vfs_{"checkpoints"};
  FakeClock clock_;
  JournalBench bench_{vfs_.name(), 64, ScratchDirectory::kMemory};
  std::deque<CaseScript> cases_;
};

TEST_F(JournalCheckpointTest, OneThatCannotBeWrittenIsTriedEverMoreSeldomAndKeepsNoOther) {
  CaseScript& bad = AppendCase();
  CaseScript& good = AppendCase();
  Save(bad, StateOnABadSector());
  ASSERT_TRUE(bench_.Open().ok());
  const uint64_t before = bench_.journal().reopenings();
  vfs_.FailReadsOf(kBadSector);
  RunForMinutes(10);
  EXPECT_GE(bench_.journal().checkpoint_failures(), 2u);
  EXPECT_LE(bench_.journal().reopenings() - before, 4u);
  EXPECT_EQ(CheckpointOf(good), good.last_seq());
  RunForMinutes(30);
  EXPECT_LE(bench_.journal().reopenings() - before, 8u);
  EXPECT_GE(bench_.journal().checkpoint_failures(), 5u) << "it is not given up";
  vfs_.FailReadsOf("");
  RunForMinutes(11);
  EXPECT_EQ(CheckpointOf(bad), bad.last_seq()) << "the sector can be read again";
  for (const CaseScript& script : cases_) ExpectHolds(bench_.journal(), bench_.executor(), script);
}

TEST_F(JournalCheckpointTest, ATableThatCannotBeWrittenHoldsUpNoHubFullOfCases) {
  for (int i = 0; i < 20; ++i) Save(AppendCase(), StateOnABadSector());
  ASSERT_TRUE(bench_.Open().ok());
  const uint64_t before = bench_.journal().reopenings();
  vfs_.FailReadsOf(kBadSector);
  RunForMinutes(10);
  EXPECT_GE(bench_.journal().checkpoint_failures(), 5u);
  EXPECT_LE(bench_.journal().reopenings() - before, 12u) << "of all, and not of each";
  vfs_.FailReadsOf("");
  RunForMinutes(21);
  for (const CaseScript& script : cases_) EXPECT_EQ(CheckpointOf(script), script.last_seq());
}

// No later one comes: the room is gone.
TEST_F(JournalCheckpointTest, OfCasesThatCameToRestWhileNoneCouldBeWrittenAreWrittenLater) {
  CaseScript& bad = AppendCase();
  CaseScript& rests = AppendCase();
  CaseScript& runs = AppendCase();
  Save(bad, StateOnABadSector());
  ASSERT_TRUE(bench_.Open().ok());
  vfs_.FailReadsOf(kBadSector);
  Append(bad);
  Save(bad, "at rest", "note of the bad one");
  ASSERT_EQ(bench_.journal().checkpoint_failures(), 1u);
  Save(rests, "at rest", "note");
  EXPECT_EQ(bench_.journal().Restore(rests.case_id())->checkpoint.note, "") << "all wait";
  vfs_.FailReadsOf("");
  for (int minute = 0; minute < 11; ++minute) {
    clock_.Advance(Duration::Seconds(60));
    Append(runs);
  }
  ASSERT_TRUE(bench_.journal().Flush().ok());
  EXPECT_EQ(bench_.journal().Restore(rests.case_id())->checkpoint.note, "note");
  EXPECT_EQ(bench_.journal().Restore(bad.case_id())->checkpoint.note, "note of the bad one");
}

TEST_F(JournalCheckpointTest, HeldForLaterGivesWayToANewerOne) {
  CaseScript& bad = AppendCase();
  CaseScript& opened = AppendCase();
  Save(bad, StateOnABadSector());
  ASSERT_TRUE(bench_.Open().ok());
  vfs_.FailReadsOf(kBadSector);
  Append(bad);
  Save(bad, "new");
  vfs_.FailReadsOf("");
  clock_.Advance(Duration::Milliseconds(900));
  Save(opened, "at rest", "note");
  clock_.Advance(Duration::Milliseconds(200));  // all may be written again
  Append(opened);
  Save(opened, "and on");
  clock_.Advance(Duration::Seconds(10));
  Append(bad);
  ASSERT_TRUE(bench_.journal().Flush().ok());
  EXPECT_EQ(bench_.journal().Restore(opened.case_id())->checkpoint.state, "and on");
  EXPECT_EQ(bench_.journal().Restore(opened.case_id())->checkpoint.note, "");
}

TEST_F(JournalCheckpointTest, OfACaseThatRunsNeedsNothingOfTheNotes) {
  CaseScript& rests = AppendCase();
  CaseScript& runs = AppendCase();
  Save(rests, "at rest", kBadSector);
  Save(runs, "was at rest", "note");
  ASSERT_TRUE(bench_.Open().ok());
  vfs_.FailReadsOf(kBadSector);
  Append(runs);
  Save(runs, "went on");
  EXPECT_EQ(bench_.journal().checkpoint_failures(), 0u);
  EXPECT_EQ(vfs_.failed_reads(), 0u);
  EXPECT_EQ(CheckpointOf(runs), runs.last_seq());
  vfs_.FailReadsOf("");
  EXPECT_EQ(bench_.journal().Restore(runs.case_id())->checkpoint.note, "");
  EXPECT_EQ(bench_.journal().ListCases()->at(1).note, "");
}

// Each case whose note is missing is restored at a start.
TEST_F(JournalCheckpointTest, NoteThatCannotBeReadLeavesTheOthersToTheListOfCases) {
  for (int i = 0; i < 40; ++i) {
    const CaseScript& script = AppendCase();
    Save(script, "at rest", (i == 20 ? kBadSector : "note") + std::string(1'000, 'x'));
  }
  ASSERT_TRUE(bench_.Open().ok());
  EXPECT_EQ(bench_.journal().ListCases()->size(), 40u);
  EXPECT_EQ(bench_.journal().notes_unread(), 0u);
  vfs_.FailReadsOf(kBadSector);
  ASSERT_TRUE(bench_.Open().ok());
  const std::vector<ListedCase> cases = *bench_.journal().ListCases();
  ASSERT_EQ(cases.size(), 40u);
  uint64_t without = 0;
  for (const ListedCase& listed : cases) without += listed.note.empty();
  EXPECT_GE(without, 1u);
  EXPECT_LE(without, 8u) << "those of one page";
  EXPECT_FALSE(cases.back().note.empty());
  EXPECT_EQ(bench_.journal().notes_unread(), without) << "and it is told";
}

TEST_F(JournalCheckpointTest, NotesOfWhichNoneCanBeReadAreNotAskedForOneByOne) {
  for (int i = 0; i < 200; ++i) Save(AppendCase(), "at rest", kBadSector + std::string(4'000, 'x'));
  ASSERT_TRUE(bench_.Open().ok());
  vfs_.FailReadsOf(kBadSector);
  EXPECT_EQ(bench_.journal().ListCases()->size(), 200u);
  EXPECT_LE(vfs_.failed_reads(), 100u) << "a disk takes seconds for each";
  EXPECT_EQ(bench_.journal().notes_unread(), 200u);
}

// Of the same `seq`: it would count.
TEST_F(JournalCheckpointTest, WithoutANoteTakesAwayTheOneOfAnEarlierLife) {
  CaseScript& script = AppendCase();
  Save(script, "at rest", "note");
  ASSERT_TRUE(bench_.Open().ok());
  ASSERT_EQ(bench_.journal().ListCases()->at(0).note, "note");
  Save(script, "again");
  EXPECT_EQ(bench_.journal().ListCases()->at(0).note, "");
  EXPECT_EQ(bench_.journal().Restore(script.case_id())->checkpoint.note, "");
}

}  // namespace
}  // namespace remora::hub::sqlite
