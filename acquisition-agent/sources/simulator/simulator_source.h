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
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/schedule.h"
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
  // The stimulators take turns: with n of them and the highest rate r, each begins 1 / (n r) after
  // the one before. The first stimulus is at this time, so that a first epoch has its pre-stimulus
  // part.
  static constexpr double kFirstStimulusS = 0.1;

  //   kInvalidArgument  an option out of its range
  static absl::StatusOr<std::unique_ptr<SimulatorSource>> Create(SimulatorOptions options);

  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;

 private:
  explicit SimulatorSource(SimulatorOptions options);

  void Describe();
  void MakeStretch();
  void AddStimuliBefore(int64_t end_ns, bool in_gap, std::vector<Item>* items);
  void AddNotes(int64_t first, int64_t end, std::vector<Item>* items);
  int64_t SampleTimeNs(int64_t sample) const;
  int64_t StimulusTimeNs(int stimulator, int64_t number) const;

  const SimulatorOptions options_;
  const double sample_rate_hz_;
  const EventSchedule schedule_;
  SampleGenerator generator_;
  SourceInfo info_;
  int64_t end_sample_ = 0;
  int64_t next_sample_ = 0;
  int64_t delivered_ = 0;
  int64_t delivered_gap_end_ns_ = 0;
  std::vector<int64_t> next_stimulus_;  // number, by stimulator
  std::vector<double> offset_s_;
  std::deque<Item> ready_;
};

}  // namespace remora::agent::sim
