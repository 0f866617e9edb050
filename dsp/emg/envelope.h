// EMG reduced to bins for a slow link and a wide screen: minimum, maximum and rms of each bin.
//
// One a channel, on the pipeline's sequence; thread-compatible. Bins are aligned to the first
// sample after construction or Restart(). Delay: a bin comes when its last sample does.
//
// A bin with a non-finite sample says how many, and measures the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::dsp {

// Longest bin: an envelope slower than this shows no burst.
inline constexpr double kMaxEnvelopeBinMs = 1000.0;

struct EnvelopeBin {
  std::uint64_t first_sample = 0;  // since construction or Restart
  std::uint32_t samples = 0;
  std::uint32_t non_finite_samples = 0;
  double min_uv = 0.0;  // NaN when no sample of the bin is finite (also max, rms)
  double max_uv = 0.0;
  double rms_uv = 0.0;  // about zero, not about the bin's mean: EMG is high-passed before
};

class EmgEnvelope {
 public:
  // Errors: kInvalidArgument.
  static absl::StatusOr<EmgEnvelope> Create(double sample_rate_hz, double bin_ms);

  // Appends each bin that is complete.
  void Push(std::span<const double> samples_uv, std::vector<EnvelopeBin>& bins);
  // After a gap: the part of a bin that is held is given out short, then sample 0 is next.
  void Restart(std::vector<EnvelopeBin>& bins);

  std::size_t samples_per_bin() const { return samples_per_bin_; }

 private:
  explicit EmgEnvelope(std::size_t samples_per_bin) : samples_per_bin_(samples_per_bin) {}
  // Of one bin.
  void Take(std::span<const double> samples_uv);
  void FinishBin(std::vector<EnvelopeBin>& bins);

  std::size_t samples_per_bin_;
  std::uint64_t next_sample_ = 0;
  EnvelopeBin bin_;
  double sum_of_squares_ = 0.0;
};

}  // namespace remora::dsp
