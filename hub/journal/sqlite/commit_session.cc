#include "hub/journal/sqlite/commit_session.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/row_format.h"
#include "hub/journal/sqlite/tombstones.h"

namespace remora::hub::sqlite {
namespace {

constexpr char kSynced[] = "PRAGMA synchronous = FULL";

int NoteLogPages(void* log_pages, sqlite3*, const char*, int pages) {
  *static_cast<int*>(log_pages) = pages;
  return SQLITE_OK;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CommitSession>> CommitSession::Open(const std::string& path,
                                                                   const std::string& vfs) {
  auto session = std::make_unique<CommitSession>();
  ASSIGN_OR_RETURN(session->connection_, Connection::Open(path, vfs));
  // A freed page keeps its bytes until it is used again: to overwrite it would double what is
  // written.
  const std::string settings =
      absl::StrCat("PRAGMA secure_delete = FAST; PRAGMA cache_size = -", kWriterCacheKib,
                   "; PRAGMA journal_size_limit = ", kKeptLogBytes);
  RETURN_IF_ERROR(session->connection_->Execute(settings.c_str()));
  sqlite3_wal_hook(session->connection_->handle(), NoteLogPages, &session->log_pages_);
  return session;
}

absl::Status CommitSession::PrepareStatements() {
  const auto prepare = [this](Statement* statement, absl::string_view sql) -> absl::Status {
    ASSIGN_OR_RETURN(*statement, Statement::Prepare(*connection_, sql));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(prepare(&begin_, "BEGIN IMMEDIATE"));
  RETURN_IF_ERROR(prepare(&commit_, "COMMIT"));
  RETURN_IF_ERROR(prepare(&insert_row_, "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)"));
  RETURN_IF_ERROR(prepare(&put_head_, "REPLACE INTO cases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  RETURN_IF_ERROR(prepare(&put_origin_, "REPLACE INTO origins VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  RETURN_IF_ERROR(prepare(&put_note_, "REPLACE INTO notes VALUES (?, ?, ?, ?)"));
  RETURN_IF_ERROR(prepare(&drop_note_, "DELETE FROM notes WHERE case_key = ?"));
  return prepare(&put_checkpoint_, "REPLACE INTO checkpoints VALUES (?, ?, ?, ?)");
}

absl::Status CommitSession::Begin() { return begin_.Run(); }

absl::Status CommitSession::Commit() { return commit_.Run(); }

bool CommitSession::Rollback() {
  // A write that found no space leaves no commit mark in the log. After any other error, and above
  // all after a sync that failed, what the log holds is not known.
  const bool no_space = (sqlite3_errcode(connection_->handle()) & 0xff) == SQLITE_FULL;
  if (connection_->in_transaction()) connection_->Execute("ROLLBACK").IgnoreError();
  return no_space && !connection_->in_transaction() && connection_->Execute(kSynced).ok();
}

absl::Status CommitSession::InsertRow(int64_t case_key, const CaseId& case_id, const RunRow& row,
                                      PayloadCipher& cipher) {
  const int64_t key = RowKey(case_key, row.record_class, row.first_seq);
  const std::string sealed =
      cipher.Seal(case_id, RowPlace(row.record_class, row.first_seq), row.frames);
  const std::string digest = RowDigest(key, row.after_seq, row.last_seq, row.count, sealed);
  return insert_row_.Bind(1, key)
      .Bind(2, static_cast<int64_t>(row.after_seq))
      .Bind(3, static_cast<int64_t>(row.last_seq))
      .Bind(4, row.count)
      .BindBlob(5, digest)
      .BindBlob(6, sealed)
      .Run();
}

absl::Status CommitSession::PutHead(int64_t case_key, const CaseHead& head, size_t origin_lanes) {
  const std::string lane_seq = EncodeLaneSeq(head.lane_seq);
  const std::string digest = HeadDigest(case_key, head, origin_lanes);
  const absl::string_view chain(reinterpret_cast<const char*>(head.chain.data()),
                                head.chain.size());
  return put_head_.Bind(1, case_key)
      .BindBlob(2, head.case_id.bytes())
      .Bind(3, head.epoch)
      .Bind(4, static_cast<int64_t>(head.last_seq))
      .Bind(5, head.last_recorded_unix_ns)
      .BindBlob(6, chain)
      .BindBlob(7, lane_seq)
      .Bind(8, static_cast<int64_t>(origin_lanes))
      .BindBlob(9, digest)
      .Run();
}

absl::Status CommitSession::PutOrigin(int64_t case_key, const CaseId& case_id,
                                      const OriginLaneHeld& held, PayloadCipher& cipher) {
  const std::string place = OriginPlace(held.origin, held.lane);
  const std::string sealed = cipher.Seal(case_id, place, held.participant);
  const std::string ranges = EncodeRanges(held.held);
  const std::string refused = EncodeRanges(held.refused);
  const std::string counts = EncodeCounts(held);
  const std::string digest = OriginRowDigest(case_key, place, {sealed, ranges, refused, counts});
  return put_origin_.Bind(1, case_key)
      .BindBlob(2, held.origin.bytes())
      .Bind(3, held.lane)
      .BindBlob(4, digest)
      .BindBlob(5, sealed)
      .BindBlob(6, ranges)
      .BindBlob(7, refused)
      .BindBlob(8, counts)
      .Run();
}

absl::Status CommitSession::PutCheckpoint(int64_t case_key, const CaseId& case_id,
                                          const Checkpoint& checkpoint, PayloadCipher& cipher) {
  const std::string place = CheckpointPlace(checkpoint.seq);
  const std::string sealed = cipher.Seal(case_id, place, checkpoint.state);
  const std::string digest = BlobDigest(case_key, place, sealed);
  return put_checkpoint_.Bind(1, case_key)
      .Bind(2, static_cast<int64_t>(checkpoint.seq))
      .BindBlob(3, digest)
      .BindBlob(4, sealed)
      .Run();
}

absl::Status CommitSession::PutNote(int64_t case_key, const CaseId& case_id,
                                    const Checkpoint& checkpoint, PayloadCipher& cipher) {
  const std::string place = NotePlace(checkpoint.seq);
  const std::string sealed = cipher.Seal(case_id, place, checkpoint.note);
  const std::string digest = BlobDigest(case_key, place, sealed);
  return put_note_.Bind(1, case_key)
      .Bind(2, static_cast<int64_t>(checkpoint.seq))
      .BindBlob(3, digest)
      .BindBlob(4, sealed)
      .Run();
}

absl::StatusOr<bool> CommitSession::FreeUnsynced(int64_t case_key) {
  RETURN_IF_ERROR(connection_->Execute("PRAGMA synchronous = NORMAL"));
  const auto free = [&]() -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(Begin());
    ASSIGN_OR_RETURN(const bool more, FreeSome(*connection_, case_key));
    RETURN_IF_ERROR(Commit());
    return more;
  };
  absl::StatusOr<bool> more = free();
  if (!more.ok()) return more;  // Rollback takes the setting back
  RETURN_IF_ERROR(connection_->Execute(kSynced));
  return more;
}

absl::Status CommitSession::CutBackTo(int64_t case_key, const CaseTail& tail,
                                      PayloadCipher& cipher) {
  const CaseHead& head = tail.head();
  for (const RecordClass record_class : {RecordClass::kControl, RecordClass::kBulk}) {
    const std::string rows = absl::StrCat(
        "DELETE FROM rows WHERE row_key > ", RowKey(case_key, record_class, head.last_seq),
        " AND row_key <= ", RowKey(case_key, record_class, kMaxSeq));
    RETURN_IF_ERROR(connection_->Execute(rows.c_str()));
  }
  for (const char* table : {"origins", "cases"}) {
    const std::string all = absl::StrCat("DELETE FROM ", table, " WHERE case_key = ", case_key);
    RETURN_IF_ERROR(connection_->Execute(all.c_str()));
  }
  if (head.last_seq == 0) return absl::OkStatus();
  for (const auto& [key, held] : tail.origins()) {
    RETURN_IF_ERROR(PutOrigin(case_key, head.case_id, held, cipher));
  }
  return PutHead(case_key, head, tail.origins().size());
}

}  // namespace remora::hub::sqlite
