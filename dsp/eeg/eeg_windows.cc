#include "dsp/eeg/eeg_windows.h"

#include <algorithm>
#include <cmath>

namespace remora::dsp {

absl::StatusOr<EegWindows> EegWindows::Create(const EegWindowOptions& options) {
  constexpr double kLargestRateHz = 50'000.0;
  const double rate_hz = options.sample_rate_hz;
  if (!(rate_hz > 0.0 && rate_hz <= kLargestRateHz)) {
    return absl::InvalidArgumentError("the sample rate is out of range");
  }
  if (!(options.window_ms > 0.0 && options.window_ms <= kMaxEegWindowMs) ||
      !(options.step_ms > 0.0 && options.step_ms <= options.window_ms) ||
      options.step_ms * rate_hz < 1'000.0) {
    return absl::InvalidArgumentError("an EEG window or its step is out of range");
  }
  return EegWindows(options);
}

EegWindows::EegWindows(const EegWindowOptions& options) {
  const auto samples_of = [&](double ms) {
    return static_cast<std::size_t>(std::llround(ms * options.sample_rate_hz / 1000.0));
  };
  window_samples_ = samples_of(options.window_ms);
  step_samples_ = samples_of(options.step_ms);
  held_.reserve(window_samples_);
}

void EegWindows::Push(std::uint64_t first_sample, std::span<const double> samples_uv,
                      OnWindow on_window) {
  if (first_sample < next_sample_) {
    const std::uint64_t known = next_sample_ - first_sample;
    samples_uv = samples_uv.subspan(std::min<std::uint64_t>(known, samples_uv.size()));
  } else if (first_sample > next_sample_) {
    Restart();
    next_sample_ = first_sample;
  }
  for (const double sample : samples_uv) {
    ++next_sample_;
    if (!std::isfinite(sample)) {
      Restart();
      ++left_out_;
      continue;
    }
    held_.push_back(sample);
    if (held_.size() < window_samples_) continue;
    on_window(next_sample_ - window_samples_, held_);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(step_samples_));
    used_ = held_.size();
  }
}

void EegWindows::Restart() {
  left_out_ += held_.size() - used_;
  held_.clear();
  used_ = 0;
}

}  // namespace remora::dsp
