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
          static_cast<std::uint64_t>(std::lround(kClickRefractoryMs * sample_rate_hz / 1000.0))),
      quiet_since_click_(refractory_samples_) {}

void AudioFeatures::Push(std::span<const double> samples_uv, double click_uv,
                         std::vector<AudioBin>& bins) {
  for (const double sample : samples_uv) {
    Take(sample, click_uv);
    if (bin_.samples == samples_per_bin_) FinishBin(bins);
  }
}

void AudioFeatures::Take(double sample_uv, double click_uv) {
  if (bin_.samples++ == 0) bin_.first_sample = next_sample_;
  ++next_sample_;
  if (!(std::abs(sample_uv) <= kLargestSample)) {
    ++bin_.non_finite_samples;
    has_previous_ = false;
    return;
  }
  energy_ += sample_uv * sample_uv;
  if (has_previous_) {
    const double step = sample_uv - previous_uv_;
    step_energy_ += step * step;
    ++steps_;
    // Zero itself has no sign: it keeps the last one.
    if (sample_uv != 0.0 && (sample_uv > 0.0) != positive_) ++crossings_;
  }
  if (sample_uv != 0.0) positive_ = sample_uv > 0.0;
  has_previous_ = true;
  previous_uv_ = sample_uv;
  if (click_uv > 0.0 && std::abs(sample_uv) > click_uv) {
    if (quiet_since_click_ >= refractory_samples_) ++bin_.clicks;
    quiet_since_click_ = 0;
  } else {
    ++quiet_since_click_;
  }
}

void AudioFeatures::FinishBin(std::vector<AudioBin>& bins) {
  const std::uint32_t finite = bin_.samples - bin_.non_finite_samples;
  if (finite > 0) bin_.rms_uv = std::sqrt(energy_ / finite);
  if (steps_ > 0 && energy_ > 0.0) {
    bin_.dominant_hz = 0.5 * crossings_ * sample_rate_hz_ / steps_;
    const double power = energy_ / finite;
    // A tone's step is 2 sin(w / 2) times the tone.
    const double ratio = std::sqrt(step_energy_ / steps_ / power);
    bin_.centroid_hz =
        std::asin(std::min(1.0, 0.5 * ratio)) * sample_rate_hz_ / std::numbers::pi;
  }
  bins.push_back(bin_);
  bin_ = {};
  energy_ = step_energy_ = 0.0;
  steps_ = crossings_ = 0;
}

void AudioFeatures::Restart(std::vector<AudioBin>& bins) {
  if (bin_.samples > 0) FinishBin(bins);
  next_sample_ = 0;
  has_previous_ = false;
  quiet_since_click_ = refractory_samples_;
}

}  // namespace remora::dsp
