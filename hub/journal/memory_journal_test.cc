#include "hub/journal/memory_journal.h"

#include <optional>
#include <vector>

#include "common/chain.h"
#include "gtest/gtest.h"
#include "hub/journal/journal_conformance_test.h"

namespace remora::hub {
namespace {

class MemoryBench {
 public:
  Journal& journal() { return journal_; }
  WaitingExecutor& executor() { return executor_; }
  bool Reopen() { return false; }
  void FailCommits(bool disk_full) {
    journal_.FailCommits(disk_full ? absl::ResourceExhaustedError("disk full")
                                   : absl::UnavailableError("disk error"));
  }
  void StopFailing() { journal_.FailCommits(absl::OkStatus()); }

 private:
  WaitingExecutor executor_;
  MemoryJournal journal_{executor_};
};

REMORA_INSTANTIATE_JOURNAL_CONFORMANCE(Memory, MemoryBench);

TEST(MemoryJournal, HeldCommitsHappenAtReleaseInOrder) {
  WaitingExecutor executor;
  MemoryJournal journal(executor, 7);
  ASSERT_EQ(*journal.CreateCase(CaseIdOf(1)), 7u);
  CaseScript script(CaseIdOf(1), 7, 1);
  std::vector<uint64_t> done;
  journal.HoldCommits();
  for (int i = 0; i < 3; ++i) {
    CaseAppend append = script.NextDrawn();
    const uint64_t last_seq = append.last_seq;
    journal.Append(std::move(append), [&done, last_seq](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      done.push_back(last_seq);
    });
  }
  executor.RunPosted();
  EXPECT_TRUE(done.empty());
  EXPECT_EQ(journal.held_appends(), 3u);
  EXPECT_FALSE(journal.Flush().ok());
  EXPECT_TRUE(journal.ReleaseOne());
  executor.RunPosted();
  EXPECT_EQ(done.size(), 1u);
  journal.ReleaseCommits();
  executor.RunPosted();
  EXPECT_EQ(done.size(), 3u);
  EXPECT_FALSE(journal.ReleaseOne());
  ExpectHolds(journal, executor, script);
}

TEST(MemoryJournal, GoesBackToWhatItHeldInANewEpoch) {
  WaitingExecutor executor;
  MemoryJournal journal(executor, 7);
  ASSERT_EQ(*journal.CreateCase(CaseIdOf(1)), 7u);
  CaseScript script(CaseIdOf(1), 7, 1);
  ASSERT_TRUE(AppendAndWait(journal, executor, script.NextDrawn()).ok());
  const MemoryJournal::Backup backup = journal.Save();
  const CaseScript then = script;
  EXPECT_EQ(backup.Heads().at(CaseIdOf(1)), then.last_seq());
  ASSERT_TRUE(AppendAndWait(journal, executor, script.NextDrawn()).ok());
  ASSERT_EQ(*journal.CreateCase(CaseIdOf(2)), 7u);

  journal.GoBackTo(backup, /*new_epoch=*/false);
  ExpectHolds(journal, executor, then);
  EXPECT_FALSE(journal.Restore(CaseIdOf(2)).ok());

  journal.GoBackTo(backup, /*new_epoch=*/true);
  const absl::StatusOr<CaseRestore> restore = journal.Restore(CaseIdOf(1));
  ASSERT_TRUE(restore.ok()) << restore.status();
  EXPECT_EQ(restore->head.epoch, 8u);
  EXPECT_EQ(restore->head.last_seq, then.last_seq());
  EXPECT_EQ(restore->origins, then.Origins());
  EXPECT_EQ(*journal.CreateCase(CaseIdOf(2)), 8u);
}

TEST(MemoryJournal, CallbacksAreNeverInsideTheCall) {
  WaitingExecutor executor;
  MemoryJournal journal(executor);
  ASSERT_TRUE(journal.CreateCase(CaseIdOf(1)).ok());
  CaseScript script(CaseIdOf(1), 1, 1);
  bool called = false;
  journal.Append(script.Next({0}), [&](absl::Status) { called = true; });
  EXPECT_FALSE(called);
  executor.RunPosted();
  EXPECT_TRUE(called);
}

// From docs/journal.md; recomputed with Python's hashlib.blake2b(digest_size=32).
TEST(Chain, IsTheFoldOfDigestsOverStampedRecords) {
  ChainHead head{};
  head = ExtendChain(head, "one");
  head = ExtendChain(head, "two");
  std::string hex;
  for (const uint8_t byte : head) {
    hex.push_back("0123456789abcdef"[byte >> 4]);
    hex.push_back("0123456789abcdef"[byte & 15]);
  }
  EXPECT_EQ(hex, "0f1e90fb5cdfd10c66faa167c42ccfa879037943e3a4cfdeb25a5c4b2654c941");
}

}  // namespace
}  // namespace remora::hub
