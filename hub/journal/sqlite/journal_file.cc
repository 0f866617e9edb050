#include "hub/journal/sqlite/journal_file.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/sqlite/schema.h"
#include "hub/journal/sqlite/tombstones.h"

namespace remora::hub::sqlite {

absl::Status JournalFile::Open(uint32_t epoch_of_new_file, bool start_new_epoch) {
  RETURN_IF_ERROR(SettleFiles(files_, path_, /*create=*/true));
  ASSIGN_OR_RETURN(std::unique_ptr<CommitSession> session, CommitSession::Open(path_, vfs_));
  RETURN_IF_ERROR(PrepareSchema(session->connection(), epoch_of_new_file));
  RETURN_IF_ERROR(session->PrepareStatements());
  if (start_new_epoch) RETURN_IF_ERROR(RaiseEpochs(*session));
  RETURN_IF_ERROR(LoadDirectory(session->connection()));
  return OpenConnections(std::move(session));
}

absl::Status JournalFile::RaiseEpochs(CommitSession& session) {
  RETURN_IF_ERROR(session.Begin());
  const auto raise = [&]() -> absl::Status {
    RETURN_IF_ERROR(session.connection().Execute("UPDATE journal SET epoch = epoch + 1"));
    ASSIGN_OR_RETURN(const std::vector<StoredHead> heads, LoadHeads(session.connection()));
    for (const StoredHead& stored : heads) {
      if (!stored.damage.ok()) continue;
      CaseHead head = stored.head;
      ++head.epoch;
      RETURN_IF_ERROR(session.PutHead(stored.case_key, head, stored.origin_lanes));
    }
    return session.Commit();
  };
  absl::Status status = raise();
  if (!status.ok()) session.Rollback();
  return status;
}

absl::Status JournalFile::LoadDirectory(Connection& connection) {
  ASSIGN_OR_RETURN(const uint32_t epoch, JournalEpoch(connection));
  directory_.set_epoch_of_new_cases(epoch);
  ASSIGN_OR_RETURN(const std::vector<StoredHead> heads, LoadHeads(connection));
  ASSIGN_OR_RETURN(const std::vector<PurgedKey> purged, LoadPurgedKeys(connection));
  for (const PurgedKey& key : purged) {
    directory_.LoadPurged(key.case_id, key.case_key);
    if (key.rows_left) leftovers_.push_back(key.case_key);
  }
  for (const StoredHead& stored : heads) {
    // Its rows are looked at when it is first used: most cases are over.
    directory_.Load(stored.head.case_id, {stored.case_key, stored.head.epoch, stored.damage, 0});
  }
  return absl::OkStatus();
}

absl::Status JournalFile::OpenConnections(std::unique_ptr<CommitSession> session) {
  ASSIGN_OR_RETURN(std::unique_ptr<ReadSession> reader, ReadSession::Open(path_, vfs_));
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> checkpointer, Connection::Open(path_, vfs_));
  session_ = std::move(session);
  reader_.Set(std::move(reader));
  checkpointer_.Set(std::move(checkpointer));
  return absl::OkStatus();
}

void JournalFile::Close() {
  reader_.Close();
  checkpointer_.Close();
  if (session_ != nullptr && !gate_.has_failed()) session_->connection().MoveLogWhenClosed();
  session_.reset();
}

absl::Status JournalFile::Reopen(const Tails& acknowledged) {
  reader_.TakeBack();
  checkpointer_.TakeBack();
  session_.reset();
  gate_.Reset();
  absl::Status status = OpenAndReconcile(acknowledged);
  if (!status.ok()) Close();
  return status;
}

absl::Status JournalFile::OpenAndReconcile(const Tails& acknowledged) {
  RETURN_IF_ERROR(SettleFiles(files_, path_, /*create=*/false));
  ASSIGN_OR_RETURN(std::unique_ptr<CommitSession> session, CommitSession::Open(path_, vfs_));
  // Never zero: an emptied or exchanged file would be made anew, without its cases.
  RETURN_IF_ERROR(CheckIsJournal(session->connection()));
  RETURN_IF_ERROR(session->PrepareStatements());
  // Before the transaction, which an error of one would end for all.
  const std::map<CaseId, absl::Status> ends = CheckEnds(session->connection(), acknowledged);
  RETURN_IF_ERROR(session->Begin());
  for (const auto& [case_id, tail] : acknowledged) {
    absl::Status status = Reconcile(*session, case_id, tail, ends.at(case_id));
    if (!status.ok()) {
      session->Rollback();
      return status;
    }
  }
  if (absl::Status status = session->Commit(); !status.ok()) {
    session->Rollback();
    return status;
  }
  return OpenConnections(std::move(session));
}

std::map<CaseId, absl::Status> JournalFile::CheckEnds(Connection& connection,
                                                      const Tails& acknowledged) {
  std::map<CaseId, absl::Status> ends;
  for (const auto& [case_id, tail] : acknowledged) {
    const absl::StatusOr<CaseDirectory::Entry> entry = directory_.Find(case_id);
    absl::Status& end = ends[case_id];
    if (entry.ok()) end = CheckCaseEnd(connection, entry->case_key, tail.head());
    if (!absl::IsDataLoss(end)) end = absl::OkStatus();
  }
  return ends;
}

absl::Status JournalFile::Reconcile(CommitSession& session, const CaseId& case_id,
                                    const CaseTail& tail, const absl::Status& end) {
  const absl::StatusOr<CaseDirectory::Entry> entry = directory_.Find(case_id);
  if (!entry.ok()) return absl::OkStatus();  // damaged already
  // Of a purge whose commit failed. Its rows are all there.
  ASSIGN_OR_RETURN(const bool purged, UndoTombstone(session.connection(), entry->case_key));
  if (purged) return session.CutBackTo(entry->case_key, tail, cipher_);
  const absl::StatusOr<StoredHead> stored = LoadHead(session.connection(), entry->case_key);
  const bool absent = absl::IsNotFound(stored.status());
  if (!stored.ok() && !absent) return stored.status();
  const CaseHead& acknowledged = tail.head();
  const uint64_t last_seq = absent ? 0 : stored->head.last_seq;
  if (last_seq > acknowledged.last_seq) return session.CutBackTo(entry->case_key, tail, cipher_);
  absl::Status damage = absent ? absl::OkStatus() : stored->damage;
  if (damage.ok() && last_seq < acknowledged.last_seq) {
    damage = absl::DataLossError(absl::StrCat(
        "journal ", path_, ": case ", case_id.Hex(), ": ends at seq ", last_seq,
        " after the file was opened again; ", acknowledged.last_seq, " had been committed"));
  }
  if (damage.ok() && !absent) damage = end;
  if (damage.ok() && !absent) {
    // An append of refused numbers alone leaves the head as it is.
    const absl::StatusOr<std::vector<OriginLaneHeld>> origins =
        LoadOrigins(session.connection(), *stored, cipher_);
    if (origins.ok() && *origins != tail.OriginList()) {
      return session.CutBackTo(entry->case_key, tail, cipher_);
    }
    damage = origins.status();
    if (!damage.ok() && !absl::IsDataLoss(damage)) return damage;
  }
  if (!damage.ok()) directory_.MarkDamaged(case_id, damage);
  return absl::OkStatus();
}

}  // namespace remora::hub::sqlite
