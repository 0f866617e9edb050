#pragma once

// What a participant knows of its own clock against the hub's (docs/time.md): the only place that
// turns DeviceTime into HubTime, and never without a bound on the error.
//
// Each probe (sent by the device, received and answered by the hub, arrived back) bounds the offset
// hub - device: it lies between `replied - arrived` and `received - sent`, whichever way the delay
// was split. The bounds grow with distance in time by kMaxRelativeDriftPpb. All probes of a window
// must agree: the estimate is the middle of what they have in common, so a short round trip counts
// for as long as its bound stays the tightest. The conversion is slewed towards the estimate; how
// far it still has to go is part of the bound.
//
// Probes that have nothing in common mean that a clock stepped: what was known is dropped, and
// the conversion starts anew from the newest probe. A step that is smaller than the bounds cannot
// be seen; neither clock makes one within a boot, and a changed boot id is a Reset.
//
// Thread-compatible value; lives on the link's sequence.

#include <cstdint>
#include <deque>
#include <optional>

#include "common/time.h"
#include "remora/v1/link.pb.h"

namespace remora {

// Device oscillator 100 ppm, hub oscillator 100 ppm, the hub's slew to UTC 500 ppm, and 300 ppm for
// an NTP daemon that steers the device's clock.
inline constexpr int64_t kMaxRelativeDriftPpb = 1'000'000;
// A window of two minutes at one probe each 2 s: after that even a perfect probe has grown
// to +-120 ms and says nothing.
inline constexpr size_t kClockWindowProbes = 60;
// How fast the conversion moves to a better estimate: 5 ms a second; converted times stay in order.
inline constexpr int64_t kMaxConversionSlewPpb = 5'000'000;

struct ClockProbeTimes {
  DeviceTime sent;
  HubTime received;
  HubTime replied;
  DeviceTime arrived;
};

// The true hub time lies within time +- bound.
struct BoundedHubTime {
  HubTime time;
  Duration bound;
};

class ClockModel {
 public:
  enum class Outcome {
    kTaken,
    kStepped,     // taken, and everything before it dropped: a clock stepped
    kImpossible,  // arrived before it was sent, or answered before it was received: not taken
  };

  explicit ClockModel(uint64_t device_boot_id) : boot_id_(device_boot_id) {}

  // The device or the hub started anew: nothing that was known holds.
  void Reset(uint64_t device_boot_id);

  Outcome AddProbe(const ClockProbeTimes& probe);

  // Nothing before the first probe. `time` may lie before or after the probes; the bound grows.
  std::optional<BoundedHubTime> ToHub(DeviceTime time) const;

  // As a record says it, at `now`. Nothing before the first probe.
  std::optional<v1::ClockEstimate> Estimate(DeviceTime now) const;

  uint64_t steps_seen() const { return steps_seen_; }

 private:
  // Bounds of the offset (hub - device, ns) at a device time.
  struct Interval {
    int64_t low;
    int64_t high;
    int64_t middle() const { return low + (high - low) / 2; }
    int64_t half_width() const { return (high - low + 1) / 2; }
  };
  struct Probe {
    DeviceTime sent;
    DeviceTime arrived;
    Interval offset;
  };

  static Interval At(const Probe& probe, DeviceTime time);
  Interval Common(DeviceTime time) const;
  // The slewed offset at `time`.
  int64_t ConversionOffset(DeviceTime time, const Interval& common) const;
  double DriftPpb() const;

  uint64_t boot_id_;
  std::deque<Probe> window_;
  // Where the slewed conversion stood when the last probe was taken.
  DeviceTime anchor_time_;
  int64_t anchor_offset_ns_ = 0;
  uint64_t steps_seen_ = 0;
};

}  // namespace remora
