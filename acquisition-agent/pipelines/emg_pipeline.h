// Free-running EMG of one muscle: filter, samples to be seen and heard, envelope, and the
// discharges in it.
//
//   pieces and blocks (continuous_stream.h) -+-> SampleBlock
//                                            +-> 20 ms bins, a second of them -> Envelope
//                                            '-> spikes, bursts, trains       -> EmgEvent
//
// Pure, thread-compatible, on the agent's sequence. Stimuli are blanked from 2 ms before to 3 ms
// after: what remains is muscle. A chunk that is clipped, flat, floating, full of hum, in a burst
// of interference, or with a stimulus that was told too late, marks its block and is never taken
// for a discharge.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/continuous_stream.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/emg/burst_train.h"
#include "dsp/emg/envelope.h"
#include "remora/v1/measurement.pb.h"

namespace remora::agent {

struct EmgEvent {
  v1::EmgActivity activity;
  // A train that is still going on, told each second from its first on.
  bool train_ongoing = false;
  bool train_ended = false;
  // It ended because an artefact or a pause cut it off: it may be going on.
  bool interrupted = false;
  std::vector<double> trace_uv;  // of a train: the last stretch of it, for its alert's evidence
  double trace_rate_hz = 0;
};

// What the detector knows at the end of an output.
struct EmgState {
  double silent_ms = 0;      // no discharge and no artefact for so long
  double unassessed_ms = 0;  // for so long no train could have been told
  std::string unassessed_because;
};

struct EmgOutput {
  std::vector<v1::SampleBlock> blocks;
  std::vector<v1::Envelope> envelopes;
  std::vector<EmgEvent> events;
  std::optional<EmgState> state;
};

class EmgPipeline {
 public:
  static absl::StatusOr<std::unique_ptr<EmgPipeline>> Create(const ResolvedEmg& plan,
                                                             const SourceInfo& source);

  // Before the chunk that holds its time.
  void OnStimulus(const Stimulus& stimulus);
  void OnChunk(const Chunk& chunk, EmgOutput* output);
  void OnEnd(EmgOutput* output);

  const ResolvedEmg& plan() const { return plan_; }
  // Stimuli that came too late to be blanked.
  uint64_t late_total() const { return stream_.late_total(); }

 private:
  EmgPipeline(const ResolvedEmg& plan, ContinuousStream stream, dsp::EmgEnvelope envelope,
              dsp::BurstTrainDetector detector);
  void TakePieces(std::vector<Piece> pieces, EmgOutput* output);
  void Take(Piece* piece, EmgOutput* output);
  void TakeBins(EmgOutput* output, bool all);
  void TellActivities(const std::vector<dsp::Activity>& activities, EmgOutput* output);
  void TellTrain(EmgOutput* output);
  EmgEvent Describe(const dsp::Activity& activity) const;
  int64_t TimeOf(double position) const;

  const ResolvedEmg plan_;
  ContinuousStream stream_;
  dsp::EmgEnvelope envelope_;
  dsp::BurstTrainDetector detector_;

  int64_t segment_first_ = 0;
  double position_zero_ns_ = 0;
  int64_t next_position_ = 0;      // of the next sample after the filter
  uint64_t detected_samples_ = 0;  // given to the detector
  int64_t detector_offset_ = 0;    // position of a detector's sample - its number
  std::vector<v1::QualityFlag> quality_;
  std::vector<dsp::EnvelopeBin> bins_;
  std::vector<v1::QualityFlag> bins_quality_;
  int64_t train_told_ns_ = 0;
  std::deque<double> recent_;  // filtered and decimated, for evidence
  int64_t second_ = 0;
  int told_in_second_ = 0;
  int untold_ = 0;
};

}  // namespace remora::agent
