#pragma once

// What a program showed to its reader, as records (docs/freshness.md): when something changed, at
// most each 2 s, and at least each 30 s. Of one case; says what is due, and whoever owns it
// publishes.
//
// What screens write by themselves (views, clock estimates) is no news: views would call for more
// of themselves. Sequence-bound.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/clock_model.h"
#include "common/record_codec.h"
#include "remora/v1/link.pb.h"
#include "remora/v1/record.pb.h"

namespace remora::reader {

inline constexpr Duration kSeenAtMostEach = Duration::Seconds(2);
inline constexpr Duration kSeenAtLeastEach = Duration::Seconds(30);
// As the contract has it.
inline constexpr size_t kMaxSeenTraces = 64;
// What is beyond is not on record either: the flag stays.
inline constexpr size_t kMaxSeenUnrecorded = 1'000;

class AsSeen {
 public:
  AsSeen(uint64_t screen_id, v1::SeenMode mode) : screen_id_(screen_id), mode_(mode) {}

  // A record was shown; also those of a snapshot's clock estimates, which tell the age of the
  // others.
  void Show(const StampedRecord& stamped, const v1::Record& record);

  struct Link {
    v1::LinkCondition condition = v1::LINK_CONDITION_UNSPECIFIED;
    Duration age;
  };
  // What is due now. `hub_now` may be unknown: then ages are, too.
  std::optional<v1::ViewSeen> Take(DeviceTime now, const Link& link,
                                   const std::optional<BoundedHubTime>& hub_now);

 private:
  struct Shown {
    v1::RecordId newest;
    std::string clock;  // origin and boot
    int64_t captured_ns = 0;
    int64_t recorded_ns = 0;
    bool unrecorded = false;
    // Made later than `other` by the same clock; else recorded later.
    bool IsNewerThan(const Shown& other) const {
      return clock == other.clock && captured_ns != other.captured_ns
                 ? captured_ns > other.captured_ns
                 : recorded_ns >= other.recorded_ns;
    }
  };
  // Replaces one that is older; false: it stays.
  static bool Put(const Shown& shown, std::optional<Shown>* newest);
  // -1: not known.
  double AgeMs(const Shown& shown, const std::optional<BoundedHubTime>& hub_now) const;

  const uint64_t screen_id_;
  const v1::SeenMode mode_;
  std::map<std::string, int64_t> offsets_ns_;  // by origin and boot
  std::map<std::string, std::optional<Shown>> traces_;
  std::optional<Shown> finished_;  // the newest trial that ended
  std::optional<Shown> acquired_;
  uint64_t control_seq_ = 0;
  uint64_t head_seq_ = 0;
  // Of lanes 0-1, shown and not on record yet: at most kMaxSeenUnrecorded.
  std::set<RecordKey> unrecorded_events_;
  bool news_ = true;
  v1::LinkCondition told_link_ = v1::LINK_CONDITION_UNSPECIFIED;
  std::optional<DeviceTime> told_at_;
};

}  // namespace remora::reader
