#pragma once

// The writer's connection and its statements: one transaction at a time, on the writer's thread.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/journal/case_tail.h"
#include "hub/journal/journal.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/run_rows.h"
#include "hub/journal/sqlite/connection.h"

namespace remora::hub::sqlite {

class CommitSession {
 public:
  static absl::StatusOr<std::unique_ptr<CommitSession>> Open(const std::string& path,
                                                             const std::string& vfs);

  // Before the first Begin, and once the file has its tables.
  absl::Status PrepareStatements();

  absl::Status Begin();
  absl::Status Commit();
  // Leaves the file as it was at Begin. True: nothing of the transaction can come back, and the
  // session may go on; false: only closing and reading the file anew can tell.
  bool Rollback();

  absl::Status InsertRow(int64_t case_key, const CaseId& case_id, const RunRow& row,
                         PayloadCipher& cipher);
  // `origin_lanes`: how many origins and lanes the case has in all.
  absl::Status PutHead(int64_t case_key, const CaseHead& head, size_t origin_lanes);
  absl::Status PutOrigin(int64_t case_key, const CaseId& case_id, const OriginLaneHeld& held,
                         PayloadCipher& cipher);
  // Without its note.
  absl::Status PutCheckpoint(int64_t case_key, const CaseId& case_id, const Checkpoint& checkpoint,
                             PayloadCipher& cipher);
  absl::Status PutNote(int64_t case_key, const CaseId& case_id, const Checkpoint& checkpoint,
                       PayloadCipher& cipher);
  absl::Status DropNote(int64_t case_key) { return drop_note_.Bind(1, case_key).Run(); }

  // One step of freeing what a purged case has left, in a transaction of its own that is on disk
  // with the next one that is synced. False: that was all.
  absl::StatusOr<bool> FreeUnsynced(int64_t case_key);

  // Makes the case what `tail` says: takes away every row after it. For what a commit that failed
  // has left behind.
  absl::Status CutBackTo(int64_t case_key, const CaseTail& tail, PayloadCipher& cipher);

  // Pages in the write-ahead log after the last commit.
  int log_pages() const { return log_pages_; }
  Connection& connection() { return *connection_; }

 private:
  std::unique_ptr<Connection> connection_;  // first: the statements go before it
  Statement begin_;
  Statement commit_;
  Statement insert_row_;
  Statement put_head_;
  Statement put_origin_;
  Statement put_checkpoint_;
  Statement put_note_;
  Statement drop_note_;
  int log_pages_ = 0;
};

}  // namespace remora::hub::sqlite
