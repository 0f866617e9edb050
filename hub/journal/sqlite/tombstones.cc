#include "hub/journal/sqlite/tombstones.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "common/wire_writer.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/row_format.h"

namespace remora::hub::sqlite {
namespace {

constexpr char kPlace[] = "tombstone";

template <size_t kBytes>
absl::string_view View(const std::array<uint8_t, kBytes>& bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), kBytes);
}

template <size_t kBytes>
bool Assign(absl::string_view blob, std::array<uint8_t, kBytes>* bytes) {
  if (blob.size() != kBytes) return false;
  std::copy(blob.begin(), blob.end(), bytes->begin());
  return true;
}

std::string DigestOf(int64_t case_key, const Tombstone& tombstone, absl::string_view sealed) {
  std::string all(tombstone.case_id.bytes());
  for (const int64_t number :
       {static_cast<int64_t>(tombstone.epoch), static_cast<int64_t>(tombstone.last_seq),
        tombstone.opened_unix_ns, tombstone.closed_unix_ns, tombstone.purged_unix_ns,
        static_cast<int64_t>(sealed.size())}) {
    AppendVarint(static_cast<uint64_t>(number), &all);
  }
  absl::StrAppend(&all, View(tombstone.chain), View(tombstone.archive_sha256), sealed,
                  tombstone.archive);
  return BlobDigest(case_key, kPlace, all);
}

StoredTombstone FromRow(const Statement& row, PayloadCipher& cipher) {
  StoredTombstone stored;
  stored.case_key = row.Int(0);
  Tombstone& tombstone = stored.tombstone;
  bool sound = tombstone.case_id.Assign(row.Blob(1));
  tombstone.epoch = static_cast<uint32_t>(row.Int(2));
  tombstone.last_seq = static_cast<uint64_t>(row.Int(3));
  sound &= Assign(row.Blob(4), &tombstone.chain);
  const absl::string_view sealed = row.Blob(5);
  tombstone.opened_unix_ns = row.Int(6);
  tombstone.closed_unix_ns = row.Int(7);
  tombstone.purged_unix_ns = row.Int(8);
  tombstone.archive = std::string(row.Blob(9));
  sound &= Assign(row.Blob(10), &tombstone.archive_sha256);
  stored.rows_left = row.Int(11) != 0;
  sound = sound && DigestOf(stored.case_key, tombstone, sealed) == row.Blob(12);
  const absl::StatusOr<std::string> theatre = cipher.Open(tombstone.case_id, kPlace, sealed);
  if (sound && theatre.ok()) {
    tombstone.theatre = *theatre;
  } else {
    const CaseId case_id = tombstone.case_id;
    tombstone = Tombstone();
    tombstone.case_id = case_id;
  }
  return stored;
}

absl::Status DeleteOf(Connection& connection, absl::string_view table, int64_t case_key) {
  return connection.Execute(
      absl::StrCat("DELETE FROM ", table, " WHERE case_key = ", case_key).c_str());
}

}  // namespace

absl::StatusOr<std::vector<StoredTombstone>> LoadTombstones(Connection& connection,
                                                            PayloadCipher& cipher) {
  ASSIGN_OR_RETURN(Statement select,
                   Statement::Prepare(connection,
                                      "SELECT case_key, case_id, epoch, last_seq, chain, theatre, "
                                      "opened_unix_ns, closed_unix_ns, purged_unix_ns, archive, "
                                      "archive_sha256, rows_left, digest FROM tombstones"));
  std::vector<StoredTombstone> tombstones;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return tombstones;
    tombstones.push_back(FromRow(select, cipher));
  }
}

absl::Status ReplaceByTombstone(Connection& connection, int64_t case_key,
                                const Tombstone& tombstone, PayloadCipher& cipher) {
  ASSIGN_OR_RETURN(
      Statement insert,
      Statement::Prepare(connection,
                         "INSERT INTO tombstones VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)"));
  const std::string sealed = cipher.Seal(tombstone.case_id, kPlace, tombstone.theatre);
  const std::string digest = DigestOf(case_key, tombstone, sealed);
  RETURN_IF_ERROR(insert.Bind(1, case_key)
                      .BindBlob(2, tombstone.case_id.bytes())
                      .Bind(3, tombstone.epoch)
                      .Bind(4, static_cast<int64_t>(tombstone.last_seq))
                      .BindBlob(5, View(tombstone.chain))
                      .BindBlob(6, sealed)
                      .Bind(7, tombstone.opened_unix_ns)
                      .Bind(8, tombstone.closed_unix_ns)
                      .Bind(9, tombstone.purged_unix_ns)
                      .BindBlob(10, tombstone.archive)
                      .BindBlob(11, View(tombstone.archive_sha256))
                      .BindBlob(12, digest)
                      .Run());
  return DeleteOf(connection, "cases", case_key);
}

absl::StatusOr<bool> UndoTombstone(Connection& connection, int64_t case_key) {
  ASSIGN_OR_RETURN(
      const int64_t there,
      connection.QueryNumber(
          absl::StrCat("SELECT count(*) FROM tombstones WHERE case_key = ", case_key).c_str()));
  if (there == 0) return false;
  RETURN_IF_ERROR(DeleteOf(connection, "tombstones", case_key));
  return true;
}

absl::StatusOr<bool> FreeSome(Connection& connection, int64_t case_key) {
  ASSIGN_OR_RETURN(Statement select,
                   Statement::Prepare(connection,
                                      "SELECT row_key, length(payload) FROM rows "
                                      "WHERE row_key BETWEEN ? AND ? ORDER BY row_key LIMIT ?"));
  const int64_t first = RowKey(case_key, RecordClass::kControl, 0);
  select.Bind(1, first)
      .Bind(2, RowKey(case_key, RecordClass::kBulk, kMaxSeq))
      .Bind(3, kPurgeStepRows);
  int64_t last = -1;
  int64_t bytes = 0;
  while (bytes < kPurgeStepBytes) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    last = select.Int(0);
    bytes += select.Int(1);
  }
  select.Reset();
  if (last >= 0) {
    RETURN_IF_ERROR(connection.Execute(
        absl::StrCat("DELETE FROM rows WHERE row_key BETWEEN ", first, " AND ", last).c_str()));
    return true;
  }
  RETURN_IF_ERROR(DeleteOf(connection, "origins", case_key));
  RETURN_IF_ERROR(DeleteOf(connection, "checkpoints", case_key));
  RETURN_IF_ERROR(DeleteOf(connection, "notes", case_key));
  RETURN_IF_ERROR(connection.Execute(
      absl::StrCat("UPDATE tombstones SET rows_left = 0 WHERE case_key = ", case_key).c_str()));
  return false;
}

}  // namespace remora::hub::sqlite
