#include "hub/rooms/unrecorded_numbers.h"

#include <algorithm>

#include "common/limits.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

bool UnrecordedNumbers::Take(uint32_t origin_index, uint32_t lane, uint64_t number, uint64_t next) {
  if (lane >= kControlLaneCount) return TakeAccepted(origin_index, lane, number);
  uint64_t& last = last_[{origin_index, lane}];
  if (number != std::max(next, last + 1)) return false;
  last = number;
  return true;
}

bool UnrecordedNumbers::TakeAccepted(uint32_t origin_index, uint32_t lane, uint64_t number) {
  if (lane < kControlLaneCount) {
    uint64_t& last = last_[{origin_index, lane}];
    if (number <= last) return false;
    last = number;
    return true;
  }
  SeqRanges& numbers = numbers_[{origin_index, lane}];
  if (numbers.Contains(number)) return false;
  if (numbers.ranges().size() >= kMaxUnrecordedRanges && !numbers.Contains(number - 1)) {
    return false;
  }
  numbers.Insert(number);
  return true;
}

bool UnrecordedNumbers::WasShown(uint32_t origin_index, uint32_t lane, uint64_t number) const {
  if (lane < kControlLaneCount) return number <= LastOf(origin_index, lane);
  const auto it = numbers_.find({origin_index, lane});
  return it != numbers_.end() && it->second.Contains(number);
}

uint64_t UnrecordedNumbers::LastOf(uint32_t origin_index, uint32_t lane) const {
  const auto it = last_.find({origin_index, lane});
  return it == last_.end() ? 0 : it->second;
}

void UnrecordedNumbers::Clear() {
  last_.clear();
  numbers_.clear();
}

}  // namespace remora::hub
