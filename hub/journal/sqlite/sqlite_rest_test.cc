// Cases at rest: the journal keeps nothing of them in memory, and reads nothing of them when it
// opens its file anew.

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

constexpr int kManyPages = 1'000'000;

CaseScript NewCase(JournalBench& bench, uint64_t number) {
  const absl::StatusOr<uint32_t> epoch = bench.journal().CreateCase(CaseIdOf(number));
  EXPECT_TRUE(epoch.ok()) << epoch.status();
  return CaseScript(CaseIdOf(number), epoch.value_or(0), number);
}

CaseScript AppendCase(JournalBench& bench, uint64_t number) {
  CaseScript script = NewCase(bench, number);
  EXPECT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.Next({0, 3, 5})).ok());
  return script;
}

void Release(JournalBench& bench, const CaseScript& script) {
  bench.journal().Release(script.case_id());
  ASSERT_TRUE(bench.journal().Flush().ok());
}

// Reads of the disk that opening the file anew takes, but for those of each page of the log.
int64_t ReadsOfAReopening(JournalBench& bench, FaultVfs& vfs, const CaseScript& live) {
  constexpr int64_t kLogPageBytes = 4096 + 24;
  EXPECT_TRUE(bench.journal().Flush().ok());
  const uint64_t reopenings = bench.journal().reopenings();
  const uint64_t reads = vfs.reads();
  vfs.Arm(Fault::kSyncError, 1, false);
  CaseScript lost = live;
  EXPECT_FALSE(AppendAndWait(bench.journal(), bench.executor(), lost.Next({0})).ok());
  EXPECT_EQ(bench.journal().reopenings(), reopenings + 1);
  vfs.Disarm();
  bench.journal().Flush().IgnoreError();  // may tell of the append that failed; the next does not
  const auto log_bytes = static_cast<int64_t>(std::filesystem::file_size(bench.path() + "-wal"));
  return static_cast<int64_t>(vfs.reads() - reads) - log_bytes / kLogPageBytes;
}

TEST(JournalRest, OpeningTheFileAnewReadsNothingOfCasesAtRest) {
  constexpr int64_t kCases = 1'000;
  FaultVfs vfs("rest-reopen");
  // No log is moved: it would meet the sync that fails, or not.
  JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  CaseScript live = AppendCase(bench, 0);
  std::vector<CaseScript> over;
  for (int64_t number = 1; number <= kCases; ++number) {
    over.push_back(NewCase(bench, number));
    // Each on pages of its own.
    bench.journal().Append(over.back().Next({0, 5}, 4'000),
                           [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
  }
  ASSERT_TRUE(bench.journal().Flush().ok());
  bench.executor().RunPosted();
  ASSERT_EQ(bench.journal().cases_in_memory(), kCases + 1);
  const int64_t with_all = ReadsOfAReopening(bench, vfs, live);
  for (const CaseScript& script : over) {
    bench.journal().Release(script.case_id());
  }
  bench.journal().SaveCheckpoint(over[0].case_id(), {over[0].last_seq(), "at rest"});
  ASSERT_TRUE(bench.journal().Flush().ok());
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), live.Next({0})).ok());
  EXPECT_EQ(bench.journal().cases_in_memory(), 1u);
  const int64_t at_rest = ReadsOfAReopening(bench, vfs, live);
  std::cout << "reads: " << with_all << " with all, " << at_rest << " with all but one at rest\n";
  EXPECT_LT(at_rest, 100);
  EXPECT_GT(with_all, kCases) << "else this test finds nothing";
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), live.Next({0})).ok());
  ExpectHolds(bench.journal(), bench.executor(), live);
  for (const uint64_t i : {0, 500, 999}) {
    ExpectHolds(bench.journal(), bench.executor(), over[i]);
  }
  EXPECT_EQ(bench.journal().Restore(over[0].case_id())->checkpoint.state, "at rest");
}

TEST(JournalRest, NeitherACheckpointNorARefusedPurgeBringsACaseBackIntoMemory) {
  FaultVfs vfs("rest-memory");
  JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  CaseScript script = AppendCase(bench, 1);
  Release(bench, script);
  EXPECT_EQ(bench.journal().cases_in_memory(), 0u);
  bench.journal().SaveCheckpoint(script.case_id(), {script.last_seq(), "later"});
  bench.journal().SaveCheckpoint(script.case_id(), {script.last_seq(), "later still"});
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().Restore(script.case_id())->checkpoint.state, "later still");
  EXPECT_EQ(bench.journal().cases_in_memory(), 0u);
  Tombstone other = TombstoneOf(script);
  ++other.last_seq;
  EXPECT_TRUE(absl::IsFailedPrecondition(PurgeAndWait(bench.journal(), bench.executor(), other)));
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().cases_in_memory(), 0u);
  // A purge whose commit fails: opening the file anew puts the case back, and then lets it go.
  vfs.Arm(Fault::kSyncError, 1, false);
  EXPECT_FALSE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(script)).ok());
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().cases_in_memory(), 0u);
  ExpectHolds(bench.journal(), bench.executor(), script);
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.Next({0})).ok());
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().cases_in_memory(), 1u);
  ExpectHolds(bench.journal(), bench.executor(), script);
}

// What a failed commit has left must be compared with what was acknowledged, also of a case that
// nothing else happens to.
TEST(JournalRest, IsPutOffWhileTheFileIsClosed) {
  FaultVfs vfs("rest-closed");
  JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  CaseScript live = AppendCase(bench, 1);
  const CaseScript over = AppendCase(bench, 2);
  ASSERT_TRUE(bench.journal().Flush().ok());
  // The page that the purge wrote is in the log all the same: only the sync failed.
  vfs.FailReadsOf("SQLite format 3");
  vfs.Arm(Fault::kSyncError, 1, false);
  EXPECT_FALSE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(over)).ok());
  bench.journal().Release(over.case_id());
  bench.journal().Flush().IgnoreError();
  EXPECT_EQ(bench.journal().cases_in_memory(), 2u);
  vfs.FailReadsOf("");
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), live.Next({0})).ok());
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().cases_in_memory(), 1u);
  ExpectHolds(bench.journal(), bench.executor(), over);
  EXPECT_TRUE(bench.journal().ListTombstones()->empty());
}

TEST(JournalRest, ACaseThatLostItsEndMeanwhileIsDamaged) {
  FaultVfs vfs("rest-lost");
  JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  CaseScript one = AppendCase(bench, 1);
  CaseScript two = AppendCase(bench, 2);
  CaseScript live = AppendCase(bench, 3);
  ASSERT_TRUE(bench.Open().ok());
  const std::string earlier = bench.directory().File("earlier");
  std::filesystem::copy_file(bench.path(), earlier);
  for (CaseScript* script : {&one, &two, &live}) {
    ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script->Next({0, 5})).ok());
  }
  Release(bench, one);
  Release(bench, two);
  // The file is closed, and is another when it can be opened again.
  vfs.FailReadsOf("SQLite format 3");
  vfs.Arm(Fault::kSyncError, 1, false);
  EXPECT_FALSE(AppendAndWait(bench.journal(), bench.executor(), live.Next({0})).ok());
  std::filesystem::copy_file(earlier, bench.path(),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(bench.path() + "-wal");
  std::filesystem::remove(bench.path() + "-shm");
  vfs.FailReadsOf("");
  EXPECT_FALSE(AppendAndWait(bench.journal(), bench.executor(), live.Next({0})).ok());
  const absl::Status damage = bench.journal().Restore(one.case_id()).status();
  EXPECT_TRUE(absl::IsDataLoss(damage)) << damage;
  EXPECT_TRUE(absl::StrContains(damage.message(), "ends at seq 3; 5 had been committed")) << damage;
  const absl::Status append = AppendAndWait(bench.journal(), bench.executor(), two.Next({0}));
  EXPECT_TRUE(absl::IsDataLoss(append)) << append;
}

}  // namespace
}  // namespace remora::hub::sqlite
