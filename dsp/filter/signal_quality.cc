#include "dsp/filter/signal_quality.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace remora::dsp {
namespace {

struct Extent {
  std::size_t finite = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double mean = 0.0;
  double mean_square = 0.0;  // about the mean
};

Extent Measure(std::span<const double> samples) {
  Extent extent;
  double sum = 0.0;
  for (const double sample : samples) {
    if (std::isfinite(sample)) {
      ++extent.finite;
      extent.low = std::min(extent.low, sample);
      extent.high = std::max(extent.high, sample);
      sum += sample;
    }
  }
  if (extent.finite == 0) return extent;
  extent.mean = sum / static_cast<double>(extent.finite);
  double squares = 0.0;
  for (const double sample : samples) {
    if (std::isfinite(sample)) squares += (sample - extent.mean) * (sample - extent.mean);
  }
  extent.mean_square = squares / static_cast<double>(extent.finite);
  return extent;
}

std::size_t CountClipped(std::span<const double> samples, const QualityLimits& limits) {
  return static_cast<std::size_t>(std::count_if(samples.begin(), samples.end(), [&](double sample) {
    return sample <= limits.clip_low_uv || sample >= limits.clip_high_uv;
  }));
}

double MainsFraction(std::span<const double> samples, double sample_rate_hz, double mean_square,
                     const QualityLimits& limits) {
  if (limits.mains_hz <= 0.0 || mean_square <= 0.0) return 0.0;
  if (static_cast<double>(samples.size()) * limits.mains_hz < 2.0 * sample_rate_hz) return 0.0;
  double power = 0.0;
  for (int harmonic = 1; harmonic <= limits.mains_harmonics; ++harmonic) {
    const double frequency_hz = limits.mains_hz * harmonic;
    if (frequency_hz >= sample_rate_hz / 2.0) break;
    power += PowerAt(samples, frequency_hz, sample_rate_hz);
  }
  return std::min(power / mean_square, 1.0);
}

}  // namespace

double PowerAt(std::span<const double> samples_uv, double frequency_hz, double sample_rate_hz) {
  const std::size_t count = samples_uv.size();
  if (count < 3) return 0.0;
  double sum = 0.0;
  for (const double sample : samples_uv) sum += sample;
  const double mean = sum / static_cast<double>(count);

  const double omega = 2.0 * std::numbers::pi * frequency_hz / sample_rate_hz;
  const double coefficient = 2.0 * std::cos(omega);
  const double window_step = 2.0 * std::numbers::pi / static_cast<double>(count);
  double previous = 0.0;
  double before_previous = 0.0;
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = 0.5 - 0.5 * std::cos(window_step * static_cast<double>(i));
    const double next = weight * (samples_uv[i] - mean) + coefficient * previous - before_previous;
    before_previous = previous;
    previous = next;
    weight_sum += weight;
  }
  const double magnitude_square = previous * previous + before_previous * before_previous -
                                  coefficient * previous * before_previous;
  return 2.0 * std::max(magnitude_square, 0.0) / (weight_sum * weight_sum);
}

BlockQuality AssessBlock(std::span<const double> samples_uv, double sample_rate_hz,
                         const QualityLimits& limits) {
  BlockQuality quality;
  const Extent extent = Measure(samples_uv);
  quality.non_finite_samples = samples_uv.size() - extent.finite;
  if (quality.non_finite_samples > 0) quality.marks |= kQualityNonFinite;
  if (extent.finite == 0) return quality;

  quality.range_uv = extent.high - extent.low;
  quality.rms_uv = std::sqrt(extent.mean_square);
  const double finite_ms = static_cast<double>(extent.finite) * 1000.0 / sample_rate_hz;
  if (quality.range_uv <= limits.flat_range_uv && finite_ms >= limits.flat_min_ms) {
    quality.marks |= kQualityFlat;
  }
  quality.clipped_samples = CountClipped(samples_uv, limits);
  if (quality.clipped_samples > 0) quality.marks |= kQualityClipping;
  if (quality.non_finite_samples == 0 && (quality.marks & kQualityFlat) == 0) {
    quality.mains_fraction = MainsFraction(samples_uv, sample_rate_hz, extent.mean_square, limits);
    if (quality.mains_fraction > limits.mains_max_fraction) quality.marks |= kQualityMains;
  }
  return quality;
}

}  // namespace remora::dsp
