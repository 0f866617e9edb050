// Maps the samples of an epoch to milliseconds after the stimulus. Value type, thread-compatible.
#pragma once

#include <cmath>
#include <cstddef>

namespace remora::dsp {

struct Timebase {
  double sample_rate_hz = 0.0;
  double start_ms = 0.0;  // latency of sample 0; negative: before the stimulus

  double LatencyMs(double sample) const { return start_ms + sample * 1000.0 / sample_rate_hz; }
  double Sample(double latency_ms) const {
    return (latency_ms - start_ms) * sample_rate_hz / 1000.0;
  }
  double StepMs() const { return 1000.0 / sample_rate_hz; }

  friend bool operator==(const Timebase&, const Timebase&) = default;
};

// A stretch of latencies, both ends included.
struct LatencyWindow {
  double start_ms = 0.0;
  double end_ms = 0.0;

  bool Contains(double latency_ms) const { return latency_ms >= start_ms && latency_ms <= end_ms; }
  friend bool operator==(const LatencyWindow&, const LatencyWindow&) = default;
};

struct SampleRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

// Whole samples inside `window`, clipped to an epoch of `samples`. count 0: none.
inline SampleRange SamplesIn(const LatencyWindow& window, const Timebase& timebase,
                             std::size_t samples) {
  const double tolerance = 1e-6;  // of a sample: 19.5 ms at 4 kHz is sample 78, not 77.99999
  const double first = std::ceil(timebase.Sample(window.start_ms) - tolerance);
  const double last = std::floor(timebase.Sample(window.end_ms) + tolerance);
  const double low = std::fmax(first, 0.0);
  const double high = std::fmin(last, static_cast<double>(samples) - 1.0);
  if (!(high >= low)) return {};
  return {static_cast<std::size_t>(low), static_cast<std::size_t>(high - low) + 1};
}

}  // namespace remora::dsp
