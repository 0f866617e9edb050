#include "dsp/emg/hum_share.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "dsp/filter/streaming_filter.h"

namespace remora::dsp {
namespace {

constexpr double kKnownMs = 300.0;
constexpr double kLeastKeptMs = 80.0;
// Means of neighbours are taken down to this rate, or up to twice it: of 150 Hz they leave 80 % of
// the power.
constexpr double kReducedHz = 600.0;
constexpr double kHighestShare = 0.4;
// A pivot below this part of its own sum is none: too little is known to part the waves.
constexpr double kLeastPivot = 1e-6;

// Four sums side by side: one would wait for each addition.
std::pair<double, double> SumAndEnergy(std::span<const double> samples) {
  std::array<double, 4> sums{};
  std::array<double, 4> energies{};
  std::size_t i = 0;
  for (; i + 4 <= samples.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) {
      sums[k] += samples[i + k];
      energies[k] += samples[i + k] * samples[i + k];
    }
  }
  for (; i < samples.size(); ++i) {
    sums[0] += samples[i];
    energies[0] += samples[i] * samples[i];
  }
  return {(sums[0] + sums[1]) + (sums[2] + sums[3]),
          (energies[0] + energies[1]) + (energies[2] + energies[3])};
}

}  // namespace

HumShare::HumShare(double sample_rate_hz, double mains_hz)
    : sample_rate_hz_(sample_rate_hz), mains_hz_(mains_hz) {
  if (!(sample_rate_hz > 0.0 && mains_hz > 0.0)) return;
  step_ = static_cast<std::size_t>(std::clamp(sample_rate_hz / kReducedHz, 1.0, 1000.0));
  const double highest_hz = kHighestShare * sample_rate_hz / static_cast<double>(step_);
  while (harmonics_ < kHarmonics && mains_hz * static_cast<double>(harmonics_ + 1) < highest_hz) {
    ++harmonics_;
  }
}

void HumShare::Restart() {
  blocks_.clear();
  known_samples_ = 0;
}

HumShare::Sums HumShare::SumsOf(std::span<const double> samples_uv,
                                std::span<const SampleStretch> left_out) const {
  // The block's mean and slope, and the sums of all else with them, are taken out at the end.
  constexpr std::size_t kAll = kWaves + 2;
  std::array<std::array<double, kAll + 1>, kAll> sums{};
  Sums result;
  result.samples = samples_uv.size();
  const double half = 0.5 * static_cast<double>(samples_uv.size());
  const double turns = mains_hz_ / sample_rate_hz_;
  const double turn_cos = std::cos(2.0 * std::numbers::pi * turns * static_cast<double>(step_));
  const double turn_sin = std::sin(2.0 * std::numbers::pi * turns * static_cast<double>(step_));
  double sum = 0.0;
  double squares = 0.0;
  const auto keep = [&](std::size_t from, std::size_t to) {
    const double turned = std::fmod(static_cast<double>(position_ + from) * turns, 1.0);
    double wave_cos = std::cos(2.0 * std::numbers::pi * turned);
    double wave_sin = std::sin(2.0 * std::numbers::pi * turned);
    for (; from + step_ <= to; from += step_) {
      const auto [total, energy] = SumAndEnergy(samples_uv.subspan(from, step_));
      std::array<double, kAll + 1> row{};
      row[0] = 1.0;
      row[1] = (static_cast<double>(from) - half) / half;
      double harmonic_cos = wave_cos;
      double harmonic_sin = wave_sin;
      for (std::size_t k = 0; k < harmonics_; ++k) {
        row[2 + 2 * k] = harmonic_cos;
        row[3 + 2 * k] = harmonic_sin;
        const double next_cos = harmonic_cos * wave_cos - harmonic_sin * wave_sin;
        harmonic_sin = harmonic_sin * wave_cos + harmonic_cos * wave_sin;
        harmonic_cos = next_cos;
      }
      const double next_cos = wave_cos * turn_cos - wave_sin * turn_sin;
      wave_sin = wave_sin * turn_cos + wave_cos * turn_sin;
      wave_cos = next_cos;
      // Not finite, or beyond any signal.
      if (!(energy <= static_cast<double>(step_) * kLargestSample * kLargestSample)) continue;
      row[kAll] = total / static_cast<double>(step_);
      sum += total;
      squares += energy;
      result.kept += step_;
      // All of it, not only the half that is used: without a condition it is faster.
      for (std::size_t i = 0; i < kAll; ++i) {
        for (std::size_t k = 0; k <= kAll; ++k) sums[i][k] += row[i] * row[k];
      }
    }
  };
  std::size_t at = 0;
  for (const SampleStretch& range : left_out) {
    keep(at, std::min(range.from, samples_uv.size()));
    at = std::clamp(range.to, at, samples_uv.size());
  }
  keep(at, samples_uv.size());
  if (result.kept == 0) return result;
  const double count = static_cast<double>(result.kept);
  result.energy = std::max(0.0, squares - sum * sum / count);
  for (std::size_t i = 0; i < 2; ++i) {
    const double pivot = sums[i][i];
    if (!(pivot > kLeastPivot * count)) continue;
    for (std::size_t row = i + 1; row < kAll; ++row) {
      const double share = sums[i][row] / pivot;
      for (std::size_t k = row; k <= kAll; ++k) sums[row][k] -= share * sums[i][k];
    }
  }
  for (std::size_t i = 0; i < kWaves; ++i) {
    for (std::size_t k = i; k < kWaves; ++k) result.waves[i][k] = sums[i + 2][k + 2];
    result.with_samples[i] = sums[i + 2][kAll];
  }
  return result;
}

void HumShare::Push(std::span<const double> samples_uv, std::span<const SampleStretch> left_out) {
  if (harmonics_ == 0 || samples_uv.empty()) return;
  blocks_.push_back(SumsOf(samples_uv, left_out));
  position_ += samples_uv.size();
  known_samples_ += samples_uv.size();
  const double most = kKnownMs * sample_rate_hz_ / 1000.0;
  while (blocks_.size() > 1 &&
         static_cast<double>(known_samples_ - blocks_.front().samples) >= most - 0.5) {
    known_samples_ -= blocks_.front().samples;
    blocks_.pop_front();
  }
}

double HumShare::share() const {
  std::size_t kept = 0;
  double energy = 0.0;
  std::array<std::array<double, kWaves>, kWaves> waves{};
  std::array<double, kWaves> with_samples{};
  for (const Sums& block : blocks_) {
    kept += block.kept;
    energy += block.energy;
    for (std::size_t i = 0; i < kWaves; ++i) {
      for (std::size_t k = i; k < kWaves; ++k) waves[i][k] += block.waves[i][k];
      with_samples[i] += block.with_samples[i];
    }
  }
  if (!(static_cast<double>(kept) >= kLeastKeptMs * sample_rate_hz_ / 1000.0)) return 0.0;
  if (!(energy > 0.0)) return 0.0;
  // What the waves explain, by elimination.
  double explained = 0.0;
  const double means = static_cast<double>(kept) / static_cast<double>(step_);
  for (std::size_t i = 0; i < 2 * harmonics_; ++i) {
    const double pivot = waves[i][i];
    if (!(pivot > kLeastPivot * means)) return 0.0;
    explained += with_samples[i] * with_samples[i] / pivot;
    for (std::size_t row = i + 1; row < 2 * harmonics_; ++row) {
      const double share = waves[i][row] / pivot;
      for (std::size_t k = row; k < 2 * harmonics_; ++k) waves[row][k] -= share * waves[i][k];
      with_samples[row] -= share * with_samples[i];
    }
  }
  return std::clamp(explained * static_cast<double>(step_) / energy, 0.0, 1.0);
}

}  // namespace remora::dsp
