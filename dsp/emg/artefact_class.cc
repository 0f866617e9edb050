#include "dsp/emg/artefact_class.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsp/emg/artefact_measures.h"
#include "dsp/emg/rhythm.h"
#include "dsp/filter/streaming_filter.h"

namespace remora::dsp {
namespace {

constexpr double kShortestMs = 50.0;
constexpr double kLongestMs = 500.0;
// With less of a channel to look at, it says nothing.
constexpr double kLeastKeptMs = 20.0;
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
// Of noise in one channel it is under 0.2 in one of a hundred chunks.
constexpr double kFlatness = 0.12;
constexpr std::size_t kFlatnessChannels = 3;
constexpr double kMainsShare = 0.5;
constexpr int kMainsHarmonics = 5;
// What half of all have at once goes on like that; in one channel a muscle's bursts may.
constexpr double kSteadyCrest = 7.0;
constexpr double kSteadyCrestOfOne = 5.0;
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
                                 std::span<const double> floors_uv,
                                 std::span<const std::vector<SampleStretch>> left_out) {
  const std::size_t before = channels_.size();
  channels_.clear();
  judged_ = 0;
  samples_ = channels_uv.empty() ? 0 : channels_uv[0].size();
  const double chunk_ms = static_cast<double>(samples_) * 1000.0 / options_.sample_rate_hz;
  if (channels_uv.size() > kMaxArtefactChannels || floors_uv.size() != channels_uv.size() ||
      chunk_ms < kShortestMs || chunk_ms > kLongestMs ||
      (!left_out.empty() && left_out.size() != channels_uv.size())) {
    return false;
  }
  for (std::size_t i = 0; i < channels_uv.size(); ++i) {
    Channel channel;
    channel.samples_uv = channels_uv[i];
    if (channel.samples_uv.size() != samples_) return false;
    channel.floor_uv = floors_uv[i];
    MeasureKept(left_out.empty() ? std::span<const SampleStretch>() : left_out[i], channel);
    judged_ += channel.judged;
    channels_.push_back(channel);
  }
  return before == 0 || before == channels_.size();
}

void ArtefactClassifier::MeasureKept(std::span<const SampleStretch> left_out, Channel& channel) {
  double step_energy = 0.0;
  bool finite = true;
  const auto keep = [&](std::size_t from, std::size_t to) {
    if (from >= to) return;
    const auto kept = channel.samples_uv.subspan(from, to - from);
    double previous = kept.front();
    for (const double sample : kept) {
      finite = finite && std::abs(sample) <= kLargestSample;
      channel.energy += sample * sample;
      step_energy += (sample - previous) * (sample - previous);
      previous = sample;
      channel.peak_uv = std::max(channel.peak_uv, std::abs(sample));
    }
    channel.kept += kept.size();
    if (kept.size() > channel.stretch_uv.size()) channel.stretch_uv = kept;
  };
  std::size_t at = 0;
  for (const SampleStretch& range : left_out) {
    keep(at, std::min(range.from, samples_));
    at = std::clamp(range.to, at, samples_);
  }
  keep(at, samples_);
  const double kept_ms = static_cast<double>(channel.kept) * 1000.0 / options_.sample_rate_hz;
  channel.judged = finite && channel.floor_uv > 0.0 && kept_ms >= kLeastKeptMs;
  if (!channel.judged) return;
  channel.rms_uv = std::sqrt(channel.energy / static_cast<double>(channel.kept));
  channel.active = channel.rms_uv > kActiveRms * channel.floor_uv ||
                   channel.peak_uv > kActivePeak * channel.floor_uv;
  if (channel.energy > 0.0) {
    channel.mean_hz = std::sqrt(step_energy / channel.energy) * options_.sample_rate_hz /
                      (2.0 * std::numbers::pi);
  }
}

ArtefactVerdict ArtefactClassifier::Push(std::span<const std::span<const double>> channels_uv,
                                         std::span<const double> floors_uv,
                                         std::span<const std::size_t> stimuli,
                                         std::span<const std::vector<SampleStretch>> left_out) {
  ArtefactVerdict verdict;
  if (!Measure(channels_uv, floors_uv, left_out)) {
    Restart();
    return verdict;
  }
  verdict.active = Active();
  // What goes on in few channels hides what the others have: those first.
  const Suspects broad = FindBroad();
  const Suspects humming = FindHumming();
  if (!IsOfAll(HugeAnd(broad.channels))) LeaveOut(broad, NonMuscle::kDiathermy, verdict);
  if (!IsOfAll(humming.channels)) LeaveOut(humming, NonMuscle::kMains, verdict);
  const bool found = FindStimuli(stimuli, verdict) || FindPulses(verdict) ||
                     FindDiathermy(broad, verdict) || FindMains(humming, verdict) ||
                     FindDrill(verdict);
  // The levels go on, whatever was found.
  const bool all = FindAllMuscles(verdict);
  if (!found && !all) verdict.channels = 0;
  position_ += samples_;
  for (Channel& channel : channels_) channel.samples_uv = channel.stretch_uv = {};
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
    count += near >= kStimulusShare * channel.energy;
  }
  if (!IsPart(count, judged_, 0.5)) return false;
  verdict.kind = NonMuscle::kStimulus;
  verdict.channels = count;
  verdict.reasons = {CountText(count, judged_),
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
    if (tall[bin] < 2 || !IsPart(tall[bin], judged_, kPulseChannels)) {
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
  verdict.channels = Active();
  verdict.reasons = {CountText(Active(), judged_),
                     absl::StrCat("pulses each ", Rounded(interval_ms, 0.1), " ms")};
  return true;
}

// Noise that goes on. A muscle's channel is looked at by itself; where half of all may be noise, as
// in diathermy, a few of them speak for the rest.
ArtefactClassifier::Suspects ArtefactClassifier::FindBroad() const {
  std::vector<std::size_t> likely;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const Channel& channel = channels_[i];
    // A lone pulse is as broad; it does not last.
    const bool lasts = channel.peak_uv <= kSteadyCrest * channel.rms_uv;
    if (channel.active && channel.mean_hz > BroadHz() && lasts) likely.push_back(i);
  }
  const bool of_all = IsOfAll(likely);
  const double to_hz = std::min(0.9 * options_.band_to_hz, 0.4 * options_.sample_rate_hz);
  Suspects broad;
  double flatness = 0.0;
  double mean_hz = 0.0;
  const auto add = [&](std::size_t channel) {
    broad.channels.push_back(channel);
    mean_hz += channels_[channel].mean_hz;
  };
  for (std::size_t k = 0; k < likely.size(); ++k) {
    if (k == kFlatnessChannels && broad.channels.size() == k && of_all) {
      for (; k < likely.size(); ++k) add(likely[k]);
      break;
    }
    const Channel& channel = channels_[likely[k]];
    if (!of_all && channel.peak_uv > kSteadyCrestOfOne * channel.rms_uv) continue;
    const double flat = FlatnessOf(channel.stretch_uv, options_.sample_rate_hz, to_hz);
    if (flat < kFlatness) continue;
    flatness = std::max(flatness, flat);
    add(likely[k]);
  }
  if (broad.channels.empty()) return broad;
  const double count = static_cast<double>(broad.channels.size());
  broad.reasons = {absl::StrCat("mean frequency ", Rounded(mean_hz / count, 1.0), " Hz"),
                   absl::StrCat("flatness ", Rounded(flatness, 0.01))};
  return broad;
}

// These, and those with more than any muscle.
std::vector<std::size_t> ArtefactClassifier::HugeAnd(std::vector<std::size_t> channels) const {
  const std::size_t others = channels.size();
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const auto end = channels.begin() + static_cast<std::ptrdiff_t>(others);
    const bool huge = channels_[i].active && channels_[i].peak_uv > kDiathermyUv;
    if (huge && std::find(channels.begin(), end, i) == end) channels.push_back(i);
  }
  return channels;
}

bool ArtefactClassifier::FindDiathermy(const Suspects& broad, ArtefactVerdict& verdict) {
  // Noise that few have was told of before.
  std::vector<std::size_t> noisy;
  std::copy_if(broad.channels.begin(), broad.channels.end(), std::back_inserter(noisy),
               [&](std::size_t channel) { return channels_[channel].active; });
  Suspects with_it;
  if (!noisy.empty()) with_it.reasons = broad.reasons;
  with_it.channels = HugeAnd(std::move(noisy));
  if (with_it.channels.empty()) return false;
  double peak_uv = 0.0;
  for (const std::size_t i : with_it.channels) peak_uv = std::max(peak_uv, channels_[i].peak_uv);
  with_it.reasons.insert(with_it.reasons.begin(),
                         absl::StrCat("up to ", Rounded(peak_uv, 1.0), " uV"));
  if (!IsOfAll(with_it.channels)) {
    LeaveOut(with_it, NonMuscle::kDiathermy, verdict);
    return false;
  }
  Tell(with_it, NonMuscle::kDiathermy, verdict);
  return true;
}

ArtefactClassifier::Suspects ArtefactClassifier::FindHumming() const {
  Suspects humming;
  if (options_.mains_hz <= 0.0) return humming;
  double largest = 0.0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const Channel& channel = channels_[i];
    // Hum is low: a channel of high mean frequency need not be looked at.
    if (!channel.active || channel.mean_hz > BroadHz()) continue;
    double power = 0.0;
    for (const double uv : channel.stretch_uv) power += uv * uv;
    power /= static_cast<double>(channel.stretch_uv.size());
    const double share =
        MainsShareOf(channel.stretch_uv, options_.sample_rate_hz, options_.mains_hz, power);
    if (share < kMainsShare) continue;
    largest = std::max(largest, share);
    humming.channels.push_back(i);
  }
  if (humming.channels.empty()) return humming;
  humming.reasons = {absl::StrCat(Rounded(100.0 * largest, 1.0), " % of the power at ",
                                  options_.mains_hz, " Hz and its harmonics")};
  return humming;
}

bool ArtefactClassifier::FindMains(const Suspects& humming, ArtefactVerdict& verdict) const {
  if (!IsOfAll(humming.channels)) return false;
  Tell(humming, NonMuscle::kMains, verdict);
  return true;
}

bool ArtefactClassifier::FindDrill(ArtefactVerdict& verdict) const {
  const std::size_t active = Active();
  if (!IsPart(active, judged_, 0.5) || active < 2) return false;
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
  if (!IsPart(alike, judged_, 0.5) || alike < 2) return false;
  verdict.kind = NonMuscle::kDrill;
  verdict.channels = alike;
  verdict.reasons = {CountText(alike, judged_),
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
      std::size_t kept = 0;
      for (const double uv : channel.samples_uv.subspan(begin, width)) {
        energy += uv * uv;
        kept += uv != 0.0;
      }
      // What is left out, and is 0, is taken to be as the rest: holes and their edges do not
      // shiver.
      energy = 4 * kept < width ? channel.rms_uv * channel.rms_uv * static_cast<double>(width)
                                : energy * static_cast<double>(width) / static_cast<double>(kept);
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
                      IsPart(with_muscle, judged_, kAllChannels);
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
  verdict.reasons = {CountText(with_muscle, judged_),
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
