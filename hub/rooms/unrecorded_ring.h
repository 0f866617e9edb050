#pragma once

// Records of lanes 0-1 that are shown and not on disk, for followers that come or are behind: each
// has a position here, and no queue. What gets on disk leaves: it is shown with its `seq` then, and
// never without afterwards. Thread-compatible; sequence-bound to its room.
//
// Bounded in bytes. What leaves first: what screens write by themselves (views, clocks), then lane
// 1, then what is no alert, then alerts; of each the oldest. It comes with its `seq`.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "hub/record_frame.h"

namespace remora::hub {

class UnrecordedRing {
 public:
  // Returns how many left for want of space; what screens write is not counted.
  uint64_t Add(const RecordFrame& frame);
  // `recorded` is on disk.
  void Remove(const RecordFrame& recorded);
  void Clear();

  bool empty() const { return frames_.empty(); }
  // The position behind the newest.
  uint64_t end() const { return end_; }
  // From a position on, in the order of their coming, until `visit` says false; returns where to go
  // on.
  uint64_t Visit(uint64_t from, const std::function<bool(const RecordFrame&)>& visit) const;

 private:
  using Key = std::tuple<uint32_t, uint32_t, uint64_t>;  // origin, lane, number
  static Key KeyOf(const RecordFrame& frame) {
    return {frame.origin_index, frame.lane, frame.origin_seq};
  }

  std::map<uint64_t, RecordFrame> frames_;      // by position
  std::set<std::pair<int, uint64_t>> leaving_;  // rank and position: the first leaves first
  std::map<Key, uint64_t> positions_;
  size_t bytes_ = 0;
  uint64_t end_ = 0;
};

}  // namespace remora::hub
