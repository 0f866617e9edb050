#pragma once

// The journal of one machine: one SQLite file for all open cases (docs/journal.md).
//
//   rooms --> Writer --COMMIT--> log --LogCheckpointer--> file <-- Reader      (a thread each)
//
// Thread-safe. Made and destroyed by the program's main part; blocks while it opens, restores,
// flushes and closes.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/executor.h"
#include "common/file_system.h"
#include "hub/journal/journal.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/case_directory.h"
#include "hub/journal/sqlite/journal_file.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/log_checkpointer.h"
#include "hub/journal/sqlite/process_lock.h"
#include "hub/journal/sqlite/reader.h"
#include "hub/journal/sqlite/writer.h"

namespace remora::hub {

class SqliteJournal final : public Journal {
 public:
  struct Options {
    // The file; -wal, -shm and .lock stand beside it. A local disk: no network file system.
    std::string path;
    // What cases in a newly made file get. The program gives one that no lost file had before it,
    // such as the seconds of UTC.
    uint32_t epoch_of_new_file = 1;
    // The file comes from a backup: it and all its cases get a new epoch, so that followers who
    // have seen records that it no longer holds begin again. For one start only.
    bool start_new_epoch = false;
    // SQLite's layer to the operating system; empty for its own. For tests.
    std::string vfs;
    // Makes the file and syncs what was left of it; null for the system's. For tests.
    FileSystem* files = nullptr;
    // Pages in the log at which it is moved into the file.
    int checkpoint_pages = sqlite::kCheckpointPages;
    // Called after each transaction, on the writer's thread, with its size and duration; or null.
    std::function<void(const sqlite::CommitReport&)> observer;
  };

  // Opens the file, making it where there is none. Clock, executor and cipher outlive the journal.
  //   FailedPrecondition  another hub has it; or a newer program wrote it
  //   DataLoss            it is damaged, or something else; a case that alone is damaged does not
  //                       keep it from opening: its Restore, Append and Read give DataLoss
  //   ResourceExhausted   no space
  //   Unavailable         any other failure of the disk
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(Options options, const Clock& clock,
                                                             Executor& executor,
                                                             PayloadCipher& cipher);
  // Commits what waits, moves the log into the file, and closes it. Callbacks of what waited are
  // posted.
  ~SqliteJournal() override;

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
  void Release(const CaseId& case_id) override;
  absl::Status Flush() override;

  // For metrics. Cases of which the end is kept in memory. Purged cases whose space is still being
  // freed, and steps of that that failed; checkpoints that could not be written; times the file was
  // opened anew after an error, and times its log was moved.
  size_t purges_under_way() const { return writer_.purges_under_way(); }
  size_t cases_in_memory() const { return writer_.tails(); }
  uint64_t purge_failures() const { return writer_.purge_failures(); }
  uint64_t checkpoint_failures() const { return writer_.checkpoint_failures(); }
  // Of the cases that were listed at the start: those whose rest note could not be read.
  uint64_t notes_unread() const { return reader_.notes_unread(); }
  uint64_t reopenings() const { return writer_.reopenings(); }
  uint64_t checkpoints() const { return checkpointer_.checkpoints(); }

 private:
  SqliteJournal(Options options, const Clock& clock, Executor& executor, PayloadCipher& cipher,
                std::unique_ptr<sqlite::ProcessLock> lock);

  // In this order: what comes later uses what comes before.
  const std::unique_ptr<sqlite::ProcessLock> lock_;
  const std::unique_ptr<FileSystem> own_files_;  // null: it was given one
  sqlite::CaseDirectory directory_;
  sqlite::Reader reader_;
  sqlite::LogGate gate_;
  sqlite::LogCheckpointer checkpointer_;
  sqlite::JournalFile file_;
  sqlite::Writer writer_;
};

}  // namespace remora::hub
