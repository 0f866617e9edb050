#include "dsp/emg/envelope.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/filter/butterworth.h"

namespace remora::dsp {

absl::StatusOr<EmgEnvelope> EmgEnvelope::Create(double sample_rate_hz, double bin_ms,
                                                double smoothing_corner_hz) {
  const absl::StatusOr<Cascade> smoother =
      ButterworthLowPass(2, smoothing_corner_hz, sample_rate_hz);
  if (!smoother.ok()) return smoother.status();
  const double samples = std::round(bin_ms * sample_rate_hz / 1000.0);
  if (!(bin_ms <= kMaxEnvelopeBinMs) || !(samples >= 1.0)) {
    return absl::InvalidArgumentError(absl::StrCat("envelope bin ", bin_ms,
                                                   " ms: must hold a sample and be at most ",
                                                   kMaxEnvelopeBinMs, " ms"));
  }
  return EmgEnvelope(static_cast<std::size_t>(samples), StreamingFilter(*smoother));
}

EmgEnvelope::EmgEnvelope(std::size_t samples_per_bin, StreamingFilter smoother)
    : samples_per_bin_(samples_per_bin), smoother_(std::move(smoother)) {}

void EmgEnvelope::Take(double sample_uv) {
  if (bin_.samples++ == 0) {
    bin_.first_sample = next_sample_;
    bin_.min_uv = std::numeric_limits<double>::infinity();
    bin_.max_uv = -std::numeric_limits<double>::infinity();
  }
  ++next_sample_;
  // The same bound as the filter's: what it would not take is not measured either.
  if (!(std::abs(sample_uv) <= kLargestSample)) {
    ++bin_.non_finite_samples;
    smoother_.ResetToNextSample();
    return;
  }
  bin_.min_uv = std::min(bin_.min_uv, sample_uv);
  bin_.max_uv = std::max(bin_.max_uv, sample_uv);
  sum_of_squares_ += sample_uv * sample_uv;
  const double rectified = std::abs(sample_uv);
  smoother_.Process({&rectified, 1}, {&bin_.smoothed_uv, 1});
}

void EmgEnvelope::FinishBin(std::vector<EnvelopeBin>& bins) {
  const std::uint32_t finite = bin_.samples - bin_.non_finite_samples;
  if (finite > 0) {
    bin_.rms_uv = std::sqrt(sum_of_squares_ / finite);
    bin_.smoothed_uv = std::max(bin_.smoothed_uv, 0.0);  // a low-pass may undershoot
  } else {
    bin_.min_uv = bin_.max_uv = bin_.rms_uv = bin_.smoothed_uv =
        std::numeric_limits<double>::quiet_NaN();
  }
  bins.push_back(bin_);
  bin_ = {};
  sum_of_squares_ = 0.0;
}

void EmgEnvelope::Push(std::span<const double> samples_uv, std::vector<EnvelopeBin>& bins) {
  for (const double sample : samples_uv) {
    Take(sample);
    if (bin_.samples == samples_per_bin_) FinishBin(bins);
  }
}

void EmgEnvelope::Restart(std::vector<EnvelopeBin>& bins) {
  if (bin_.samples > 0) FinishBin(bins);
  next_sample_ = 0;
  smoother_.ResetToNextSample();
}

}  // namespace remora::dsp
