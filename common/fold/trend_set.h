#pragma once

// The trends of a case: amplitude and latency of each trace and component over time, thinned so
// that a long case stays small. Part of the fold; depends on the points put in alone.
//
// When a trend is full, every other point leaves that is neither the first, the last nor on either
// side of a change of state: a criterion crossing always stays. If crossings alone fill it, the
// oldest points leave. Thread-compatible value.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "remora/v1/room.pb.h"
#include "remora/v1/waveform.pb.h"

namespace remora {

class TrendSet {
 public:
  struct Point {
    int64_t made_unix_ns = 0;
    float amplitude_uv = 0;
    float latency_ms = 0;
    // 0: there is no baseline. A lost response of exactly 0 has the smallest positive number.
    float amplitude_percent_of_baseline = 0;
    float latency_change_percent = 0;
    v1::MeasurementState state = v1::MEASUREMENT_STATE_UNSPECIFIED;
    uint64_t seq = 0;
    v1::MarkConfidence confidence = v1::MARK_CONFIDENCE_UNSPECIFIED;
  };

  // `made_unix_ns`: of the trial, as far as its origin's clock is known.
  void Add(const v1::Measurement& measurement, uint64_t seq, int64_t made_unix_ns);
  void Restore(const v1::Trend& trend);
  void FillProto(v1::CaseState* state) const;

  // The smallest amplitude, in percent of baseline, of each minute of the hour that ends at
  // `until_unix_ns`, oldest first; minutes without a measurement that has a baseline are left out.
  std::vector<float> WorstOfLastHour(int64_t until_unix_ns) const;

  using TrendKey = std::pair<std::string, std::string>;  // trace, component
  const std::map<TrendKey, std::vector<Point>>& trends() const { return trends_; }

 private:
  size_t PointLimit() const;
  static void Thin(std::vector<Point>* points, size_t limit);

  std::map<TrendKey, std::vector<Point>> trends_;
};

}  // namespace remora
