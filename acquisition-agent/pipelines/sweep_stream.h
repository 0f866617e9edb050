// One derivation's sweeps: what every pipeline with stimuli is built on.
//
//   chunk -> derivation -> stimulus blanking -> filter (causal, or zero phase) -> epochs at
//   fractional sample times -> judged by raw marks and amplitude
//
// Pure: no clock, no thread, no record; thread-compatible, on the agent's sequence. Every stimulus
// that the source tells is blanked, each pulse of a train, also those of other nerves; only its own
// make epochs. The delay is the chunk, the filter's look-ahead (zero phase, 30 Hz: 0.2 to 0.6 s)
// and the epoch.
//
// Who cannot wait takes a sweep as soon as its own samples are there (due_ns, Look, Give). With a
// causal filter these are the same, unless the next stimulus comes right behind the sweep: what is
// blanked before it reaches back into the sweep's end, and is not blanked yet. With zero phase, the
// backward pass begins where the sweep ends, as it does at the end of a recording. That bends the
// end of a sweep, and so is for the last few of an average, which hardly count there. A burst of
// interference that begins less than 20 ms before a sweep's end, in its last chunk, is not known
// yet: only its amplitude can reject it.
//
// Invariants: 1. a sweep with samples that are missing, not finite, clipped (outside the blanked
// windows), flat, floating, in a burst of interference or over an artefact that came too late to be
// blanked, or so near that the filter carries it in, says so by its cause; 2. sweeps do not depend
// on how the source cuts its blocks; 3. each stimulus of its own gives one sweep, if without
// samples.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/mark_timeline.h"
#include "acquisition-agent/pipelines/stimulus_queue.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/evoked/epoch.h"
#include "dsp/evoked/sweep_average.h"
#include "dsp/filter/stimulus_blanking.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/filter/zero_phase.h"

namespace remora::agent {

struct SweepStreamOptions {
  ResolvedDerivation derivation;
  dsp::Cascade filter;
  bool zero_phase = false;
  double epoch_from_ms = 0;
  double epoch_to_ms = 0;
  double blank_from_ms = 0;
  double blank_to_ms = 0;
  double reject_over_uv = 0;  // 0: no amplitude is too large
};

// As an entry of the plan asks for it; `Plan`: one that says its epoch.
template <typename Plan>
SweepStreamOptions SweepOptionsOf(const Plan& plan, const dsp::Cascade& filter,
                                  const ResolvedDerivation& derivation) {
  SweepStreamOptions options;
  options.derivation = derivation;
  options.filter = filter;
  options.zero_phase = plan.filter().zero_phase();
  options.epoch_from_ms = plan.epoch_from_ms();
  options.epoch_to_ms = plan.epoch_to_ms();
  options.blank_from_ms = plan.blank_from_ms();
  options.blank_to_ms = plan.blank_to_ms();
  return options;
}

// Samples behind the epoch that its interpolation needs, and one for rounding.
inline constexpr double kBehindEpochSamples = 4;
// What is left of a filter's start when its samples may be taken.
inline constexpr double kSettledShare = 0.01;

// A filtered sweep by its samples, and by what was wrong with the raw ones under it.
dsp::Rejection JudgeCut(std::span<const double> uv, const dsp::Timebase& timebase,
                        double reject_over_uv, uint32_t marks);

// What followed one stimulus.
struct CutSweep {
  Stimulus stimulus;
  std::vector<double> uv;  // none: nothing came, or too much waited
  dsp::Rejection cause = dsp::Rejection::kNone;
};

class SweepStream {
 public:
  static absl::StatusOr<SweepStream> Create(const SweepStreamOptions& options,
                                            const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it makes an epoch here.
  void OnStimulus(const Stimulus& stimulus, bool own);
  // Appends the sweeps that are complete. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<CutSweep>* sweeps);
  // The end of the source: what was begun, as far as it came.
  void OnEnd(std::vector<CutSweep>* sweeps);

  // The first time after `after_ns` when the samples of a sweep are there that was not given out,
  // leaving out the first `n`; the largest number where there is none.
  int64_t due_ns(size_t n, int64_t after_ns) const {
    return stimuli_.DueNs(n, after_ns, behind_ns_);
  }
  // The sweeps that were not given out and whose samples are there with the first ones of the next
  // chunk (ChunkAssembler::LookAt), in the order of their stimuli.
  std::vector<CutSweep> Look(const Chunk& look) const;
  // The sweep of this stimulus was taken from a look: it does not come again.
  void Give(int64_t stimulus_ns) { stimuli_.Give(stimulus_ns); }

  const DerivationInputs& inputs() const { return inputs_; }
  const dsp::Timebase& timebase() const { return cutter_.timebase(); }
  size_t samples_per_sweep() const { return cutter_.samples_per_epoch(); }
  int rate_group() const { return options_.derivation.rate_group; }
  // Pulses that came too late to be blanked, or stimuli too late to be cut out.
  uint64_t late_total() const { return late_total_ + stimuli_.dropped_total(); }

 private:
  SweepStream(const SweepStreamOptions& options, const SourceInfo& source, dsp::EpochCutter cutter,
              dsp::StimulusBlanking blanking);
  void StartSegment(const Chunk& chunk, std::vector<CutSweep>* sweeps);
  void Announce(const Pulse& pulse, double position, std::vector<CutSweep>* sweeps);
  void Filter(std::span<const double> blanked);
  void FlushSegment(std::vector<CutSweep>* sweeps);
  void Cut(std::vector<CutSweep>* sweeps);
  void TakeEpoch(const dsp::Epoch& epoch, std::vector<CutSweep>* sweeps);
  dsp::Rejection Judge(const dsp::Epoch& epoch) const;

  SweepStreamOptions options_;
  DerivationInputs inputs_;
  MarkTimeline marks_;
  dsp::StimulusBlanking blanking_;
  std::optional<dsp::StreamingFilter> causal_;
  std::optional<dsp::StreamingZeroPhase> zero_phase_;
  dsp::EpochCutter cutter_;

  int64_t behind_ns_;  // from a stimulus until its sweep's samples are there
  StimulusQueue stimuli_;
  std::map<uint64_t, Stimulus> in_epochs_;
  uint64_t next_id_ = 1;
  bool in_segment_ = false;
  int64_t segment_first_ = 0;
  int64_t segment_end_ = 0;
  int64_t filtered_position_ = 0;
  std::vector<double> filtered_;
  uint64_t late_total_ = 0;
};

}  // namespace remora::agent
