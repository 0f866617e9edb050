#include "dsp/emg/artefact_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "dsp/filter/signal_quality.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kFlatnessLines = 24;
constexpr std::size_t kFlatnessSamples = 512;
constexpr int kMainsHarmonics = 5;
constexpr double kMainsOverBetween = 5.0;
constexpr double kMainsFirst = 0.25;
constexpr double kMainsReducedHz = 1000.0;

// Goertzel's recurrence under a Hann window, all lines in one pass: each waits for its own last
// value only.
std::array<double, kFlatnessLines> PowerAtLines(std::span<const double> samples,
                                                double sample_rate_hz, double to_hz) {
  std::array<double, kFlatnessLines> coefficient;
  for (std::size_t k = 0; k < kFlatnessLines; ++k) {
    const double hz = to_hz * static_cast<double>(k + 1) / kFlatnessLines;
    coefficient[k] = 2.0 * std::cos(2.0 * std::numbers::pi * hz / sample_rate_hz);
  }
  double mean = 0.0;
  for (const double sample : samples) mean += sample / static_cast<double>(samples.size());
  // The window turns along: a cosine costs more than all the rest.
  const double window_step = 2.0 * std::numbers::pi / static_cast<double>(samples.size());
  const double turn_cos = std::cos(window_step);
  const double turn_sin = std::sin(window_step);
  double window_cos = 1.0;
  double window_sin = 0.0;
  std::array<double, kFlatnessLines> previous{};
  std::array<double, kFlatnessLines> before{};
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double weight = 0.5 - 0.5 * window_cos;
    const double weighted = weight * (samples[i] - mean);
    const double next_cos = window_cos * turn_cos - window_sin * turn_sin;
    window_sin = window_sin * turn_cos + window_cos * turn_sin;
    window_cos = next_cos;
    for (std::size_t k = 0; k < kFlatnessLines; ++k) {
      const double next = weighted + coefficient[k] * previous[k] - before[k];
      before[k] = previous[k];
      previous[k] = next;
    }
    weight_sum += weight;
  }
  std::array<double, kFlatnessLines> powers;
  for (std::size_t k = 0; k < kFlatnessLines; ++k) {
    const double square = previous[k] * previous[k] + before[k] * before[k] -
                          coefficient[k] * previous[k] * before[k];
    powers[k] = 2.0 * std::max(square, 0.0) / (weight_sum * weight_sum);
  }
  return powers;
}

}  // namespace

double FlatnessOf(std::span<const double> samples_uv, double sample_rate_hz, double to_hz) {
  const std::size_t count = std::min(samples_uv.size(), kFlatnessSamples);
  if (count < 3) return 0.0;
  const auto stretch = samples_uv.last(count);
  double log_sum = 0.0;
  for (const double power : PowerAtLines(stretch, sample_rate_hz, to_hz)) {
    log_sum += std::log(power + 1e-12);
  }
  double energy = 0.0;
  for (const double uv : stretch) energy += uv * uv;
  // A line is as wide as a Hann window's noise: 1.5 bins.
  const double line_hz = 1.5 * sample_rate_hz / static_cast<double>(count);
  const double even = energy / static_cast<double>(count) * line_hz / to_hz;
  return even > 0.0 ? std::exp(log_sum / kFlatnessLines) / even : 0.0;
}

double MainsShareOf(std::span<const double> samples_uv, double sample_rate_hz, double mains_hz,
                    double power) {
  double reduced_hz = 0.0;
  const std::vector<double> low = Reduced(samples_uv, sample_rate_hz, kMainsReducedHz, &reduced_hz);
  if (static_cast<double>(low.size()) * mains_hz < 2.0 * reduced_hz) return 0.0;
  double first = 0.0;
  double on = 0.0;
  double between = 0.0;
  for (int harmonic = 1; harmonic <= kMainsHarmonics; ++harmonic) {
    const double hz = mains_hz * harmonic;
    if (hz >= 0.4 * reduced_hz) break;
    const double at = PowerAt(low, hz, reduced_hz);
    if (harmonic == 1) first = at;
    on += at;
    between += PowerAt(low, hz + 0.5 * mains_hz, reduced_hz);
  }
  if (on < kMainsOverBetween * between || first < kMainsFirst * on) return 0.0;
  return power > 0.0 ? std::min(1.0, on / power) : 0.0;
}

std::vector<double> Reduced(std::span<const double> samples, double rate_hz, double to_hz,
                            double* reduced_hz) {
  const auto factor = static_cast<std::size_t>(std::max(1.0, std::floor(rate_hz / to_hz)));
  std::vector<double> reduced(samples.size() / factor);
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    for (std::size_t k = 0; k < factor; ++k) reduced[i] += samples[i * factor + k];
    reduced[i] /= static_cast<double>(factor);
  }
  *reduced_hz = rate_hz / static_cast<double>(factor);
  return reduced;
}

double Likeness(std::span<const double> a, std::span<const double> b) {
  double aa = 0.0;
  double bb = 0.0;
  double ab = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  const double scale = std::sqrt(aa) * std::sqrt(bb);
  return scale > 0.0 ? std::abs(ab) / scale : 0.0;
}

}  // namespace remora::dsp
