#include "acquisition-agent/sources/simulator/generator.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr double kWidthToSigma = 0.42466090014400953;  // 1 / (2 sqrt(2 ln 2))
constexpr double kArtefactDecayS = 0.5e-3;
constexpr double kThirdHarmonic = 0.1;
// The last component at the largest latency factor, and its tail.
constexpr double kResponseS = 0.25;
constexpr double kFloatingMainsUv = 500;  // what an electrode in the air picks up
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
  kBursts = 1'000'000
};

}  // namespace

SampleGenerator::SampleGenerator(const Scenario& scenario, const EventSchedule& schedule,
                                 double sample_rate_hz, uint64_t seed)
    : scenario_(scenario),
      schedule_(schedule),
      sample_rate_hz_(sample_rate_hz),
      seed_(seed),
      common_eeg_(PinkNoise(sample_rate_hz, SimRandom(seed, kCommonEeg))),
      heart_(SimRandom(seed, kHeart)) {
  for (size_t i = 0; i < scenario.channels.size(); ++i) {
    SimRandom traits(seed, kTraits + i);
    const double artefact_gain = (0.6 + 0.8 * traits.Uniform()) * (traits.Uniform() < 0.5 ? -1 : 1);
    const double mains_gain = 0.6 + 0.8 * traits.Uniform();
    const double phase = kTwoPi * traits.Uniform();
    channels_.push_back({scenario.channels[i], PinkNoise(sample_rate_hz, SimRandom(seed, kEeg + i)),
                         SimRandom(seed, kWhite + i), SimRandom(seed, kDiathermyNoise + i),
                         artefact_gain, mains_gain, std::cos(phase), std::sin(phase)});
  }
  for (const Stimulator& stimulator : scenario.stimulators) {
    std::vector<Wave> waves;
    for (int c = 0; c < static_cast<int>(scenario.channels.size()); ++c) {
      for (const Component& component : Components()) {
        if (component.nerve != stimulator.nerve) continue;
        const double part = Projection(component, scenario.channels[c], stimulator.side);
        if (part == 0) continue;
        waves.push_back({c, component.level, part * component.amplitude_uv,
                         component.latency_ms * 1e-3, component.width_ms * 1e-3 * kWidthToSigma});
      }
    }
    waves_.push_back(std::move(waves));
  }
}

void SampleGenerator::AddStimulus(int stimulator, double time_s) {
  const Stimulator& which = scenario_.stimulators[stimulator];
  Stimulus stimulus{stimulator, time_s, {}};
  for (const Level level : {Level::kPeripheral, Level::kSubcortical, Level::kCortical}) {
    stimulus.factors[static_cast<int>(level)] =
        schedule_.Response(which.nerve, which.side, level, time_s);
  }
  recent_.push_back(stimulus);
}

void SampleGenerator::Generate(int64_t first, int count, std::vector<double>* samples_uv) {
  first_ = first;
  count_ = count;
  samples_uv->assign(channels_.size() * static_cast<size_t>(count), 0.0);
  while (!recent_.empty() && recent_.front().time_s + kResponseS < TimeS(first))
    recent_.pop_front();
  AddBackground(samples_uv);
  AddMains(samples_uv);
  AddResponses(samples_uv);
  AddEmg(samples_uv);
  AddDiathermy(samples_uv);
  OverrideFaults(samples_uv);
  Digitise(samples_uv);
}

template <typename WaveFn>
void SampleGenerator::AddWave(double middle_s, double half_s, double* row,
                              const WaveFn& wave) const {
  const auto index = [&](double time_s) {
    return static_cast<int64_t>(std::ceil(time_s * sample_rate_hz_)) - first_;
  };
  const int64_t end = std::min(index(middle_s + half_s), count_);
  for (int64_t i = std::max<int64_t>(0, index(middle_s - half_s)); i < end; ++i) {
    row[i] += wave(TimeS(first_ + i) - middle_s);
  }
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
    const bool scalp = channel.site.kind == SiteKind::kScalp;
    const bool heart = channel.site.kind == SiteKind::kHeart;
    const double white_uv = scalp || heart ? scenario_.amplifier_uv
                                           : std::hypot(scenario_.amplifier_uv, scenario_.emg_uv);
    // On its own channel the heart is large; on scalp and neck it is an artefact.
    double beat_uv = scalp || channel.site.kind == SiteKind::kNeck ? scenario_.ecg_uv : 0.0;
    if (heart) beat_uv = scenario_.ecg_uv > 0 ? 50 * scenario_.ecg_uv : 1000.0;
    for (int64_t i = 0; i < count_; ++i) {
      row[i] += white_uv * channel.white.Gaussian() + beat_uv * beat_[i];
      if (scalp) row[i] += scenario_.eeg_uv * kShared * (common_[i] + channel.eeg.Next());
    }
  }
}

void SampleGenerator::AddMains(std::vector<double>* samples) {
  std::vector<double> level_uv(count_, scenario_.mains_uv);
  schedule_.Visit(Kind::kMains, first_, first_ + count_, [&](const Occurrence& occurrence) {
    const int64_t from = std::max<int64_t>(0, occurrence.first_sample - first_);
    const int64_t to = std::min(count_, occurrence.end_sample - first_);
    for (int64_t i = from; i < to; ++i) level_uv[i] = occurrence.event->level_uv;
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
  for (const Stimulus& stimulus : recent_) {
    for (const Wave& wave : waves_[stimulus.stimulator]) {
      const ResponseFactors& factors = stimulus.factors[static_cast<int>(wave.level)];
      const double amplitude_uv = wave.amplitude_uv * factors.amplitude;
      AddWave(stimulus.time_s + wave.latency_s * factors.latency, 5 * wave.sigma_s,
              Row(samples, wave.channel), [&](double since_s) {
                const double x = since_s / wave.sigma_s;
                return amplitude_uv * std::exp(-0.5 * x * x);
              });
    }
    if (scenario_.artefact_uv == 0) continue;
    for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
      const double peak_uv = scenario_.artefact_uv * channels_[c].artefact_gain;
      AddWave(stimulus.time_s, 16 * kArtefactDecayS, Row(samples, c), [&](double since_s) {
        return since_s < 0 ? 0.0 : peak_uv * std::exp(-since_s / kArtefactDecayS);
      });
    }
  }
}

void SampleGenerator::AddEmg(std::vector<double>* samples) {
  // A discharge lasts a little longer than its event.
  const int64_t tail = static_cast<int64_t>(2 * kDischargeHalfMs * 1e-3 * sample_rate_hz_) + 1;
  for (const Kind kind : {Kind::kEmgTrain, Kind::kEmgBurst, Kind::kEmgSpike}) {
    schedule_.Visit(kind, first_ - tail, first_ + count_, [&](const Occurrence& occurrence) {
      AddDischarges(occurrence, Row(samples, ChannelIndex(occurrence.event->channel)));
    });
  }
}

void SampleGenerator::AddDischarges(const Occurrence& occurrence, double* row) {
  const ScenarioEvent& event = *occurrence.event;
  const double half_s = kDischargeHalfMs * 1e-3;
  const auto add = [&](double onset_s, double peak_uv) {
    AddWave(onset_s + half_s, half_s, row,
            [&](double since_s) { return peak_uv * Discharge(since_s * 1e3); });
  };
  switch (event.kind) {
    case Kind::kEmgSpike:
      add(occurrence.begin_s, event.level_uv);
      break;
    case Kind::kEmgTrain: {
      const double since_s = TimeS(first_) - occurrence.begin_s - 2 * half_s;
      const double until_s = std::min(TimeS(first_ + count_), occurrence.end_s);
      int64_t k = std::max<int64_t>(0, static_cast<int64_t>(std::floor(since_s * event.rate_hz)));
      for (; occurrence.begin_s + k / event.rate_hz < until_s; ++k) {
        add(occurrence.begin_s + k / event.rate_hz, event.level_uv);
      }
      break;
    }
    case Kind::kEmgBurst: {
      // The same discharges each time they are asked for: drawn from the event, not from the
      // stretch.
      SimRandom random(seed_, kBursts + static_cast<uint64_t>(event.line) * 100'003 +
                                  static_cast<uint64_t>(occurrence.number));
      double onset_s = occurrence.begin_s;
      while (onset_s < occurrence.end_s) {
        const double peak_uv = event.level_uv * (0.3 + 0.7 * random.Uniform());
        if (onset_s >= TimeS(first_) - 2 * half_s && onset_s < TimeS(first_ + count_))
          add(onset_s, peak_uv);
        onset_s += 0.004 + 0.016 * random.Uniform();
      }
      break;
    }
    default:
      break;
  }
}

// Wide-band noise that is modulated at twice the mains frequency: what an amplifier makes of a
// diathermy's radio frequency.
void SampleGenerator::AddDiathermy(std::vector<double>* samples) {
  std::vector<double>
      level_uv;  // of the strongest at each sample; one draw a sample, or stretches would matter
  schedule_.Visit(Kind::kDiathermy, first_, first_ + count_, [&](const Occurrence& occurrence) {
    level_uv.resize(count_, 0.0);
    const int64_t from = std::max<int64_t>(0, occurrence.first_sample - first_);
    const int64_t to = std::min(count_, occurrence.end_sample - first_);
    for (int64_t i = from; i < to; ++i)
      level_uv[i] = std::max(level_uv[i], occurrence.event->level_uv);
  });
  if (level_uv.empty()) return;
  for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
    double* row = Row(samples, c);
    for (int64_t i = 0; i < count_; ++i) {
      if (level_uv[i] == 0) continue;
      const double envelope = 0.5 + 0.5 * mains_sin_[i] * mains_sin_[i];
      row[i] += 0.5 * level_uv[i] * envelope * channels_[c].diathermy.Gaussian();
    }
  }
}

void SampleGenerator::OverrideFaults(std::vector<double>* samples) {
  for (const Kind kind : {Kind::kDisconnect, Kind::kSaturate}) {
    schedule_.Visit(kind, first_, first_ + count_, [&](const Occurrence& occurrence) {
      const int c = ChannelIndex(occurrence.event->channel);
      double* row = Row(samples, c);
      const int64_t from = std::max<int64_t>(0, occurrence.first_sample - first_);
      const int64_t to = std::min(count_, occurrence.end_sample - first_);
      for (int64_t i = from; i < to; ++i) {
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
