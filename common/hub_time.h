#pragma once

// The hub's time (docs/time.md): taken from UTC once, at the start, then carried by the monotonic
// clock and drawn towards UTC by at most 500 ppm. It never steps and never goes back, whatever an
// administrator or NTP does to the wall clock. One for a hub process; thread-safe.

#include "common/clock.h"
#include "common/mutex.h"
#include "common/time.h"

namespace remora {

// As adjtime(3) does it: an hour's error takes 83 days, a second's 33 minutes.
inline constexpr int64_t kMaxHubSlewPpm = 500;

class HubTimeSource {
 public:
  // `clock` outlives it. Starts at UTC, or at `floor` where UTC is before that: the last
  // `recorded_at` of the journal.
  explicit HubTimeSource(const Clock& clock, HubTime floor = HubTime());

  // Never before what an earlier call returned, on any thread.
  HubTime Now();
  // As Now, and not before `floor`, which need not be a time that this source gave: the last
  // `recorded_at` of a case. The source itself does not move.
  HubTime NowNotBefore(HubTime floor);

  // UTC minus hub time: how far there is still to slew.
  Duration BehindUtc();

 private:
  HubTime Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  DeviceTime anchor_device_ ABSL_GUARDED_BY(mutex_);
  HubTime anchor_hub_ ABSL_GUARDED_BY(mutex_);
  HubTime last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora
