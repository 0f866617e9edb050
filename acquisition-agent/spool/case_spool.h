// The records of one case on the theatre's own disk, until the hub's journal is known to hold them
// for good.
//
// Whoever makes a record appends it here; Commit writes and syncs what waits, lanes 0-2 before
// bulk, and only then may it be offered to a hub. So that a program that was killed can go on with
// the same numbers, and can prove that it makes the same records again, the spool also keeps what
// was taken in from outside (inputs), in order.
//
// Files: DIRECTORY/{control,sweep,envelope,block}-NUMBER.seg (segment_log.h, entry.h). Control
// holds lanes 0-2, inputs, acknowledgements; the others one lane each, so that they can be shed
// oldest first when space is short.
//
// Invariants: 1. after a Commit that returned OK, nothing of it is lost by kill -9 or by a loss of
// power; 2. numbers are dense a lane, and a recovered spool goes on with the next; 3. lanes 0-2 are
// never shed; 4. what is shed and not held by the hub is reported once, to become a DataGap; 5. a
// bulk record on disk implies that all control before it is too.
//
// Full: what is kept without need goes first (SpoolOptions::reclaim). Then bulk is shed (lane 5, 4,
// 3, oldest file first, then new bulk records of those lanes as they come) to keep
// control_reserve_bytes free; when even control cannot be written it waits in memory
// (kMaxUncommittedBytes), then Append says ResourceExhausted and the agent stops with a clear
// message.
//
// Sequence-bound to the agent's sequence. `files` outlives it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "acquisition-agent/spool/case_info.h"
#include "acquisition-agent/spool/limits.h"
#include "acquisition-agent/spool/segment_log.h"
#include "common/file_system.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/link/lane_answers.h"
#include "common/seq_ranges.h"

namespace remora::agent {

struct SpoolOptions {
  std::string directory;  // of this case; made if it is not there
  CaseId case_id;
  OriginId origin;
  uint64_t control_reserve_bytes = kControlReserveBytes;
  // Frees something on that disk which nobody waits for any more; false: there is nothing. May be
  // empty.
  std::function<bool()> reclaim;
};

// Bulk that was given up before the hub held it.
struct ShedRange {
  uint32_t lane = 0;
  uint64_t first_origin_seq = 0;
  uint64_t last_origin_seq = 0;
  // When the first and the last were captured; both 0: not known, as of what an earlier life shed.
  int64_t from_monotonic_ns = 0;
  int64_t to_monotonic_ns = 0;
};

struct RecoveryReport {
  bool found = false;  // the directory held a case
  SegmentLog::Damage damage;
  // Numbers below the last of their lane that are not there: damaged, and not shed.
  std::vector<ShedRange> missing;

  bool is_damaged() const { return damage.skipped_bytes > 0 || !missing.empty(); }
};

struct SpooledInput {
  uint64_t position = 0;  // counted by whoever takes inputs in
  std::string bytes;
  // The last numbers of lanes 0-2 when it was written.
  std::array<uint64_t, kControlLaneCount> after{};
};

class CaseSpool {
 public:
  // Makes or recovers the spool. InvalidArgument: the directory holds another case. Unavailable,
  // ResourceExhausted.
  static absl::StatusOr<std::unique_ptr<CaseSpool>> Open(FileSystem& files, SpoolOptions options,
                                                         RecoveryReport* report);

  const CaseId& case_id() const { return options_.case_id; }
  const OriginId& origin() const { return options_.origin; }
  // What Open found.
  const RecoveryReport& recovery() const { return recovery_; }
  // Nothing before the first SetInfo.
  const CaseInfo* info() const { return has_info_ ? &info_ : nullptr; }
  bool closed() const { return closed_; }
  // As recovered, in order; not those of this run.
  const std::vector<SpooledInput>& recovered_inputs() const { return inputs_; }

  // All wait for Commit. ResourceExhausted: kMaxUncommittedBytes wait already.
  // `ordinal`: see Entry. A number that is there already is refused with AlreadyExists; a number
  // may be lower than the last (it fills a hole that damage left), but not leave a hole above it
  // (InvalidArgument).
  absl::Status AppendRecord(uint32_t lane, uint64_t origin_seq, uint32_t ordinal,
                            absl::string_view record_bytes);
  absl::Status AppendInput(uint64_t position, absl::string_view stamped_record_bytes);
  absl::Status SetInfo(const CaseInfo& info);
  absl::Status Close();

  // Writes and syncs what waits; a no-op when nothing does. On an error all of it goes on waiting.
  absl::Status Commit();
  bool has_uncommitted() const { return uncommitted_bytes_ > 0; }
  bool has_uncommitted_alert() const { return uncommitted_alert_; }

  // Last number given out in a lane, committed or not; 0 for none.
  uint64_t last_seq(uint32_t lane) const { return lanes_[lane].last; }
  // Last number that may be offered.
  uint64_t committed_seq(uint32_t lane) const { return lanes_[lane].committed; }
  // For lanes 0-1, by ordinal: the number that it has; 0 for none. Other lanes: ordinal = number.
  uint64_t SeqOfOrdinal(uint32_t lane, uint32_t ordinal) const;
  uint32_t last_ordinal(uint32_t lane) const;
  // Committed and not shed.
  bool Holds(uint32_t lane, uint64_t origin_seq) const;
  // Where a committed record stands among the control records, for their common order.
  EntryPlace PlaceOf(uint32_t lane, uint64_t origin_seq) const;
  // NotFound: shed, or never there. DataLoss: not readable any more.
  absl::StatusOr<std::string> Read(uint32_t lane, uint64_t origin_seq) const;

  // What the hub has said: what its journal holds (written down now and then), and what it has
  // refused for good, which is over, but not on record. Numbers up to committed_seq. Restart: these
  // are all (LaneAnswers::Restart).
  void RestartAnswers(uint32_t lane, const SeqRanges& held, const SeqRanges& refused,
                      bool has_journal);
  void MarkHeld(uint32_t lane, const SeqRanges& held);
  void MarkRefused(uint32_t lane, const SeqRanges& refused);
  const SeqRanges& held(uint32_t lane) const { return lanes_[lane].answers.held(); }
  const SeqRanges& refused(uint32_t lane) const { return lanes_[lane].answers.refused(); }
  // Shed: not there to be offered.
  const SeqRanges& given_up(uint32_t lane) const { return lanes_[lane].given_up; }
  // Everything that is committed is held, refused or given up.
  bool AllSettled() const;

  // Whether new bulk is given up as it comes. Goes on until CheckSpace finds the reserve free
  // again.
  bool short_of_space() const { return short_of_space_; }
  // Asks the disk, and makes room where there is none. To be called now and then while short.
  void CheckSpace();
  // What may still be written before bulk has to be given up. As the file system fails.
  absl::StatusOr<uint64_t> FreeBytesForBulk() const;
  // Appended of each lane since Open, shed or not.
  const std::array<uint64_t, kLaneCount>& written_bytes() const { return written_bytes_; }
  // What was shed and not told, a range a lane as far as it goes: by this life, or by one that
  // ended before it could tell; and what was shed because the hub held it, if the hub's journal has
  // gone back and holds it no more. It is noted in the spool with the next commit.
  std::vector<ShedRange> TakeShed();
  bool has_shed() const;

  // Numbers up to the last that are not there, neither waiting, shed nor held by the hub: damaged.
  // A lane 0-2 is delivered in order and waits there until something stands under the number.
  std::vector<ShedRange> Holes() const;
  // Of bulk, that they are lost for good: never to be offered.
  void GiveUp(uint32_t lane, uint64_t first, uint64_t last);
  uint64_t bytes() const;

 private:
  enum Log { kControl = 0, kSweeps = 1, kEnvelopes = 2, kBlocks = 3, kLogs = 4 };
  struct Waiting {
    std::string entry;
    EntryType type;
    uint32_t lane;
    uint64_t seq;
    uint32_t ordinal;
  };
  struct Lane {
    std::vector<EntryPlace> places;  // by origin_seq - 1
    std::vector<uint64_t> by_ordinal;
    uint64_t last = 0;
    uint64_t committed = 0;
    LaneAnswers answers;
    uint64_t held_written = 0;
    SeqRanges given_up;
  };

  CaseSpool(FileSystem& files, SpoolOptions options);
  static Log LogOf(uint32_t lane);
  static uint32_t LaneOf(Log log) { return static_cast<uint32_t>(log) + kControlLaneCount - 1; }
  absl::Status Recover(RecoveryReport* report);
  void Take(Log log, const Entry& entry, const EntryPlace& place);
  void TakeInput(const Entry& entry);
  void TakeRecord(const Entry& entry, const EntryPlace& place);
  void NoteOrdinal(uint32_t lane, uint32_t ordinal, uint64_t seq);
  absl::Status Enqueue(Log log, Waiting waiting);
  absl::Status CommitLog(Log log);
  void WriteHeldNotes();
  void EnqueueRanges(EntryType type, uint32_t lane, const SeqRanges& ranges);
  // Reclaims and sheds until the reserve is free again; true if anything went.
  bool MakeSpace();
  bool HasReserve() const;
  bool ShedOldestSegment(Log log);
  // What an earlier life has shed, and the power or a kill kept it from telling.
  void TakeShedOf(Log log);
  void DropWaitingBulk();
  void ReportShed(uint32_t lane, uint64_t first, uint64_t last);
  // Of one that is about to be shed, and is an end of what will be told.
  void NoteCaptured(uint32_t lane, uint64_t seq, absl::string_view record_bytes);
  void Date(ShedRange* range) const;

  FileSystem& files_;
  const SpoolOptions options_;
  std::array<std::unique_ptr<SegmentLog>, kLogs> logs_;
  std::array<std::vector<Waiting>, kLogs> waiting_;
  std::array<Lane, kLaneCount> lanes_;
  size_t uncommitted_bytes_ = 0;
  bool uncommitted_alert_ = false;
  uint64_t bytes_until_space_check_ = 0;
  std::array<uint64_t, kLaneCount> written_bytes_{};
  bool short_of_space_ = false;
  bool has_info_ = false;
  bool closed_ = false;
  CaseInfo info_;
  std::vector<SpooledInput> inputs_;
  std::array<SeqRanges, kLaneCount> shed_;  // not taken yet; without what the hub holds
  // When those at the ends of shed_ were captured, by number, as far as that is known.
  std::array<std::map<uint64_t, int64_t>, kLaneCount> shed_captured_ns_;
  std::array<SeqRanges, kLaneCount> unnoted_;  // given up, and not yet written down
  RecoveryReport recovery_;
};

}  // namespace remora::agent
