#pragma once

// Reading the journal's tables: what opening, restoring and paging have in common. Each function
// checks digests as it reads; DataLoss names the file, the case and the place.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/journal/journal.h"
#include "hub/journal/page_merge.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/case_directory.h"
#include "hub/journal/sqlite/connection.h"

namespace remora::hub::sqlite {

struct StoredHead {
  int64_t case_key = 0;
  CaseHead head;
  uint64_t origin_lanes = 0;
  // DataLoss: this case's columns are not what was written. The others can still be used.
  absl::Status damage;
};

// All cases of the file. Fails only where the table itself cannot be read.
absl::StatusOr<std::vector<StoredHead>> LoadHeads(Connection& connection);
// NotFound.
absl::StatusOr<StoredHead> LoadHead(Connection& connection, int64_t case_key);

absl::StatusOr<std::vector<OriginLaneHeld>> LoadOrigins(Connection& connection,
                                                        const StoredHead& stored,
                                                        PayloadCipher& cipher);

// What a case is gone on with.
struct StoredCase {
  CaseHead head;
  std::vector<OriginLaneHeld> origins;
};

// Of a case that was created and holds nothing: an empty head. DataLoss: it is damaged, does not
// end where its head says, or ends before what was acknowledged of it.
absl::StatusOr<StoredCase> LoadCase(Connection& connection, const CaseId& case_id,
                                    const CaseDirectory::Entry& entry, PayloadCipher& cipher);

// All cases for a start. Of what is damaged the head alone: its Restore says what is wrong.
// `notes_unread`: cases without a note since it could not be read.
absl::StatusOr<std::vector<ListedCase>> LoadCases(Connection& connection, PayloadCipher& cipher,
                                                  uint64_t* notes_unread);

// An empty checkpoint where there is none, or where it is damaged: it is only a cache. With its
// note.
Checkpoint LoadCheckpoint(Connection& connection, int64_t case_key, const CaseHead& head,
                          PayloadCipher& cipher);

// That the case ends where its head says, and that its last rows are what was written.
absl::Status CheckCaseEnd(Connection& connection, int64_t case_key, const CaseHead& head);

// The reader's connection with its statements.
class ReadSession {
 public:
  static absl::StatusOr<std::unique_ptr<ReadSession>> Open(const std::string& path,
                                                           const std::string& vfs);

  // One page, from one snapshot of the file. A row that is missing is DataLoss like one that is
  // changed.
  absl::StatusOr<ReadResult> ReadPage(int64_t case_key, const ReadRequest& request,
                                      PayloadCipher& cipher);
  Connection& connection() { return *connection_; }

 private:
  class ClassRows;

  absl::StatusOr<ReadResult> PageOfSnapshot(int64_t case_key, const ReadRequest& request,
                                            PayloadCipher& cipher);

  std::unique_ptr<Connection> connection_;  // first: the statements go before it
  Statement head_;
  Statement runs_before_;   // downwards from a key
  Statement runs_from_[2];  // by class, since both are read side by side
};

}  // namespace remora::hub::sqlite
