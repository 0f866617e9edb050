#include "tests/surveillance/motor_variation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dsp/assess/robust.h"

namespace remora::surveillance {
namespace {

constexpr size_t kLeastTrials = 20;
constexpr size_t kMedianHalfTrials = 10;

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Mean of the given power of the distances from the mean.
double Moment(const std::vector<double>& values, int power) {
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += std::pow(value - mean, power);
  return sum / static_cast<double>(values.size());
}

std::vector<double> WithoutTrend(const std::vector<double>& values) {
  std::vector<double> rest;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t from = i < kMedianHalfTrials ? 0 : i - kMedianHalfTrials;
    const size_t to = std::min(values.size(), i + kMedianHalfTrials + 1);
    rest.push_back(values[i] - dsp::Median({values.begin() + static_cast<std::ptrdiff_t>(from),
                                            values.begin() + static_cast<std::ptrdiff_t>(to)}));
  }
  return rest;
}

}  // namespace

absl::StatusOr<MotorVariation> MeasureVariation(const std::vector<double>& amplitudes_uv) {
  std::vector<double> present;
  std::vector<double> logarithms;
  for (const double uv : amplitudes_uv) {
    if (!(uv > 0)) continue;
    present.push_back(uv);
    logarithms.push_back(std::log(uv));
  }
  if (present.size() < kLeastTrials) {
    return absl::InvalidArgumentError(absl::StrCat(present.size(), " responses: too few to say"));
  }
  MotorVariation variation;
  variation.trials = static_cast<int>(present.size());
  variation.absent = static_cast<int>(amplitudes_uv.size() - present.size());
  variation.median_uv = dsp::Median(present);
  variation.cv = std::sqrt(Moment(present, 2)) / Mean(present);
  const std::vector<double> rest = WithoutTrend(logarithms);
  const double variance = Moment(rest, 2);
  variation.log_spread = std::sqrt(variance);
  variation.log_robust_spread = dsp::RobustSpread(rest, dsp::Median(rest));
  variation.log_skewness = Moment(rest, 3) / std::pow(variance, 1.5);
  variation.log_kurtosis = Moment(rest, 4) / (variance * variance);
  const double mean = Mean(rest);
  double products = 0;
  for (size_t i = 1; i < rest.size(); ++i) products += (rest[i] - mean) * (rest[i - 1] - mean);
  variation.serial_correlation = products / static_cast<double>(rest.size()) / variance;
  return variation;
}

absl::StatusOr<std::vector<double>> ReadAmplitudes(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> names = absl::StrSplit(line, ',');
  const auto column = std::find(names.begin(), names.end(), "Amplitude");
  if (column == names.end()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no column Amplitude"));
  }
  std::vector<double> amplitudes;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = absl::StrSplit(line, ',');
    const auto index = static_cast<size_t>(column - names.begin());
    double uv = 0;
    if (index >= cells.size() || !absl::SimpleAtod(cells[index], &uv)) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": '", line, "': no amplitude"));
    }
    amplitudes.push_back(uv);
  }
  return amplitudes;
}

}  // namespace remora::surveillance
