// A theatre that exists in a text file: stimuli, their answers, noise and mishaps, sample by
// sample, as a SignalSource.
//
// Deterministic: seed, scenario and sample rate decide every sample and trigger; the block length
// decides none. Thread-compatible. Memory: one block.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/simulator/generator.h"
#include "acquisition-agent/sources/simulator/monitor.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/schedule.h"
#include "acquisition-agent/sources/simulator/stimulus_clock.h"
#include "acquisition-agent/sources/simulator/truth.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::sim {

struct SimulatorOptions {
  std::string name = "sim";
  uint64_t seed = 1;
  int32_t block_ms = 20;                 // [1, 1000]
  std::optional<double> sample_rate_hz;  // instead of the scenario's
  std::optional<double> mains_hz;
  std::optional<double> duration_s;
  Scenario scenario = DefaultScenario();
};

class SimulatorSource : public SignalSource {
 public:
  //   kInvalidArgument  an option out of its range
  static absl::StatusOr<std::unique_ptr<SimulatorSource>> Create(SimulatorOptions options);

  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;
  // What is true of the patient, for comparison with what is measured.
  const SimulatedTruth& truth() const { return truth_; }

 private:
  explicit SimulatorSource(SimulatorOptions options);

  void Describe();
  void MakeStretch();
  void AddStimuliBefore(int64_t end_ns, bool in_gap, std::vector<Item>* items);
  int64_t SampleTimeNs(int64_t sample) const;

  const SimulatorOptions options_;
  const double sample_rate_hz_;
  const EventSchedule schedule_;
  const SimulatedTruth truth_;
  StimulusClock clock_;
  SampleGenerator generator_;
  const TheatreMonitor monitor_;
  SourceInfo info_;
  int64_t end_sample_ = 0;
  int64_t next_sample_ = 0;
  int64_t delivered_ = 0;
  int64_t delivered_gap_end_ns_ = 0;
  std::deque<Item> ready_;
};

}  // namespace remora::agent::sim
