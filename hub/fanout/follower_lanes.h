#pragma once

// What waits of lanes 2-5 for one live follow, bounded whatever the follower does:
//
//   lane 2, 3   newest of each trace: a newer record takes the place of the one that waits (lane 2
//               only beyond kMeasurementSlack); a late one that is older than what waits is left
//               out
//   lane 4, 5   the oldest leaves when the lane is full or older than kMaxQueuedBulkAge
//
// Whatever is left out is counted into a gap of its lane, coalesced until it is told. Frames are
// shared with everybody. Lanes 0 and 1 are not here: they are never left out (record_tail.h).
// Thread-compatible; sequence-bound to its follow.

#include <array>
#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "common/limits.h"
#include "common/time.h"
#include "hub/record_frame.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

// Records of one lane that were left out, inclusive.
struct LaneGap {
  uint64_t from_seq = 0;
  uint64_t to_seq = 0;
  uint32_t count = 0;
  v1::GapCause cause = v1::GAP_CAUSE_UNSPECIFIED;
};

class FollowerLanes {
 public:
  static constexpr uint32_t kFirstLane = 2;

  // `cause` for what has to leave because of it: SLOW_FOLLOWER, or BUDGET where that is what holds
  // the lane back.
  void Push(const RecordFrame& frame, v1::GapCause cause);
  // Leaves out records of lanes 4 and 5 that were recorded before `oldest`.
  void DropOlderThan(HubTime oldest, v1::GapCause cause);

  // Leaves out all that waits of the lane.
  void DropAll(uint32_t lane, v1::GapCause cause);

  bool empty(uint32_t lane) const { return lanes_[lane].frames.empty(); }
  const RecordFrame& Front(uint32_t lane) const { return lanes_[lane].frames.front(); }
  void DropFront(uint32_t lane) { Remove(lane, lanes_[lane].frames.begin()); }

  // The next gap of the lane, and forgets it; count 0: none.
  bool HasGap(uint32_t lane) const;
  LaneGap TakeGap(uint32_t lane);
  void AddGap(uint32_t lane, uint64_t seq, v1::GapCause cause);

  size_t queued_bytes() const;
  // Forgets what waits, and gaps that were not told yet: a snapshot replaces all of it.
  void Clear();

 private:
  using Frames = std::list<RecordFrame>;
  struct Lane {
    Frames frames;
    size_t bytes = 0;
    // Newest of each trace that waits: key index * 2, plus 1 for provisional sweeps.
    absl::flat_hash_map<uint64_t, Frames::iterator> newest;
    // By cause.
    std::array<LaneGap, v1::GapCause_ARRAYSIZE> gaps;
  };

  void PushNewest(const RecordFrame& frame, v1::GapCause cause);
  void LeaveOut(uint32_t lane, Frames::iterator frame, v1::GapCause cause);
  void Remove(uint32_t lane, Frames::iterator frame);

  std::array<Lane, kLaneCount> lanes_;
};

}  // namespace remora::hub
