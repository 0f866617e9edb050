#pragma once

// The recent frames of a room, for followers that are a little behind: control (lanes 0-2) and bulk
// (3-5) apart, so that bulk never pushes an alert out. Bounded in bytes and age; what has left is
// read from the journal. Thread-compatible; sequence-bound to its room.

#include <cstdint>
#include <deque>
#include <functional>

#include "common/time.h"
#include "hub/record_frame.h"

namespace remora::hub {

class RecordRing {
 public:
  // `next_seq`: of the first record that will be added.
  explicit RecordRing(uint64_t next_seq) : control_{{}, 0, next_seq}, bulk_{{}, 0, next_seq} {}

  void Add(const RecordFrame& frame);
  // Lets go of what is older than `max_age`.
  void Trim(HubTime now, Duration max_age);

  // True when every record of the classes asked for, from `from_seq` on, is here.
  bool Covers(uint64_t from_seq, bool control, bool bulk) const;
  // Visits them in `seq` order until `visit` says false.
  void Visit(uint64_t from_seq, bool control, bool bulk,
             const std::function<bool(const RecordFrame&)>& visit) const;

  size_t bytes() const { return control_.bytes + bulk_.bytes; }

 private:
  struct Part {
    std::deque<RecordFrame> frames;
    size_t bytes = 0;
    // Everything of the class from this `seq` on is here.
    uint64_t first_seq = 1;
  };
  static void DropOldest(Part* part);

  Part control_;
  Part bulk_;
};

}  // namespace remora::hub
