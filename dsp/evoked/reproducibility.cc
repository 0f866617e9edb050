#include "dsp/evoked/reproducibility.h"

#include <algorithm>
#include <cmath>

namespace remora::dsp {

double Correlation(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.empty()) return 0.0;
  const double count = static_cast<double>(a.size());
  double mean_a = 0.0;
  double mean_b = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    mean_a += a[i] / count;
    mean_b += b[i] / count;
  }
  double aa = 0.0;
  double bb = 0.0;
  double ab = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  const double scale = std::sqrt(aa) * std::sqrt(bb);
  if (!(scale > 0.0) || !std::isfinite(scale) || !std::isfinite(ab)) return 0.0;
  return std::clamp(ab / scale, -1.0, 1.0);
}

Reproducibility CompareHalves(std::span<const double> odd_uv, std::span<const double> even_uv,
                              const Timebase& timebase, const LatencyWindow& window,
                              const ReproducibilityLimits& limits) {
  Reproducibility result;
  if (odd_uv.size() != even_uv.size()) return result;
  const SampleRange range = SamplesIn(window, timebase, odd_uv.size());
  if (range.count < 3) return result;
  const auto odd = odd_uv.subspan(range.first, range.count);
  const auto even = even_uv.subspan(range.first, range.count);
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(odd.begin(), odd.end(), finite) ||
      !std::all_of(even.begin(), even.end(), finite)) {
    return result;
  }
  const auto [odd_low, odd_high] = std::minmax_element(odd.begin(), odd.end());
  const auto [even_low, even_high] = std::minmax_element(even.begin(), even.end());
  const double odd_range = *odd_high - *odd_low;
  const double even_range = *even_high - *even_low;
  if (!(odd_range + even_range > 0.0)) return result;

  result.correlation = Correlation(odd, even);
  result.amplitude_difference_percent =
      100.0 * std::abs(odd_range - even_range) / (0.5 * (odd_range + even_range));
  if (result.correlation < limits.min_correlation) {
    result.fault = ReproducibilityFault::kCorrelation;
  } else if (result.amplitude_difference_percent > limits.max_amplitude_difference_percent) {
    result.fault = ReproducibilityFault::kAmplitude;
  } else {
    result.fault = ReproducibilityFault::kNone;
  }
  return result;
}

}  // namespace remora::dsp
