#include "hub/journal/sqlite/schema.h"

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/sqlite/limits.h"

namespace remora::hub::sqlite {
namespace {

constexpr int64_t kVersionWithTombstones = 4;
constexpr char kTombstones[] = R"(
CREATE TABLE tombstones (
  case_key INTEGER PRIMARY KEY,
  case_id BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  chain BLOB NOT NULL,
  theatre BLOB NOT NULL,
  opened_unix_ns INTEGER NOT NULL,
  closed_unix_ns INTEGER NOT NULL,
  purged_unix_ns INTEGER NOT NULL,
  archive BLOB NOT NULL,
  archive_sha256 BLOB NOT NULL,
  rows_left INTEGER NOT NULL,
  digest BLOB NOT NULL
);
)";

constexpr int64_t kVersionWithNotes = 6;
// Apart from the checkpoints: a list of all cases reads these side by side.
constexpr char kNotes[] = R"(
CREATE TABLE notes (
  case_key INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  digest BLOB NOT NULL,
  note BLOB NOT NULL
);
)";

// Payload last: the columns before it are read without its overflow pages.
constexpr char kTables[] = R"(
CREATE TABLE journal (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  epoch INTEGER NOT NULL
);
CREATE TABLE cases (
  case_key INTEGER PRIMARY KEY,
  case_id BLOB NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_recorded_unix_ns INTEGER NOT NULL,
  chain BLOB NOT NULL,
  lane_seq BLOB NOT NULL,
  origin_lanes INTEGER NOT NULL,
  digest BLOB NOT NULL
);
CREATE TABLE rows (
  row_key INTEGER PRIMARY KEY,
  after_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  digest BLOB NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE origins (
  case_key INTEGER NOT NULL,
  origin BLOB NOT NULL,
  lane INTEGER NOT NULL,
  digest BLOB NOT NULL,
  participant BLOB NOT NULL,
  ranges BLOB NOT NULL,
  refused BLOB NOT NULL,
  counts BLOB NOT NULL,
  PRIMARY KEY (case_key, origin, lane)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  case_key INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  digest BLOB NOT NULL,
  state BLOB NOT NULL
);
CREATE VIEW runs AS
  SELECT row_key >> 41 AS case_key,
         CASE (row_key >> 40) & 1 WHEN 0 THEN 'control' ELSE 'bulk' END AS class,
         after_seq, row_key & 0xffffffffff AS first_seq, last_seq, count,
         length(payload) AS payload_bytes
  FROM rows;
)";

// Copies a log that is there, synced, and gives the copy its name.
absl::Status RenewLog(FileSystem& files, const std::string& log) {
  const std::string copy = log + "-new";
  if (files.Exists(copy)) RETURN_IF_ERROR(files.Remove(copy));
  if (!files.Exists(log)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> from, files.OpenRead(log));
  const auto write = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> to, files.OpenAppend(copy));
    while (to->size() < from->size()) {
      ASSIGN_OR_RETURN(const std::string bytes, from->ReadAt(to->size(), kCopiedLogBytes));
      if (bytes.empty()) return absl::UnavailableError(log + ": ends before its size");
      RETURN_IF_ERROR(to->Append(bytes));
    }
    return to->Sync();
  };
  absl::Status status = write();
  if (status.ok()) return files.Rename(copy, log);
  files.Remove(copy).IgnoreError();
  return status;
}

absl::Status FileError(const std::string& path, const absl::Status& status) {
  const std::string text = absl::StrCat("journal ", path, ": ", status.message());
  if (absl::IsResourceExhausted(status)) return absl::ResourceExhaustedError(text);
  return absl::UnavailableError(text);
}

// Part of the file from then on, unless somebody changes it.
absl::Status UseWriteAheadLog(Connection& connection) {
  ASSIGN_OR_RETURN(Statement mode, Statement::Prepare(connection, "PRAGMA journal_mode = WAL"));
  ASSIGN_OR_RETURN(const bool row, mode.Step());
  if (row && mode.Blob(0) == "wal") return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("journal ", connection.path(),
                                             ": its file system cannot keep a write-ahead log "
                                             "(needs shared memory: no network file system)"));
}

// All or nothing.
absl::Status ExecuteAll(Connection& connection, const std::vector<std::string>& parts) {
  RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  absl::Status status;
  for (const std::string& part : parts) {
    if (status.ok()) status = connection.Execute(part.c_str());
  }
  if (status.ok()) status = connection.Execute("COMMIT");
  if (!status.ok() && connection.in_transaction()) connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

std::string SetVersion() { return absl::StrCat("PRAGMA user_version = ", kSchemaVersion); }

absl::Status CreateTables(Connection& connection, uint32_t epoch) {
  return ExecuteAll(
      connection,
      {kTables, kTombstones, kNotes, absl::StrCat("PRAGMA application_id = ", kApplicationId),
       SetVersion(), absl::StrCat("INSERT INTO journal VALUES (1, ", epoch, ")")});
}

absl::Status RaiseVersion(Connection& connection) {
  ASSIGN_OR_RETURN(const int64_t version, connection.QueryNumber("PRAGMA user_version"));
  if (version < kOldestSchemaVersion || version >= kSchemaVersion) return absl::OkStatus();
  std::vector<std::string> parts;
  if (version < kVersionWithTombstones) parts.push_back(kTombstones);
  if (version < kVersionWithNotes) parts.push_back(kNotes);
  parts.push_back(SetVersion());
  return ExecuteAll(connection, parts);
}

}  // namespace

absl::Status SettleFiles(FileSystem& files, const std::string& path, bool create) {
  if (create || files.Exists(path)) {
    const absl::StatusOr<std::unique_ptr<AppendFile>> file = files.OpenAppend(path);
    if (!file.ok()) return FileError(path, file.status());
    if (absl::Status status = (*file)->Sync(); !status.ok()) return FileError(path, status);
  }
  if (absl::Status status = RenewLog(files, path + "-wal"); !status.ok()) {
    return FileError(path, status);
  }
  const std::string index = path + "-shm";
  if (files.Exists(index)) {
    if (absl::Status status = files.Remove(index); !status.ok()) return FileError(path, status);
  }
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const absl::Status status = files.SyncDirectory(directory);
  return status.ok() ? status : FileError(path, status);
}

absl::Status PrepareSchema(Connection& connection, uint32_t epoch_of_new_file) {
  ASSIGN_OR_RETURN(const int64_t application, connection.QueryNumber("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t tables,
                   connection.QueryNumber("SELECT count(*) FROM sqlite_schema"));
  if (application != 0 || tables != 0) {
    if (application == kApplicationId) RETURN_IF_ERROR(RaiseVersion(connection));
    RETURN_IF_ERROR(CheckIsJournal(connection));
    return UseWriteAheadLog(connection);
  }
  RETURN_IF_ERROR(UseWriteAheadLog(connection));
  return CreateTables(connection, epoch_of_new_file);
}

absl::Status CheckIsJournal(Connection& connection) {
  ASSIGN_OR_RETURN(const int64_t application, connection.QueryNumber("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, connection.QueryNumber("PRAGMA user_version"));
  if (application != kApplicationId) {
    return absl::DataLossError(absl::StrCat("journal ", connection.path(),
                                            ": an SQLite file, but no journal of Remora "
                                            "(application id ",
                                            application, ")"));
  }
  if (version != kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("journal ", connection.path(), ": has layout ", version,
                     ", this program knows ", kSchemaVersion, ": use the program that wrote it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> JournalEpoch(Connection& connection) {
  ASSIGN_OR_RETURN(const int64_t epoch,
                   connection.QueryNumber("SELECT epoch FROM journal WHERE one = 1"));
  return static_cast<uint32_t>(epoch);
}

}  // namespace remora::hub::sqlite
