#pragma once

// The one thread that writes. It takes all appends that wait, of all cases, and commits them in one
// transaction: while the disk syncs one, the next gathers.
//
//   Append -> queue -> [ Accept, rows, heads, origins ] -> COMMIT -> callbacks posted
//                                                            | error
//                                      close, open, compare with what was acknowledged, cut back
//
// A failed append is reported only after that attempt to open the file anew, so that "failed" and
// "not in the file" agree; where the file does not open, the next appends try again first.
//
// Purged cases: the tombstone between two commits, then a step of freeing at a time while no append
// waits, kPurgePauseMs apart; not synced, since what is freed twice is freed. A case of which a
// step fails goes behind the others, and is tried ever more seldom.
//
// A checkpoint that cannot be written is let go: it is a cache, and a later one comes; but for that
// of a case that came to rest, which is held and tried again. The case is then passed over for a
// while, and for less all are: what fails may have the file opened anew.
//
// Append, Purge, SaveCheckpoint, Release, Flush, FinishLog and ReopenFile are thread-safe; the rest
// is the thread's.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"
#include "hub/journal/case_tail.h"
#include "hub/journal/journal.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/case_directory.h"
#include "hub/journal/sqlite/journal_file.h"

namespace remora::hub::sqlite {

// What one transaction did; for metrics.
struct CommitReport {
  uint32_t appends = 0;
  uint64_t records = 0;
  uint64_t frame_bytes = 0;
  // From taking the appends off the queue to the commit's return.
  Duration duration;
  int log_pages = 0;
  absl::Status status;  // of the transaction; refused appends do not show here
};

class Writer {
 public:
  // All outlive the writer. `observer` may be null; it is called on the writer's thread.
  struct Parts {
    const Clock& clock;
    Executor& executor;
    PayloadCipher& cipher;
    CaseDirectory& directory;
    JournalFile& file;
    std::function<void(const CommitReport&)> observer;
    std::function<void(int pages)> log_grew;
  };

  explicit Writer(Parts parts);
  // Stops.
  ~Writer();

  void Append(CaseAppend append, Journal::Done done);
  void Purge(Tombstone tombstone, Journal::Done done);
  // Of cases that were purged in an earlier life.
  void FreeRowsOf(const std::vector<int64_t>& case_keys);
  size_t purges_under_way() const { return purges_under_way_.load(); }
  // Steps of freeing that failed.
  uint64_t purge_failures() const { return purge_failures_.load(); }
  void SaveCheckpoint(const CaseId& case_id, Checkpoint checkpoint);
  // Checkpoints that could not be written for another reason than space.
  uint64_t checkpoint_failures() const { return checkpoint_failures_.load(); }
  // Lets go of the case's tail once no append waits. One of which an append failed stays.
  void Release(const CaseId& case_id);
  // How many cases have a tail.
  size_t tails() const { return tail_count_.load(); }
  // Blocks until all that was given before is done. The error of the last append that failed among
  // those that were not done yet.
  absl::Status Flush();
  // The rest of the log is to be moved between two commits.
  void FinishLog();
  // An error was met beside the writer: the file is to be opened anew.
  void ReopenFile();
  // Commits what waits, then joins the thread. Idempotent.
  void Stop();

  uint64_t reopenings() const { return reopenings_.load(); }

 private:
  struct Waiting {
    CaseAppend append;
    Journal::Done done;
    size_t frame_bytes = 0;
    absl::Status status;  // not OK: refused at the door, to be reported in its turn
  };
  struct WaitingPurge {
    Tombstone tombstone;
    Journal::Done done;
  };
  // Of what fails again and again: after each time for twice as long.
  struct Backoff {
    Duration after;
    DeviceTime next_at;
    void Grow(DeviceTime now, int64_t first_ms, int64_t longest_ms);
  };
  // A checkpoint with the note of a case at rest: no later one comes.
  struct HeldNote {
    Checkpoint checkpoint;
    DeviceTime next_at;
    int tries = 0;
  };
  // A purged case of which rows are left.
  struct Leftover {
    int64_t case_key = 0;
    // After a step that failed.
    Backoff backoff;
  };
  struct Work {
    std::vector<Waiting> appends;
    std::vector<WaitingPurge> purges;
    std::map<CaseId, Checkpoint> checkpoints;
    std::set<CaseId> releases;
    bool finish_log = false;
    bool reopen = false;
    bool stop = false;
  };
  // One transaction's view of the cases it touches.
  struct Transaction {
    std::map<CaseId, std::pair<int64_t, CaseTail>> tails;  // with the case's key
    std::map<CaseId, std::map<CaseTail::OriginLane, bool>> origins;
    CommitReport report;
  };

  void Run();
  Work WaitForWork();
  // What comes by itself: until the first of it does; nothing: it is all done.
  std::optional<Duration> UntilDue() const;
  void GatherBulk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CommitAppends(std::vector<Waiting>& appends);
  // Reads what is not known yet of the cases, before a transaction that an error would end for
  // all. A case that cannot be read fails alone.
  void LoadTails(std::vector<Waiting>& appends);
  // Commits those of `appends` that are still OK; sets the status of those that are refused. An
  // error is one of the file: nothing of all of them is committed.
  absl::Status Transact(const std::vector<Waiting*>& appends);
  absl::Status InsertAppend(Waiting& waiting, Transaction* transaction);
  absl::Status PutHeads(const Transaction& transaction);
  // Marks each case of `appends` as failed, and opens the file anew where that is needed.
  void AfterFailure(const std::vector<Waiting*>& appends, bool session_usable);
  absl::Status EnsureOpen();
  absl::Status Reopen();
  // Of a file that could not be opened anew, whether anybody asks for it or not.
  bool ReopenIsDue() const { return closed_ && closed_->next_at <= parts_.clock.Now(); }
  absl::StatusOr<CaseTail*> FindTail(const CaseId& case_id, const CaseDirectory::Entry& entry);
  void Report(std::vector<Waiting>& appends);
  void DropTails(std::set<CaseId> cases);
  void MoveRestOfLog();
  // writer_checkpoints.cc
  void WriteCheckpoints(const std::map<CaseId, Checkpoint>& checkpoints);
  // Nothing while the case, or all, wait after a failure.
  std::optional<absl::Status> TryCheckpoint(const CaseId& case_id, const Checkpoint& checkpoint);
  void Hold(const CaseId& case_id, HeldNote held);
  void Drop(std::map<CaseId, HeldNote>::iterator held);
  // The first to be tried again, and when. At least one is held.
  std::map<CaseId, HeldNote>::const_iterator NextHeld() const;
  DeviceTime NextHeldAt() const;
  bool HeldIsDue() const { return !held_.empty() && NextHeldAt() <= parts_.clock.Now(); }
  void WriteHeld();
  // In a transaction of its own.
  absl::Status WriteCheckpoint(const CaseId& case_id, int64_t case_key,
                               const Checkpoint& checkpoint);
  // 0 where it cannot be told.
  uint64_t LastSeqOf(const CaseId& case_id, int64_t case_key);
  // What is only remembered of a case that has a tail.
  void Forget(const CaseId& case_id);
  // writer_purge.cc
  absl::Status PurgeCase(const Tombstone& tombstone);
  void PurgeCases(std::vector<WaitingPurge>& purges);
  // How long until the next step; at least one case is left.
  Duration UntilNextStep() const;
  bool StepIsDue() const { return !leftovers_.empty() && UntilNextStep() <= Duration(); }
  void FreeNext();

  const Parts parts_;
  // What is committed and acknowledged, of each case that was appended to since the start and not
  // let go since.
  JournalFile::Tails tails_;
  std::atomic<size_t> tail_count_{0};
  // Cases whose appends failed since they cannot be read.
  std::set<CaseId> unread_;
  // To be let go when the file is open: what a failure left is first compared with them.
  std::set<CaseId> to_drop_;
  // Of each case with a tail: a note that stands beside its checkpoint is of this `seq` or before.
  std::map<CaseId, uint64_t> notes_up_to_;
  std::map<CaseId, Backoff> failed_checkpoints_;
  Backoff all_checkpoints_;
  // Since the file could not be opened anew; nothing while it is open.
  std::optional<Backoff> closed_;
  std::map<CaseId, HeldNote> held_;
  size_t held_bytes_ = 0;
  // In the order of their next steps, and when some were last freed.
  std::deque<Leftover> leftovers_;
  DeviceTime freed_at_;
  std::atomic<size_t> purges_under_way_{0};
  std::atomic<uint64_t> purge_failures_{0};
  std::atomic<uint64_t> checkpoint_failures_{0};
  std::atomic<uint64_t> reopenings_{0};

  Mutex mutex_;
  ConditionVariable wake_;
  ConditionVariable done_;
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<CaseId, Checkpoint> checkpoints_ ABSL_GUARDED_BY(mutex_);  // the newest of each case
  std::set<CaseId> releases_ ABSL_GUARDED_BY(mutex_);
  std::vector<WaitingPurge> purges_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> new_leftovers_ ABSL_GUARDED_BY(mutex_);
  bool finish_log_ ABSL_GUARDED_BY(mutex_) = false;
  bool reopen_ ABSL_GUARDED_BY(mutex_) = false;
  // Lanes 0-2 wait, or somebody waits for all.
  bool urgent_ ABSL_GUARDED_BY(mutex_) = false;
  // When the last commit began.
  DeviceTime begun_at_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t given_ ABSL_GUARDED_BY(mutex_) = 0;        // appends, ever
  uint64_t completed_ ABSL_GUARDED_BY(mutex_) = 0;    // of these
  uint64_t last_failed_ ABSL_GUARDED_BY(mutex_) = 0;  // the number of the last that failed
  absl::Status last_failure_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace remora::hub::sqlite
