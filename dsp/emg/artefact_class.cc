#include "dsp/emg/artefact_class.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsp/emg/rhythm.h"
#include "dsp/filter/signal_quality.h"
#include "dsp/filter/streaming_filter.h"

namespace remora::dsp {
namespace {

constexpr double kShortestMs = 50.0;
constexpr double kLongestMs = 500.0;
constexpr double kActiveRms = 2.5;
constexpr double kActivePeak = 8.0;
constexpr double kStimulusMs = 6.0;
constexpr double kStimulusShare = 0.8;
constexpr double kPulseBinMs = 2.0;
constexpr double kPulseChannels = 0.7;
constexpr std::size_t kPulseLongestBins = 4;
constexpr double kShortestIntervalMs = 20.0;
constexpr double kLongestIntervalMs = 500.0;
constexpr double kIntervalDeviation = 0.03;
constexpr std::size_t kPulsesNeeded = 4;
constexpr std::size_t kPulsesKept = 16;
constexpr double kDiathermyUv = 5000.0;
constexpr double kFlatness = 0.2;
constexpr std::size_t kFlatnessLines = 24;
constexpr std::size_t kFlatnessSamples = 1024;
constexpr std::size_t kFlatnessChannels = 3;
constexpr double kMainsShare = 0.5;
constexpr int kMainsHarmonics = 5;
constexpr double kMainsOverBetween = 5.0;
constexpr double kMainsFirst = 0.25;
constexpr double kMainsReducedHz = 1000.0;
constexpr double kSteadyCrest = 7.0;
constexpr double kMainsDeviation = 0.015;
constexpr double kDrillStrength = 0.6;
constexpr double kDrillFromHz = 70.0;
constexpr double kDrillShape = 0.6;
constexpr double kDrillReducedHz = 5000.0;
constexpr double kMuscleFromHz = 40.0;
constexpr double kAllChannels = 0.7;
constexpr std::size_t kAllLeast = 4;
constexpr double kKnownMs = 3000.0;
constexpr double kAllMs = 2000.0;
constexpr double kLevelMs = 20.0;
constexpr double kShiverStrength = 0.35;

bool IsPart(std::size_t count, std::size_t of, double share) {
  return of > 0 && static_cast<double>(count) >= share * static_cast<double>(of);
}

double Rounded(double value, double step) { return std::round(value / step) * step; }

std::string CountText(std::size_t count, std::size_t of) {
  return absl::StrCat(count, " of ", of, " channels");
}

// By boxcar, to a rate of at most about twice to_hz.
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

// |r| at no lag.
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

}  // namespace

void ArtefactClassifier::Restart() {
  channels_.clear();
  pulses_.clear();
  levels_.clear();
  chunks_.clear();
  known_ms_ = 0.0;
  position_ = 0;
}

bool ArtefactClassifier::Measure(std::span<const std::span<const double>> channels_uv,
                                 std::span<const double> floors_uv) {
  const std::size_t before = channels_.size();
  channels_.clear();
  samples_ = channels_uv.empty() ? 0 : channels_uv[0].size();
  const double chunk_ms = static_cast<double>(samples_) * 1000.0 / options_.sample_rate_hz;
  if (channels_uv.size() > kMaxArtefactChannels || floors_uv.size() != channels_uv.size() ||
      chunk_ms < kShortestMs || chunk_ms > kLongestMs) {
    return false;
  }
  for (std::size_t i = 0; i < channels_uv.size(); ++i) {
    Channel channel;
    channel.samples_uv = channels_uv[i];
    if (channel.samples_uv.size() != samples_) return false;
    channel.floor_uv = floors_uv[i];
    double energy = 0.0;
    double step_energy = 0.0;
    double previous = channel.samples_uv[0];
    bool finite = true;
    for (const double sample : channel.samples_uv) {
      finite = finite && std::abs(sample) <= kLargestSample;
      energy += sample * sample;
      step_energy += (sample - previous) * (sample - previous);
      previous = sample;
      channel.peak_uv = std::max(channel.peak_uv, std::abs(sample));
    }
    if (finite && channel.floor_uv > 0.0) {
      channel.rms_uv = std::sqrt(energy / static_cast<double>(samples_));
      channel.active = channel.rms_uv > kActiveRms * channel.floor_uv ||
                       channel.peak_uv > kActivePeak * channel.floor_uv;
      if (energy > 0.0) {
        channel.mean_hz =
            std::sqrt(step_energy / energy) * options_.sample_rate_hz / (2.0 * std::numbers::pi);
      }
    }
    channels_.push_back(channel);
  }
  return before == 0 || before == channels_.size();
}

ArtefactVerdict ArtefactClassifier::Push(std::span<const std::span<const double>> channels_uv,
                                         std::span<const double> floors_uv,
                                         std::span<const std::size_t> stimuli) {
  ArtefactVerdict verdict;
  if (!Measure(channels_uv, floors_uv)) {
    Restart();
    return verdict;
  }
  verdict.active = Active();
  const bool found = FindStimuli(stimuli, verdict) || FindPulses(verdict) ||
                     FindDiathermy(verdict) || FindMains(verdict) || FindDrill(verdict);
  // The levels go on, whatever was found.
  const bool all = FindAllMuscles(verdict);
  if (!found && !all) verdict.channels = 0;
  position_ += samples_;
  for (Channel& channel : channels_) channel.samples_uv = {};
  return verdict;
}

bool ArtefactClassifier::FindStimuli(std::span<const std::size_t> stimuli,
                                     ArtefactVerdict& verdict) {
  if (stimuli.empty()) return false;
  const auto width = static_cast<std::size_t>(kStimulusMs * options_.sample_rate_hz / 1000.0);
  std::size_t count = 0;
  for (const Channel& channel : channels_) {
    if (!channel.active) continue;
    double near = 0.0;
    std::size_t done = 0;
    for (const std::size_t stimulus : stimuli) {
      if (stimulus >= samples_) continue;
      const std::size_t end = std::min(samples_, stimulus + width);
      for (std::size_t i = std::max(done, std::min(stimulus, end)); i < end; ++i) {
        near += channel.samples_uv[i] * channel.samples_uv[i];
      }
      done = std::max(done, end);
    }
    const double energy = channel.rms_uv * channel.rms_uv * static_cast<double>(samples_);
    count += near >= kStimulusShare * energy;
  }
  if (!IsPart(count, channels_.size(), 0.5)) return false;
  verdict.kind = NonMuscle::kStimulus;
  verdict.channels = count;
  verdict.reasons = {CountText(count, channels_.size()),
                     absl::StrCat(stimuli.size(), " stimuli, within ", kStimulusMs, " ms of them")};
  return true;
}

// Short pulses on most channels at once. Remembers where, and compares the intervals.
bool ArtefactClassifier::FindPulses(ArtefactVerdict& verdict) {
  const auto width = static_cast<std::size_t>(kPulseBinMs * options_.sample_rate_hz / 1000.0);
  const std::size_t bins = samples_ / width;
  std::vector<std::size_t> tall(bins, 0);
  for (const Channel& channel : channels_) {
    if (!channel.active) continue;
    for (std::size_t i = 0; i < bins * width; ++i) {
      if (std::abs(channel.samples_uv[i]) <= kActivePeak * channel.floor_uv) continue;
      ++tall[i / width];
      i += width - 1 - i % width;  // to the next bin
    }
  }
  std::size_t common = 0;
  std::size_t run = 0;
  bool all_short = true;
  std::vector<double> begins;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    // On one channel alone it is as well a unit that discharges evenly.
    if (tall[bin] < 2 || !IsPart(tall[bin], channels_.size(), kPulseChannels)) {
      run = 0;
      continue;
    }
    ++common;
    if (run++ == 0) begins.push_back(static_cast<double>(position_ + bin * width));
    all_short = all_short && run <= kPulseLongestBins;
  }
  if (common == 0 || !all_short) {
    if (common > 0) pulses_.clear();
    return false;
  }
  const double shortest = kShortestIntervalMs * options_.sample_rate_hz / 1000.0;
  for (const double begin : begins) {
    if (!pulses_.empty() && begin - pulses_.back() < 0.5 * shortest) continue;
    pulses_.push_back(begin);
  }
  while (pulses_.size() > kPulsesKept) pulses_.pop_front();
  if (pulses_.size() < kPulsesNeeded) return false;
  const std::size_t first = pulses_.size() - kPulsesNeeded;
  const double mean = (pulses_.back() - pulses_[first]) / (kPulsesNeeded - 1.0);
  for (std::size_t i = first + 1; i < pulses_.size(); ++i) {
    const double deviation = std::abs(pulses_[i] - pulses_[i - 1] - mean);
    // A bin's width is what a begin is known to.
    if (deviation > std::max(kIntervalDeviation * mean, static_cast<double>(width))) return false;
  }
  const double interval_ms = mean * 1000.0 / options_.sample_rate_hz;
  if (interval_ms < kShortestIntervalMs || interval_ms > kLongestIntervalMs) return false;
  verdict.kind = NonMuscle::kStimulus;
  verdict.channels = verdict.active;
  verdict.reasons = {CountText(verdict.active, channels_.size()),
                     absl::StrCat("pulses each ", Rounded(interval_ms, 0.1), " ms")};
  return true;
}

// Geometric mean of the power at some lines over what each would have if all the power were spread
// evenly over the band: a tone between two lines does not look flat. White noise: 0.56, for the
// logarithm of one line is low.
double ArtefactClassifier::FlatnessOf(const Channel& channel) const {
  const std::size_t count = std::min(samples_, kFlatnessSamples);
  const auto stretch = channel.samples_uv.last(count);
  const double to_hz = std::min(0.9 * options_.band_to_hz, 0.4 * options_.sample_rate_hz);
  double log_sum = 0.0;
  for (std::size_t line = 1; line <= kFlatnessLines; ++line) {
    const double hz = to_hz * static_cast<double>(line) / kFlatnessLines;
    log_sum += std::log(PowerAt(stretch, hz, options_.sample_rate_hz) + 1e-12);
  }
  double energy = 0.0;
  for (const double uv : stretch) energy += uv * uv;
  // A line of PowerAt is as wide as a Hann window's noise: 1.5 bins.
  const double line_hz = 1.5 * options_.sample_rate_hz / static_cast<double>(count);
  const double even = energy / static_cast<double>(count) * line_hz / to_hz;
  return even > 0.0 ? std::exp(log_sum / kFlatnessLines) / even : 0.0;
}

bool ArtefactClassifier::FindDiathermy(ArtefactVerdict& verdict) {
  std::vector<std::size_t> huge;
  std::vector<std::size_t> broad;
  std::size_t looked_at = 0;
  double peak_uv = 0.0;
  double mean_hz = 0.0;
  double flatness = 0.0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const Channel& channel = channels_[i];
    if (!channel.active) continue;
    peak_uv = std::max(peak_uv, channel.peak_uv);
    if (channel.peak_uv > kDiathermyUv) huge.push_back(i);
    // A lone pulse is as broad; it does not last.
    const bool lasts = channel.peak_uv <= kSteadyCrest * channel.rms_uv;
    if (channel.mean_hz <= BroadHz() || !lasts) continue;
    broad.push_back(i);
    mean_hz += channel.mean_hz;
    if (looked_at == kFlatnessChannels) continue;
    ++looked_at;
    flatness += FlatnessOf(channel);
  }
  if (looked_at > 0) flatness /= static_cast<double>(looked_at);
  const bool is_broad = IsPart(broad.size(), channels_.size(), 0.5) && flatness >= kFlatness;
  std::vector<std::size_t> with_it = huge;
  for (const std::size_t i : broad) {
    if (is_broad && channels_[i].peak_uv <= kDiathermyUv) with_it.push_back(i);
  }
  if (with_it.empty()) return false;
  std::vector<std::string> reasons = {CountText(with_it.size(), channels_.size()),
                                      absl::StrCat("up to ", Rounded(peak_uv, 1.0), " uV")};
  if (is_broad) {
    const double mean = mean_hz / static_cast<double>(broad.size());
    reasons.push_back(absl::StrCat("mean frequency ", Rounded(mean, 1.0), " Hz"));
    reasons.push_back(absl::StrCat("flatness ", Rounded(flatness, 0.01)));
  }
  if (!IsOfAll(with_it)) {
    LeaveOut(with_it, NonMuscle::kDiathermy, std::move(reasons), verdict);
    return false;
  }
  verdict.kind = NonMuscle::kDiathermy;
  verdict.channels = with_it.size();
  verdict.reasons = std::move(reasons);
  return true;
}

// Part of the power at the mains' lines; 0 where there is as much between them, or next to none at
// the first: what a muscle has there.
double ArtefactClassifier::MainsShareOf(const Channel& channel) const {
  double reduced_hz = 0.0;
  const std::vector<double> low =
      Reduced(channel.samples_uv, options_.sample_rate_hz, kMainsReducedHz, &reduced_hz);
  double first = 0.0;
  double on = 0.0;
  double between = 0.0;
  for (int harmonic = 1; harmonic <= kMainsHarmonics; ++harmonic) {
    const double hz = options_.mains_hz * harmonic;
    if (hz >= 0.4 * reduced_hz) break;
    const double power = PowerAt(low, hz, reduced_hz);
    if (harmonic == 1) first = power;
    on += power;
    between += PowerAt(low, hz + 0.5 * options_.mains_hz, reduced_hz);
  }
  if (on < kMainsOverBetween * between || first < kMainsFirst * on) return 0.0;
  return std::min(1.0, on / (channel.rms_uv * channel.rms_uv));
}

bool ArtefactClassifier::FindMains(ArtefactVerdict& verdict) {
  if (options_.mains_hz <= 0.0) return false;
  std::vector<std::size_t> humming;
  double largest = 0.0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    // Hum is low: a channel of high mean frequency need not be looked at.
    if (!channels_[i].active || channels_[i].mean_hz > BroadHz()) continue;
    const double share = MainsShareOf(channels_[i]);
    largest = std::max(largest, share);
    if (share >= kMainsShare) humming.push_back(i);
  }
  if (humming.empty()) return false;
  std::vector<std::string> reasons = {
      CountText(humming.size(), channels_.size()),
      absl::StrCat(Rounded(100.0 * largest, 1.0), " % of the power at ", options_.mains_hz,
                   " Hz and its harmonics")};
  if (!IsOfAll(humming)) {
    LeaveOut(humming, NonMuscle::kMains, std::move(reasons), verdict);
    return false;
  }
  verdict.kind = NonMuscle::kMains;
  verdict.channels = humming.size();
  verdict.reasons = std::move(reasons);
  return true;
}

bool ArtefactClassifier::FindDrill(ArtefactVerdict& verdict) const {
  const std::size_t active = Active();
  if (!IsPart(active, channels_.size(), 0.5) || active < 2) return false;
  // The loudest, against its noise, is the pattern that the others are held against.
  const Channel* loudest = nullptr;
  for (const Channel& channel : channels_) {
    if (!channel.active) continue;
    if (loudest == nullptr ||
        channel.rms_uv * loudest->floor_uv > loudest->rms_uv * channel.floor_uv) {
      loudest = &channel;
    }
  }
  double reduced_hz = 0.0;
  const std::vector<double> pattern =
      Reduced(loudest->samples_uv, options_.sample_rate_hz, kDrillReducedHz, &reduced_hz);
  const double to_hz = reduced_hz / 4.0;
  const Periodicity found = FindPeriodicity(pattern, reduced_hz, kDrillFromHz, to_hz);
  if (found.strength < kDrillStrength) return false;
  if (options_.mains_hz > 0.0) {
    const double order = std::round(found.rate_hz / options_.mains_hz);
    const double away = std::abs(found.rate_hz - order * options_.mains_hz);
    if (order <= kMainsHarmonics && away < kMainsDeviation * found.rate_hz) return false;
  }
  std::size_t alike = 0;
  for (const Channel& channel : channels_) {
    if (!channel.active) continue;
    const std::vector<double> other =
        Reduced(channel.samples_uv, options_.sample_rate_hz, kDrillReducedHz, &reduced_hz);
    alike += Likeness(pattern, other) >= kDrillShape;
  }
  if (!IsPart(alike, channels_.size(), 0.5) || alike < 2) return false;
  verdict.kind = NonMuscle::kDrill;
  verdict.channels = alike;
  verdict.reasons = {CountText(alike, channels_.size()),
                     absl::StrCat("one waveform of ", Rounded(found.rate_hz, 1.0), " Hz"),
                     absl::StrCat("periodicity ", Rounded(found.strength, 0.01))};
  return true;
}

void ArtefactClassifier::KeepLevels() {
  const auto width = static_cast<std::size_t>(kLevelMs * options_.sample_rate_hz / 1000.0);
  for (std::size_t begin = 0; begin + width <= samples_; begin += width) {
    double level = 0.0;
    for (const Channel& channel : channels_) {
      if (!channel.active) continue;
      double energy = 0.0;
      for (const double uv : channel.samples_uv.subspan(begin, width)) energy += uv * uv;
      level += std::sqrt(energy) / channel.floor_uv;
    }
    levels_.push_back(level);
  }
  while (static_cast<double>(levels_.size()) * kLevelMs > kKnownMs) levels_.pop_front();
}

bool ArtefactClassifier::FindAllMuscles(ArtefactVerdict& verdict) {
  KeepLevels();
  std::size_t with_muscle = 0;
  for (const Channel& channel : channels_) {
    with_muscle +=
        channel.active && channel.mean_hz >= kMuscleFromHz && channel.mean_hz <= BroadHz();
  }
  const bool muscle = verdict.kind == NonMuscle::kNone && with_muscle >= kAllLeast &&
                      IsPart(with_muscle, channels_.size(), kAllChannels);
  const double chunk_ms = static_cast<double>(samples_) * 1000.0 / options_.sample_rate_hz;
  chunks_.push_back({chunk_ms, muscle});
  known_ms_ += chunk_ms;
  while (known_ms_ > kKnownMs + 1e-6) {
    known_ms_ -= chunks_.front().ms;
    chunks_.pop_front();
  }
  double muscle_ms = 0.0;
  for (const Chunk& chunk : chunks_) muscle_ms += chunk.muscle ? chunk.ms : 0.0;
  if (!muscle || muscle_ms < kAllMs) return false;
  verdict.kind = NonMuscle::kAllMuscles;
  verdict.channels = with_muscle;
  verdict.reasons = {CountText(with_muscle, channels_.size()),
                     absl::StrCat("in ", Rounded(0.001 * muscle_ms, 0.1), " s of the last 3 s")};
  std::vector<double> swing(levels_.begin(), levels_.end());
  double mean = 0.0;
  for (const double level : swing) mean += level / static_cast<double>(swing.size());
  for (double& level : swing) level -= mean;
  const Periodicity found = FindPeriodicity(swing, 1000.0 / kLevelMs, 3.0, 14.0);
  verdict.reasons.push_back(
      found.strength >= kShiverStrength
          ? absl::StrCat("swings ", Rounded(found.rate_hz, 0.1), " times a second: shivering")
          : std::string("steady: light anaesthesia"));
  return true;
}

}  // namespace remora::dsp
