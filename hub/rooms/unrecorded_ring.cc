#include "hub/rooms/unrecorded_ring.h"

#include "hub/rooms/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {
namespace {

bool IsOfAScreen(const RecordFrame& frame) {
  return frame.kind == v1::Record::kViewSeenFieldNumber ||
         frame.kind == v1::Record::kClockEstimateFieldNumber;
}

int RankOf(const RecordFrame& frame) {
  if (IsOfAScreen(frame)) return 0;
  if (frame.lane > 0) return 1;
  return frame.kind == v1::Record::kAlertFieldNumber ||
                 frame.kind == v1::Record::kAlertActionFieldNumber
             ? 3
             : 2;
}

}  // namespace

uint64_t UnrecordedRing::Add(const RecordFrame& frame) {
  Remove(frame);
  positions_[KeyOf(frame)] = end_;
  leaving_.emplace(RankOf(frame), end_);
  frames_.emplace(end_++, frame);
  bytes_ += frame.bytes.size();
  uint64_t left = 0;
  while (bytes_ > kMaxUnrecordedControlBytes) {
    const auto [rank, position] = *leaving_.begin();
    left += rank > 0;
    const RecordFrame first = frames_.at(position);
    Remove(first);
  }
  return left;
}

void UnrecordedRing::Remove(const RecordFrame& recorded) {
  const auto position = positions_.find(KeyOf(recorded));
  if (position == positions_.end()) return;
  const auto frame = frames_.find(position->second);
  bytes_ -= frame->second.bytes.size();
  leaving_.erase({RankOf(frame->second), frame->first});
  frames_.erase(frame);
  positions_.erase(position);
}

void UnrecordedRing::Clear() {
  frames_.clear();
  leaving_.clear();
  positions_.clear();
  bytes_ = 0;
}

uint64_t UnrecordedRing::Visit(uint64_t from,
                               const std::function<bool(const RecordFrame&)>& visit) const {
  for (auto it = frames_.lower_bound(from); it != frames_.end(); ++it) {
    if (!visit(it->second)) return it->first;
  }
  return end_;
}

}  // namespace remora::hub
