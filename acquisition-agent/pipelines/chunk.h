// A tenth of a second of one rate group, assembled from a source's blocks and judged before any
// filter: what every pipeline works on. A value; passed by reference while it is current.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "acquisition-agent/plan/resolved_plan.h"
#include "dsp/filter/signal_quality.h"

namespace remora::agent {

// A mark of Remora's own beside dsp::QualityMark: a burst on all channels at once.
inline constexpr uint32_t kMarkInterference = 1u << 16;
// Nothing but hum: an electrode in the air.
inline constexpr uint32_t kMarkFloating = 1u << 17;
// A stimulus that was told too late for its artefact to be blanked.
inline constexpr uint32_t kMarkStimulus = 1u << 18;

// What is wrong with one channel in a chunk.
struct ChannelMarks {
  uint32_t marks = dsp::kQualityGood;  // of the whole chunk
  double rms_uv = 0;                   // of its finite samples, without their mean
  // Samples of it that are clipped or not finite, as runs of positions [first, last].
  struct Run {
    int64_t first;
    int64_t last;
    uint32_t marks;
  };
  std::vector<Run> runs;
};

struct Chunk {
  int rate_group = 0;
  double sample_rate_hz = 0;
  // Position of the first sample: device time in sample steps. Counts on over gaps.
  int64_t first_position = 0;
  // The source paused or jumped before it: filters and averages of what is continuous start anew.
  bool starts_segment = false;
  // Device time of a position p of this segment: p * 1e9 / rate + position_zero_ns.
  double position_zero_ns = 0;
  int64_t samples = 0;
  int64_t end_ns = 0;
  // By index of the channel in its rate group; only channels in use have samples and marks.
  std::vector<std::vector<double>> channels;
  std::vector<ChannelMarks> marks;
  // What was known before it, for a look at its first samples: marks of the chunk before it, and
  // how loud each channel usually is (rms, uV; 0: not known), and whether the chunk before it was
  // judged a burst. Since it was judged itself.
  std::vector<uint32_t> marks_before;
  std::vector<double> usual_rms_uv;
  bool burst_before = false;

  double PositionOf(int64_t time_ns) const {
    return (static_cast<double>(time_ns) - position_zero_ns) * sample_rate_hz / 1e9;
  }
  int64_t TimeOf(double position) const {
    return static_cast<int64_t>(position * 1e9 / sample_rate_hz + position_zero_ns);
  }
  // The least number of its samples whose end, rounded as times are, is not before `time_ns`. May
  // be beyond `samples`.
  int64_t SamplesUntil(int64_t time_ns) const {
    int64_t count = static_cast<int64_t>(std::ceil(PositionOf(time_ns))) - first_position;
    while (TimeOf(static_cast<double>(first_position + count)) < time_ns) ++count;
    return count;
  }
};

// Mean of the first inputs minus mean of the second ones.
std::vector<double> Derive(const Chunk& chunk, const std::vector<int>& plus,
                           const std::vector<int>& minus);

// Where a derivation's channels stand in their rate group.
struct DerivationInputs {
  std::vector<int> plus;
  std::vector<int> minus;
  std::vector<int> all;
  double uv_per_count = 0;  // resolution of the difference
};
DerivationInputs InputsOf(const ResolvedDerivation& derivation, const SourceInfo& source);

}  // namespace remora::agent
