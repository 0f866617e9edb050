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

constexpr char kSelect[] =
    "SELECT case_key, case_id, epoch, last_seq, chain, theatre, opened_unix_ns, closed_unix_ns, "
    "purged_unix_ns, archive, archive_sha256, digest FROM tombstones";

Tombstone FromRow(const Statement& row, PayloadCipher& cipher) {
  Tombstone tombstone;
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
  sound = sound && DigestOf(row.Int(0), tombstone, sealed) == row.Blob(11);
  const absl::StatusOr<std::string> theatre = cipher.Open(tombstone.case_id, kPlace, sealed);
  if (sound && theatre.ok()) {
    tombstone.theatre = *theatre;
  } else {
    const CaseId case_id = tombstone.case_id;
    tombstone = Tombstone();
    tombstone.case_id = case_id;
  }
  return tombstone;
}

absl::Status DeleteOf(Connection& connection, absl::string_view table, int64_t case_key) {
  return connection.Execute(
      absl::StrCat("DELETE FROM ", table, " WHERE case_key = ", case_key).c_str());
}

}  // namespace

absl::StatusOr<std::vector<PurgedKey>> LoadPurgedKeys(Connection& connection) {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(connection, "SELECT case_key, case_id, rows_left FROM tombstones"));
  std::vector<PurgedKey> keys;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return keys;
    PurgedKey& key = keys.emplace_back();
    key.case_key = select.Int(0);
    key.case_id.Assign(select.Blob(1));
    key.rows_left = select.Int(2) != 0;
  }
}

absl::StatusOr<Tombstone> LoadTombstone(Connection& connection, int64_t case_key,
                                        PayloadCipher& cipher) {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(connection, absl::StrCat(kSelect, " WHERE case_key = ?").c_str()));
  select.Bind(1, case_key);
  ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return absl::NotFoundError("the case has no tombstone");
  return FromRow(select, cipher);
}

absl::StatusOr<PurgeCount> CountTombstones(Connection& connection, PayloadCipher& cipher) {
  PurgeCount purges;
  ASSIGN_OR_RETURN(const int64_t count, connection.QueryNumber("SELECT count(*) FROM tombstones"));
  purges.count = static_cast<uint64_t>(count);
  ASSIGN_OR_RETURN(Statement newest_first,
                   Statement::Prepare(
                       connection, "SELECT case_key FROM tombstones ORDER BY purged_unix_ns DESC"));
  while (purges.newest_unix_ns == 0) {
    ASSIGN_OR_RETURN(const bool row, newest_first.Step());
    if (!row) break;
    ASSIGN_OR_RETURN(const Tombstone tombstone,
                     LoadTombstone(connection, newest_first.Int(0), cipher));
    purges.newest_unix_ns = tombstone.purged_unix_ns;  // 0: damaged
  }
  return purges;
}

absl::StatusOr<std::vector<Tombstone>> LoadTombstones(Connection& connection,
                                                      PayloadCipher& cipher) {
  ASSIGN_OR_RETURN(Statement select, Statement::Prepare(connection, kSelect));
  std::vector<Tombstone> tombstones;
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
