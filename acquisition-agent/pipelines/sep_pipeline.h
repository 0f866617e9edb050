// One averaged evoked response: sweeps, averaged with rejection.
//
// Pure: no clock, no thread, no record. One a plan entry, thread-compatible, on the agent's
// sequence. How its sweeps are made and judged: sweep_stream.h. The last sweeps of an average are
// taken from a look (OnLook), so that it does not come later by the filter's look-ahead.
//
// Invariants: 1. a sweep that is not good is never averaged, and is counted by cause; 2. the result
// does not depend on how the source cuts its blocks; 3. an average ends when `sweep_count` are
// accepted (with `sequential`: when it is decided, at the latest at its maximum), or twice as many
// were offered; 4. it is of one stimulus setting, and without a pause of
// the stimuli in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/cadence.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/decided_average.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent {

// An average as far as it has come.
struct EvokedAverage {
  bool provisional = false;
  uint32_t block_index = 0;
  dsp::Timebase timebase;
  std::vector<double> mean_uv;
  std::vector<double> odd_uv;
  std::vector<double> even_uv;
  uint32_t requested = 0;
  uint32_t accepted = 0;
  uint32_t more_needed = 0;  // see Sweep.more_needed_count
  bool decided = false;      // it ended early, and not for want of sweeps
  AmplitudeBias amplitude_bias;  // to be taken off the amplitude of its pair
  v1::RejectedCounts rejected;
  double noise_uv = 0;  // plus-minus, after the blanked window; NaN: unknown
  int64_t first_stimulus_ns = 0;
  int64_t last_stimulus_ns = 0;
  std::vector<v1::QualityFlag> quality;
  // As the source said it with its triggers; 0: it did not.
  double delivered_ma = 0;
  double rate_hz = 0;
  double uv_per_count = 0;  // resolution of the source

  uint32_t offered() const;
};

class SepPipeline {
 public:
  static absl::StatusOr<std::unique_ptr<SepPipeline>> Create(const ResolvedEvoked& plan,
                                                             const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it makes an epoch here.
  void OnStimulus(const Stimulus& stimulus, bool own);
  // Appends what became known: provisional averages (at most at the plan's rate) and finished ones.
  // Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<EvokedAverage>* averages);
  // When the average may be complete, before that chunk is whole: the next time for OnLook.
  int64_t due_ns() const { return sweeps_.due_ns(SweepsToEnd() - 1, looked_ns_); }
  // The first samples of the next chunk (ChunkAssembler::LookAt), up to due_ns() or further.
  // Appends the average that they complete; takes nothing where they do not.
  void OnLook(const Chunk& look, std::vector<EvokedAverage>* averages);
  // The end of the source: a last provisional average of what was begun.
  void OnEnd(std::vector<EvokedAverage>* averages);

  // With `sequential`: what must not be missed (DecidedAverage), from the next sweep on.
  void SetSmallestResponse(double uv) { average_.SetSmallestResponse(uv); }

  const ResolvedEvoked& plan() const { return plan_; }
  int rate_group() const { return sweeps_.rate_group(); }
  const Cadence& cadence() const { return cadence_; }
  // Sweeps offered and accepted since the start, for a summary.
  uint64_t offered_total() const { return offered_total_; }
  uint64_t accepted_total() const { return accepted_total_; }
  // Stimuli that came too late to be blanked, or to be cut out.
  uint64_t late_total() const { return sweeps_.late_total(); }

 private:
  SepPipeline(const ResolvedEvoked& plan, SweepStream sweeps, DecidedAverage average);
  void Offer(const std::vector<CutSweep>& sweeps, std::vector<EvokedAverage>* averages);
  void Offer(const CutSweep& sweep, std::vector<EvokedAverage>* averages);
  void EndAverageBefore(const Stimulus& stimulus, std::vector<EvokedAverage>* averages);
  // The least number of sweeps that may end the average: 1 or more.
  size_t SweepsToEnd() const;
  void StartAverage();
  void TellProvisional(std::vector<EvokedAverage>* averages);
  EvokedAverage Describe(bool provisional) const;
  void FinishAverage(std::vector<EvokedAverage>* averages);

  const ResolvedEvoked plan_;
  Cadence cadence_;
  SweepStream sweeps_;
  DecidedAverage average_;
  int64_t now_ns_ = 0;
  int64_t looked_ns_ = std::numeric_limits<int64_t>::min();

  uint32_t block_index_ = 0;
  int missed_ = 0;
  uint64_t late_before_ = 0;  // late_total() when the average began
  int chunks_ = 0;            // since the average's first sweep
  int mains_chunks_ = 0;
  int64_t first_stimulus_ns_ = 0;
  int64_t last_stimulus_ns_ = 0;
  double delivered_ma_ = 0;
  double rate_hz_ = 0;
  int64_t last_told_ns_ = 0;
  uint64_t offered_total_ = 0;
  uint64_t accepted_total_ = 0;
};

}  // namespace remora::agent
