// What followed each of a few stimuli, on several derivations together: the sweeps of single
// responses.
//
//   chunk -> derivations -> stimulus blanking -> ring; around each stimulus of its own: lead-in and
//   epoch -> causal filter, across derivations -> moved to the stimulus' fraction of a sample ->
//   judged by raw marks and amplitude
//
// A muscle answers a stimulus every few seconds. So nothing is filtered in between: each epoch is,
// with a lead-in after which the start of the filter has decayed to kLeadInLeft of it (at most 5 s
// with the epoch). Of the first few that are under way that is done as their samples come, so that
// little is left to do when the last one is there. For responses that come many times a second
// there is SweepStream.
//
// Pure: no clock, no thread, no record; thread-compatible, on the agent's sequence. The delay is
// the chunk and the epoch; who cannot wait looks (DueNs, Look), with the same result.
//
// Invariants: those of SweepStream; and each stimulus of its own gives one trial, with a sweep of
// every derivation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "dsp/evoked/sample_ring.h"
#include "dsp/filter/sos_bank.h"

namespace remora::agent {

// What of a filter's start is left where the epoch begins.
inline constexpr double kLeadInLeft = 1e-6;
// Trials that begin within one chunk; further stimuli there have one without samples. A hundred a
// second: fifty hertz of a cortical stimulation told pulse by pulse, twice.
inline constexpr int kMaxTrialsAChunk = 10;

// Trials that are filtered as their samples come; further ones when they are complete. Each holds
// its epoch of all derivations, 8 bytes a sample: 0.7 MB for 14 muscles at 20 kHz.
inline constexpr size_t kMaxTrialsAhead = 8;

struct CutTrial {
  Stimulus stimulus;
  std::vector<CutSweep> sweeps;  // by derivation
};

class TrialCutter {
 public:
  // One of `options` a derivation, all of one rate group and one filter; they say nothing of zero
  // phase. InvalidArgument: none, or what dsp refuses.
  static absl::StatusOr<TrialCutter> Create(const std::vector<SweepStreamOptions>& options,
                                            const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it makes a trial here.
  void OnStimulus(const Stimulus& stimulus, bool own) { stimuli_.Add(stimulus, own); }
  // Appends the trials that are complete, by stimulus. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<CutTrial>* trials);
  // The first samples of the next chunk (ChunkAssembler::LookAt): appends the trials that they
  // complete, which do not come again. None of a chunk behind a gap.
  void Look(const Chunk& look, std::vector<CutTrial>* trials);
  // The end of the source: what was begun, as far as it came.
  void OnEnd(std::vector<CutTrial>* trials);

  // The first time after `after_ns` when the samples of a trial are there that was not given out;
  // the largest number where there is none.
  int64_t DueNs(int64_t after_ns) const { return stimuli_.DueNs(0, after_ns, behind_ns_); }

  // Resolution of a derivation, uV a count.
  double uv_per_count(size_t derivation) const { return lines_[derivation].inputs.uv_per_count; }
  const dsp::Timebase& timebase() const { return timebase_; }
  int rate_group() const { return options_.derivation.rate_group; }
  // Pulses that came too late to be blanked, or stimuli too late to be cut out.
  uint64_t late_total() const { return late_total_ + stimuli_.dropped_total(); }

 private:
  // One derivation.
  struct Line {
    DerivationInputs inputs;
    MarkTimeline marks;
    dsp::StimulusBlanking blanking;
  };
  // A stimulus whose epoch is not complete: lead_ samples, and from `from` to `end` what is kept.
  struct Open {
    Stimulus stimulus;
    double position = 0;
    int64_t segment_first = 0;
    int64_t from = 0;
    int64_t end = 0;
    // As far as it was filtered.
    int64_t next = 0;
    std::optional<dsp::SosBank> filter;  // none: not begun
    std::vector<double> uv;              // line after line
    std::vector<bool> is_settled;        // by line: the end of its lead-in has nothing but numbers
    bool is_missing = false;             // samples that never came

    // It was given out: what was filtered is of no more use.
    void Drop() {
      filter.reset();
      uv = {};
    }
  };
  using Samples = std::span<const std::span<const double>>;  // by line

  TrialCutter(const SweepStreamOptions& options, std::vector<Line> lines, dsp::SampleRing ring,
              dsp::SosBank filter, dsp::Timebase timebase, size_t samples, size_t lead);
  // True: its artefact is blanked on all lines.
  bool Blank(double position, std::vector<Line>* lines) const;
  void Announce(const Pulse& pulse, double position, std::vector<CutTrial>* trials);
  void Push(const std::vector<std::vector<double>>& blanked, std::vector<CutTrial>* trials);
  void FlushSegment(std::vector<CutTrial>* trials);
  Open Begin(const Stimulus& stimulus, double position) const;
  // Filters on to `until`; `next`: what comes behind the ring.
  void Advance(int64_t until, Samples next, Open* open) const;
  // What is complete; of the rest, the first few as far as their samples came.
  void AdvanceAll(std::vector<CutTrial>* trials);
  void Finish(std::map<uint64_t, Open>::iterator open, std::vector<CutTrial>* trials);
  // Of one that was advanced to its end.
  CutTrial Cut(const Open& open, const std::vector<Line>& lines) const;
  CutTrial Nothing(const Stimulus& stimulus) const;
  // Samples of a line that are kept behind the lead-in.
  size_t kept() const { return dsp::kSamplesBeforeShift + samples_ + dsp::kSamplesBehindShift; }

  SweepStreamOptions options_;
  std::vector<Line> lines_;
  dsp::SampleRing ring_;
  dsp::SosBank filter_;     // as a trial begins with it
  dsp::Timebase timebase_;  // of a sweep
  size_t samples_;          // of a sweep
  size_t lead_;             // in front of it and of what moving it takes
  size_t settled_;          // of the lead-in's end, without which a sweep is not to be trusted
  size_t chunk_samples_;    // most that is taken at a time
  int64_t behind_ns_;       // from a stimulus until its sweep's samples are there

  StimulusQueue stimuli_;
  std::map<uint64_t, Open> open_;  // by when they were announced
  uint64_t next_id_ = 1;
  int announced_ = 0;  // own stimuli of this chunk
  bool in_segment_ = false;
  int64_t segment_first_ = 0;
  int64_t segment_end_ = 0;
  int64_t next_position_ = 0;  // of the next sample behind the blanking
  bool ring_started_ = false;
  uint64_t late_total_ = 0;
};

}  // namespace remora::agent
