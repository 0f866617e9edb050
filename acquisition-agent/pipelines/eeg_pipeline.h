// EEG or ECoG of one derivation: samples to be seen, spectra and what is read off them,
// suppression.
//
//   samples at the rate that is sent (continuous_stream.h) -+-> SampleBlock
//                                                           +-> windows -> Welch -> measures
//                                                           +-> suppression of the last minute
//                                                           '-> after-discharges, where the plan
//                                                               names stimuli for them
//
// Pure, thread-compatible, on the agent's sequence. What is sent holds all of the bands that are
// measured, and costs a hundredth of what an amplifier's 20 kHz would. Pieces that are clipped,
// flat, floating, in a burst of interference, under a stimulation or larger than any EEG are no
// EEG, nor is what they leave in the filter (to 1 %: 2 s behind them, from 0.5 Hz on): they are in
// no window, and what they leave out of the last minute is said. The delay is the chunk and the
// window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/after_discharges.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/continuous_stream.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/eeg/eeg_measures.h"
#include "dsp/eeg/eeg_windows.h"
#include "dsp/eeg/suppression.h"
#include "dsp/spectral/welch.h"

namespace remora::agent {

// One window.
struct EegWindow {
  int64_t started_ns = 0;
  dsp::Spectrum spectrum;
  // Nothing where there is no power: a channel that is silent but for its resolution.
  std::optional<dsp::EegMeasures> measures;
  // Percent of the last minute; nothing where under half of it could be judged.
  std::optional<double> suppression_percent;
};

// A stretch that is no EEG.
struct EegArtefact {
  int64_t started_ns = 0;
  double duration_ms = 0;
  std::vector<v1::QualityFlag> quality;
};

struct EegOutput {
  std::vector<v1::SampleBlock> blocks;
  std::vector<EegWindow> windows;
  std::vector<EegArtefact> artefacts;
  std::vector<EegDischarge> discharges;
};

class EegPipeline {
 public:
  // `stimulations`: see ContinuousOptions.
  static absl::StatusOr<std::unique_ptr<EegPipeline>> Create(const ResolvedEeg& plan,
                                                             const SourceInfo& source,
                                                             std::vector<size_t> stimulations);

  // Before the chunk that holds its time.
  void OnStimulus(const Stimulus& stimulus);
  // Appends what became known. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, EegOutput* output);
  void OnEnd(EegOutput* output);

  const ResolvedEeg& plan() const { return plan_; }
  int rate_group() const { return plan_.derivation.rate_group; }
  uint64_t late_total() const { return stream_.late_total(); }

 private:
  EegPipeline(const ResolvedEeg& plan, ContinuousStream stream, dsp::EegWindows windows,
              dsp::WelchEstimator welch, dsp::SuppressionRatio suppression,
              std::optional<AfterDischarges> after_discharges);
  void Take(std::vector<Piece> pieces, EegOutput* output);
  // What of the piece's samples comes `from` there on.
  void TakeGood(const Piece& piece, size_t from, EegOutput* output);
  int64_t TimeOf(int64_t sent_index, const Piece& piece) const;

  const ResolvedEeg plan_;
  ContinuousStream stream_;
  dsp::EegWindows windows_;
  dsp::WelchEstimator welch_;
  dsp::SuppressionRatio suppression_;
  std::optional<AfterDischarges> after_discharges_;
  // After the last sent sample that suppression has taken, or skipped; -1 at first.
  int64_t judged_until_ = -1;
  // Sent samples below it are the filter's answer to what was no EEG.
  const int64_t settling_samples_;
  int64_t settled_from_ = 0;
};

}  // namespace remora::agent
