// The generator's activity that no stimulus evokes: of muscles, and of an irritated cortex.
#include <algorithm>
#include <array>
#include <cmath>

#include "acquisition-agent/sources/simulator/generator.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

constexpr uint64_t kBursts = 1'000'000;
constexpr uint64_t kSteady = 77'000'000;
constexpr double kDischargeS = 2 * kDischargeHalfMs * 1e-3;
constexpr double kAfterDischargeHz = 3.5;
constexpr double kSpikeWaveS = 0.22;
constexpr double kShiverHz = 45;

// A motor unit's discharge, from its beginning to its end.
const WaveShape& DischargeShape() {
  static const auto* const shape = [] {
    constexpr int kPoints = 1025;
    std::vector<double> values(kPoints);
    for (int i = 0; i < kPoints; ++i) {
      values[i] = Discharge((2.0 * i / (kPoints - 1) - 1) * kDischargeHalfMs);
    }
    return new WaveShape(std::move(values), 0);
  }();
  return *shape;
}

// The chance of discharge k of an occurrence, without those before it.
SimRandom ChanceOf(uint64_t seed, const Occurrence& occurrence, int channel, int64_t k) {
  uint64_t stream = kSteady + static_cast<uint64_t>(occurrence.event->line) * 100'003 +
                    static_cast<uint64_t>(occurrence.number) * 10'007 +
                    static_cast<uint64_t>(channel) * 7919;
  stream = SplitMix64(&stream) + static_cast<uint64_t>(k);
  return SimRandom(seed, stream);
}

}  // namespace

void SampleGenerator::AddEmg(std::vector<double>* samples) {
  // A discharge lasts a little longer than its event.
  const int64_t tail = static_cast<int64_t>(kDischargeS * sample_rate_hz_) + 1;
  for (const Kind kind :
       {Kind::kEmgTrain, Kind::kEmgBurst, Kind::kEmgSpike, Kind::kEmgBTrain, Kind::kEmgCTrain}) {
    schedule_.Visit(kind, first_ - tail, first_ + count_, [&](const Occurrence& occurrence) {
      const int channel = ChannelIndex(occurrence.event->channel);
      double* row = Row(samples, channel);
      if (kind == Kind::kEmgBTrain || kind == Kind::kEmgCTrain) {
        AddSteadyDischarges(occurrence, channel, row);
      } else {
        AddDischarges(occurrence, channel, row);
      }
    });
  }
}

void SampleGenerator::AddDischarges(const Occurrence& occurrence, int channel, double* row) {
  const ScenarioEvent& event = *occurrence.event;
  const auto add = [&](double onset_s, double peak_uv) {
    if (acts_on_emg_) peak_uv *= truth_.Emg(channels_[channel].site, onset_s);
    AddShape(DischargeShape(), onset_s, kDischargeS, peak_uv, row);
  };
  switch (event.kind) {
    case Kind::kEmgSpike:
      add(occurrence.begin_s, event.level_uv);
      break;
    case Kind::kEmgTrain: {
      const double since_s = TimeS(first_) - occurrence.begin_s - kDischargeS;
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
        if (onset_s >= TimeS(first_) - kDischargeS && onset_s < TimeS(first_ + count_))
          add(onset_s, peak_uv);
        onset_s += 0.004 + 0.016 * random.Uniform();
      }
      break;
    }
    default:
      break;
  }
}

// A B-train swells and dies away over a quarter of its length; a C-train is as irregular in time as
// in height. Shivering is one of many units at once, in waves of 8 a second.
void SampleGenerator::AddSteadyDischarges(const Occurrence& occurrence, int channel, double* row) {
  const ScenarioEvent& event = *occurrence.event;
  const double rate_hz = event.kind == Kind::kShivering ? kShiverHz : event.rate_hz;
  const double spread = event.kind == Kind::kEmgBTrain ? 0.1 : 0.9;
  const double until_s = std::min(TimeS(first_ + count_), occurrence.end_s);
  const double from_s = TimeS(first_) - kDischargeS - 1 / rate_hz - occurrence.begin_s;
  int64_t k = std::max<int64_t>(0, static_cast<int64_t>(std::floor(from_s * rate_hz)));
  const double length_s = occurrence.end_s - occurrence.begin_s;
  for (; occurrence.begin_s + k / rate_hz < until_s; ++k) {
    SimRandom chance = ChanceOf(seed_, occurrence, channel, k);
    const double since_s = (static_cast<double>(k) + spread * chance.Uniform()) / rate_hz;
    double peak_uv = event.level_uv;
    if (event.kind == Kind::kEmgBTrain && std::isfinite(length_s)) {
      peak_uv *= std::clamp(std::min(since_s, length_s - since_s) / (0.25 * length_s), 0.0, 1.0);
    } else if (event.kind != Kind::kEmgBTrain) {
      peak_uv *= 0.3 + 0.7 * chance.Uniform();
    }
    if (event.kind == Kind::kShivering) {
      const double wave = 8 * since_s;
      if (wave - std::floor(wave) > 0.6) continue;
      if (chance.Uniform() < 0.5) peak_uv = -peak_uv;
    }
    const double onset_s = occurrence.begin_s + since_s;
    if (acts_on_emg_) peak_uv *= truth_.Emg(channels_[channel].site, onset_s);
    AddShape(DischargeShape(), onset_s, kDischargeS, peak_uv, row);
  }
}

void SampleGenerator::AddShivering(std::vector<double>* samples) {
  const int64_t tail = static_cast<int64_t>(kDischargeS * sample_rate_hz_) + 1;
  schedule_.Visit(Kind::kShivering, first_ - tail, first_ + count_,
                  [&](const Occurrence& occurrence) {
                    for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
                      if (channels_[c].site.kind != SiteKind::kMuscle) continue;
                      AddSteadyDischarges(occurrence, c, Row(samples, c));
                    }
                  });
}

void SampleGenerator::AddAfterDischarges(std::vector<double>* samples) {
  const int64_t tail = static_cast<int64_t>(kSpikeWaveS * sample_rate_hz_) + 1;
  schedule_.Visit(
      Kind::kAfterDischarge, first_ - tail, first_ + count_, [&](const Occurrence& occurrence) {
        const int middle = StripContact(occurrence.event->channel);
        const double since_s = TimeS(first_) - occurrence.begin_s - kSpikeWaveS;
        const double until_s = std::min(TimeS(first_ + count_), occurrence.end_s);
        auto k = std::max<int64_t>(0, static_cast<int64_t>(since_s * kAfterDischargeHz));
        for (; occurrence.begin_s + k / kAfterDischargeHz < until_s; ++k) {
          for (int c = 0; c < static_cast<int>(channels_.size()); ++c) {
            const int contact = StripContact(channels_[c].site.label);
            if (contact == 0 || std::abs(contact - middle) > 1) continue;
            AddShape(SpikeWaveShape(), occurrence.begin_s + k / kAfterDischargeHz, kSpikeWaveS,
                     occurrence.event->level_uv * (contact == middle ? 1 : 0.5), Row(samples, c));
          }
        }
      });
}

}  // namespace remora::agent::sim
