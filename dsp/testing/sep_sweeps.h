// Sweeps of a simulated median-nerve SEP in EEG and muscle noise, filtered as a pipeline does it.
// Test-only.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "dsp/evoked/timebase.h"
#include "dsp/filter/butterworth.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {

// EEG: power falls as 1/f from 1 to 500 Hz, rms 1. One-pole low-passes an octave apart.
class PinkNoise {
 public:
  PinkNoise(std::uint64_t seed, double sample_rate_hz) : noise_(seed) {
    for (std::size_t i = 0; i < kPoles; ++i) {
      const double corner_hz = std::exp2(static_cast<double>(i));
      keep_[i] = std::exp(-2.0 * std::numbers::pi * corner_hz / sample_rate_hz);
      gain_[i] = (1.0 - keep_[i]) / std::sqrt(corner_hz);
    }
    // Variance of the sum of the poles' outputs for white input of variance 1.
    double variance = 0.0;
    for (std::size_t i = 0; i < kPoles; ++i) {
      for (std::size_t j = 0; j < kPoles; ++j) {
        variance += gain_[i] * gain_[j] / (1.0 - keep_[i] * keep_[j]);
      }
    }
    scale_ = 1.0 / std::sqrt(variance);
  }

  double Next() {
    const double input = noise_.Gaussian();
    double sum = 0.0;
    for (std::size_t i = 0; i < kPoles; ++i) {
      held_[i] = keep_[i] * held_[i] + gain_[i] * input;
      sum += held_[i];
    }
    return scale_ * sum;
  }

 private:
  static constexpr std::size_t kPoles = 10;
  TestNoise noise_;
  std::array<double, kPoles> keep_{};
  std::array<double, kPoles> gain_{};
  std::array<double, kPoles> held_{};
  double scale_ = 1.0;
};

struct SepSweepsOptions {
  double response = 1.0;   // times N20 -1.5 uV at 19.5 ms, P25 +2 uV at 24 ms; 0: none
  double eeg_uv = 8.0;     // rms
  double emg_uv = 3.0;
  double interval_ms = 196.0;  // 5.1 stimuli a second
};

// Epochs of 0 to 50 ms at 5 kHz, filtered 30-500 Hz (causal, second order).
class SepSweeps {
 public:
  static constexpr double kRateHz = 5000.0;
  static constexpr std::size_t kSamples = 250;
  static Timebase timebase() { return {kRateHz, 0.0}; }

  SepSweeps(std::uint64_t seed, const SepSweepsOptions& options)
      : options_(options),
        eeg_(seed, kRateHz),
        emg_(seed ^ 0x5bd1e995u),
        filter_(*ButterworthBandPass(2, 30.0, 500.0, kRateHz)) {
    for (int i = 0; i < 20; ++i) Next();  // the filter settles
  }

  // The next sweep, valid until the one after it.
  const std::vector<double>& Next() {
    const auto samples = static_cast<std::size_t>(options_.interval_ms * kRateHz / 1000.0);
    stretch_.resize(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      stretch_[i] = options_.response * Response(1000.0 * static_cast<double>(i) / kRateHz);
      if (options_.eeg_uv > 0.0) stretch_[i] += options_.eeg_uv * eeg_.Next();
      if (options_.emg_uv > 0.0) stretch_[i] += options_.emg_uv * emg_.Gaussian();
    }
    filter_.Process(stretch_, stretch_);
    sweep_.assign(stretch_.begin(), stretch_.begin() + kSamples);
    return sweep_;
  }

 private:
  static double Bell(double ms, double latency_ms, double width_ms) {
    const double t = (ms - latency_ms) * 2.3548 / width_ms;  // full width at half maximum
    return std::exp(-0.5 * t * t);
  }
  static double Response(double ms) {
    return -1.5 * Bell(ms, 19.5, 1.8) + 2.0 * Bell(ms, 24.0, 3.0);
  }

  SepSweepsOptions options_;
  PinkNoise eeg_;
  TestNoise emg_;
  StreamingFilter filter_;
  std::vector<double> stretch_;
  std::vector<double> sweep_;
};

}  // namespace remora::dsp
