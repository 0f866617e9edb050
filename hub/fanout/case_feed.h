#pragma once

// What a follow needs of its case. Declared here by its user; participants puts it in front of a
// room. Sequence-bound to the hub; outlives the follow.

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/shared_bytes.h"
#include "hub/record_frame.h"

namespace remora::hub {

// What is on disk.
struct FeedHead {
  uint64_t seq = 0;
  std::array<uint64_t, kLaneCount> lane_seq{};
};

// A page of the journal: frames in `seq` order. `next_seq` 0: read to the end of the range.
struct FeedPage {
  SharedBytes frames;
  uint64_t next_seq = 0;
};

class CaseFeed {
 public:
  virtual ~CaseFeed() = default;
  virtual const CaseId& case_id() const = 0;
  virtual uint32_t epoch() const = 0;
  virtual FeedHead head() const = 0;
  // True when all records of the classes asked for, from `from_seq` on, can be visited.
  virtual bool CoversRecent(uint64_t from_seq, bool control, bool bulk) const = 0;
  // In `seq` order, until `visit` says false.
  virtual void VisitRecent(uint64_t from_seq, bool control, bool bulk,
                           const std::function<bool(const RecordFrame&)>& visit) const = 0;
  // Reads beside the live path; `done` comes later on the hub's sequence, unless the feed is gone.
  virtual void ReadJournal(uint64_t from_seq, uint64_t to_seq, bool control, bool bulk,
                           size_t max_bytes,
                           std::function<void(absl::StatusOr<FeedPage>)> done) = 0;
  // Records of lanes 0-1 that are shown and not on disk, from a position on, until `visit` says
  // false; returns where to go on. None for a follower that cannot show the mark.
  virtual uint64_t VisitUnrecorded(uint64_t position,
                                   const std::function<bool(const RecordFrame&)>& visit) const = 0;
  // The position behind the newest of them.
  virtual uint64_t unrecorded_end() const = 0;
  // A v1::Snapshot of what is on disk.
  virtual std::string EncodeSnapshot(uint32_t follow_id, absl::string_view cause) = 0;
};

// Which lanes a follow wants.
struct LaneSet {
  std::array<bool, kLaneCount> wanted{};
  bool control() const { return wanted[0] || wanted[1] || wanted[2]; }
  bool bulk() const { return wanted[3] || wanted[4] || wanted[5]; }
  static LaneSet All() { return {{true, true, true, true, true, true}}; }
};

}  // namespace remora::hub
