#pragma once

// Where one follow of a case is: what it has had, and so what is new, and where the next session
// starts. Sequence-bound to its link.
//
// A follow has a place a lane: its last record there. A LIVE one gets each lane in `seq` order, but
// lanes overtake each other; a COMPLETE one gets all lanes in one order. A journal that has gone
// back starts a new, higher epoch; from its first record on, places at or behind it are not
// had any more.

#include <array>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "common/shared_bytes.h"
#include "remora/v1/room.pb.h"

namespace remora {

class FollowCursor {
 public:
  enum class Verdict {
    kNew,
    kNewAfterHole,  // a complete follow of all lanes, and `seq` is not the next one
    kDuplicate,
  };

  // Starts where `follow` says.
  explicit FollowCursor(const v1::Follow& follow);

  // What to do with a record that came; `bytes` with its stamp, within `message`. Moves on if it is
  // new.
  Verdict Take(const StampedRecord& record, absl::string_view bytes, const SharedBytes& message);

  // A snapshot: the follow begins here.
  void Reset(const v1::Cursor& cursor);

  // False while there is nothing to go on from.
  bool has_place() const { return has_place_; }
  v1::Cursor ToProto() const;

 private:
  struct Place {
    uint64_t seq = 0;
    // Of the record there: as told, or to be had from its bytes, which `message` keeps alive.
    uint64_t digest = 0;
    absl::string_view bytes;
    SharedBytes message;

    uint64_t Digest() const { return bytes.empty() ? digest : RecordDigest(bytes); }
  };

  bool TakeUnrecorded(const RecordKey& key);
  void GoBackBefore(uint64_t seq);

  const bool complete_;
  const bool all_lanes_;
  std::array<bool, kLaneCount> lanes_{};
  bool has_place_ = false;
  uint32_t epoch_ = 0;
  std::array<Place, kLaneCount> places_;
  // The largest `seq` had, in any lane.
  Place last_;
  // Shown UNRECORDED and not yet recorded, oldest first: at most kMaxUnrecordedKeys.
  absl::flat_hash_set<RecordKey> unrecorded_;
  std::deque<RecordKey> unrecorded_order_;
};

}  // namespace remora
