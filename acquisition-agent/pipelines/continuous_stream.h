// One derivation as it runs on, without epochs: what free-running EMG and EEG are built on.
//
//   chunk -> derivation -> stimulus blanking -> causal filter -+-> pieces, at the source's rate
//                                                              '-> anti-alias, every n-th sample ->
//                                                                  SampleBlock
//
// Pure: no clock, no thread, no record; thread-compatible, on the agent's sequence. The delay is
// the chunk, and what blanking holds back.
//
// Each piece says what is wrong with it: clipped, flat, floating, full of hum, in a burst of
// interference, larger than any signal, or with a stimulus that was told too late to be blanked.
// And where in it a muscle answers a stimulus of its own, which says nothing of the other samples;
// and whether it lies under a stimulation: what that means, the one who takes it knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/emg/hum_share.h"
#include "dsp/filter/sample_stretch.h"
#include "dsp/filter/stimulus_blanking.h"
#include "dsp/filter/streaming_filter.h"

namespace remora::agent {

// Stimuli that a muscle answers: what comes from the first pulse to so long behind the last is no
// spontaneous activity.
struct AnsweredStimulus {
  size_t listener = 0;
  double to_ms = 0;
};

struct ContinuousOptions {
  std::string trace_id;
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;
  v1::Side side = v1::SIDE_UNSPECIFIED;
  ResolvedDerivation derivation;
  dsp::Cascade filter;
  v1::FilterSetting setting;
  // Of what is sent: the source's divided by a whole number, at most this.
  double sent_rate_hz = 0;
  // A deviation beyond it is interference, but for what a muscle answers.
  double interference_over_uv = 0;
  // Hum is looked for beside stimuli, answers and what is clipped; 0: it is not.
  double mains_hz = 0;
  std::vector<AnsweredStimulus> answers;
  // Listeners whose stimuli may be a stimulation that lasts: a train, an annotation that says how
  // long, pulses that follow each other within 100 ms. Single pulses are only blanked.
  std::vector<size_t> stimulations;
};

// Of the cortex, for after-discharges: the listeners of all of the plan's entries.
std::vector<size_t> StimulationsOf(const ResolvedPlan& plan);

// A stretch of filtered samples. Empty ones only mark where a segment ends.
struct Piece {
  using Range = dsp::SampleStretch;

  std::vector<double> uv;
  int64_t first_position = 0;
  // Device time of a position p of its segment: p * 1e9 / rate + position_zero_ns.
  double position_zero_ns = 0;
  bool starts_segment = false;
  bool ends_segment = false;
  uint32_t hints = 0;          // dsp::ArtefactHint
  uint32_t raw_hints = 0;      // without what is only larger than any signal
  bool stimulated = false;     // it overlaps a stimulation: no hint says so
  std::vector<Range> answers;  // what the muscle answers, and what that leaves in the filter
  std::vector<v1::QualityFlag> quality;
  // What is sent of it: the thinned samples as records, and as they are.
  std::vector<v1::SampleBlock> blocks;
  std::vector<double> sent_uv;
  int64_t first_sent_index = 0;  // in steps of the rate that is sent
};

class ContinuousStream {
 public:
  static absl::StatusOr<ContinuousStream> Create(const ContinuousOptions& options,
                                                 const SourceInfo& source);

  // Before the chunk that holds its time.
  void OnStimulus(const Stimulus& stimulus);
  // Appends what became known. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<Piece>* pieces);
  void OnEnd(std::vector<Piece>* pieces);

  // The same in steps, for who filters many streams together (continuous_bank.h): appends pieces
  // that are not filtered; each is finished when its `uv` are, and `smooth` is what the anti-alias
  // filter makes of them.
  void Gather(const Chunk& chunk, std::vector<Piece>* pieces);
  void GatherRest(std::vector<Piece>* pieces) { Flush(pieces); }
  void Finish(Piece* piece, std::span<const double> smooth) const;

  int rate_group() const { return options_.derivation.rate_group; }
  const dsp::Cascade& filter() const { return filter_.cascade(); }
  const dsp::Cascade& anti_alias() const { return anti_alias_.cascade(); }
  double sent_rate_hz() const { return options_.derivation.sample_rate_hz / factor_; }
  double uv_per_count() const { return inputs_.uv_per_count; }
  uint64_t late_total() const { return late_total_; }

 private:
  // Of a muscle's answer, or a stimulation.
  struct Stretch {
    int64_t from_ns;
    int64_t to_ns;
    bool is_answer;
  };

  static bool IsEarlier(const Stretch& a, const Stretch& b) { return a.from_ns < b.from_ns; }

  ContinuousStream(const ContinuousOptions& options, const SourceInfo& source, int factor,
                   dsp::StreamingFilter anti_alias, dsp::StimulusBlanking blanking);
  void StartSegment(const Chunk& chunk, std::vector<Piece>* pieces);
  void Flush(std::vector<Piece>* pieces);
  Piece Take(std::vector<double> blanked, uint32_t hints);
  void FilterFrom(size_t first, std::vector<Piece>* pieces);
  void Send(Piece* piece, std::span<const double> smooth) const;
  int64_t TimeOf(double position) const;
  uint32_t AnnounceStimuli(const Chunk& chunk);
  void AnnounceStretches(const Chunk& chunk);
  // Stretches in the piece: its answers, and whether it is stimulated.
  void FindStretches(Piece* piece);
  bool HasInterference(const Piece& piece) const;
  // The hints, with what hums in samples that are the muscle's own.
  uint32_t JudgeHum(const Piece& piece, uint32_t hints);

  ContinuousOptions options_;
  DerivationInputs inputs_;
  int factor_;
  dsp::StreamingFilter filter_;
  dsp::StreamingFilter anti_alias_;
  dsp::StimulusBlanking blanking_;

  std::deque<int64_t> pulses_ns_;  // ascending
  // By from_ns; whoever is told far ahead is not known before his chunk, as if told with it.
  std::deque<Stretch> told_;
  std::vector<Stretch> stretches_;  // that reach into samples to come, by from_ns
  int64_t stimulated_until_ns_ = std::numeric_limits<int64_t>::min() / 2;
  dsp::HumShare hum_;
  // Positions that are blanked, clipped or lost, from the first to before the last.
  std::deque<std::pair<int64_t, int64_t>> masked_;
  int64_t settling_ns_ = 0;
  uint64_t late_total_ = 0;
  bool in_segment_ = false;
  bool starts_segment_ = false;
  int64_t segment_first_ = 0;
  double position_zero_ns_ = 0;
  int64_t next_position_ = 0;  // of the next sample behind the blanking
  std::vector<v1::QualityFlag> quality_;
};

// Adds the flags that are not there yet.
void MergeFlags(const std::vector<v1::QualityFlag>& flags, std::vector<v1::QualityFlag>* into);

}  // namespace remora::agent
