// How long the theatre's disk lasts, from what a case writes: measured lane by lane over the last
// minutes, and as planned for a lane of which nothing has come yet (evoked responses, before the
// first average). Pure; thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "common/limits.h"
#include "common/time.h"

namespace remora::agent {

using LaneBytes = std::array<uint64_t, kLaneCount>;
using LaneRates = std::array<double, kLaneCount>;  // bytes a second

class SpaceForecast {
 public:
  explicit SpaceForecast(const LaneRates& planned) : planned_(planned) {}

  // What was written of each lane since the program's start. Kept each kForecastSample.
  void Measure(DeviceTime now, const LaneBytes& written);

  // Of one lane, and of all. As planned until kMinMeasured has passed, and until the lane has any.
  double BytesPerSecond(uint32_t lane) const;
  double BytesPerSecond() const;
  // True when some of it is measured.
  bool is_measured() const;
  // Until `free_bytes` are written; at most kLongestForecast.
  Duration TimeLeft(uint64_t free_bytes) const;

 private:
  struct Sample {
    DeviceTime at;
    LaneBytes written{};
  };

  const LaneRates planned_;
  std::deque<Sample> samples_;  // oldest first
};

}  // namespace remora::agent
