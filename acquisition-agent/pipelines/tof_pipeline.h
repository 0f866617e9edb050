// Train-of-four of one muscle: four stimuli at 2 Hz, each with its sweep; read off as count, ratio
// and T1/Tc (dsp/tof).
//
// Pure: no clock, no thread, no record. One a plan entry, thread-compatible, on the agent's
// sequence. The delay is the chunk and the epoch after the fourth stimulus; a train with fewer than
// four is told when the next begins, or when kTrainIsOverNs of signal went by.
//
// Invariants: 1. stimuli of one train lie 400 to 600 ms apart; what does not fit begins a new
// train;
// 2. a train that was not whole, or whose sweeps are not good, has no reading, and says why; 3. T1
// is told in percent of a control alone that no relaxant acted on (twitch_control.h), else it says
// why there is none.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "acquisition-agent/pipelines/twitch_control.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/tof/train_of_four.h"

namespace remora::agent {

struct TofTrain {
  uint32_t trial_index = 0;
  std::vector<CutSweep> sweeps;   // 1 to 4, by stimulus
  std::vector<double> twitch_uv;  // peak to peak, of each good sweep: 4, or none
  double noise_uv = 0;
  std::optional<dsp::TrainOfFour> reading;
  std::string no_control;  // why the reading's T1 has no control; empty: it has
  v1::StimulusSetting setting;
  dsp::Timebase timebase;
  double uv_per_count = 0;
};

class TofPipeline {
 public:
  static absl::StatusOr<std::unique_ptr<TofPipeline>> Create(const ResolvedTrainOfFour& plan,
                                                             const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it is one of this limb's.
  void OnStimulus(const Stimulus& stimulus, bool own);
  // Appends the trains that are over. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<TofTrain>* trains);
  // As MotorPipeline's.
  int64_t due_ns() const { return sweeps_.due_ns(0, looked_ns_); }
  void OnLook(const Chunk& look, std::vector<TofTrain>* trains);
  void OnEnd(std::vector<TofTrain>* trains);
  // From `from_ns` on no train is a control: a relaxant was given, or what was before is not known.
  // `why` in words: "rocuronium was given".
  void RefuseControl(absl::string_view why, int64_t from_ns) { control_.Refuse(why, from_ns); }

  const ResolvedTrainOfFour& plan() const { return plan_; }
  int rate_group() const { return sweeps_.rate_group(); }
  uint64_t late_total() const { return sweeps_.late_total(); }

 private:
  TofPipeline(const ResolvedTrainOfFour& plan, SweepStream sweeps);
  void Take(std::vector<CutSweep> sweeps, std::vector<TofTrain>* trains);
  void Tell(std::vector<TofTrain>* trains);
  void Read(TofTrain* train);

  const ResolvedTrainOfFour plan_;
  SweepStream sweeps_;
  std::vector<CutSweep> train_;
  TwitchControl control_;
  uint32_t next_trial_ = 0;
  int64_t looked_ns_ = std::numeric_limits<int64_t>::min();
};

}  // namespace remora::agent
