#include "hub/fanout/live_follow.h"

#include <algorithm>
#include <utility>

namespace remora::hub {

LiveFollow::LiveFollow(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow, LaneSet lanes,
                       bool knows_all_causes, std::function<void()> wake)
    : feed_(std::move(feed)),
      follow_id_(follow.follow_id()),
      lane_set_(lanes),
      knows_all_causes_(knows_all_causes),
      trace_filter_(follow.trace_ids().begin(), follow.trace_ids().end()),
      wake_(std::move(wake)),
      budget_(follow.bulk_budget_bytes_per_second()) {
  if (!follow.has_cursor()) return;
  stage_ = Stage::kChecking;
  check_ = std::make_unique<CursorCheck>(*feed_, follow.cursor(),
                                         [this](const absl::Status& status) { OnChecked(status); });
  check_->Start();
}

LiveFollow::~LiveFollow() = default;

void LiveFollow::OnChecked(const absl::Status& status) {
  if (absl::IsFailedPrecondition(status) || absl::IsUnavailable(status)) {
    cause_ = absl::IsUnavailable(status) ? kJournalUnreadable : std::string(status.message());
    stage_ = Stage::kSnapshot;
  } else if (!status.ok()) {
    check_status_ = status;
  } else {
    cause_ = "resumed";
    after_ = check_->after();
    LaneSet events;
    events.wanted[0] = lane_set_.wanted[0];
    events.wanted[1] = lane_set_.wanted[1];
    tail_ = std::make_unique<RecordTail>(*feed_, events, after_, wake_);
    stage_ = Stage::kCatchingUp;
  }
  wake_();
}

void LiveFollow::OnCommitted(std::span<const RecordFrame> frames) {
  if (stage_ != Stage::kLive) return;
  for (const RecordFrame& frame : frames) {
    if (frame.lane < FollowerLanes::kFirstLane || !lane_set_.wanted[frame.lane] ||
        frame.seq <= live_after_seq_ || !WantsTrace(frame.trace)) {
      continue;
    }
    // On record, and no picture of now.
    if (frame.late) {
      lanes_.AddGap(frame.lane, frame.seq, AsKnown(v1::GAP_CAUSE_LATE));
    } else {
      lanes_.Push(frame, Cause());
    }
  }
}

void LiveFollow::OnUnrecorded(const RecordFrame& frame) {
  if (stage_ != Stage::kLive || frame.lane < FollowerLanes::kFirstLane ||
      !lane_set_.wanted[frame.lane] || !WantsTrace(frame.trace) || frame.late) {
    return;
  }
  lanes_.Push(frame, Cause());
}

size_t LiveFollow::TakeEvents(size_t max_bytes, bool first, std::vector<SharedBytes>* slices,
                              size_t* count) {
  size_t bytes = tail_->IsBehind() ? tail_->Take(max_bytes, first, slices, count) : 0;
  if (!HasUnrecordedEvents()) return bytes;
  unrecorded_position_ =
      feed_->VisitUnrecorded(unrecorded_position_, [&](const RecordFrame& frame) {
        if (!lane_set_.wanted[frame.lane]) return true;
        const size_t size = frame.bytes.size();
        if (bytes + size > max_bytes && !(first && bytes == 0)) return false;
        slices->push_back(frame.bytes);
        bytes += size;
        ++*count;
        return true;
      });
  return bytes;
}

bool LiveFollow::WantsTrace(const TraceKey* trace) {
  if (trace_filter_.empty() || trace == nullptr) return true;
  if (wanted_.size() <= trace->index) wanted_.resize(trace->index + 1, -1);
  int8_t& wanted = wanted_[trace->index];
  if (wanted < 0) wanted = trace_filter_.contains(trace->trace_id) ? 1 : 0;
  return wanted == 1;
}

void LiveFollow::DropOlderThan(HubTime oldest) { lanes_.DropOlderThan(oldest, Cause()); }

void LiveFollow::DropUncarried() {
  for (uint32_t lane = kControlLaneCount; lane < kLaneCount; ++lane) {
    lanes_.DropAll(lane, AsKnown(v1::GAP_CAUSE_SLOW_LINK));
  }
}

void LiveFollow::SetSlowLink(bool slow) {
  if (slow == slow_link_ || stage_ != Stage::kLive) return;
  slow_link_ = slow;
  if (!slow || !knows_all_causes_) return;
  const uint64_t next_seq = feed_->head().seq + 1;
  for (uint32_t lane = kControlLaneCount; lane < kLaneCount; ++lane) {
    if (lane_set_.wanted[lane]) {
      away_.push_back(ToProto(lane, {next_seq, next_seq, 0, v1::GAP_CAUSE_SLOW_LINK}));
    }
  }
}

bool LiveFollow::HasSnapshot() const {
  return stage_ == Stage::kSnapshot || IsUnreadable() ||
         (stage_ == Stage::kCatchingUp && !tail_->IsBehind() && tail_->status().ok());
}

void LiveFollow::NoteAway() {
  const FeedHead head = feed_->head();
  for (uint32_t lane = FollowerLanes::kFirstLane; lane < kLaneCount; ++lane) {
    if (!lane_set_.wanted[lane] || head.lane_seq[lane] <= after_[lane]) continue;
    v1::Gap gap;
    gap.set_follow_id(follow_id_);
    gap.set_case_id(feed_->case_id().ToString());
    gap.set_lane(lane);
    gap.set_from_seq(after_[lane] + 1);
    gap.set_to_seq(head.lane_seq[lane]);
    gap.set_cause(v1::GAP_CAUSE_WAS_AWAY);
    const bool control = lane < kControlLaneCount;
    if (feed_->CoversRecent(gap.from_seq(), control, !control)) {
      uint32_t count = 0;
      feed_->VisitRecent(gap.from_seq(), control, !control, [&](const RecordFrame& frame) {
        count += frame.lane == lane && frame.seq <= gap.to_seq();
        return frame.seq < gap.to_seq();
      });
      gap.set_count(count);
    }
    away_.push_back(std::move(gap));
  }
}

v1::Gap LiveFollow::TakeAwayGap() {
  v1::Gap gap = std::move(away_.front());
  away_.pop_front();
  return gap;
}

std::string LiveFollow::TakeSnapshot(std::string* cause) {
  if (IsUnreadable()) {
    tail_.reset();
    stage_ = Stage::kSnapshot;
    cause_ = kJournalUnreadable;
  }
  *cause = cause_;
  const FeedHead head = feed_->head();
  std::string snapshot = feed_->EncodeSnapshot(follow_id_, cause_);
  if (tail_ == nullptr) {
    LaneSet events;
    events.wanted[0] = lane_set_.wanted[0];
    events.wanted[1] = lane_set_.wanted[1];
    tail_ = std::make_unique<RecordTail>(*feed_, events, head.lane_seq, wake_);
  }
  if (stage_ == Stage::kCatchingUp) NoteAway();
  live_after_seq_ = head.seq;
  lanes_.Clear();
  unrecorded_position_ = 0;
  check_.reset();
  stage_ = Stage::kLive;
  return snapshot;
}

v1::Gap LiveFollow::TakeGap(uint32_t lane, DeviceTime now) {
  gap_told_at_[lane] = now;
  return ToProto(lane, lanes_.TakeGap(lane));
}

v1::Gap LiveFollow::ToProto(uint32_t lane, const LaneGap& gap) const {
  v1::Gap proto;
  proto.set_follow_id(follow_id_);
  proto.set_case_id(feed_->case_id().ToString());
  proto.set_lane(lane);
  proto.set_from_seq(gap.from_seq);
  proto.set_to_seq(gap.to_seq);
  proto.set_count(gap.count);
  proto.set_cause(gap.cause);
  return proto;
}

}  // namespace remora::hub
