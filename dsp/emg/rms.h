// Root mean square of a stretch and of a sliding window. Thread-compatible.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace remora::dsp {

// NaN for an empty span or one with a non-finite sample: a mark, not a number.
double Rms(std::span<const double> samples_uv);

// Rms of the last `window_samples` (>= 1; fewer at the start), one output a sample. A non-finite
// sample counts as missing: it gives NaN while it is in the window and is gone when it leaves.
// The sum is refreshed each window length, so that no rounding gathers over hours.
class MovingRms {
 public:
  explicit MovingRms(std::size_t window_samples);
  void Reset();
  double Push(double sample_uv);
  void Process(std::span<const double> samples_uv, std::span<double> rms_uv);

 private:
  std::vector<double> squares_;
  std::size_t next_ = 0;
  std::size_t held_ = 0;
  std::size_t non_finite_ = 0;
  double sum_ = 0.0;
  double refreshed_sum_ = 0.0;
};

}  // namespace remora::dsp
