#pragma once

// Latencies by their logarithm: 64 steps an octave, so that a quantile is off by under 1.6 %.
// Thread-safe.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

namespace remora::bench {

class LatencyHistogram {
 public:
  LatencyHistogram() : counts_(kSteps) {}

  void Add(int64_t ns) {
    const uint64_t value = ns > 0 ? static_cast<uint64_t>(ns) : 0;
    counts_[StepOf(value)].fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t count() const {
    uint64_t all = 0;
    for (const auto& count : counts_) all += count.load(std::memory_order_relaxed);
    return all;
  }
  // In microseconds; 0 when there is nothing. 1: the largest.
  double Quantile(double part) const {
    const uint64_t all = count();
    if (all == 0) return 0;
    const auto wanted = std::min(all - 1, static_cast<uint64_t>(part * static_cast<double>(all)));
    uint64_t seen = 0;
    for (size_t step = 0; step < kSteps; ++step) {
      seen += counts_[step].load(std::memory_order_relaxed);
      if (seen > wanted) return MiddleOf(step) / 1000.0;
    }
    return MiddleOf(kSteps - 1) / 1000.0;
  }

 private:
  static constexpr int kOctaveBits = 6;
  static constexpr size_t kOctave = size_t{1} << kOctaveBits;
  static constexpr size_t kSteps = kOctave * 42;  // up to some hours

  static size_t StepOf(uint64_t ns) {
    if (ns < kOctave) return ns;
    const int shift = std::bit_width(ns) - 1 - kOctaveBits;
    return std::min(kSteps - 1,
                    (static_cast<size_t>(shift) + 1) * kOctave + (ns >> shift) - kOctave);
  }
  static double MiddleOf(size_t step) {
    if (step < kOctave) return static_cast<double>(step);
    const size_t shift = step / kOctave - 1;
    return (static_cast<double>(kOctave + step % kOctave) + 0.5) *
           static_cast<double>(uint64_t{1} << shift);
  }

  std::vector<std::atomic<uint32_t>> counts_;
};

}  // namespace remora::bench
