#include "hub/journal/sqlite/sqlite_journal.h"

#include <utility>

#include "common/status_macros.h"

namespace remora::hub {

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(Options options,
                                                                   const Clock& clock,
                                                                   Executor& executor,
                                                                   PayloadCipher& cipher) {
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::ProcessLock> lock,
                   sqlite::ProcessLock::Take(options.path));
  const uint32_t epoch = options.epoch_of_new_file;
  const bool start_new_epoch = options.start_new_epoch;
  std::unique_ptr<SqliteJournal> journal(
      new SqliteJournal(std::move(options), clock, executor, cipher, std::move(lock)));
  RETURN_IF_ERROR(journal->file_.Open(epoch, start_new_epoch));
  journal->writer_.FreeRowsOf(journal->file_.TakeLeftovers());
  return journal;
}

SqliteJournal::SqliteJournal(Options options, const Clock& clock, Executor& executor,
                             PayloadCipher& cipher, std::unique_ptr<sqlite::ProcessLock> lock)
    : lock_(std::move(lock)),
      own_files_(options.files == nullptr ? MakePosixFileSystem() : nullptr),
      reader_(executor, cipher, directory_),
      checkpointer_(options.checkpoint_pages, gate_,
                    {.moved = [this] { writer_.FinishLog(); },
                     .failed = [this](absl::Status) { writer_.ReopenFile(); }}),
      file_(options.path, options.vfs, own_files_ ? *own_files_ : *options.files, cipher,
            directory_, reader_.slot(), checkpointer_.slot(), gate_),
      writer_({clock, executor, cipher, directory_, file_, std::move(options.observer),
               [this](int pages) { checkpointer_.NotePages(pages); }}) {}

SqliteJournal::~SqliteJournal() {
  // The checkpointer calls the writer, and the writer the checkpointer: both threads end before
  // either goes.
  reader_.Stop();
  writer_.Stop();
  checkpointer_.Stop();
}

absl::StatusOr<std::vector<ListedCase>> SqliteJournal::ListCases() { return reader_.ListCases(); }

absl::StatusOr<CaseRestore> SqliteJournal::Restore(const CaseId& case_id) {
  return reader_.Restore(case_id);
}

void SqliteJournal::BeginRestore(const CaseId& case_id, RestoreDone done) {
  reader_.BeginRestore(case_id, std::move(done));
}

absl::StatusOr<uint32_t> SqliteJournal::CreateCase(const CaseId& case_id) {
  ASSIGN_OR_RETURN(const sqlite::CaseDirectory::Entry entry, directory_.Create(case_id));
  return entry.epoch;
}

void SqliteJournal::Append(CaseAppend append, Done done) {
  writer_.Append(std::move(append), std::move(done));
}

void SqliteJournal::Read(ReadRequest request,
                         std::function<void(absl::StatusOr<ReadResult>)> done) {
  reader_.Read(std::move(request), std::move(done));
}

void SqliteJournal::Purge(Tombstone tombstone, Done done) {
  writer_.Purge(std::move(tombstone), std::move(done));
}

absl::StatusOr<std::vector<Tombstone>> SqliteJournal::ListTombstones() {
  return reader_.ListTombstones();
}

absl::StatusOr<PurgeCount> SqliteJournal::CountPurges() { return reader_.CountPurges(); }

bool SqliteJournal::IsPurged(const CaseId& case_id) const {
  return directory_.FindPurged(case_id).has_value();
}

void SqliteJournal::FindTombstone(const CaseId& case_id, TombstoneDone done) {
  reader_.FindTombstone(case_id, std::move(done));
}

void SqliteJournal::SaveCheckpoint(const CaseId& case_id, Checkpoint checkpoint) {
  writer_.SaveCheckpoint(case_id, std::move(checkpoint));
}

void SqliteJournal::Release(const CaseId& case_id) { writer_.Release(case_id); }

absl::Status SqliteJournal::Flush() { return writer_.Flush(); }

}  // namespace remora::hub
