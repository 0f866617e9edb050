// What a scenario gives when a source has run through it, for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "acquisition-agent/sources/simulator/simulator_source.h"
#include "gtest/gtest.h"

namespace remora::agent::sim {

inline constexpr char kSilent[] =
    "eeg 0 uV\nemg 0 uV\namplifier 0 uV\nartefact 0 uV\nmains 50 Hz 0 uV\n";

class Recording {
 public:
  Recording(const std::string& text, double seconds, uint64_t seed = 1) {
    SimulatorOptions options;
    absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    options.scenario = *scenario;
    options.duration_s = seconds;
    options.seed = seed;
    source_ = *SimulatorSource::Create(options);
    samples_.resize(source_->info().channels.size());
    int64_t due_ns = 0;
    while (true) {
      absl::StatusOr<Item> item = source_->Next();
      EXPECT_TRUE(item.ok());
      if (std::holds_alternative<EndOfSource>(*item)) return;
      EXPECT_GE(DueTimeNs(*item), due_ns);
      due_ns = DueTimeNs(*item);
      if (auto* block = std::get_if<SampleBlock>(&*item)) {
        for (size_t c = 0; c < samples_.size(); ++c) {
          const auto row = block->channel(static_cast<int>(c));
          samples_[c].insert(samples_[c].end(), row.begin(), row.end());
        }
      } else if (auto* trigger = std::get_if<StimulusTrigger>(&*item)) {
        triggers.push_back(*trigger);
      } else if (auto* vital = std::get_if<VitalSign>(&*item)) {
        vitals.push_back(*vital);
      } else if (auto* drug = std::get_if<DrugEvent>(&*item)) {
        drugs.push_back(*drug);
      } else if (auto* impedance = std::get_if<ElectrodeImpedance>(&*item)) {
        impedances.push_back(*impedance);
      } else if (auto* event = std::get_if<SourceEvent>(&*item)) {
        events.push_back(*event);
      }
    }
  }

  const SimulatedTruth& truth() const { return source_->truth(); }
  double rate_hz() const { return source_->info().rate_groups[0].sample_rate_hz; }
  const std::vector<double>& operator[](absl::string_view label) const {
    const absl::StatusOr<int> i = FindChannel(source_->info().channels, label);
    EXPECT_TRUE(i.ok()) << i.status();
    return samples_[static_cast<size_t>(i.value_or(0))];
  }
  std::vector<StimulusTrigger> Of(absl::string_view label) const {
    std::vector<StimulusTrigger> out;
    for (const StimulusTrigger& trigger : triggers) {
      if (trigger.label == label) out.push_back(trigger);
    }
    return out;
  }
  // Samples of a channel from `from_ms` to `to_ms` after a stimulus.
  std::vector<double> Sweep(absl::string_view label, const StimulusTrigger& trigger, double from_ms,
                            double to_ms) const {
    const std::vector<double>& row = (*this)[label];
    const auto at = [&](double ms) {
      const double sample = (static_cast<double>(trigger.time_ns) * 1e-9 + ms * 1e-3) * rate_hz();
      return std::clamp<int64_t>(std::llround(sample), 0, static_cast<int64_t>(row.size()));
    };
    return {row.begin() + at(from_ms), row.begin() + at(to_ms)};
  }
  double PeakToPeak(absl::string_view label, const StimulusTrigger& trigger, double from_ms = 2,
                    double to_ms = 90) const {
    const std::vector<double> sweep = Sweep(label, trigger, from_ms, to_ms);
    const auto [low, high] = std::minmax_element(sweep.begin(), sweep.end());
    return sweep.empty() ? 0 : *high - *low;
  }
  // Where a response has come to 5 % of its height.
  double OnsetMs(absl::string_view label, const StimulusTrigger& trigger) const {
    const double edge = 0.05 * PeakToPeak(label, trigger);
    const std::vector<double> sweep = Sweep(label, trigger, 2, 90);
    for (size_t i = 0; i < sweep.size(); ++i) {
      if (std::abs(sweep[i]) >= edge) return 2 + static_cast<double>(i) * 1e3 / rate_hz();
    }
    return -1;
  }

  std::vector<StimulusTrigger> triggers;
  std::vector<VitalSign> vitals;
  std::vector<DrugEvent> drugs;
  std::vector<ElectrodeImpedance> impedances;
  std::vector<SourceEvent> events;

 private:
  std::unique_ptr<SimulatorSource> source_;
  std::vector<std::vector<double>> samples_;
};

inline double Mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
inline double Rms(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum / static_cast<double>(std::max<size_t>(x.size(), 1)));
}

}  // namespace remora::agent::sim
