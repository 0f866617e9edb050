// Free-running EMG of one muscle: filter, samples to be seen and heard, envelope, and the
// discharges in it.
//
//   pieces and blocks (continuous_stream.h) -+-> SampleBlock
//                                            +-> 20 ms bins, a second of them -> Envelope
//                                            '-> emg_discharges.h             -> EmgEvent
//
// In two steps, because one muscle cannot tell a drill from a train: all filter the chunk, EmgGroup
// looks at all of them, and each goes on with what it says. The envelope has what makes it audible
// again where samples are not sent (dsp/emg/audio_features.h), for bins of 200 ms at most.
//
// Pure, thread-compatible, on the agent's sequence. Stimuli are blanked from 2 ms before to 3 ms
// after: what remains is muscle. What this muscle answers to a stimulus of its own is passed over:
// no discharge, and a train goes on over it. A chunk that is clipped, flat, floating, full of hum,
// in a burst of interference, or with a stimulus that was told too late, marks its block and is
// never taken for a discharge. A stimulation of the cortex marks its blocks, and what is found in
// them says so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/continuous_stream.h"
#include "acquisition-agent/pipelines/emg_discharges.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/emg/artefact_class.h"
#include "dsp/emg/audio_features.h"
#include "dsp/emg/envelope.h"

namespace remora::agent {

struct EmgOutput {
  std::vector<v1::SampleBlock> blocks;
  std::vector<v1::Envelope> envelopes;
  std::vector<EmgEvent> events;
  std::optional<EmgState> state;
};

class EmgPipeline {
 public:
  // `mains_hz`, `answers`, `stimulations`: see ContinuousOptions.
  static absl::StatusOr<std::unique_ptr<EmgPipeline>> Create(const ResolvedEmg& plan,
                                                             const SourceInfo& source,
                                                             double mains_hz,
                                                             std::vector<AnsweredStimulus> answers,
                                                             std::vector<size_t> stimulations);

  // Before the chunk that holds its time.
  void OnStimulus(const Stimulus& stimulus);
  // What the group's bank filters, and where it puts what became known.
  ContinuousStream* stream() { return &stream_; }
  std::vector<Piece>* pieces() { return &pieces_; }
  // The source is at its end: the pieces to judge are the last.
  void NoteEnd() { at_end_ = true; }
  // Takes the pieces, with what all muscles say of each of them: empty, where nobody looked.
  void Judge(const std::vector<dsp::ArtefactVerdict>& verdicts, EmgOutput* output);

  const ResolvedEmg& plan() const { return plan_; }
  double noise_floor_uv() const { return discharges_.noise_floor_uv(); }  // 0 while it learns
  // Stimuli that came too late to be blanked.
  uint64_t late_total() const { return stream_.late_total(); }

 private:
  EmgPipeline(const ResolvedEmg& plan, ContinuousStream stream, dsp::EmgEnvelope envelope,
              std::optional<dsp::AudioFeatures> audio, EmgDischarges discharges);
  void Take(Piece* piece, const dsp::ArtefactVerdict& verdict, EmgOutput* output);
  void TakeBins(EmgOutput* output, bool all);
  v1::Envelope MakeEnvelope(size_t count);

  const ResolvedEmg plan_;
  ContinuousStream stream_;
  dsp::EmgEnvelope envelope_;
  std::optional<dsp::AudioFeatures> audio_;  // bins as the envelope's
  EmgDischarges discharges_;

  std::vector<Piece> pieces_;
  bool at_end_ = false;
  int64_t segment_first_ = 0;
  double position_zero_ns_ = 0;
  std::vector<v1::QualityFlag> quality_;
  std::vector<dsp::EnvelopeBin> bins_;
  std::vector<dsp::AudioBin> audio_bins_;
  std::vector<v1::QualityFlag> bins_quality_;
};

}  // namespace remora::agent
