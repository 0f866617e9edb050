// How regular a stretch of EMG is: its periodicity as a waveform, and the spacing of the separate
// discharges in it. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <span>

namespace remora::dsp {

struct Periodicity {
  // Mean of the normalised autocorrelation at one and at two periods, -1 to 1. 1: a sinusoid;
  // overlapping motor units stay under 0.4 in 100 ms.
  double strength = 0.0;
  double rate_hz = 0.0;  // 0 where nothing repeats
};

// Looks for a period between 1 / to_hz and 1 / from_hz; the shortest that is nearly as good as the
// best. `samples` freed of slow drift (high-passed before), at least three of the longest periods
// long; shorter: strength 0. Resolution of the rate: a parabola through three lags.
Periodicity FindPeriodicity(std::span<const double> samples, double sample_rate_hz, double from_hz,
                            double to_hz);

struct Components {
  std::size_t count = 0;
  double rate_hz = 0.0;        // of the median interval from onset to onset; 0 with under two
  double interval_cv = 0.0;    // standard deviation over mean of the intervals
  double interval_mad = 0.0;   // 1.4826 times the median deviation from the median, over it
  double median_ms = 0.0;      // length of a component
};

// Parts bins (a peak |x| each) into components: stretches over `threshold`, of which those at most
// merge_bins apart are one. The stretch that touches the end counts with the length it has.
Components FindComponents(std::span<const float> bin_peaks, double bin_ms, double threshold,
                          std::size_t merge_bins);

// Part of the bins between the first and the last one over the threshold that lie in a component.
double Occupancy(std::span<const float> bin_peaks, double threshold, std::size_t merge_bins);

}  // namespace remora::dsp
