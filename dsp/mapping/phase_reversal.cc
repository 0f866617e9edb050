#include "dsp/mapping/phase_reversal.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr int kPowerSteps = 100;

using Matrix = std::vector<std::vector<double>>;  // contact after contact

double Dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

absl::StatusOr<Matrix> Window(std::span<const std::span<const double>> traces_uv,
                              const Timebase& timebase, const LatencyWindow& window) {
  if (traces_uv.size() < 2 || traces_uv.size() > kMaxStripContacts) {
    return absl::InvalidArgumentError(absl::StrCat("a strip has 2 to ", kMaxStripContacts,
                                                   " contacts, not ", traces_uv.size()));
  }
  const SampleRange range = SamplesIn(window, timebase, traces_uv[0].size());
  if (range.count < 8) {
    return absl::InvalidArgumentError("the window holds fewer than 8 samples of the traces");
  }
  Matrix rows;
  for (const auto& trace : traces_uv) {
    if (trace.size() != traces_uv[0].size()) {
      return absl::InvalidArgumentError("the traces are of different lengths");
    }
    const auto part = trace.subspan(range.first, range.count);
    const double mean =
        std::accumulate(part.begin(), part.end(), 0.0) / static_cast<double>(range.count);
    if (!std::isfinite(mean)) return absl::InvalidArgumentError("a sample is not finite");
    auto& row = rows.emplace_back(part.begin(), part.end());
    for (double& value : row) value -= mean;
  }
  return rows;
}

// The direction in which the rows' covariance is largest, by power iteration from the largest row.
std::vector<double> FirstComponent(const Matrix& covariance) {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < covariance.size(); ++i) {
    if (covariance[i][i] > covariance[largest][largest]) largest = i;
  }
  std::vector<double> direction = covariance[largest];
  for (int step = 0; step < kPowerSteps; ++step) {
    const double length = std::sqrt(Dot(direction, direction));
    if (!(length > 0.0)) return std::vector<double>(covariance.size(), 0.0);
    for (double& part : direction) part /= length;
    std::vector<double> next;
    for (const auto& row : covariance) next.push_back(Dot(row, direction));
    direction = std::move(next);
  }
  // Its length is now the variance along it; what is wanted is the rms of each contact.
  const double variance = std::sqrt(Dot(direction, direction));
  if (!(variance > 0.0)) return std::vector<double>(covariance.size(), 0.0);
  for (double& part : direction) part /= std::sqrt(variance);
  return direction;
}

std::vector<double> WeightsOf(const Matrix& rows) {
  const auto samples = static_cast<double>(rows[0].size());
  Matrix covariance;
  for (const auto& row : rows) {
    auto& line = covariance.emplace_back();
    for (const auto& other : rows) line.push_back(Dot(row, other) / samples);
  }
  std::vector<double> weights = FirstComponent(covariance);
  const auto largest = std::max_element(weights.begin(), weights.end(), [](double a, double b) {
    return std::abs(a) < std::abs(b);
  });
  if (*largest < 0.0) {
    for (double& weight : weights) weight = -weight;
  }
  return weights;
}

// The common waveform is the weighted sum of the rows, so that a row's correlation with it is its
// weight as a part of its own rms.
std::vector<double> CorrelationsOf(const Matrix& rows, std::span<const double> weights) {
  std::vector<double> correlations;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double rms = std::sqrt(Dot(rows[i], rows[i]) / static_cast<double>(rows[i].size()));
    correlations.push_back(rms > 0.0 ? std::clamp(weights[i] / rms, -1.0, 1.0) : 0.0);
  }
  return correlations;
}

// The contact behind which the signs change, so that most of the weights are on their side.
std::size_t BestSplit(std::span<const double> weights) {
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  double before = 0.0, best = -1.0;
  std::size_t split = 0;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    before += weights[i];
    const double parted = std::abs(before - (all - before));
    if (parted > best) {
      best = parted;
      split = i;
    }
  }
  return split;
}

double IndependentValues(std::size_t samples, const Timebase& timebase,
                         const PhaseReversalOptions& options) {
  const auto all = static_cast<double>(samples);
  if (options.upper_corner_hz == 0.0) return all;
  return std::clamp(all * 2.0 * options.upper_corner_hz / timebase.sample_rate_hz, 1.0, all);
}

std::vector<double> MeanOf(std::span<const std::vector<double>> rows) {
  std::vector<double> mean(rows[0].size(), 0.0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) mean[i] += row[i];
  }
  return mean;
}

}  // namespace

absl::StatusOr<PhaseReversal> FindPhaseReversal(std::span<const std::span<const double>> traces_uv,
                                                const Timebase& timebase, double noise_uv,
                                                const PhaseReversalOptions& options) {
  if (!(noise_uv >= 0.0) || !(options.present_over_noise >= 0.0) ||
      !(options.side_over_noise >= 0.0) || !(options.upper_corner_hz >= 0.0)) {
    return absl::InvalidArgumentError("the noise, its limits or the corner is negative");
  }
  const auto rows = Window(traces_uv, timebase, options.window);
  if (!rows.ok()) return rows.status();
  PhaseReversal reversal;
  reversal.weights_uv = WeightsOf(*rows);
  const std::span<const double> weights = reversal.weights_uv;
  reversal.shape_correlations = CorrelationsOf(*rows, weights);
  const std::size_t split = BestSplit(weights);
  const auto first = weights.first(split + 1), second = weights.subspan(split + 1);
  const double sign = std::accumulate(first.begin(), first.end(), 0.0) < 0.0 ? -1.0 : 1.0;
  const auto largest_of = [](std::span<const double> side, double of_sign) {
    double largest = 0.0;
    for (const double weight : side) largest = std::max(largest, of_sign * weight);
    return largest;
  };
  const double independent = IndependentValues((*rows)[0].size(), timebase, options);
  const double strength_uv = std::sqrt(Dot(weights, weights));
  const double noise_strength_uv =
      noise_uv * (1.0 + std::sqrt(static_cast<double>(weights.size()) / independent));
  if (strength_uv < options.present_over_noise * noise_strength_uv) return reversal;
  const double least_uv = options.side_over_noise * noise_uv / std::sqrt(independent);
  const double smaller = std::min(largest_of(first, sign), largest_of(second, -sign));
  if (!(smaller > 0.0) || smaller < least_uv) return reversal;
  reversal.after_contact = split;
  const std::span<const std::vector<double>> all = *rows;
  const std::vector<double> a = MeanOf(all.first(split + 1)), b = MeanOf(all.subspan(split + 1));
  reversal.correlation = Dot(a, b) / std::sqrt(Dot(a, a) * Dot(b, b));
  return reversal;
}

absl::StatusOr<std::optional<double>> FindMidlineByGradient(std::span<const double> left_uv,
                                                            std::span<const double> right_uv) {
  if (left_uv.size() < 2 || left_uv.size() != right_uv.size()) {
    return absl::InvalidArgumentError("both sides need amplitudes of the same contacts, 2 or more");
  }
  const auto is_amplitude = [](double value) { return std::isfinite(value) && value >= 0.0; };
  if (!std::all_of(left_uv.begin(), left_uv.end(), is_amplitude) ||
      !std::all_of(right_uv.begin(), right_uv.end(), is_amplitude)) {
    return absl::InvalidArgumentError("an amplitude is negative, or not finite");
  }
  const double left_most = *std::max_element(left_uv.begin(), left_uv.end());
  const double right_most = *std::max_element(right_uv.begin(), right_uv.end());
  if (!(left_most > 0.0) || !(right_most > 0.0)) {
    return absl::InvalidArgumentError("one side has no response at all");
  }
  const auto difference = [&](std::size_t contact) {
    return left_uv[contact] / left_most - right_uv[contact] / right_most;
  };
  // Between the two maxima: crossings beside them are noise. Of several the steepest.
  std::size_t low = static_cast<std::size_t>(
      std::distance(left_uv.begin(), std::max_element(left_uv.begin(), left_uv.end())));
  std::size_t high = static_cast<std::size_t>(
      std::distance(right_uv.begin(), std::max_element(right_uv.begin(), right_uv.end())));
  if (high < low) std::swap(low, high);
  std::optional<double> midline;
  std::optional<std::size_t> last;  // where one side was larger
  double steepest = 0.0;
  for (std::size_t i = low; i <= high; ++i) {
    const double here = difference(i);
    if (here == 0.0) continue;
    const std::optional<std::size_t> before = std::exchange(last, i);
    if (!before || (difference(*before) > 0.0) == (here > 0.0)) continue;
    const double from = difference(*before);
    const auto apart = static_cast<double>(i - *before);
    if (std::abs(here - from) / apart <= steepest) continue;
    steepest = std::abs(here - from) / apart;
    const double part = apart > 1.0 ? 0.5 : from / (from - here);  // equal in between: its middle
    midline = static_cast<double>(*before) + part * apart;
  }
  return midline;
}

}  // namespace remora::dsp
