// How a muscle's single responses vary: measured on real ones, so that simulated muscles can be
// held against them. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::surveillance {

struct MotorVariation {
  int trials = 0;  // with a response
  int absent = 0;
  double median_uv = 0;
  double cv = 0;  // standard deviation over mean
  // Of the logarithms, after the running median of 21 trials is taken away.
  double log_spread = 0;         // standard deviation
  double log_robust_spread = 0;  // from the median deviation
  double log_skewness = 0;       // negative: more small responses than large ones
  double log_kurtosis = 0;       // a normal distribution has 3
  double serial_correlation = 0;
};

// Peak to peak, one a trial, in their order; 0: absent. kInvalidArgument: fewer than 20 present.
absl::StatusOr<MotorVariation> MeasureVariation(const std::vector<double>& amplitudes_uv);

// The column "Amplitude" of a table of features (tests' MEP recordings). kNotFound: no such file;
// kInvalidArgument: no such column.
absl::StatusOr<std::vector<double>> ReadAmplitudes(const std::string& path);

}  // namespace remora::surveillance
