#include "common/link/follow_cursor.h"

#include <algorithm>

#include "common/link/limits.h"

namespace remora {

FollowCursor::FollowCursor(const v1::Follow& follow)
    : complete_(follow.delivery() == v1::DELIVERY_COMPLETE),
      all_lanes_(follow.lanes().empty() && follow.trace_ids().empty()) {
  if (follow.lanes().empty()) lanes_.fill(true);
  for (uint32_t lane : follow.lanes()) {
    if (lane < kLaneCount) lanes_[lane] = true;
  }
  if (follow.has_cursor()) Reset(follow.cursor());
}

void FollowCursor::Reset(const v1::Cursor& cursor) {
  places_ = {};
  // Void with all that was shown before; what is still not on disk comes again.
  unrecorded_.clear();
  unrecorded_order_.clear();
  last_ = Place();
  epoch_ = cursor.epoch();
  has_place_ = true;
  for (const v1::LaneCursor& lane : cursor.lanes()) {
    if (lane.lane() >= kLaneCount) continue;
    Place& place = places_[lane.lane()];
    place.seq = lane.seq();
    place.digest = lane.digest();
    last_.seq = std::max(last_.seq, lane.seq());
  }
  if (cursor.complete_seq() == 0) return;
  last_.seq = cursor.complete_seq();
  last_.digest = cursor.complete_digest();
}

void FollowCursor::GoBackBefore(uint64_t seq) {
  for (Place& place : places_) {
    if (place.seq < seq) continue;
    place = Place();
    place.seq = seq - 1;
  }
  if (last_.seq < seq) return;
  last_ = Place();
  last_.seq = seq - 1;
}

bool FollowCursor::TakeUnrecorded(const RecordKey& key) {
  if (!unrecorded_.insert(key).second) return false;
  unrecorded_order_.push_back(key);
  if (unrecorded_order_.size() > kMaxUnrecordedKeys) {
    unrecorded_.erase(unrecorded_order_.front());
    unrecorded_order_.pop_front();
  }
  return true;
}

FollowCursor::Verdict FollowCursor::Take(const StampedRecord& record, absl::string_view bytes,
                                         const SharedBytes& message) {
  if (record.stamp.unrecorded) {
    return TakeUnrecorded(record.header.key()) ? Verdict::kNew : Verdict::kDuplicate;
  }
  const uint64_t seq = record.stamp.seq;
  if (has_place_ && record.stamp.epoch > epoch_) GoBackBefore(seq);
  Place& place = places_[record.header.lane];
  if (seq <= (complete_ ? last_.seq : place.seq)) return Verdict::kDuplicate;
  const bool hole = complete_ && all_lanes_ && seq != last_.seq + 1;
  place = {seq, 0, bytes, message};
  if (seq > last_.seq) last_ = place;
  epoch_ = std::max(epoch_, record.stamp.epoch);
  has_place_ = true;
  if (unrecorded_.erase(record.header.key()) > 0) {
    unrecorded_order_.erase(
        std::find(unrecorded_order_.begin(), unrecorded_order_.end(), record.header.key()));
  }
  return hole ? Verdict::kNewAfterHole : Verdict::kNew;
}

v1::Cursor FollowCursor::ToProto() const {
  v1::Cursor cursor;
  cursor.set_epoch(epoch_);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (!lanes_[lane]) continue;
    const Place& place = places_[lane];
    v1::LaneCursor* entry = cursor.add_lanes();
    entry->set_lane(lane);
    entry->set_seq(place.seq);
    entry->set_digest(place.Digest());
  }
  if (complete_ && last_.seq != 0) {
    cursor.set_complete_seq(last_.seq);
    cursor.set_complete_digest(last_.Digest());
  }
  return cursor;
}

}  // namespace remora
