#pragma once

// What stays of purged cases, and how the space of their rows comes back (docs/journal.md).
//
//   tombstone in, head out: one transaction --> FreeSome, FreeSome ... (a transaction each) -->
//   done
//
// Until the last step the tombstone says that rows are left: whoever opens the file goes on. No
// case gets the key of a tombstone. On the writer's connection, inside a transaction.

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/journal/journal.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/connection.h"

namespace remora::hub::sqlite {

struct PurgedKey {
  int64_t case_key = 0;
  CaseId case_id;
  bool rows_left = false;
};

// What an opening needs of each.
absl::StatusOr<std::vector<PurgedKey>> LoadPurgedKeys(Connection& connection);

// A damaged one has its case's id, if that can be read, and nothing else. They fail only where the
// table itself cannot be read; NotFound.
absl::StatusOr<std::vector<Tombstone>> LoadTombstones(Connection& connection,
                                                      PayloadCipher& cipher);
absl::StatusOr<Tombstone> LoadTombstone(Connection& connection, int64_t case_key,
                                        PayloadCipher& cipher);
absl::StatusOr<PurgeCount> CountTombstones(Connection& connection, PayloadCipher& cipher);

// Puts the tombstone and takes the case's head away.
absl::Status ReplaceByTombstone(Connection& connection, int64_t case_key,
                                const Tombstone& tombstone, PayloadCipher& cipher);
// Takes away a tombstone whose commit failed: the head is to be put back. False: there is none.
absl::StatusOr<bool> UndoTombstone(Connection& connection, int64_t case_key);

// Frees some of what the case has left (kPurgeStepRows, kPurgeStepBytes). False: that was all.
absl::StatusOr<bool> FreeSome(Connection& connection, int64_t case_key);

}  // namespace remora::hub::sqlite
