#include "dsp/emg/rhythm.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace remora::dsp {
namespace {

// A shorter lag with this part of the best correlation is the period: the others are multiples.
constexpr double kShorterLagShare = 0.9;

// Normalised by the energy of what overlaps.
class Autocorrelation {
 public:
  explicit Autocorrelation(std::span<const double> x) : x_(x), energy_before_(x.size() + 1, 0.0) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      energy_before_[i + 1] = energy_before_[i] + x[i] * x[i];
    }
  }

  double At(std::size_t lag) const {
    if (lag >= x_.size()) return 0.0;
    const std::size_t count = x_.size() - lag;
    // Four sums: one would wait for each addition.
    double sums[4] = {};
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      for (std::size_t k = 0; k < 4; ++k) sums[k] += x_[i + k] * x_[i + k + lag];
    }
    for (; i < count; ++i) sums[0] += x_[i] * x_[i + lag];
    const double early = energy_before_[count];
    const double late = energy_before_[x_.size()] - energy_before_[lag];
    const double scale = std::sqrt(std::max(early, 0.0)) * std::sqrt(std::max(late, 0.0));
    return scale > 0.0 ? ((sums[0] + sums[1]) + (sums[2] + sums[3])) / scale : 0.0;
  }

 private:
  std::span<const double> x_;
  std::vector<double> energy_before_;
};

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Calls on_component(first, last) for each, both included.
template <typename OnComponent>
void ForEachComponent(std::span<const float> peaks, double threshold, std::size_t merge_bins,
                      const OnComponent& on_component) {
  bool open = false;
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    if (!(static_cast<double>(peaks[i]) > threshold)) continue;
    if (open && i - last > merge_bins + 1) {
      on_component(first, last);
      open = false;
    }
    if (!open) first = i;
    open = true;
    last = i;
  }
  if (open) on_component(first, last);
}

}  // namespace

Periodicity FindPeriodicity(std::span<const double> samples, double sample_rate_hz, double from_hz,
                            double to_hz) {
  Periodicity result;
  const auto shortest = static_cast<std::size_t>(std::max(2.0, sample_rate_hz / to_hz));
  const auto longest = static_cast<std::size_t>(std::ceil(sample_rate_hz / from_hz));
  if (samples.size() < 3 * longest || shortest + 2 > longest) return result;
  const Autocorrelation autocorrelation(samples);
  // From one lag below the shortest to one beyond the longest, so that a maximum has neighbours.
  std::vector<double> by_lag(longest + 2, -1.0);
  for (std::size_t lag = shortest - 1; lag <= longest + 1; ++lag) {
    by_lag[lag] = autocorrelation.At(lag);
  }
  const auto is_top = [&](std::size_t lag) {
    return by_lag[lag] >= by_lag[lag - 1] && by_lag[lag] >= by_lag[lag + 1];
  };
  double best = 0.0;
  for (std::size_t lag = shortest; lag <= longest; ++lag) {
    if (is_top(lag)) best = std::max(best, by_lag[lag]);
  }
  if (!(best > 0.0)) return result;
  std::size_t period = shortest;
  while (!(is_top(period) && by_lag[period] >= kShorterLagShare * best)) ++period;
  const double curvature = by_lag[period - 1] - 2.0 * by_lag[period] + by_lag[period + 1];
  const double shift =
      curvature < 0.0 ? 0.5 * (by_lag[period - 1] - by_lag[period + 1]) / curvature : 0.0;
  const double exact = static_cast<double>(period) + shift;
  const auto twice = static_cast<std::size_t>(std::lround(2.0 * exact));
  double second = 0.0;
  for (const std::size_t lag : {twice - 1, twice, twice + 1}) {
    second = std::max(second, autocorrelation.At(lag));
  }
  result.strength = 0.5 * (by_lag[period] + second);
  result.rate_hz = sample_rate_hz / exact;
  return result;
}

Components FindComponents(std::span<const float> bin_peaks, double bin_ms, double threshold,
                          std::size_t merge_bins) {
  Components result;
  std::vector<double> onsets_ms;
  std::vector<double> lengths_ms;
  ForEachComponent(bin_peaks, threshold, merge_bins, [&](std::size_t first, std::size_t last) {
    onsets_ms.push_back(static_cast<double>(first) * bin_ms);
    lengths_ms.push_back(static_cast<double>(last - first + 1) * bin_ms);
  });
  result.count = onsets_ms.size();
  if (result.count > 0) result.median_ms = Median(lengths_ms);
  if (result.count < 2) return result;
  std::vector<double> intervals_ms;
  for (std::size_t i = 1; i < onsets_ms.size(); ++i) {
    intervals_ms.push_back(onsets_ms[i] - onsets_ms[i - 1]);
  }
  const double count = static_cast<double>(intervals_ms.size());
  double mean = 0.0;
  for (const double interval : intervals_ms) mean += interval / count;
  double variance = 0.0;
  for (const double interval : intervals_ms) {
    variance += (interval - mean) * (interval - mean) / count;
  }
  result.interval_cv = std::sqrt(variance) / mean;
  const double median = Median(intervals_ms);
  for (double& interval : intervals_ms) interval = std::abs(interval - median);
  result.interval_mad = 1.4826 * Median(intervals_ms) / median;
  result.rate_hz = 1000.0 / median;
  return result;
}

double Occupancy(std::span<const float> bin_peaks, double threshold, std::size_t merge_bins) {
  std::size_t covered = 0;
  std::size_t begin = bin_peaks.size();
  std::size_t end = 0;
  ForEachComponent(bin_peaks, threshold, merge_bins, [&](std::size_t first, std::size_t last) {
    begin = std::min(begin, first);
    end = last + 1;
    covered += last - first + 1;
  });
  return end > begin ? static_cast<double>(covered) / static_cast<double>(end - begin) : 0.0;
}

}  // namespace remora::dsp
