#pragma once

// Where the records of all open cases are kept, durably, before anybody sees them.
//
// Rooms are the only callers. A room hands over what it has accepted since the last drain as one
// CaseAppend; the journal commits the appends of all rooms that wait in one transaction (group
// commit) and calls back when they are on disk. SQLite on one machine (journal/sqlite), NATS
// JetStream on many; journal_conformance_test.h is the suite that each must pass.
//
// Thread-safe. Callbacks run on the executor that the journal was made with, in the order of the
// calls for one case. Numbered invariants:
//   1. Appends of one case are committed in the order of the calls, each whole or not at all.
//   2. After a crash the journal holds exactly the appends whose callback had OK, or could have
//   had.
//   3. Records of a case have dense `seq` from 1.
//   4. Reading never delays a commit by more than one page of rows.
//   5. What is read is what was appended, entirely, or an error: DataLoss says what and where.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/seq_ranges.h"
#include "common/shared_bytes.h"

namespace remora::hub {

// Control: lanes 0-2. Bulk: lanes 3-5. A row holds a run of records of one class.
enum class RecordClass { kControl = 0, kBulk = 1 };
inline RecordClass ClassOfLane(uint32_t lane) {
  return lane < kControlLaneCount ? RecordClass::kControl : RecordClass::kBulk;
}

// A run of records of one class: frames (record_codec.h), stamped, ascending in `seq`, which need
// not be dense: the other class has the rest.
struct Run {
  RecordClass record_class = RecordClass::kControl;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  uint32_t count = 0;
  SharedBytes frames;
};

// Which numbers of an origin's lane the append adds.
struct OriginAdvance {
  OriginId origin;
  uint32_t lane = 0;
  // Of its records.
  std::vector<SeqRanges::Range> added;
  // Refused for good: used up, with no record.
  std::vector<SeqRanges::Range> refused;
  // Whose origin it is; empty: the hub's own. The first one that is kept stays.
  std::string participant;
  // Of these and of those before: records that came behind a later one, and records that came
  // again.
  uint64_t late_count = 0;
  uint64_t duplicate_count = 0;
  // Which of them were late; fewer than are counted where they are too many ranges to list.
  std::vector<SeqRanges::Range> late = {};
};

// What one room accepted in one drain. One without runs carries refused numbers alone: it leaves
// the case's head as it is, and the case must hold a record.
struct CaseAppend {
  CaseId case_id;
  uint64_t last_seq = 0;  // of the case, after this append
  std::vector<Run> runs;  // at most one of each class
  std::vector<OriginAdvance> origins;
  // BLAKE2b-256 chain over all records up to last_seq (docs/journal.md).
  std::array<uint8_t, 32> chain{};
  // The last seq of each lane after this append; 0 = none yet.
  std::array<uint64_t, kLaneCount> lane_seq{};
};

// What a room starts from.
struct CaseHead {
  CaseId case_id;
  uint32_t epoch = 0;
  uint64_t last_seq = 0;
  // The hub's time of the last record; HubTime never goes below the largest of all cases.
  int64_t last_recorded_unix_ns = 0;
  std::array<uint8_t, 32> chain{};
  std::array<uint64_t, kLaneCount> lane_seq{};
};

struct OriginLaneHeld {
  OriginId origin;
  uint32_t lane = 0;
  // Numbers of its records, and numbers that were refused: no number is in both.
  SeqRanges held;
  SeqRanges refused;
  // As in OriginAdvance; the counts are all together.
  std::string participant;
  uint64_t late_count = 0;
  uint64_t duplicate_count = 0;
  SeqRanges late = {};
  bool operator==(const OriginLaneHeld&) const = default;
};

// A disposable cache of a room's fold: a serialised v1::CaseState with its `seq`.
struct Checkpoint {
  uint64_t seq = 0;  // 0: none
  std::string state;
  // The room's own; kept beside the state, so that ListCases gives it without it.
  std::string note = {};
};

struct OriginOwner {
  OriginId origin;
  std::string participant;  // empty: the hub's own
  bool operator==(const OriginOwner&) const = default;
};

// A case as a start finds it.
struct ListedCase : CaseHead {
  // Of the checkpoint, where that stands at the case's end; empty: there is none.
  std::string note;
  // Of a case without a note: whose its origins are.
  std::vector<OriginOwner> owners;
};

// Everything a room needs to go on after a start.
struct CaseRestore {
  CaseHead head;
  std::vector<OriginLaneHeld> origins;
  Checkpoint checkpoint;
};

// What stays of a case that was purged, for ever: whoever asks for it is told where it went.
struct Tombstone {
  CaseId case_id;
  // As its head was. `last_seq` and `chain` are what the archive was compared with.
  uint32_t epoch = 0;
  uint64_t last_seq = 0;
  std::array<uint8_t, 32> chain{};
  std::string theatre;
  // 0: never.
  int64_t opened_unix_ns = 0;
  int64_t closed_unix_ns = 0;
  int64_t purged_unix_ns = 0;
  // The file's name within the archive, and its bytes' SHA-256. Empty: the tombstone is damaged.
  std::string archive;
  std::array<uint8_t, 32> archive_sha256{};
  bool operator==(const Tombstone&) const = default;
};

struct PurgeCount {
  uint64_t count = 0;
  int64_t newest_unix_ns = 0;
};

struct ReadRequest {
  CaseId case_id;
  // Inclusive. Records outside are not returned even where a run reaches over.
  uint64_t from_seq = 1;
  uint64_t to_seq = ~uint64_t{0};
  bool control = true;
  bool bulk = true;
  // Stops before the record that would exceed this; at least one record is read if there is one.
  size_t max_bytes = 256 * 1024;
};

struct ReadResult {
  // Frames in ascending `seq` over both classes.
  SharedBytes frames;
  uint64_t first_seq = 0;  // 0: nothing in the range
  uint64_t last_seq = 0;
  // Where to go on; 0 when the range is read to its end.
  uint64_t next_seq = 0;
};

class Journal {
 public:
  using Done = std::function<void(absl::Status)>;

  virtual ~Journal() = default;

  // All cases that hold records. Blocking; at start only. A damaged one is among them, without note
  // and owners. Reads no checkpoint and no record.
  virtual absl::StatusOr<std::vector<ListedCase>> ListCases() = 0;
  // Blocking: for tools. NotFound; DataLoss when this case is damaged (others are not concerned).
  virtual absl::StatusOr<CaseRestore> Restore(const CaseId& case_id) = 0;
  // The same beside the live path, before pages that wait. Unavailable and ResourceExhausted as
  // Read.
  using RestoreDone = std::function<void(absl::StatusOr<CaseRestore>)>;
  virtual void BeginRestore(const CaseId& case_id, RestoreDone done) = 0;

  // Makes room for a new case and gives its epoch. Durable when the first append is.
  // AlreadyExists, also of one that was purged.
  virtual absl::StatusOr<uint32_t> CreateCase(const CaseId& case_id) = 0;

  // Commits durably, then calls `done` with OK. On failure nothing of this append, nor of any later
  // one of the case, is in the journal, until the room appends again from the seq that failed:
  //   ResourceExhausted  disk or queue full
  //   Unavailable        any other trouble of the disk; or an earlier append of the case failed
  //   InvalidArgument    a mistake of the room: not dense, not this case's, records held already
  //   DataLoss           the case is damaged: it takes no more
  //   NotFound           no such case
  // (docs/journal.md says what may be found after a process that ended while its disk failed.)
  virtual void Append(CaseAppend append, Done done) = 0;

  // Reads beside the live path. NotFound, DataLoss; Unavailable while the file is closed after an
  // error; ResourceExhausted when too many reads wait (limits.h).
  virtual void Read(ReadRequest request, std::function<void(absl::StatusOr<ReadResult>)> done) = 0;

  // Takes a case out for good, and leaves the tombstone: both or neither, durably, then calls
  // `done` with OK. From then on the case is not listed, and nothing of it can be read; what it
  // took in the file is freed bit by bit, behind the appends of others and over restarts. Nobody
  // may append to it meanwhile. Not OK: the case is as it was.
  //   FailedPrecondition  it does not end where the tombstone says: more was recorded since
  //   NotFound            no such case
  //   else                as Append
  virtual void Purge(Tombstone tombstone, Done done) = 0;
  // Of all cases that were ever purged, which may be many. Blocking: for tools.
  virtual absl::StatusOr<std::vector<Tombstone>> ListTombstones() = 0;
  // How many cases were ever purged, and when the last one was (0: none, or no tombstone is sound).
  // Blocking; at start only.
  virtual absl::StatusOr<PurgeCount> CountPurges() = 0;
  // Whether the case was purged. Does not block: ids alone are kept in memory.
  virtual bool IsPurged(const CaseId& case_id) const = 0;
  // The tombstone of a case that was purged, beside the live path. NotFound; Unavailable and
  // ResourceExhausted as Read.
  using TombstoneDone = std::function<void(absl::StatusOr<Tombstone>)>;
  virtual void FindTombstone(const CaseId& case_id, TombstoneDone done) = 0;

  // Lazily durable; a lost one costs a longer fold.
  virtual void SaveCheckpoint(const CaseId& case_id, Checkpoint checkpoint) = 0;

  // The case is at rest: what is kept of it in memory may go, once what was appended is committed.
  // It is read again when it is next used; nothing else changes.
  virtual void Release(const CaseId& case_id) = 0;

  // Waits until everything appended is committed. Blocking.
  virtual absl::Status Flush() = 0;
};

}  // namespace remora::hub
