#pragma once

// One follow for a screen: a snapshot, then live by lanes (DELIVERY_LIVE of room.proto).
//
//   no cursor:   kSnapshot -----------------------------> kLive
//   cursor:      kChecking --good--> kCatchingUp --lanes 0-1 at the head--> kSnapshot ("resumed")
//                    '--not of this journal--> kSnapshot (its cause)
//
// A journal that cannot be read while nothing is recorded has it start from a snapshot, wherever it
// is.
//
// Nothing is queued for it before it is live: a snapshot is made when it can be written, and live
// begins with the record after it. Lanes 0 and 1 come from a RecordTail, in `seq` order, each one
// once; lanes 2-5 wait in FollowerLanes.
//
// What is shown UNRECORDED comes beside that: lanes 0 and 1 behind what is on disk, from a position
// in the room's ring, anew after each snapshot; lanes 2-5 with the others. It moves no place, and
// is never told as a gap: it comes again with its `seq`, or is counted then.
//
// Sequence-bound to the hub; owned by its session's Delivery. `wake`: something can be written.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "hub/fanout/byte_budget.h"
#include "hub/fanout/case_feed.h"
#include "hub/fanout/cursor_check.h"
#include "hub/fanout/follower_lanes.h"
#include "hub/fanout/record_tail.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

class LiveFollow {
 public:
  // `knows_all_causes`: of a gap. A follower of version 1 is told SLOW_FOLLOWER, or BUDGET, in
  // place of SLOW_LINK and LATE.
  LiveFollow(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow, LaneSet lanes,
             bool knows_all_causes, std::function<void()> wake);
  ~LiveFollow();

  // The link carries no bulk beside lane 2, or does again. While it does not, lanes 3-5 are left
  // out (SLOW_LINK), which is said at once.
  void SetSlowLink(bool slow);

  // What was put on disk, in `seq` order.
  void OnCommitted(std::span<const RecordFrame> frames);
  // Shown, and not on disk.
  void OnUnrecorded(const RecordFrame& frame);
  // Leaves out what is too old to be shown as live, and what the link does not carry.
  void DropOlderThan(HubTime oldest);
  void DropUncarried();

  // Lanes 0 and 1.
  bool HasEvents() const {
    return tail_ != nullptr && (tail_->IsBehind() || HasUnrecordedEvents());
  }
  size_t TakeEvents(size_t max_bytes, bool first, std::vector<SharedBytes>* slices, size_t* count);

  // A snapshot is to be written.
  bool HasSnapshot() const;
  // One encoded v1::Snapshot. Live begins behind it. `cause` tells why, for metrics.
  std::string TakeSnapshot(std::string* cause);

  // Gaps of a time away (a count of 0: not counted), and that a slow link begins; after the
  // snapshot.
  bool HasAwayGap() const { return !away_.empty(); }
  v1::Gap TakeAwayGap();
  // Gaps of lanes 2-5.
  bool HasGap(uint32_t lane) const { return lanes_.HasGap(lane); }
  // Before the lane's next record, which goes now if it `may_go`; else when nothing was told of the
  // lane for a while.
  bool IsGapDue(uint32_t lane, bool may_go, DeviceTime now) const {
    if (!lanes_.HasGap(lane)) return false;
    const bool left_out = slow_link_ && lane >= kControlLaneCount;
    return may_go || now - gap_told_at_[lane] >= (left_out ? kSlowLinkGapInterval : kGapInterval);
  }
  v1::Gap TakeGap(uint32_t lane, DeviceTime now);

  // Lanes 2-5.
  bool HasBulk(uint32_t lane) const { return !lanes_.empty(lane); }
  const RecordFrame& FrontOf(uint32_t lane) const { return lanes_.Front(lane); }
  void DropFront(uint32_t lane) { lanes_.DropFront(lane); }
  ByteBudget& budget() { return budget_; }

  uint32_t follow_id() const { return follow_id_; }
  const CaseFeed& feed() const { return *feed_; }
  size_t queued_bytes() const { return lanes_.queued_bytes(); }
  // Not OK: the follow cannot go on.
  absl::Status status() const { return tail_ && !IsUnreadable() ? tail_->status() : check_status_; }

 private:
  enum class Stage { kChecking, kCatchingUp, kSnapshot, kLive };
  bool WantsTrace(const TraceKey* trace);
  bool IsUnreadable() const { return tail_ != nullptr && absl::IsUnavailable(tail_->status()); }
  bool HasUnrecordedEvents() const {
    return stage_ == Stage::kLive && feed_->unrecorded_end() > unrecorded_position_;
  }
  void OnChecked(const absl::Status& status);
  void NoteAway();
  v1::Gap ToProto(uint32_t lane, const LaneGap& gap) const;
  v1::GapCause Cause() const {
    return budget_.limited() ? v1::GAP_CAUSE_BUDGET : v1::GAP_CAUSE_SLOW_FOLLOWER;
  }
  v1::GapCause AsKnown(v1::GapCause cause) const { return knows_all_causes_ ? cause : Cause(); }

  std::unique_ptr<CaseFeed> feed_;
  const uint32_t follow_id_;
  const LaneSet lane_set_;
  const bool knows_all_causes_;
  const std::set<std::string> trace_filter_;
  const std::function<void()> wake_;
  Stage stage_ = Stage::kSnapshot;
  std::string cause_ = "joined";
  std::array<uint64_t, kLaneCount> after_{};
  std::unique_ptr<RecordTail> tail_;
  FollowerLanes lanes_;
  ByteBudget budget_;
  std::deque<v1::Gap> away_;
  std::array<DeviceTime, kLaneCount> gap_told_at_{};
  // Bulk up to here is in the snapshot.
  uint64_t live_after_seq_ = 0;
  // Of the next record of lanes 0-1 that is shown UNRECORDED.
  uint64_t unrecorded_position_ = 0;
  bool slow_link_ = false;
  // Answers of the trace filter, by key index.
  std::vector<int8_t> wanted_;
  std::unique_ptr<CursorCheck> check_;
  absl::Status check_status_;
};

}  // namespace remora::hub
