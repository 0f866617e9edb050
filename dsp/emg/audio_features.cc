#include "dsp/emg/audio_features.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/filter/streaming_filter.h"

namespace remora::dsp {
namespace {

constexpr double kClickRefractoryMs = 3.0;
constexpr double kLowestLevelUv = 0.1;
constexpr double kLevelsPerDecade = 40.0;
constexpr double kLowestHz = 10.0;
constexpr double kStepsPerOctave = 24.0;

std::uint8_t Step(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::round(value), 1.0, 255.0));
}

std::uint8_t PackFrequency(double hz) {
  return hz > 0.0 ? Step(kStepsPerOctave * std::log2(hz / kLowestHz)) : std::uint8_t{0};
}

double UnpackFrequency(std::uint8_t step) {
  return step == 0 ? 0.0 : kLowestHz * std::exp2(step / kStepsPerOctave);
}

}  // namespace

PackedAudioBin PackAudioBin(const AudioBin& bin) {
  PackedAudioBin packed;
  if (bin.rms_uv >= kLowestLevelUv) {
    packed.level = Step(kLevelsPerDecade * std::log10(bin.rms_uv / kLowestLevelUv));
  }
  packed.dominant = PackFrequency(bin.dominant_hz);
  packed.centroid = PackFrequency(bin.centroid_hz);
  packed.clicks = static_cast<std::uint8_t>(std::min<std::uint32_t>(bin.clicks, 255));
  return packed;
}

AudioBin UnpackAudioBin(const PackedAudioBin& packed) {
  AudioBin bin;
  if (packed.level > 0) {
    bin.rms_uv = kLowestLevelUv * std::pow(10.0, packed.level / kLevelsPerDecade);
  }
  bin.dominant_hz = UnpackFrequency(packed.dominant);
  bin.centroid_hz = UnpackFrequency(packed.centroid);
  bin.clicks = packed.clicks;
  return bin;
}

absl::StatusOr<AudioFeatures> AudioFeatures::Create(double sample_rate_hz, double bin_ms) {
  if (!(sample_rate_hz >= 500.0 && sample_rate_hz <= 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate_hz ", sample_rate_hz, ": EMG needs 500 to 1000000 Hz"));
  }
  if (!(bin_ms >= kMinAudioBinMs && bin_ms <= kMaxAudioBinMs)) {
    return absl::InvalidArgumentError(absl::StrCat("audio bin ", bin_ms, " ms: must be ",
                                                   kMinAudioBinMs, " to ", kMaxAudioBinMs));
  }
  return AudioFeatures(sample_rate_hz,
                       static_cast<std::size_t>(std::lround(bin_ms * sample_rate_hz / 1000.0)));
}

AudioFeatures::AudioFeatures(double sample_rate_hz, std::size_t samples_per_bin)
    : sample_rate_hz_(sample_rate_hz),
      samples_per_bin_(samples_per_bin),
      refractory_samples_(
          static_cast<std::uint64_t>(std::lround(kClickRefractoryMs * sample_rate_hz / 1000.0))) {
  running_.quiet_since_click = refractory_samples_;
}

void AudioFeatures::Push(std::span<const double> samples_uv, double click_uv,
                         std::vector<AudioBin>& bins) {
  while (!samples_uv.empty()) {
    const auto part =
        samples_uv.first(std::min(samples_uv.size(), samples_per_bin_ - bin_.samples));
    samples_uv = samples_uv.subspan(part.size());
    Take(part, click_uv);
    if (bin_.samples == samples_per_bin_) FinishBin(bins);
  }
}

void AudioFeatures::Take(std::span<const double> samples_uv, double click_uv) {
  if (bin_.samples == 0) bin_.first_sample = next_sample_;
  bin_.samples += static_cast<std::uint32_t>(samples_uv.size());
  next_sample_ += samples_uv.size();
  // In registers: members would be stored with each sample.
  Running now = running_;
  for (const double sample : samples_uv) {
    if (!(std::abs(sample) <= kLargestSample)) {
      ++now.non_finite_samples;
      now.has_previous = false;
      continue;
    }
    now.energy += sample * sample;
    if (now.has_previous) {
      const double step = sample - now.previous_uv;
      now.step_energy += step * step;
      ++now.steps;
      // Zero itself has no sign: it keeps the last one.
      if (sample != 0.0 && (sample > 0.0) != now.positive) ++now.crossings;
    }
    if (sample != 0.0) now.positive = sample > 0.0;
    now.has_previous = true;
    now.previous_uv = sample;
    if (click_uv > 0.0 && std::abs(sample) > click_uv) {
      if (now.quiet_since_click >= refractory_samples_) ++now.clicks;
      now.quiet_since_click = 0;
    } else {
      ++now.quiet_since_click;
    }
  }
  running_ = now;
}

void AudioFeatures::FinishBin(std::vector<AudioBin>& bins) {
  Running& ran = running_;
  bin_.clicks = ran.clicks;
  bin_.non_finite_samples = ran.non_finite_samples;
  const std::uint32_t finite = bin_.samples - bin_.non_finite_samples;
  if (finite > 0) bin_.rms_uv = std::sqrt(ran.energy / finite);
  if (ran.steps > 0 && ran.energy > 0.0) {
    bin_.dominant_hz = 0.5 * ran.crossings * sample_rate_hz_ / ran.steps;
    const double power = ran.energy / finite;
    // A tone's step is 2 sin(w / 2) times the tone.
    const double ratio = std::sqrt(ran.step_energy / ran.steps / power);
    bin_.centroid_hz = std::asin(std::min(1.0, 0.5 * ratio)) * sample_rate_hz_ / std::numbers::pi;
  }
  bins.push_back(bin_);
  bin_ = {};
  ran.energy = ran.step_energy = 0.0;
  ran.steps = ran.crossings = ran.clicks = ran.non_finite_samples = 0;
}

void AudioFeatures::Restart(std::vector<AudioBin>& bins) {
  if (bin_.samples > 0) FinishBin(bins);
  next_sample_ = 0;
  running_.has_previous = false;
  running_.quiet_since_click = refractory_samples_;
}

}  // namespace remora::dsp
