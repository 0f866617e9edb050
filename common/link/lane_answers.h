#pragma once

// What a hub has said of one lane of an origin: which numbers are on record, and which it has
// refused for good. No number is both: one that is refused is never reported as on record, even by
// a hub that counts it as held. Used by the outboxes. Thread-compatible value.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/seq_ranges.h"
#include "google/protobuf/repeated_field.h"
#include "remora/v1/room.pb.h"

namespace remora {

// The numbers of `lane` in a Joined or an Acknowledge, up to `last`: of what it was not sent a hub
// can know nothing.
inline SeqRanges NumbersOf(const google::protobuf::RepeatedPtrField<v1::LaneRanges>& lanes,
                           uint32_t lane, uint64_t last) {
  SeqRanges numbers;
  for (const v1::LaneRanges& one : lanes) {
    if (one.lane() != lane) continue;
    for (const v1::SeqRange& range : one.ranges()) {
      numbers.InsertRange(range.first(), std::min(range.last(), last));
    }
  }
  return numbers;
}

class LaneAnswers {
 public:
  // A Joined: these are all. What was refused before stays so where the hub counts it as held, and
  // where it has no journal yet to remember it (`has_journal`: the Joined has an epoch). Else it is
  // free again: a journal that has gone back waits for that number, and takes nothing behind it.
  void Restart(const SeqRanges& held, const SeqRanges& refused, bool has_journal) {
    const SeqRanges stays =
        has_journal ? refused_.Without(refused_.Without(held)) : std::exchange(refused_, {});
    held_ = SeqRanges();
    refused_ = refused;
    AddRefused(stays);
    AddHeld(held);
  }
  void AddHeld(const SeqRanges& held) {
    const SeqRanges on_record = held.Without(refused_);
    for (const SeqRanges::Range& range : on_record.ranges()) {
      held_.InsertRange(range.first, range.last);
    }
  }
  void AddRefused(const SeqRanges& refused) {
    if (refused.empty()) return;
    for (const SeqRanges::Range& range : refused.ranges()) {
      refused_.InsertRange(range.first, range.last);
    }
    held_ = held_.Without(refused_);
  }

  const SeqRanges& held() const { return held_; }
  const SeqRanges& refused() const { return refused_; }
  // Neither on record nor refused: to be offered.
  bool IsOpen(uint64_t seq) const { return !held_.Contains(seq) && !refused_.Contains(seq); }

 private:
  SeqRanges held_;
  SeqRanges refused_;
};

}  // namespace remora
