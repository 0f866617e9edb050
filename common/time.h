#pragma once

// The three clocks of Remora, as three types that do not mix (docs/time.md).
//
//   DeviceTime  a participant's monotonic clock. For ages and intervals within one boot only.
//   HubTime     the hub's: UTC-anchored at its start, slewed, never stepped. For latency, ages.
//   WallTime    what a machine believes UTC to be. For the record and for people; never for order.
//
// Order is a record's `seq`, never a time. Only ClockModel converts between DeviceTime and HubTime,
// and it gives an error bound. All are int64 nanoseconds; immutable values.

#include <compare>
#include <cstdint>

namespace remora {

class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration Nanoseconds(int64_t ns) { return Duration(ns); }
  static constexpr Duration Microseconds(int64_t us) { return Duration(us * 1'000); }
  static constexpr Duration Milliseconds(int64_t ms) { return Duration(ms * 1'000'000); }
  static constexpr Duration Seconds(int64_t s) { return Duration(s * 1'000'000'000); }
  static constexpr Duration FromSeconds(double s) { return Duration(int64_t(s * 1e9)); }

  constexpr int64_t nanoseconds() const { return ns_; }
  constexpr double milliseconds() const { return static_cast<double>(ns_) / 1e6; }
  constexpr double seconds() const { return static_cast<double>(ns_) / 1e9; }

  constexpr auto operator<=>(const Duration&) const = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return Duration(a.ns_ + b.ns_); }
  friend constexpr Duration operator-(Duration a, Duration b) { return Duration(a.ns_ - b.ns_); }
  friend constexpr Duration operator*(Duration a, int64_t k) { return Duration(a.ns_ * k); }
  friend constexpr Duration operator/(Duration a, int64_t k) { return Duration(a.ns_ / k); }

 private:
  explicit constexpr Duration(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

// A point on one of the clocks; Tag tells which.
template <typename Tag>
class TimePoint {
 public:
  constexpr TimePoint() = default;
  static constexpr TimePoint FromNanoseconds(int64_t ns) { return TimePoint(ns); }
  constexpr int64_t nanoseconds() const { return ns_; }

  constexpr auto operator<=>(const TimePoint&) const = default;
  friend constexpr TimePoint operator+(TimePoint t, Duration d) {
    return TimePoint(t.ns_ + d.nanoseconds());
  }
  friend constexpr TimePoint operator-(TimePoint t, Duration d) {
    return TimePoint(t.ns_ - d.nanoseconds());
  }
  friend constexpr Duration operator-(TimePoint a, TimePoint b) {
    return Duration::Nanoseconds(a.ns_ - b.ns_);
  }

 private:
  explicit constexpr TimePoint(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

using DeviceTime = TimePoint<struct DeviceTimeTag>;
using HubTime = TimePoint<struct HubTimeTag>;
using WallTime = TimePoint<struct WallTimeTag>;

}  // namespace remora
