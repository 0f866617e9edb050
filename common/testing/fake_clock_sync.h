#pragma once

// Says what a test has it say.

#include <atomic>

#include "common/clock_sync.h"

namespace remora {

class FakeClockSync final : public ClockSync {
 public:
  bool IsSynchronised() const override { return synchronised_; }
  void Set(bool synchronised) { synchronised_ = synchronised; }

 private:
  std::atomic<bool> synchronised_{false};
};

}  // namespace remora
