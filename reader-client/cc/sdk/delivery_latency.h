#pragma once

// How long records took from capture at their origin to this reader, on the hub's time, with the
// uncertainty of both clocks. Sequence-bound.
//
// An origin publishes ClockEstimates (its offset to the hub's time); until the first one of an
// origin its records give no latency. Latencies are kept in a histogram of fixed size, so a case of
// hours costs no more than one of a minute. No latency is ever negative: one that comes out below
// zero within both clocks' bounds counts as its bound ("less than"), and one beyond them is none,
// since a clock must have stepped.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/clock_model.h"
#include "common/ids.h"
#include "remora/v1/link.pb.h"
#include "remora/v1/record.pb.h"

namespace remora::reader {

class DeliveryLatency {
 public:
  // The newest estimate of an origin's clock.
  void OnClockEstimate(const OriginId& origin, const v1::ClockEstimate& estimate);

  // A record of `origin`, captured so, arrived at `now`. The latency, if both clocks are known and
  // do not contradict each other.
  std::optional<Duration> OnRecord(const OriginId& origin, const v1::CapturedAt& captured,
                                   const BoundedHubTime& now);

  uint64_t count() const { return count_; }
  // Milliseconds; the quantile's bin is at most 5 % wide. 0 without records.
  double QuantileMs(double quantile) const;
  // For people: "12.3", or "< 4.0" where the quantile is no larger than the uncertainty.
  std::string QuantileText(double quantile) const;
  // The largest uncertainty (both clocks) of any latency, in ms.
  double largest_bound_ms() const { return largest_bound_ms_; }
  // Records that arrived before they were captured, beyond what the clocks' bounds allow.
  uint64_t contradictions() const { return contradictions_; }

 private:
  // Bins from 10 us on, each 5 % wider: 340 of them reach beyond two minutes.
  static constexpr int kBins = 340;
  static int BinOf(double ms);

  std::map<std::pair<OriginId, uint64_t>, v1::ClockEstimate> estimates_;
  std::array<uint64_t, kBins> bins_{};
  uint64_t count_ = 0;
  double largest_bound_ms_ = 0;
  uint64_t contradictions_ = 0;
};

}  // namespace remora::reader
