#pragma once

// The hub's disk: what is on it outlives the hub's process. Appends wait for a commit that takes
// time (as long as the disk pleases), are committed in groups, and called back on the hub's
// process. It can be slow, hang, be full, fail, fail reads, and be put back to an earlier backup.
// When the process dies, what waits is lost, but for a part of the group that was under way.
// Sequence-bound to the simulation's thread.

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "common/random.h"
#include "hub/journal/memory_journal.h"
#include "tests/simulation/counters.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/oracle.h"

namespace remora::simulation {

class SimulatedJournal final : public hub::Journal {
 public:
  struct Plan {
    Duration least_commit = Duration::Microseconds(200);
    Duration most_commit = Duration::Milliseconds(3);
    // A defect that the checkers must find: OK is said before anything is safe.
    bool loses_syncs = false;
  };

  SimulatedJournal(Process& hub, Random& random, Oracle& oracle, Counters& counters,
                   const Plan& plan);

  absl::StatusOr<std::vector<hub::ListedCase>> ListCases() override { return disk_.ListCases(); }
  absl::StatusOr<hub::CaseRestore> Restore(const CaseId& case_id) override {
    return disk_.Restore(case_id);
  }
  void BeginRestore(const CaseId& case_id, RestoreDone done) override;
  absl::StatusOr<uint32_t> CreateCase(const CaseId& case_id) override;
  void Append(hub::CaseAppend append, Done done) override;
  void Read(hub::ReadRequest request,
            std::function<void(absl::StatusOr<hub::ReadResult>)> done) override;
  void Purge(hub::Tombstone tombstone, Done done) override;
  absl::StatusOr<std::vector<hub::Tombstone>> ListTombstones() override {
    return disk_.ListTombstones();
  }
  absl::StatusOr<hub::PurgeCount> CountPurges() override { return disk_.CountPurges(); }
  bool IsPurged(const CaseId& case_id) const override { return disk_.IsPurged(case_id); }
  void FindTombstone(const CaseId& case_id, TombstoneDone done) override;
  void SaveCheckpoint(const CaseId& case_id, hub::Checkpoint checkpoint) override;
  void Release(const CaseId& case_id) override { disk_.Release(case_id); }
  absl::Status Flush() override { return absl::OkStatus(); }

  // From now on until `when`, commits (or reads) fail with `status`.
  void FailCommitsUntil(Duration when, absl::Status status);
  void FailReadsUntil(Duration when, absl::Status status);
  // From now on until `when`, a commit takes up to `longest`.
  void SlowUntil(Duration when, Duration longest);
  // All is well again.
  void Heal();
  void TakeBackup() { backup_ = disk_.Save(); }
  bool has_backup() const { return backup_.has_value(); }
  // The hub's process is gone.
  void OnHubDied();
  // While no hub runs: the disk is replaced by the backup.
  void GoBack();

  // Times in which commits failed or were slow, for checkers.
  bool failing() const { return hub_.loop().now() < fails_until_; }
  uint64_t failed_reads() const { return failed_reads_; }

 private:
  // Runs what the memory journal posts when it is told to: inside the call.
  class Inside final : public Executor {
   public:
    void Post(Task task) override { tasks_.push_back(std::move(task)); }
    void PostAfter(Duration, Task task) override { Post(std::move(task)); }
    bool IsCurrent() const override { return true; }
    void Run() {
      while (!tasks_.empty()) {
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
      }
    }

   private:
    std::deque<Task> tasks_;
  };
  struct Waiting {
    hub::CaseAppend append;
    Done done;
  };

  void StartCommit();
  void FinishCommit();
  absl::Status CommitOne(hub::CaseAppend append);
  absl::Status PurgeOne(const hub::Tombstone& tombstone);
  Duration DrawCommit();
  // `read` on the reader's thread, or `failed` where reads fail just then.
  void PostRead(std::function<void()> read, std::function<void(const absl::Status&)> failed);

  Process& hub_;
  Random& random_;
  Oracle& oracle_;
  Counters& counters_;
  const Plan plan_;
  Inside inside_;
  hub::MemoryJournal disk_{inside_};
  std::deque<Waiting> waiting_;
  std::deque<Waiting> under_way_;
  std::deque<hub::Tombstone> purging_;
  std::optional<hub::MemoryJournal::Backup> backup_;
  std::optional<hub::MemoryJournal::Backup> synced_;  // where syncs are lost

  Duration fails_until_;
  absl::Status failure_;
  Duration reads_fail_until_;
  absl::Status read_failure_;
  Duration slow_until_;
  Duration longest_commit_;
  uint64_t failed_reads_ = 0;
};

}  // namespace remora::simulation
