#include "hub/journal/sqlite/case_rows.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/case_tail.h"
#include "hub/journal/limits.h"
#include "hub/journal/run_rows.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/row_format.h"

namespace remora::hub::sqlite {
namespace {

#define REMORA_HEAD_COLUMNS                                                             \
  "SELECT case_key, case_id, epoch, last_seq, last_recorded_unix_ns, chain, lane_seq, " \
  "origin_lanes, digest "
#define REMORA_ROW_COLUMNS "SELECT row_key, after_seq, last_seq, count, digest, payload FROM rows "

absl::Status Damaged(const Connection& connection, absl::string_view where,
                     absl::string_view what) {
  return absl::DataLossError(absl::StrCat("journal ", connection.path(), ": ", where, ": ", what));
}

StoredHead HeadFromRow(const Connection& connection, const Statement& row) {
  StoredHead stored;
  stored.case_key = row.Int(0);
  CaseHead& head = stored.head;
  const absl::string_view chain = row.Blob(5);
  const bool sized = head.case_id.Assign(row.Blob(1)) && chain.size() == head.chain.size() &&
                     DecodeLaneSeq(row.Blob(6), &head.lane_seq);
  head.epoch = static_cast<uint32_t>(row.Int(2));
  head.last_seq = static_cast<uint64_t>(row.Int(3));
  head.last_recorded_unix_ns = row.Int(4);
  stored.origin_lanes = static_cast<uint64_t>(row.Int(7));
  if (sized) std::copy(chain.begin(), chain.end(), head.chain.begin());
  if (!sized || HeadDigest(stored.case_key, head, stored.origin_lanes) != row.Blob(8)) {
    stored.damage = Damaged(
        connection,
        absl::StrCat("table cases, case ", head.case_id.Hex(), " (key ", stored.case_key, ")"),
        "its head is not what was written");
  }
  return stored;
}

// Checks the digest of the row that `row` stands on (REMORA_ROW_COLUMNS).
absl::Status CheckRow(const Connection& connection, const CaseId& case_id, RecordClass record_class,
                      const Statement& row) {
  const int64_t key = row.Int(0);
  if (RowDigest(key, static_cast<uint64_t>(row.Int(1)), static_cast<uint64_t>(row.Int(2)),
                static_cast<uint32_t>(row.Int(3)), row.Blob(5)) == row.Blob(4)) {
    return absl::OkStatus();
  }
  return Damaged(connection,
                 absl::StrCat("case ", case_id.Hex(), ", ", RecordClassName(record_class),
                              " run from seq ", FirstSeqOfKey(key)),
                 "not what was written (digest differs)");
}

// That the rows of a class end where the case's head says.
absl::Status CheckClassEnd(const Connection& connection, const CaseHead& head,
                           RecordClass record_class, uint64_t last_seq) {
  const uint64_t expected = LastSeqOfClass(head.lane_seq, record_class);
  if (last_seq == expected) return absl::OkStatus();
  return Damaged(connection, absl::StrCat("case ", head.case_id.Hex()),
                 absl::StrCat("its ", RecordClassName(record_class), " rows end at seq ", last_seq,
                              ", its head says ", expected));
}

}  // namespace

absl::StatusOr<std::vector<StoredHead>> LoadHeads(Connection& connection) {
  ASSIGN_OR_RETURN(Statement select, Statement::Prepare(connection, REMORA_HEAD_COLUMNS
                                                        "FROM cases ORDER BY case_key"));
  std::vector<StoredHead> heads;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return heads;
    heads.push_back(HeadFromRow(connection, select));
  }
}

absl::StatusOr<StoredHead> LoadHead(Connection& connection, int64_t case_key) {
  ASSIGN_OR_RETURN(Statement select, Statement::Prepare(connection, REMORA_HEAD_COLUMNS
                                                        "FROM cases WHERE case_key = ?"));
  ASSIGN_OR_RETURN(const bool row, select.Bind(1, case_key).Step());
  if (!row) return absl::NotFoundError(absl::StrCat("no case with key ", case_key));
  return HeadFromRow(connection, select);
}

absl::StatusOr<std::vector<OriginLaneHeld>> LoadOrigins(Connection& connection,
                                                        const StoredHead& stored,
                                                        PayloadCipher& cipher) {
  const int64_t case_key = stored.case_key;
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(connection,
                         "SELECT origin, lane, digest, participant, ranges, refused, counts "
                         "FROM origins WHERE case_key = ?"));
  select.Bind(1, case_key);
  std::vector<OriginLaneHeld> origins;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    OriginLaneHeld held;
    held.lane = static_cast<uint32_t>(select.Int(1));
    const absl::string_view sealed = select.Blob(3);
    const absl::string_view ranges = select.Blob(4);
    const absl::string_view refused = select.Blob(5);
    const absl::string_view counts = select.Blob(6);
    const bool known = held.origin.Assign(select.Blob(0));
    const std::string place = OriginPlace(held.origin, held.lane);
    const std::string digest = OriginRowDigest(case_key, place, {sealed, ranges, refused, counts});
    if (!known || digest != select.Blob(2) || !DecodeRanges(ranges, &held.held) ||
        !DecodeRanges(refused, &held.refused) || !DecodeCounts(counts, &held)) {
      return Damaged(connection,
                     absl::StrCat("case with key ", case_key, ", origin ", held.origin.Hex(),
                                  ", lane ", held.lane),
                     "its ranges are not what was written");
    }
    ASSIGN_OR_RETURN(held.participant, cipher.Open(stored.head.case_id, place, sealed));
    origins.push_back(std::move(held));
  }
  if (origins.size() != stored.origin_lanes) {
    return Damaged(connection, absl::StrCat("case ", stored.head.case_id.Hex()),
                   absl::StrCat(stored.origin_lanes, " origins and lanes were written, ",
                                origins.size(), " are there"));
  }
  return origins;
}

absl::StatusOr<StoredCase> LoadCase(Connection& connection, const CaseId& case_id,
                                    const CaseDirectory::Entry& entry, PayloadCipher& cipher) {
  StoredCase loaded;
  const absl::StatusOr<StoredHead> stored = LoadHead(connection, entry.case_key);
  if (stored.ok()) {
    RETURN_IF_ERROR(stored->damage);
    loaded.head = stored->head;
    RETURN_IF_ERROR(CheckCaseEnd(connection, entry.case_key, loaded.head));
    ASSIGN_OR_RETURN(loaded.origins, LoadOrigins(connection, *stored, cipher));
  } else if (absl::IsNotFound(stored.status())) {
    loaded.head.case_id = case_id;
    loaded.head.epoch = entry.epoch;
  } else {
    return stored.status();
  }
  if (loaded.head.last_seq < entry.released_seq) {
    return Damaged(connection, absl::StrCat("case ", case_id.Hex()),
                   absl::StrCat("ends at seq ", loaded.head.last_seq, "; ", entry.released_seq,
                                " had been committed"));
  }
  return loaded;
}

namespace {

struct StoredNote {
  int64_t case_key = 0;
  uint64_t seq = 0;
  std::string digest;
  std::string sealed;
};

// Cases' notes, in the order of their keys. What cannot be read of them is left out: they are only
// a cache.
class NoteScan {
 public:
  explicit NoteScan(Connection& connection) {
    absl::StatusOr<Statement> select =
        Statement::Prepare(connection,
                           "SELECT case_key, seq, digest, note FROM notes WHERE case_key >= ? "
                           "ORDER BY case_key");
    if (select.ok()) select_ = *std::move(select);
    failures_ = select.ok() ? 0 : kMaxUnreadNotes;
  }

  // Of a case behind those that were asked for before. Null: there is none, or it cannot be read.
  const StoredNote* Of(int64_t case_key) {
    while (scans_ && note_ && note_->case_key < case_key) Step();
    // At first, and where a page could not be read: those on the next can be.
    if (!scans_ && failures_ < kMaxUnreadNotes) {
      select_.Bind(1, case_key);
      scans_ = true;
      Step();
    }
    unread_ += !scans_;
    return scans_ && note_ && note_->case_key == case_key ? &*note_ : nullptr;
  }
  // Cases of which it cannot be told whether there is one.
  uint64_t unread() const { return unread_; }

 private:
  void Step() {
    note_.reset();
    const absl::StatusOr<bool> row = select_.Step();
    if (!row.ok()) {
      ++failures_;
      scans_ = false;
      select_.Reset();
    } else if (*row) {
      note_ = {select_.Int(0), static_cast<uint64_t>(select_.Int(1)), std::string(select_.Blob(2)),
               std::string(select_.Blob(3))};
    }
  }

  Statement select_;
  bool scans_ = false;
  // The one that the scan stands on; none: at the end.
  std::optional<StoredNote> note_;
  size_t failures_ = 0;
  uint64_t unread_ = 0;
};

// Empty: it is damaged, or stands at another `seq`.
std::string OpenNote(const StoredNote& note, const CaseId& case_id, uint64_t seq,
                     PayloadCipher& cipher) {
  const std::string place = NotePlace(seq);
  if (note.seq != seq || BlobDigest(note.case_key, place, note.sealed) != note.digest) return "";
  absl::StatusOr<std::string> opened = cipher.Open(case_id, place, note.sealed);
  return opened.ok() ? *std::move(opened) : "";
}

}  // namespace

absl::StatusOr<std::vector<ListedCase>> LoadCases(Connection& connection, PayloadCipher& cipher,
                                                  uint64_t* notes_unread) {
  ASSIGN_OR_RETURN(const std::vector<StoredHead> heads, LoadHeads(connection));
  NoteScan notes(connection);
  std::vector<ListedCase> cases;
  cases.reserve(heads.size());
  for (const StoredHead& stored : heads) {
    ListedCase& listed = cases.emplace_back(ListedCase{stored.head, "", {}});
    if (!stored.damage.ok()) {
      listed.last_recorded_unix_ns = 0;  // no word of it is to be believed
      continue;
    }
    if (const StoredNote* note = notes.Of(stored.case_key); note != nullptr) {
      listed.note = OpenNote(*note, stored.head.case_id, stored.head.last_seq, cipher);
    }
    if (!listed.note.empty()) continue;
    const absl::StatusOr<std::vector<OriginLaneHeld>> origins =
        LoadOrigins(connection, stored, cipher);
    // One that cannot be read keeps no other from being listed.
    if (origins.ok()) listed.owners = OwnersOf(*origins);
  }
  *notes_unread = notes.unread();
  return cases;
}

Checkpoint LoadCheckpoint(Connection& connection, int64_t case_key, const CaseHead& head,
                          PayloadCipher& cipher) {
  absl::StatusOr<Statement> select = Statement::Prepare(
      connection, "SELECT seq, digest, state FROM checkpoints WHERE case_key = ?");
  if (!select.ok()) return Checkpoint();
  const absl::StatusOr<bool> row = select->Bind(1, case_key).Step();
  if (!row.ok() || !*row) return Checkpoint();
  const uint64_t seq = static_cast<uint64_t>(select->Int(0));
  const std::string place = CheckpointPlace(seq);
  if (seq > head.last_seq || BlobDigest(case_key, place, select->Blob(2)) != select->Blob(1)) {
    return Checkpoint();
  }
  absl::StatusOr<std::string> state = cipher.Open(head.case_id, place, select->Blob(2));
  if (!state.ok()) return Checkpoint();
  Checkpoint checkpoint{seq, *std::move(state), ""};
  NoteScan notes(connection);
  if (const StoredNote* note = notes.Of(case_key); note != nullptr) {
    checkpoint.note = OpenNote(*note, head.case_id, seq, cipher);
  }
  return checkpoint;
}

absl::Status CheckCaseEnd(Connection& connection, int64_t case_key, const CaseHead& head) {
  ASSIGN_OR_RETURN(Statement select, Statement::Prepare(connection, REMORA_ROW_COLUMNS
                                                        "WHERE row_key BETWEEN ? AND ? "
                                                        "ORDER BY row_key DESC LIMIT 1"));
  for (const RecordClass record_class : {RecordClass::kControl, RecordClass::kBulk}) {
    select.Bind(1, RowKey(case_key, record_class, 0));
    select.Bind(2, RowKey(case_key, record_class, kMaxSeq));
    ASSIGN_OR_RETURN(const bool row, select.Step());
    uint64_t last_seq = 0;
    if (row) {
      RETURN_IF_ERROR(CheckRow(connection, head.case_id, record_class, select));
      last_seq = static_cast<uint64_t>(select.Int(2));
      select.Reset();
    }
    RETURN_IF_ERROR(CheckClassEnd(connection, head, record_class, last_seq));
  }
  return absl::OkStatus();
}

// The rows of one class, from the one that holds or follows a seq. Each must follow on the one
// before it, and the last must be the class's end: else a row is missing.
class ReadSession::ClassRows final : public RunSource {
 public:
  ClassRows(ReadSession& session, const StoredHead& stored, RecordClass record_class,
            const ReadRequest& request, PayloadCipher& cipher)
      : session_(session),
        rows_(session.runs_from_[static_cast<int>(record_class)]),
        stored_(stored),
        record_class_(record_class),
        from_(std::min(request.from_seq, kMaxSeq)),
        to_(request.to_seq),
        cipher_(cipher) {}
  ~ClassRows() override { rows_.Reset(); }

  absl::StatusOr<std::optional<StoredRun>> Next() override {
    if (!started_) RETURN_IF_ERROR(Start());
    const Connection& connection = *session_.connection_;
    const CaseHead& head = stored_.head;
    ASSIGN_OR_RETURN(const bool row, rows_.Step());
    if (!row) {
      RETURN_IF_ERROR(CheckClassEnd(connection, head, record_class_, before_seq_));
      return std::nullopt;
    }
    StoredRun run;
    run.first_seq = FirstSeqOfKey(rows_.Int(0));
    run.last_seq = static_cast<uint64_t>(rows_.Int(2));
    if (static_cast<uint64_t>(rows_.Int(1)) != before_seq_) {
      return Damaged(connection, absl::StrCat("case ", head.case_id.Hex()),
                     absl::StrCat("a ", RecordClassName(record_class_), " row between seq ",
                                  before_seq_, " and ", run.first_seq, " is missing"));
    }
    before_seq_ = run.last_seq;
    if (run.first_seq > to_) return std::nullopt;  // its payload is not read
    RETURN_IF_ERROR(CheckRow(connection, head.case_id, record_class_, rows_));
    ASSIGN_OR_RETURN(
        std::string frames,
        cipher_.Open(head.case_id, RowPlace(record_class_, run.first_seq), rows_.Blob(5)));
    run.frames = SharedBytes(std::move(frames));
    return run;
  }

 private:
  // Finds the first row that reaches the range, and the one before it.
  absl::Status Start() {
    const int64_t case_key = stored_.case_key;
    int64_t first_key = RowKey(case_key, record_class_, from_);
    Statement& before = session_.runs_before_;
    before.Bind(1, RowKey(case_key, record_class_, 0)).Bind(2, first_key);
    ASSIGN_OR_RETURN(const bool row, before.Step());
    if (row && static_cast<uint64_t>(before.Int(2)) >= from_) {
      first_key = before.Int(0);
      before_seq_ = static_cast<uint64_t>(before.Int(1));
    } else if (row) {
      before_seq_ = static_cast<uint64_t>(before.Int(2));
    }
    before.Reset();
    rows_.Bind(1, first_key).Bind(2, RowKey(case_key, record_class_, kMaxSeq));
    started_ = true;
    return absl::OkStatus();
  }

  ReadSession& session_;
  Statement& rows_;
  const StoredHead& stored_;
  const RecordClass record_class_;
  const uint64_t from_;
  const uint64_t to_;
  PayloadCipher& cipher_;
  uint64_t before_seq_ = 0;  // the last seq of the row before
  bool started_ = false;
};

absl::StatusOr<std::unique_ptr<ReadSession>> ReadSession::Open(const std::string& path,
                                                               const std::string& vfs) {
  auto session = std::make_unique<ReadSession>();
  ASSIGN_OR_RETURN(session->connection_, Connection::Open(path, vfs));
  Connection& connection = *session->connection_;
  const std::string cache =
      absl::StrCat("PRAGMA query_only = ON; PRAGMA cache_size = -", kReaderCacheKib);
  RETURN_IF_ERROR(connection.Execute(cache.c_str()));
  ASSIGN_OR_RETURN(session->head_, Statement::Prepare(connection, REMORA_HEAD_COLUMNS
                                                      "FROM cases WHERE case_key = ?"));
  ASSIGN_OR_RETURN(session->runs_before_,
                   Statement::Prepare(connection,
                                      "SELECT row_key, after_seq, last_seq FROM rows "
                                      "WHERE row_key BETWEEN ? AND ? "
                                      "ORDER BY row_key DESC LIMIT 1"));
  for (Statement& runs_from : session->runs_from_) {
    ASSIGN_OR_RETURN(runs_from,
                     Statement::Prepare(connection, REMORA_ROW_COLUMNS
                                        "WHERE row_key BETWEEN ? AND ? ORDER BY row_key"));
  }
  return session;
}

absl::StatusOr<ReadResult> ReadSession::ReadPage(int64_t case_key, const ReadRequest& request,
                                                 PayloadCipher& cipher) {
  // Both classes from one snapshot: else a commit between the two would look like a hole.
  RETURN_IF_ERROR(connection_->Execute("BEGIN"));
  absl::StatusOr<ReadResult> page = PageOfSnapshot(case_key, request, cipher);
  const absl::Status ended = connection_->Execute("COMMIT");
  if (!ended.ok() && page.ok()) return ended;
  return page;
}

absl::StatusOr<ReadResult> ReadSession::PageOfSnapshot(int64_t case_key, const ReadRequest& request,
                                                       PayloadCipher& cipher) {
  ASSIGN_OR_RETURN(const bool row, head_.Bind(1, case_key).Step());
  if (!row) return ReadResult();  // created, and nothing appended yet
  const StoredHead stored = HeadFromRow(*connection_, head_);
  head_.Reset();
  RETURN_IF_ERROR(stored.damage);
  ClassRows control(*this, stored, RecordClass::kControl, request, cipher);
  ClassRows bulk(*this, stored, RecordClass::kBulk, request, cipher);
  return MergePage(request, request.control ? &control : nullptr, request.bulk ? &bulk : nullptr);
}

}  // namespace remora::hub::sqlite
