#include "hub/rooms/unrecorded_ring.h"

#include "hub/rooms/limits.h"

namespace remora::hub {

void UnrecordedRing::Add(const RecordFrame& frame) {
  Remove(frame);
  positions_[KeyOf(frame)] = end_;
  frames_.emplace(end_++, frame);
  bytes_ += frame.bytes.size();
  while (bytes_ > kMaxUnrecordedControlBytes) {
    const RecordFrame oldest = frames_.begin()->second;
    Remove(oldest);
  }
}

void UnrecordedRing::Remove(const RecordFrame& recorded) {
  const auto position = positions_.find(KeyOf(recorded));
  if (position == positions_.end()) return;
  const auto frame = frames_.find(position->second);
  bytes_ -= frame->second.bytes.size();
  frames_.erase(frame);
  positions_.erase(position);
}

void UnrecordedRing::Clear() {
  frames_.clear();
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
