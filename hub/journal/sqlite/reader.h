#pragma once

// The thread that reads, on a connection of its own: SQLite's readers do not wait for the writer,
// nor it for them. Reads are served first come, first served, a page each. Thread-safe.

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

  // All outlive the reader.
  Reader(Executor& executor, PayloadCipher& cipher, CaseDirectory& directory);
  // Stops.
  ~Reader();

  // The connection to use; the writer sets and closes it.
  SessionSlot<ReadSession>& slot() { return slot_; }

  // `done` is posted to the executor. ResourceExhausted: kMaxQueuedReads wait already.
  void Read(ReadRequest request, PageDone done);
  // Blocking.
  absl::StatusOr<std::vector<CaseHead>> ListCases();
  absl::StatusOr<CaseRestore> Restore(const CaseId& case_id);
  absl::StatusOr<std::vector<Tombstone>> ListTombstones();

  // Answers what waits with Unavailable, then joins the thread. Idempotent.
  void Stop();

 private:
  struct Waiting {
    ReadRequest request;
    PageDone done;
  };

  void Run();
  absl::StatusOr<ReadResult> ReadPage(const ReadRequest& request);
  void Post(PageDone done, absl::StatusOr<ReadResult> page);

  Executor& executor_;
  PayloadCipher& cipher_;
  CaseDirectory& directory_;
  SessionSlot<ReadSession> slot_;
  Mutex mutex_;
  ConditionVariable wake_;
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace remora::hub::sqlite
