#pragma once

// The file with all its connections: opens them, checks what is there, closes them all, and opens
// them again after an error. Writer's thread, but for the slots.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/file_system.h"
#include "hub/journal/case_tail.h"
#include "hub/journal/sqlite/case_directory.h"
#include "hub/journal/sqlite/case_rows.h"
#include "hub/journal/sqlite/commit_session.h"
#include "hub/journal/sqlite/connection.h"
#include "hub/journal/sqlite/log_gate.h"
#include "hub/journal/sqlite/session_slot.h"

namespace remora::hub::sqlite {

class JournalFile {
 public:
  using Tails = std::map<CaseId, CaseTail>;

  // All outlive the file.
  JournalFile(std::string path, std::string vfs, FileSystem& files, PayloadCipher& cipher,
              CaseDirectory& directory, SessionSlot<ReadSession>& reader,
              SessionSlot<Connection>& checkpointer, LogGate& gate)
      : path_(std::move(path)),
        vfs_(std::move(vfs)),
        files_(files),
        cipher_(cipher),
        directory_(directory),
        reader_(reader),
        checkpointer_(checkpointer),
        gate_(gate) {}
  ~JournalFile() { Close(); }

  // Opens the file for the first time, creating it where there is none, and fills the directory.
  // A damaged case is marked there and does not keep the others from being used.
  // DataLoss: no journal, or its tables cannot be read. FailedPrecondition: of a newer version.
  absl::Status Open(uint32_t epoch_of_new_file, bool start_new_epoch);

  // Closes every connection and opens the file anew, so that SQLite reads its log back. Then each
  // case in `acknowledged` is compared: what goes beyond was left by a commit that failed, and is
  // taken away; a case that holds less has lost records and is marked damaged. When this fails, the
  // file stays closed.
  absl::Status Reopen(const Tails& acknowledged);
  // Waits for reader and checkpointer to finish what they are at. Moves the log into the file,
  // unless that has failed before: then only the log has it all.
  void Close();

  // Keys of purged cases whose rows were not all freed when the file was first opened; once.
  std::vector<int64_t> TakeLeftovers() { return std::exchange(leftovers_, {}); }

  // Null while closed.
  CommitSession* session() { return session_.get(); }
  const std::string& path() const { return path_; }
  LogGate& gate() { return gate_; }

 private:
  absl::Status OpenAndReconcile(const Tails& acknowledged);
  absl::Status OpenConnections(std::unique_ptr<CommitSession> session);
  absl::Status LoadDirectory(Connection& connection);
  absl::Status RaiseEpochs(CommitSession& session);
  // `end`: what CheckCaseEnd said of it.
  absl::Status Reconcile(CommitSession& session, const CaseId& case_id, const CaseTail& tail,
                         const absl::Status& end);
  // CheckCaseEnd of each, by what was acknowledged. One that cannot be read says nothing: its next
  // reader is told.
  std::map<CaseId, absl::Status> CheckEnds(Connection& connection, const Tails& acknowledged);

  const std::string path_;
  const std::string vfs_;
  FileSystem& files_;
  PayloadCipher& cipher_;
  CaseDirectory& directory_;
  SessionSlot<ReadSession>& reader_;
  SessionSlot<Connection>& checkpointer_;
  LogGate& gate_;
  std::unique_ptr<CommitSession> session_;
  std::vector<int64_t> leftovers_;
};

}  // namespace remora::hub::sqlite
