#pragma once

// A journal in memory: for tests of rooms and for benchmarks that leave the disk out. It keeps the
// promises of journal.h but one: it does not outlive its process. A test can hold its commits, and
// make them fail.
//
// Thread-safe. Commits inside the call (unless held); callbacks are posted to the executor.

#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/executor.h"
#include "common/mutex.h"
#include "hub/journal/case_tail.h"
#include "hub/journal/journal.h"
#include "hub/journal/page_merge.h"

namespace remora::hub {

class MemoryJournal final : public Journal {
 private:
  struct StoredCase {
    explicit StoredCase(CaseHead head) : tail(std::move(head)) {}
    CaseTail tail;
    std::vector<StoredRun> runs[2];  // by class
    Checkpoint checkpoint;
    absl::Status damage;
  };

 public:
  // All cases with records at some time. Records are shared, not copied.
  class Backup {
   public:
    // The last `seq` of each case.
    std::map<CaseId, uint64_t> Heads() const;

   private:
    friend class MemoryJournal;
    std::map<CaseId, StoredCase> cases_;
    std::map<CaseId, Tombstone> tombstones_;
  };

  // `executor` outlives the journal.
  explicit MemoryJournal(Executor& executor, uint32_t epoch = 1)
      : executor_(executor), epoch_(epoch) {}

  absl::StatusOr<std::vector<ListedCase>> ListCases() override;
  absl::StatusOr<CaseRestore> Restore(const CaseId& case_id) override;
  void BeginRestore(const CaseId& case_id, RestoreDone done) override;
  absl::StatusOr<uint32_t> CreateCase(const CaseId& case_id) override;
  void Append(CaseAppend append, Done done) override;
  void Read(ReadRequest request, std::function<void(absl::StatusOr<ReadResult>)> done) override;
  void Purge(Tombstone tombstone, Done done) override;
  absl::StatusOr<std::vector<Tombstone>> ListTombstones() override;
  absl::StatusOr<PurgeCount> CountPurges() override;
  bool IsPurged(const CaseId& case_id) const override;
  void FindTombstone(const CaseId& case_id, TombstoneDone done) override;
  void SaveCheckpoint(const CaseId& case_id, Checkpoint checkpoint) override;
  // Counted; what it keeps is all there is.
  void Release(const CaseId& case_id) override;
  // Does not wait for held commits: FailedPrecondition when there are any.
  absl::Status Flush() override;

  // From now on appends wait, as on a disk that hangs.
  void HoldCommits();
  // Commits what waits, in order, and no longer holds.
  void ReleaseCommits();
  // Commits only the oldest append that waits; false when there is none.
  bool ReleaseOne();
  size_t held_appends() const;
  // From now on each commit fails so; OK ends it. Held appends meet what is set at their release.
  void FailCommits(absl::Status status);
  // From now on each restore and each read fails so; OK ends it.
  void FailReads(absl::Status status);
  // The same of one case alone.
  void FailReadsOf(const CaseId& case_id, absl::Status status);
  // From now on restores wait, as behind a disk that seeks.
  void HoldRestores();
  // Answers the oldest that waits, and no longer holds it; false: none waits.
  bool ReleaseOneRestore();
  // Answers what waits, in order, and no longer holds.
  void ReleaseRestores();
  // In the order in which they were asked for, held or not, since the journal was made.
  std::vector<CaseId> restores_begun() const;
  // From now on the case is as one whose file has a changed byte.
  void Damage(const CaseId& case_id);
  Backup Save() const;
  // Holds what `backup` does, and no more. `new_epoch`: as a file that was restored and opened with
  // Options::start_new_epoch; else as a disk that lied about what it had synced. Nobody may use it
  // meanwhile.
  void GoBackTo(const Backup& backup, bool new_epoch);
  // How often all tombstones were asked for.
  size_t tombstone_lists() const;
  // How often the case was released.
  size_t releases(const CaseId& case_id) const;
  // The most restores and reads that waited for their callback at a time.
  size_t most_reads_waiting() const;

 private:
  struct Held {
    CaseAppend append;
    std::optional<Tombstone> purge;  // instead
    Done done;
  };

  struct HeldRestore {
    CaseId case_id;
    RestoreDone done;
  };

  void Commit(Held held) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerRestore(HeldRestore held);
  absl::Status TryPurge(const Tombstone& tombstone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TryCommit(const CaseAppend& append) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<ReadResult> ReadPage(const ReadRequest& request);

  Executor& executor_;
  mutable Mutex mutex_;
  uint32_t epoch_ ABSL_GUARDED_BY(mutex_);  // that new cases get
  std::map<CaseId, StoredCase> cases_ ABSL_GUARDED_BY(mutex_);
  std::map<CaseId, Tombstone> tombstones_ ABSL_GUARDED_BY(mutex_);
  size_t tombstone_lists_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Held> held_ ABSL_GUARDED_BY(mutex_);
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<CaseId, size_t> releases_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  absl::Status read_failure_ ABSL_GUARDED_BY(mutex_);
  std::map<CaseId, absl::Status> read_failures_ ABSL_GUARDED_BY(mutex_);
  absl::Status ReadFailureOf(const CaseId& case_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool holding_restores_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<HeldRestore> held_restores_ ABSL_GUARDED_BY(mutex_);
  std::vector<CaseId> restores_begun_ ABSL_GUARDED_BY(mutex_);
  size_t reads_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t most_reads_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace remora::hub
