#include "dsp/emg/rms.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace remora::dsp {

double Rms(std::span<const double> samples_uv) {
  double squares = 0.0;
  for (const double sample : samples_uv) squares += sample * sample;
  if (samples_uv.empty() || !std::isfinite(squares)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return std::sqrt(squares / static_cast<double>(samples_uv.size()));
}

MovingRms::MovingRms(std::size_t window_samples)
    : squares_(std::max<std::size_t>(window_samples, 1), 0.0) {}

void MovingRms::Reset() {
  std::fill(squares_.begin(), squares_.end(), 0.0);
  next_ = held_ = non_finite_ = 0;
  sum_ = refreshed_sum_ = 0.0;
}

double MovingRms::Push(double sample_uv) {
  const double square = sample_uv * sample_uv;
  double& slot = squares_[next_];
  if (held_ == squares_.size()) {
    if (std::isfinite(slot)) {
      sum_ -= slot;
    } else {
      --non_finite_;
    }
  } else {
    ++held_;
  }
  slot = square;
  if (std::isfinite(square)) {
    sum_ += square;
    refreshed_sum_ += square;
  } else {
    ++non_finite_;
  }
  if (++next_ == squares_.size()) {
    // One whole window has been added from zero: it replaces the sum that adds and subtracts.
    next_ = 0;
    sum_ = refreshed_sum_;
    refreshed_sum_ = 0.0;
  }
  if (non_finite_ > 0) return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(std::max(sum_, 0.0) / static_cast<double>(held_));
}

void MovingRms::Process(std::span<const double> samples_uv, std::span<double> rms_uv) {
  const std::size_t samples = std::min(samples_uv.size(), rms_uv.size());
  for (std::size_t i = 0; i < samples; ++i) rms_uv[i] = Push(samples_uv[i]);
}

}  // namespace remora::dsp
