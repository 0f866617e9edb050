#pragma once

// The clocks of this machine, handed in wherever time is needed: a test can be its own clock.
// Thread-safe.

#include <cstdint>
#include <memory>

#include "common/time.h"

namespace remora {

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic; goes on while the machine sleeps.
  virtual DeviceTime Now() const = 0;
  // What the machine believes UTC to be; may step.
  virtual WallTime WallNow() const = 0;
  // Random at each boot of the machine (or start of the clock): device times of different boots do
  // not compare.
  virtual uint64_t boot_id() const = 0;
};

// CLOCK_BOOTTIME and CLOCK_REALTIME. The one place that reads them.
std::unique_ptr<Clock> MakeSystemClock();

}  // namespace remora
