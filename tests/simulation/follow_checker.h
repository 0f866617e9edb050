#pragma once

// What one follower must see, held against the truth record by record.
//
//   COMPLETE  every record of its lanes, in `seq` order, without a hole
//   LIVE      each record of lanes 0-1 once, in `seq` order, from its snapshot on and across
//             sessions; of lanes 2-5 what came and what gaps told is what there is: never less as
//             it goes, exactly that at the end
//
// and nothing that is shown as recorded and is not on disk. Sequence-bound to the simulation.

#include <array>
#include <map>
#include <set>
#include <string>

#include "common/limits.h"
#include "common/link/participant_link.h"
#include "common/seq_ranges.h"
#include "remora/v1/room.pb.h"
#include "tests/simulation/oracle.h"

namespace remora::simulation {

class FollowChecker {
 public:
  FollowChecker(const Oracle& oracle, const v1::Follow& follow, bool version1, Fail fail);

  void OnRecord(const DeliveredRecord& delivered);
  void OnSnapshot(const v1::Snapshot& snapshot);
  void OnGap(const v1::Gap& gap);
  // The hub has ended it; it is asked for anew from the beginning.
  void OnEnded(const v1::FollowEnded& ended);
  // Reads failed, or the journal went back: a follow may start anew.
  void AllowFreshStart() { fresh_start_allowed_ = true; }

  // It has all that there is, or has been told what it has not.
  bool IsCaughtUp() const { return Lack().empty(); }
  // In words, what it lacks; empty: nothing.
  std::string Lack() const;
  // Its cursor is of the journal as it is.
  void CheckCursor(const v1::Cursor& cursor) const;

  uint64_t records() const { return records_; }
  uint64_t unrecorded() const { return unrecorded_; }
  uint64_t gap_records() const { return gap_records_; }
  const v1::Follow& follow() const { return follow_; }

 private:
  struct BulkLane {
    uint64_t last_seq = 0;     // delivered
    uint64_t counted_seq = 0;  // wanted records up to here are in `there`
    uint64_t there = 0;        // in the journal, since live began
    uint64_t came = 0;
    uint64_t told = 0;
    size_t next = 0;  // in the truth's lane_seqs
    SeqRanges known;  // delivered or told, since the first snapshot
  };

  bool Wants(uint32_t lane) const { return lanes_[lane]; }
  bool WantsEntry(const Oracle::Entry& entry) const;
  // The first wanted control (LIVE) or any (COMPLETE) record behind `seq`; 0: none.
  uint64_t NextAfter(uint64_t seq) const;
  void OnUnrecorded(const DeliveredRecord& delivered);
  void OnInOrder(const DeliveredRecord& delivered);
  void OnBulk(const DeliveredRecord& delivered);
  void CheckRecordsOf(const v1::Snapshot& snapshot) const;
  void BeginLive(const v1::Snapshot& snapshot, bool resumed);
  // Of what was ever sent as backlog.
  uint64_t CountLate(uint32_t lane, uint64_t from, uint64_t to) const;
  uint64_t CountTo(uint32_t lane, uint64_t seq);
  uint64_t CountBetween(uint32_t lane, uint64_t from, uint64_t to) const;
  std::string LackOfLane(uint32_t lane) const;

  const Oracle& oracle_;
  v1::Follow follow_;
  const CaseId case_id_;
  const bool complete_;
  const bool version1_;
  const Fail fail_;
  std::array<bool, kLaneCount> lanes_{};
  std::set<std::string> traces_;
  bool has_snapshot_ = false;
  bool fresh_start_allowed_ = false;
  uint64_t at_seq_ = 0;   // COMPLETE: last record; LIVE: last of lanes 0-1
  uint64_t at_hash_ = 0;  // of its bytes; 0: not known
  uint64_t live_from_ = 0;
  std::array<BulkLane, kLaneCount> bulk_;
  uint64_t records_ = 0;
  uint64_t unrecorded_ = 0;
  uint64_t gap_records_ = 0;
};

}  // namespace remora::simulation
