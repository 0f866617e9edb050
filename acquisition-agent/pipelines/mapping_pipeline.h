// A strip of contacts: over the cortex, where each contact is recorded after stimuli to a nerve; or
// on the cord, where each contact is stimulated in turn and the scalp is recorded. Averages by
// contact, and where the response turns over (dsp/mapping).
//
//   sweeps (sweep_stream.h) -> average of each contact -> all complete -> phase reversal
//
// Pure: no clock, no thread, no record. One a plan entry, thread-compatible, on the agent's
// sequence. The delay is the chunk, the filter's look-ahead and the epoch.
//
// Invariants: 1. a round has one average of every contact, and one result; then all begin anew; 2.
// a sweep that is not good is never averaged; 3. a stimulus whose site names no contact is counted,
// and belongs to none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/evoked/sweep_average.h"
#include "dsp/mapping/phase_reversal.h"

namespace remora::agent {

struct ContactAverage {
  uint32_t contact = 0;  // from 1
  std::vector<double> mean_uv;
  std::vector<double> odd_uv;
  std::vector<double> even_uv;
  uint32_t accepted = 0;
  uint32_t offered = 0;
  double noise_uv = 0;  // plus-minus
  int64_t first_stimulus_ns = 0;
  int64_t last_stimulus_ns = 0;
  v1::StimulusSetting setting;  // of the last sweep that was averaged
};

// What is known of a strip once each contact has its average.
struct MappingRound {
  uint32_t round_index = 0;
  std::vector<ContactAverage> contacts;  // all, in their order
  // Nothing: the averages could not be compared.
  std::optional<dsp::PhaseReversal> reversal;
  dsp::Timebase timebase;
  double uv_per_count = 0;
};

class MappingPipeline {
 public:
  static absl::StatusOr<std::unique_ptr<MappingPipeline>> Create(const ResolvedMapping& plan,
                                                                 const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it makes a sweep here.
  void OnStimulus(const Stimulus& stimulus, bool own);
  // Appends the rounds that are complete. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<MappingRound>* rounds);
  void OnEnd(std::vector<MappingRound>* rounds);

  const ResolvedMapping& plan() const { return plan_; }
  int rate_group() const { return streams_[0].rate_group(); }
  uint64_t late_total() const { return streams_[0].late_total(); }
  // Stimuli whose site names no contact of the strip.
  uint64_t without_contact() const { return without_contact_; }

 private:
  struct Contact {
    dsp::SweepAverage average;
    int64_t first_stimulus_ns = 0;
    int64_t last_stimulus_ns = 0;
    v1::StimulusSetting setting;
  };

  MappingPipeline(const ResolvedMapping& plan, std::vector<SweepStream> streams);
  bool is_midline() const;
  // From 1; 0: none.
  uint32_t ContactOf(const Stimulus& stimulus) const;
  void Take(size_t stream, const std::vector<CutSweep>& sweeps);
  void TellComplete(std::vector<MappingRound>* rounds);
  MappingRound Finish();

  const ResolvedMapping plan_;
  std::vector<SweepStream> streams_;  // one, or one a contact
  std::vector<Contact> contacts_;
  uint32_t round_index_ = 0;
  uint64_t without_contact_ = 0;
};

}  // namespace remora::agent
