#include "acquisition-agent/sources/simulator/generator.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kArtefactDecayS = 0.5e-3;
constexpr double kThirdHarmonic = 0.1;
constexpr double kFloatingMainsUv = 500;  // what an electrode in the air picks up
constexpr double kStripEeg = 4;           // the cortex itself is that much louder than the scalp
// How often a muscle's gain is asked for.
constexpr double kEmgGainHz = 10;
// Scalp electrodes share half of their EEG's power: a derivation loses it, as it does in a patient.
const double kShared = std::sqrt(0.5);

// Streams of one seed.
enum Stream : uint64_t {
  kCommonEeg = 1,
  kHeart = 2,
  kTraits = 1000,
  kEeg = 2000,
  kWhite = 3000,
  kDiathermyNoise = 4000,
  kDrillNoise = 6000,
  kCusaNoise = 6500,
};

}  // namespace

SampleGenerator::SampleGenerator(const Scenario& scenario, const EventSchedule& schedule,
                                 const SimulatedTruth& truth, double sample_rate_hz, uint64_t seed)
    : scenario_(scenario),
      schedule_(schedule),
      truth_(truth),
      responses_(scenario, truth, seed),
      sample_rate_hz_(sample_rate_hz),
      seed_(seed),
      acts_on_emg_(truth.ActsOnEmg()),
      rhythms_(scenario, truth, sample_rate_hz, seed),
      common_eeg_(PinkNoise(sample_rate_hz, SimRandom(seed, kCommonEeg))),
      heart_(SimRandom(seed, kHeart)) {
  for (size_t i = 0; i < scenario.channels.size(); ++i) {
    SimRandom traits(seed, kTraits + i);
    const double artefact_gain = (0.6 + 0.8 * traits.Uniform()) * (traits.Uniform() < 0.5 ? -1 : 1);
    const double mains_gain = 0.6 + 0.8 * traits.Uniform();
    const double phase = kTwoPi * traits.Uniform();
    channels_.push_back({scenario.channels[i], PinkNoise(sample_rate_hz, SimRandom(seed, kEeg + i)),
                         SimRandom(seed, kWhite + i), SimRandom(seed, kDiathermyNoise + i),
                         SimRandom(seed, kDrillNoise + i), SimRandom(seed, kCusaNoise + i),
                         artefact_gain, mains_gain, std::cos(phase), std::sin(phase)});
  }
}

void SampleGenerator::AddStimulus(const Stimulus& stimulus) {
  responses_.Answer(stimulus, &waves_, &artefacts_);
}

void SampleGenerator::Generate(int64_t first, int count, std::vector<double>* samples_uv) {
  first_ = first;
  count_ = count;
  samples_uv->assign(channels_.size() * static_cast<size_t>(count), 0.0);
  std::erase_if(waves_, [&](const Wave& w) { return w.start_s + w.length_s < TimeS(first); });
  std::erase_if(artefacts_, [&](const PulseArtefact& a) {
    return a.time_s + kDecayTimes * kArtefactDecayS < TimeS(first);
  });
  rhythms_.Prepare(first, count);
  AddBackground(samples_uv);
  AddMains(samples_uv);
  AddResponses(samples_uv);
  AddEmg(samples_uv);
  AddShivering(samples_uv);
  AddAfterDischarges(samples_uv);
  AddInterference(Kind::kDiathermy, &Channel::diathermy, samples_uv);
  AddInterference(Kind::kDrill, &Channel::drill, samples_uv);
  AddInterference(Kind::kCusa, &Channel::cusa, samples_uv);
  SwapLeads(samples_uv);
  OverrideFaults(samples_uv);
  Digitise(samples_uv);
}

void SampleGenerator::AddShape(const WaveShape& shape, double start_s, double length_s,
                               double peak_uv, double* row) const {
  const auto index = [&](double time_s) {
    return static_cast<int64_t>(std::ceil(time_s * sample_rate_hz_)) - first_;
  };
  const int64_t end = std::min(index(start_s + length_s), count_);
  const double per_s = 1 / length_s;
  for (int64_t i = std::max<int64_t>(0, index(start_s)); i < end; ++i) {
    row[i] += peak_uv * shape.At((TimeS(first_ + i) - start_s) * per_s);
  }
}

SampleGenerator::Stretch SampleGenerator::PartOf(const Occurrence& occurrence) const {
  return {std::max<int64_t>(0, occurrence.first_sample - first_),
          std::min(count_, occurrence.end_sample - first_)};
}

void SampleGenerator::AddBackground(std::vector<double>* samples) {
  common_.resize(count_);
  for (double& value : common_) value = common_eeg_->Next();
  beat_.assign(count_, 0.0);
  const bool has_heart = std::any_of(channels_.begin(), channels_.end(), [](const Channel& c) {
    return c.site.kind == SiteKind::kHeart;
  });
  if (has_heart || scenario_.ecg_uv > 0) {
    for (int64_t i = 0; i < count_; ++i) beat_[i] = heart_.At(TimeS(first_ + i));
  }
  for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
    Channel& channel = channels_[c];
    double* row = Row(samples, c);
    const SiteKind kind = channel.site.kind;
    const bool heart = kind == SiteKind::kHeart;
    // On its own channel the heart is large; on scalp and neck it is an artefact.
    double beat_uv = kind == SiteKind::kScalp || kind == SiteKind::kNeck ? scenario_.ecg_uv : 0.0;
    if (heart) beat_uv = scenario_.ecg_uv > 0 ? 50 * scenario_.ecg_uv : 1000.0;
    if (beat_uv != 0) {
      for (int64_t i = 0; i < count_; ++i) row[i] += beat_uv * beat_[i];
    }
    if (kind == SiteKind::kScalp || kind == SiteKind::kStrip) {
      AddScalp(&channel, c, row);
    } else if (kind == SiteKind::kMuscle && acts_on_emg_) {
      AddMuscleNoise(&channel, row);
    } else {
      const bool quiet = heart || kind == SiteKind::kEpidural;
      const double white_uv =
          quiet ? scenario_.amplifier_uv : std::hypot(scenario_.amplifier_uv, scenario_.emg_uv);
      for (int64_t i = 0; i < count_; ++i) row[i] += white_uv * channel.white.Gaussian();
    }
  }
}

void SampleGenerator::AddScalp(Channel* channel, int index, double* row) {
  const bool strip = channel->site.kind == SiteKind::kStrip;
  const double eeg_uv = scenario_.eeg_uv * (strip ? kStripEeg : kShared);
  for (int64_t i = 0; i < count_; ++i) {
    const double noise = channel->eeg.Next() + (strip ? 0 : common_[i]);
    row[i] += scenario_.amplifier_uv * channel->white.Gaussian();
    if (rhythms_.active()) {
      const auto at = static_cast<int>(i);
      row[i] += eeg_uv * noise * rhythms_.Gain(channel->site.side, at) +
                (strip ? kStripEeg : 1) * rhythms_.RhythmUv(index, at);
    } else {
      row[i] += eeg_uv * noise;
    }
  }
}

void SampleGenerator::AddMuscleNoise(Channel* channel, double* row) {
  int64_t known = -1;
  double white_uv = 0;
  for (int64_t i = 0; i < count_; ++i) {
    const auto tick = static_cast<int64_t>(TimeS(first_ + i) * kEmgGainHz);
    if (tick != known) {
      known = tick;
      const double gain = truth_.Emg(channel->site, static_cast<double>(tick) / kEmgGainHz);
      white_uv = std::hypot(scenario_.amplifier_uv, scenario_.emg_uv * gain);
    }
    row[i] += white_uv * channel->white.Gaussian();
  }
}

void SampleGenerator::AddMains(std::vector<double>* samples) {
  std::vector<double> level_uv(count_, scenario_.mains_uv);
  schedule_.Visit(Kind::kMains, first_, first_ + count_, [&](const Occurrence& occurrence) {
    const Stretch part = PartOf(occurrence);
    for (int64_t i = part.from; i < part.to; ++i) level_uv[i] = occurrence.event->level_uv;
  });
  mains_cos_.resize(count_);
  mains_sin_.resize(count_);
  mains3_.resize(count_);
  for (int64_t i = 0; i < count_; ++i) {
    const double turns = scenario_.mains_hz * TimeS(first_ + i);
    const double phase = kTwoPi * (turns - std::floor(turns));
    mains_cos_[i] = std::cos(phase);
    mains_sin_[i] = std::sin(phase);
    // sin 3x = 3 sin x - 4 sin^3 x
    mains3_[i] =
        kThirdHarmonic * (3 * mains_sin_[i] - 4 * mains_sin_[i] * mains_sin_[i] * mains_sin_[i]);
  }
  for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
    const Channel& channel = channels_[c];
    double* row = Row(samples, c);
    for (int64_t i = 0; i < count_; ++i) {
      row[i] +=
          level_uv[i] * channel.mains_gain *
          (channel.mains_cos * mains_sin_[i] + channel.mains_sin * mains_cos_[i] + mains3_[i]);
    }
  }
}

void SampleGenerator::AddResponses(std::vector<double>* samples) {
  for (const Wave& wave : waves_) {
    AddShape(*wave.shape, wave.start_s, wave.length_s, wave.amplitude_uv,
             Row(samples, wave.channel));
  }
  if (scenario_.artefact_uv == 0) return;
  for (const PulseArtefact& artefact : artefacts_) {
    for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
      AddShape(DecayShape(), artefact.time_s, kDecayTimes * kArtefactDecayS,
               artefact.scale * scenario_.artefact_uv * channels_[c].artefact_gain,
               Row(samples, c));
    }
  }
}

// Wide-band noise: of a diathermy modulated at twice the mains frequency (what an amplifier makes
// of its radio frequency), of a drill at its turns, of an ultrasonic aspirator steady.
void SampleGenerator::AddInterference(Kind kind, SimRandom Channel::*random,
                                      std::vector<double>* samples) {
  constexpr double kDrillTurnsHz = 87;
  std::vector<double>
      level_uv;  // of the strongest at each sample; one draw a sample, or stretches would matter
  schedule_.Visit(kind, first_, first_ + count_, [&](const Occurrence& occurrence) {
    level_uv.resize(count_, 0.0);
    const Stretch part = PartOf(occurrence);
    for (int64_t i = part.from; i < part.to; ++i)
      level_uv[i] = std::max(level_uv[i], occurrence.event->level_uv);
  });
  if (level_uv.empty()) return;
  for (int64_t i = 0; i < count_; ++i) {
    if (level_uv[i] == 0) continue;
    double envelope = 0.5;
    if (kind == Kind::kDiathermy) envelope = 0.5 + 0.5 * mains_sin_[i] * mains_sin_[i];
    if (kind == Kind::kDrill) {
      const double turns = kDrillTurnsHz * TimeS(first_ + i);
      envelope = std::abs(2 * (turns - std::floor(turns)) - 1);
    }
    level_uv[i] *= 0.5 * envelope;
  }
  for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
    double* row = Row(samples, c);
    SimRandom& noise = channels_[c].*random;
    for (int64_t i = 0; i < count_; ++i) {
      if (level_uv[i] != 0) row[i] += level_uv[i] * noise.Gaussian();
    }
  }
}

void SampleGenerator::SwapLeads(std::vector<double>* samples) {
  schedule_.Visit(Kind::kSwap, first_, first_ + count_, [&](const Occurrence& occurrence) {
    double* one = Row(samples, ChannelIndex(occurrence.event->channel));
    double* other = Row(samples, ChannelIndex(occurrence.event->other));
    const Stretch part = PartOf(occurrence);
    for (int64_t i = part.from; i < part.to; ++i) std::swap(one[i], other[i]);
  });
}

void SampleGenerator::OverrideFaults(std::vector<double>* samples) {
  for (const Kind kind : {Kind::kDisconnect, Kind::kSaturate}) {
    schedule_.Visit(kind, first_, first_ + count_, [&](const Occurrence& occurrence) {
      const int c = ChannelIndex(occurrence.event->channel);
      double* row = Row(samples, c);
      const Stretch part = PartOf(occurrence);
      for (int64_t i = part.from; i < part.to; ++i) {
        if (kind == Kind::kSaturate) {
          row[i] = 2 * kDigitalMax * kUvPerCount;
        } else if (occurrence.event->flat) {
          row[i] = 0;
        } else {
          row[i] = kFloatingMainsUv * (mains_sin_[i] + mains3_[i]) + 3 * row[i];
        }
      }
    });
  }
}

void SampleGenerator::Digitise(std::vector<double>* samples) const {
  for (double& sample : *samples) {
    const double count =
        std::clamp(std::round(sample / kUvPerCount), static_cast<double>(kDigitalMin),
                   static_cast<double>(kDigitalMax));
    sample = count * kUvPerCount;
  }
}

int SampleGenerator::ChannelIndex(const std::string& label) const {
  for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
    if (channels_[c].site.label == label) return c;
  }
  return 0;  // the parser has resolved every label
}

}  // namespace remora::agent::sim
