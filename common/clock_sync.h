#pragma once

// Whether something keeps this machine's UTC right (NTP, PTP, a host): a clock that nobody has set
// since the machine's start may be a month off. Thread-safe.

#include <memory>

namespace remora {

class ClockSync {
 public:
  virtual ~ClockSync() = default;
  // False also where the system does not say.
  virtual bool IsSynchronised() const = 0;
};

// What the kernel was told: adjtimex(2).
std::unique_ptr<ClockSync> MakeSystemClockSync();

}  // namespace remora
