#pragma once

// Clocks that a test moves by hand. Thread-safe, so that a ThreadExecutor may run on one.

#include <atomic>
#include <cstdint>

#include "common/clock.h"

namespace remora {

class FakeClock : public Clock {
 public:
  // Starts at 1,000 s after boot, on 2026-01-01 00:00 UTC.
  FakeClock() = default;

  DeviceTime Now() const override { return DeviceTime::FromNanoseconds(now_ns_.load()); }
  WallTime WallNow() const override { return WallTime::FromNanoseconds(wall_ns_.load()); }
  uint64_t boot_id() const override { return boot_id_.load(); }

  // Both clocks go on.
  void Advance(Duration by) {
    now_ns_ += by.nanoseconds();
    wall_ns_ += by.nanoseconds();
  }
  // UTC as the machine believes it jumps; the monotonic clock does not.
  void StepWall(Duration by) { wall_ns_ += by.nanoseconds(); }
  // What must not happen within a boot, for tests of those who notice.
  void StepMonotonic(Duration by) { now_ns_ += by.nanoseconds(); }
  // The machine starts anew: its monotonic clock begins at zero.
  void Reboot(uint64_t boot_id) {
    boot_id_ = boot_id;
    now_ns_ = 0;
  }

 private:
  std::atomic<int64_t> now_ns_{1'000'000'000'000};
  std::atomic<int64_t> wall_ns_{1'767'225'600'000'000'000};
  std::atomic<uint64_t> boot_id_{0x5eed};
};

// Another machine's clock: the same truth, with an offset of its own and a drift.
class DriftingClock : public Clock {
 public:
  DriftingClock(const Clock& truth, Duration offset, int64_t drift_ppb, uint64_t boot_id)
      : truth_(truth),
        start_(truth.Now()),
        offset_(offset),
        drift_ppb_(drift_ppb),
        boot_id_(boot_id) {}

  DeviceTime Now() const override { return truth_.Now() + offset_ + Drift(); }
  WallTime WallNow() const override { return truth_.WallNow() + wall_offset_ + Drift(); }
  uint64_t boot_id() const override { return boot_id_; }

  void Step(Duration by) { offset_ = offset_ + by; }
  void StepWall(Duration by) { wall_offset_ = wall_offset_ + by; }

 private:
  Duration Drift() const {
    const double elapsed_ns = static_cast<double>((truth_.Now() - start_).nanoseconds());
    return Duration::Nanoseconds(
        static_cast<int64_t>(elapsed_ns * (static_cast<double>(drift_ppb_) / 1e9)));
  }

  const Clock& truth_;
  const DeviceTime start_;
  Duration offset_;
  Duration wall_offset_;
  const int64_t drift_ppb_;
  const uint64_t boot_id_;
};

}  // namespace remora
