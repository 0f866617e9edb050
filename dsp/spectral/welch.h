// Estimates the power spectrum of a stretch of a signal: the mean over half-overlapping segments,
// each freed of its mean and weighted by a Hann window (Welch 1967). Scaled so that the integral
// over frequency is the mean square of the signal.
//
// One an analysis, on its sequence; thread-compatible. Holds the plan of the transform and its
// buffers: Estimate allocates only the result. FFTW plans are made under a lock of this library,
// since FFTW's planner is one for the process. The only folder that links FFTW.
//
// Accuracy: on recorded EEG, band powers within 1 % of SciPy's (dsp/eeg/recorded_eeg_test.cc).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/spectral/spectrum.h"

namespace remora::dsp {

// 8 s at 8 kHz.
inline constexpr std::size_t kMaxSegmentSamples = 65'536;

struct WelchOptions {
  double sample_rate_hz = 0.0;
  std::size_t segment_samples = 0;  // resolution is rate / this; even, 8 to kMaxSegmentSamples
};

class WelchEstimator {
 public:
  // Errors: kInvalidArgument -> rate or segment out of range.
  static absl::StatusOr<WelchEstimator> Create(const WelchOptions& options);
  WelchEstimator(WelchEstimator&&) noexcept;
  WelchEstimator& operator=(WelchEstimator&&) noexcept;
  ~WelchEstimator();

  // Errors: kInvalidArgument -> shorter than a segment, or a sample is not finite: a gap or an
  // artefact is no signal, and the caller says how much of it there was.
  absl::StatusOr<Spectrum> Estimate(std::span<const double> samples_uv);

  std::size_t segment_samples() const;

 private:
  class Transform;

  WelchEstimator(const WelchOptions& options, std::unique_ptr<Transform> transform);

  WelchOptions options_;
  std::vector<double> window_;
  double window_power_ = 0.0;  // sum of squares
  std::unique_ptr<Transform> transform_;
};

}  // namespace remora::dsp
