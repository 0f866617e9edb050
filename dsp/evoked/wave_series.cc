#include "dsp/evoked/wave_series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

absl::Status Validate(std::span<const double> sweep_uv, double noise_uv,
                      const WaveSeriesOptions& options) {
  if (options.waves.empty() || options.waves.size() > kMaxWaves) {
    return absl::InvalidArgumentError(
        absl::StrCat("a series has 1 to ", kMaxWaves, " waves, not ", options.waves.size()));
  }
  for (const Wave& wave : options.waves) {
    if (!(wave.window.end_ms >= wave.window.start_ms)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the window of wave ", wave.name, " ends before it starts"));
    }
    if (!(wave.weight > 0.0)) {
      return absl::InvalidArgumentError(absl::StrCat("the weight of wave ", wave.name,
                                                     " is not positive"));
    }
  }
  if (!(options.least_interval_ms >= 0.0) || !(options.absent_below_noise >= 0.0) ||
      !(options.uncertain_below_noise >= options.absent_below_noise) ||
      !(options.longest_fall_ms > 0.0) || noise_uv < 0.0) {
    return absl::InvalidArgumentError("a limit of the wave series is out of range");
  }
  for (const double sample : sweep_uv) {
    if (!std::isfinite(sample)) return absl::InvalidArgumentError("a sample is not finite");
  }
  return absl::OkStatus();
}

// A choice of an extreme for a wave, after the best choices of the waves before it.
struct Choice {
  Extremum peak;
  double sum_uv = 0.0;          // of weighted prominences up to this one
  std::size_t before_wave = 0;  // that the chain goes on from, when it does
  std::optional<std::size_t> before_choice;
};

// For each wave its choices, each with the best chain that leads to it.
std::vector<std::vector<Choice>> Chains(std::span<const double> sweep_uv, const Timebase& timebase,
                                        const WaveSeriesOptions& options) {
  std::vector<std::vector<Choice>> chains(options.waves.size());
  for (std::size_t wave = 0; wave < options.waves.size(); ++wave) {
    const Wave& wanted = options.waves[wave];
    for (const Extremum& peak : FindExtrema(sweep_uv, timebase, wanted.window, wanted.polarity)) {
      const double own_uv = wanted.weight * peak.prominence_uv;
      Choice choice{peak, own_uv, 0, std::nullopt};
      for (std::size_t earlier = 0; earlier < wave; ++earlier) {
        for (std::size_t i = 0; i < chains[earlier].size(); ++i) {
          const Choice& before = chains[earlier][i];
          if (peak.latency_ms - before.peak.latency_ms < options.least_interval_ms) continue;
          const double sum_uv = before.sum_uv + own_uv;
          if (sum_uv > choice.sum_uv) choice = {peak, sum_uv, earlier, i};
        }
      }
      chains[wave].push_back(choice);
    }
  }
  return chains;
}

// To the opposite extreme that comes before `until_ms`.
void MeasureFall(std::span<const double> sweep_uv, const Timebase& timebase, Polarity polarity,
                 double until_ms, WaveMark& mark) {
  const double sign = polarity == Polarity::kPeak ? 1.0 : -1.0;
  const SampleRange range =
      SamplesIn({mark.peak.latency_ms, until_ms}, timebase, sweep_uv.size());
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
    const double fall_uv = sign * (mark.peak.value_uv - sweep_uv[i]);
    if (fall_uv <= mark.amplitude_uv) continue;
    mark.amplitude_uv = fall_uv;
    mark.following_ms = timebase.LatencyMs(static_cast<double>(i));
  }
}

Presence Judge(double amplitude_uv, double noise_uv, const WaveSeriesOptions& options) {
  if (std::isnan(noise_uv)) return Presence::kUncertain;
  if (amplitude_uv < options.absent_below_noise * noise_uv) return Presence::kAbsent;
  const bool certain = amplitude_uv >= options.uncertain_below_noise * noise_uv;
  return certain ? Presence::kPresent : Presence::kUncertain;
}

}  // namespace

absl::StatusOr<std::vector<WaveMark>> MarkWaves(std::span<const double> sweep_uv,
                                                const Timebase& timebase, double noise_uv,
                                                const WaveSeriesOptions& options) {
  if (absl::Status valid = Validate(sweep_uv, noise_uv, options); !valid.ok()) return valid;
  const auto chains = Chains(sweep_uv, timebase, options);
  const Choice* best = nullptr;
  std::size_t wave = 0;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    for (const Choice& choice : chains[i]) {
      if (best != nullptr && choice.sum_uv <= best->sum_uv) continue;
      best = &choice;
      wave = i;
    }
  }
  std::vector<WaveMark> marks(options.waves.size());
  double next_ms = std::numeric_limits<double>::infinity();
  while (best != nullptr) {  // from the last wave to the first
    WaveMark& mark = marks[wave];
    mark.peak = best->peak;
    const double until_ms = std::min(next_ms, mark.peak.latency_ms + options.longest_fall_ms);
    MeasureFall(sweep_uv, timebase, options.waves[wave].polarity, until_ms, mark);
    mark.presence = Judge(mark.amplitude_uv, noise_uv, options);
    next_ms = mark.peak.latency_ms;
    wave = best->before_wave;
    best = best->before_choice ? &chains[wave][*best->before_choice] : nullptr;
  }
  return marks;
}

WaveSeriesOptions BaepWaves(double tube_delay_ms) {
  const auto wave = [&](const char* name, double from_ms, double to_ms, double weight = 1.0) {
    return Wave{name, Polarity::kPeak, {from_ms + tube_delay_ms, to_ms + tube_delay_ms}, weight};
  };
  constexpr double kMinor = 0.5;
  WaveSeriesOptions options;
  options.waves = {wave("I", 1.2, 2.6), wave("II", 2.2, 3.6, kMinor), wave("III", 3.2, 5.0),
                   wave("IV", 4.4, 6.2, kMinor), wave("V", 5.0, 8.5)};
  return options;
}

}  // namespace remora::dsp
