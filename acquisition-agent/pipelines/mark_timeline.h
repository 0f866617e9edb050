// What was wrong with a derivation's raw samples, and when: asked when an epoch is complete, long
// after its samples came.
//
// A mark reaches as far as the filter carries what it marks: `memory_after` samples, and for a
// zero-phase filter `memory_before` as well.
//
// Memory is bounded: as long as the caller may still ask, and kMarkMemoryNs at least. Clipping and
// gaps in numbers inside a stimulus window do not count: what is there is blanked.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "acquisition-agent/pipelines/chunk.h"

namespace remora::agent {

class MarkTimeline {
 public:
  // `blank_from_ms` (negative) to `blank_to_ms`: the stimulus window. `asked_behind`: samples from
  // the first one that an epoch holds until its marks are asked for.
  MarkTimeline(double sample_rate_hz, double blank_from_ms, double blank_to_ms,
               double memory_before, double memory_after, double asked_behind = 0);

  void AddStimulus(double position);
  // Marks of the inputs (places in the rate group) of a chunk.
  void AddChunk(const Chunk& chunk, const std::vector<int>& inputs);
  // A mark of the caller's, such as dsp::kQualityGap around a jump of time.
  void AddMarks(int64_t first, int64_t last, uint32_t marks);

  // All marks that reach into [first, last].
  uint32_t MarksIn(double first, double last) const;

 private:
  void Forget(int64_t before);

  const double before_samples_;
  const double after_samples_;
  const double memory_before_;
  const double memory_after_;
  const int64_t memory_samples_;
  std::deque<ChannelMarks::Run> chunks_;   // one a chunk, good ones too
  std::deque<ChannelMarks::Run> samples_;  // runs of single samples
  std::deque<ChannelMarks::Run> others_;
  std::deque<double> stimuli_;
};

}  // namespace remora::agent
