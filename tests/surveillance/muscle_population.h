// Muscles whose single responses vary as real ones do: a patient of them, drawn from a seed.
//
// A response is its baseline times a factor. The factor's logarithm is the sum of a part that all
// muscles of a trial share and one of its own, both with more small responses than a normal
// distribution has (skewness about -0.8, kurtosis about 5; recorded sets have -0.7 and 3.9, -0.9
// and 3.0: docs/surveillance-performance.md), the own part correlated from trial to trial. Now and
// then a muscle does not answer at all.
//
// Thread-compatible. The same seed makes the same trials.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace remora::surveillance {

struct PopulationSettings {
  // Each muscle's own is drawn from these ranges, evenly; baselines evenly in their logarithm.
  double least_cv = 0.3;
  double most_cv = 0.9;
  double least_baseline_uv = 30;
  double most_baseline_uv = 2000;
  double least_serial_correlation = 0.1;
  double most_serial_correlation = 0.4;
  // Of the variance that all muscles of a trial share.
  double shared = 0.3;
  // Chance that a muscle does not answer in a trial.
  double dropout_rate = 0.02;
};

class MusclePopulation {
 public:
  MusclePopulation(const PopulationSettings& settings, int muscles, std::uint64_t seed);

  // The next trial: peak to peak, in microvolts, of each muscle when `share` of its response is
  // left (1: all); 0 is a dropout.
  std::vector<double> Next(const std::vector<double>& share);

  double baseline_uv(size_t muscle) const { return muscles_[muscle].baseline_uv; }

 private:
  struct Muscle {
    double baseline_uv = 0;
    double log_spread = 0;
    double serial_correlation = 0;
    double own = 0;
  };
  // Mean 0, variance 1, skewed to the small side.
  double Skewed();
  double Even(double from, double to);

  const PopulationSettings settings_;
  std::mt19937_64 random_;
  std::vector<Muscle> muscles_;
};

}  // namespace remora::surveillance
