#include "dsp/filter/signal_quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace remora::dsp {
namespace {

struct Extent {
  std::size_t finite = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double mean = 0.0;
  double mean_square = 0.0;  // about the mean
};

// Sums wait for their own last value: several side by side do not wait for each other.
constexpr std::size_t kSumsAtOnce = 4;
using Sums = std::array<double, kSumsAtOnce>;

std::size_t CountFinite(std::span<const double> samples) {
  std::size_t finite = 0;
  for (const double sample : samples) {
    finite += std::abs(sample) <= std::numeric_limits<double>::max() ? 1 : 0;
  }
  return finite;
}

// Calls take(k, sample) with each sample that is finite, k = 0 .. kSumsAtOnce - 1 in turn.
template <typename Take>
void TakeEach(std::span<const double> samples, bool all_finite, const Take& take) {
  if (!all_finite) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (std::isfinite(samples[i])) take(i % kSumsAtOnce, samples[i]);
    }
    return;
  }
  // Without a branch, so that it runs on vectors.
  const std::size_t whole = samples.size() - samples.size() % kSumsAtOnce;
  for (std::size_t i = 0; i < whole; i += kSumsAtOnce) {
    for (std::size_t k = 0; k < kSumsAtOnce; ++k) take(k, samples[i + k]);
  }
  for (std::size_t i = whole; i < samples.size(); ++i) take(i - whole, samples[i]);
}

Extent Measure(std::span<const double> samples) {
  Extent extent;
  extent.finite = CountFinite(samples);
  if (extent.finite == 0) return extent;
  const bool all_finite = extent.finite == samples.size();
  Sums sums{};
  Sums low;
  Sums high;
  low.fill(extent.low);
  high.fill(extent.high);
  TakeEach(samples, all_finite, [&](std::size_t k, double sample) {
    low[k] = std::min(low[k], sample);
    high[k] = std::max(high[k], sample);
    sums[k] += sample;
  });
  extent.low = *std::min_element(low.begin(), low.end());
  extent.high = *std::max_element(high.begin(), high.end());
  extent.mean = (sums[0] + sums[1] + sums[2] + sums[3]) / static_cast<double>(extent.finite);
  Sums squares{};
  TakeEach(samples, all_finite, [&, mean = extent.mean](std::size_t k, double sample) {
    const double from_mean = sample - mean;
    squares[k] += from_mean * from_mean;
  });
  extent.mean_square =
      (squares[0] + squares[1] + squares[2] + squares[3]) / static_cast<double>(extent.finite);
  return extent;
}

std::size_t CountClipped(std::span<const double> samples, const QualityLimits& limits) {
  return static_cast<std::size_t>(std::count_if(samples.begin(), samples.end(), [&](double sample) {
    return sample <= limits.clip_low_uv || sample >= limits.clip_high_uv;
  }));
}

// Goertzel's recurrence under a Hann window, for several frequencies in one pass: each waits for
// its own last value only. The window turns along with it: a cosine costs more than all the rest.
template <std::size_t kCount>
std::array<double, kCount> PowersAt(std::span<const double> samples, double mean,
                                    const std::array<double, kCount>& frequencies_hz,
                                    double sample_rate_hz) {
  std::array<double, kCount> powers{};
  const std::size_t count = samples.size();
  if (count < 3) return powers;
  std::array<double, kCount> coefficient;
  for (std::size_t k = 0; k < kCount; ++k) {
    coefficient[k] = 2.0 * std::cos(2.0 * std::numbers::pi * frequencies_hz[k] / sample_rate_hz);
  }
  const double window_step = 2.0 * std::numbers::pi / static_cast<double>(count);
  const double turn_cos = std::cos(window_step);
  const double turn_sin = std::sin(window_step);
  double window_cos = 1.0;
  double window_sin = 0.0;
  std::array<double, kCount> previous{};
  std::array<double, kCount> before{};
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = 0.5 - 0.5 * window_cos;
    const double weighted = weight * (samples[i] - mean);
    for (std::size_t k = 0; k < kCount; ++k) {
      const double next = weighted + coefficient[k] * previous[k] - before[k];
      before[k] = previous[k];
      previous[k] = next;
    }
    weight_sum += weight;
    const double next_cos = window_cos * turn_cos - window_sin * turn_sin;
    window_sin = window_sin * turn_cos + window_cos * turn_sin;
    window_cos = next_cos;
  }
  for (std::size_t k = 0; k < kCount; ++k) {
    const double square = previous[k] * previous[k] + before[k] * before[k] -
                          coefficient[k] * previous[k] * before[k];
    powers[k] = 2.0 * std::max(square, 0.0) / (weight_sum * weight_sum);
  }
  return powers;
}

constexpr std::size_t kHarmonicsAtOnce = 3;
// Mains are looked for in means of neighbouring samples, as many as leave this rate for a period of
// the highest harmonic: what folds in from above is weakened 100 times in power.
constexpr double kMeansAPeriod = 16.0;

// Means of `step` samples each; what is over at the end is left out.
std::vector<double> MeansOf(std::span<const double> samples, std::size_t step) {
  std::vector<double> means(samples.size() / step);
  for (std::size_t i = 0; i < means.size(); ++i) {
    double sum = 0.0;
    for (const double sample : samples.subspan(i * step, step)) sum += sample;
    means[i] = sum / static_cast<double>(step);
  }
  return means;
}

// What such a mean leaves of a frequency's amplitude.
double LeftByMeans(double frequency_hz, double sample_rate_hz, std::size_t step) {
  const double half_turn = std::numbers::pi * frequency_hz / sample_rate_hz;
  return std::sin(half_turn * static_cast<double>(step)) /
         (static_cast<double>(step) * std::sin(half_turn));
}

double MainsFraction(std::span<const double> samples, double sample_rate_hz, const Extent& extent,
                     const QualityLimits& limits) {
  const double mean_square = extent.mean_square;
  if (limits.mains_hz <= 0.0 || mean_square <= 0.0) return 0.0;
  if (static_cast<double>(samples.size()) * limits.mains_hz < 2.0 * sample_rate_hz) return 0.0;
  const double highest_hz = limits.mains_hz * std::max(limits.mains_harmonics, 1);
  const auto step = static_cast<std::size_t>(
      std::clamp(sample_rate_hz / (kMeansAPeriod * highest_hz), 1.0, 1000.0));
  const std::vector<double> means = step > 1 ? MeansOf(samples, step) : std::vector<double>();
  const double means_hz = sample_rate_hz / static_cast<double>(step);
  double power = 0.0;
  for (int first = 1; first <= limits.mains_harmonics; first += kHarmonicsAtOnce) {
    std::array<double, kHarmonicsAtOnce> frequencies_hz;
    for (std::size_t k = 0; k < kHarmonicsAtOnce; ++k) {
      frequencies_hz[k] = limits.mains_hz * (first + static_cast<int>(k));
    }
    const auto powers = PowersAt(step > 1 ? std::span<const double>(means) : samples, extent.mean,
                                 frequencies_hz, means_hz);
    for (std::size_t k = 0; k < kHarmonicsAtOnce; ++k) {
      const bool wanted = first + static_cast<int>(k) <= limits.mains_harmonics;
      if (!wanted || frequencies_hz[k] >= sample_rate_hz / 2.0) continue;
      const double left = LeftByMeans(frequencies_hz[k], sample_rate_hz, step);
      power += powers[k] / (left * left);
    }
  }
  return std::min(power / mean_square, 1.0);
}

}  // namespace

double PowerAt(std::span<const double> samples_uv, double frequency_hz, double sample_rate_hz) {
  double sum = 0.0;
  for (const double sample : samples_uv) sum += sample;
  const double mean = sum / static_cast<double>(std::max<std::size_t>(1, samples_uv.size()));
  return PowersAt<1>(samples_uv, mean, {frequency_hz}, sample_rate_hz)[0];
}

BlockQuality AssessBlock(std::span<const double> samples_uv, double sample_rate_hz,
                         const QualityLimits& limits) {
  BlockQuality quality;
  const Extent extent = Measure(samples_uv);
  quality.non_finite_samples = samples_uv.size() - extent.finite;
  if (quality.non_finite_samples > 0) quality.marks |= kQualityNonFinite;
  if (extent.finite == 0) return quality;

  quality.low_uv = extent.low;
  quality.high_uv = extent.high;
  quality.range_uv = extent.high - extent.low;
  quality.rms_uv = std::sqrt(extent.mean_square);
  const double finite_ms = static_cast<double>(extent.finite) * 1000.0 / sample_rate_hz;
  if (quality.range_uv <= limits.flat_range_uv && finite_ms >= limits.flat_min_ms) {
    quality.marks |= kQualityFlat;
  }
  // Nearly always none: its extent says so. What is not finite may be beyond a limit as well.
  const bool is_inside = quality.non_finite_samples == 0 && extent.low > limits.clip_low_uv &&
                         extent.high < limits.clip_high_uv;
  quality.clipped_samples = is_inside ? 0 : CountClipped(samples_uv, limits);
  if (quality.clipped_samples > 0) quality.marks |= kQualityClipping;
  if (quality.non_finite_samples == 0 && (quality.marks & kQualityFlat) == 0) {
    quality.mains_fraction = MainsFraction(samples_uv, sample_rate_hz, extent, limits);
    if (quality.mains_fraction > limits.mains_max_fraction) quality.marks |= kQualityMains;
  }
  return quality;
}

}  // namespace remora::dsp
