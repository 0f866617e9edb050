#pragma once

// The journal's file: its tables, its mark, and the check on opening (docs/journal.md).

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file_system.h"
#include "hub/journal/sqlite/connection.h"

namespace remora::hub::sqlite {

// "RMRJ", in the file's header: `file` and this program tell by it what the file is.
inline constexpr int64_t kApplicationId = 0x524d524a;
// The layout below. A newer one is refused, not guessed at.
inline constexpr int64_t kSchemaVersion = 6;
// Those before are raised when they are opened: 5 had no notes beside the checkpoints, 4 did not
// say which records were late, 3 had no tombstones.
inline constexpr int64_t kOldestSchemaVersion = 3;

// Before SQLite opens the file, with no connection open: what was left of it and of its log in the
// system's cache is put on the disk, with its names, so that nobody is told of what could yet be
// lost. A log that is there is written anew, for which it needs its size in free space: what a sync
// that failed should have written counts as clean, and no later sync writes it. What the file holds
// and the disk does not is in the log. The log's index goes: another process that has it open would
// keep it alive, and with it how much of the log counts as moved.
// `create`: makes the file (mode 0600) where it is not there. ResourceExhausted, Unavailable.
absl::Status SettleFiles(FileSystem& files, const std::string& path, bool create);

// Creates the tables in an empty file, or checks that it is a journal of this version, or of one
// that it raises to this.
// DataLoss: damaged, or not a journal. FailedPrecondition: of a newer version.
absl::Status PrepareSchema(Connection& connection, uint32_t epoch_of_new_file);

// As PrepareSchema, for a file that must be a journal already: DataLoss when it is empty.
absl::Status CheckIsJournal(Connection& connection);

// The epoch that new cases get.
absl::StatusOr<uint32_t> JournalEpoch(Connection& connection);

}  // namespace remora::hub::sqlite
