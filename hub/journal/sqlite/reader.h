#pragma once

// The thread that reads, on a connection of its own: SQLite's readers do not wait for the writer,
// nor it for them. Restores come first, then tombstones; reads first come, first served, a page
// each. Thread-safe.

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

#include "common/executor.h"
#include "common/mutex.h"
#include "hub/journal/journal.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/case_directory.h"
#include "hub/journal/sqlite/case_rows.h"
#include "hub/journal/sqlite/session_slot.h"

namespace remora::hub::sqlite {

class Reader {
 public:
  using PageDone = std::function<void(absl::StatusOr<ReadResult>)>;
  using RestoreDone = Journal::RestoreDone;
  using TombstoneDone = Journal::TombstoneDone;

  // All outlive the reader.
  Reader(Executor& executor, PayloadCipher& cipher, CaseDirectory& directory);
  // Stops.
  ~Reader();

  // The connection to use; the writer sets and closes it.
  SessionSlot<ReadSession>& slot() { return slot_; }

  // `done` is posted to the executor. ResourceExhausted: kMaxQueuedReads wait already.
  void Read(ReadRequest request, PageDone done);
  // The same: kMaxQueuedRestores.
  void BeginRestore(const CaseId& case_id, RestoreDone done);
  // The same: kMaxQueuedLookups.
  void FindTombstone(const CaseId& case_id, TombstoneDone done);
  // Blocking.
  absl::StatusOr<std::vector<ListedCase>> ListCases();
  // Of the last list: cases without a note since it could not be read.
  uint64_t notes_unread() const { return notes_unread_.load(); }
  absl::StatusOr<CaseRestore> Restore(const CaseId& case_id);
  absl::StatusOr<std::vector<Tombstone>> ListTombstones();
  absl::StatusOr<PurgeCount> CountPurges();

  // Answers what waits with Unavailable, then joins the thread. Idempotent.
  void Stop();

 private:
  struct Waiting {
    ReadRequest request;
    PageDone done;
  };

  struct WaitingRestore {
    CaseId case_id;
    RestoreDone done;
  };

  struct WaitingLookup {
    CaseId case_id;
    TombstoneDone done;
  };

  void Run();
  absl::StatusOr<Tombstone> ReadTombstone(const CaseId& case_id);
  absl::StatusOr<ReadResult> ReadPage(const ReadRequest& request);
  // Whether one more may join `waiting` others.
  absl::Status MayWait(size_t waiting, size_t most) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Done, typename Result>
  void Post(Done done, absl::StatusOr<Result> result);

  Executor& executor_;
  PayloadCipher& cipher_;
  CaseDirectory& directory_;
  SessionSlot<ReadSession> slot_;
  Mutex mutex_;
  ConditionVariable wake_;
  std::deque<WaitingRestore> restores_ ABSL_GUARDED_BY(mutex_);
  std::deque<WaitingLookup> lookups_ ABSL_GUARDED_BY(mutex_);
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> notes_unread_{0};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace remora::hub::sqlite
