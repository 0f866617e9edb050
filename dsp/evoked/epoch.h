// Cuts epochs around stimuli out of streaming channels.
//
// Called by an evoked pipeline for each block of a source; thread-compatible, on its sequence.
// Holds a ring of recent samples a channel (bounded by the window, not by how long the case lasts)
// and the triggers whose window is not complete yet. Sample positions count from the start of the
// source's stream and are 64 bit; a trigger's position has a fraction, and the epoch is resampled
// (6-point Lagrange) so that latency 0 is the trigger itself. Interpolation error: below 0.1 % of
// amplitude up to 1/8 of the sample rate; exact at whole positions.
//
// A gap in the stream (a block that starts later than the last one ended) is filled with NaN in the
// ring: epochs that touch it come out with their count of missing samples and the mark kQualityGap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dsp/evoked/sample_ring.h"
#include "dsp/evoked/timebase.h"

namespace remora::dsp {

// Triggers waiting for their samples. 50 stimuli/s with 20 s of samples on the way.
inline constexpr std::size_t kMaxPendingTriggers = 1000;
// Longest window: a MEP of a child is 150 ms, an auditory middle-latency response 500 ms.
inline constexpr double kMaxEpochMs = 5000.0;
// Samples kept behind a complete window, so that a trigger may be told this late.
inline constexpr double kLateTriggerMs = 1000.0;

struct EpochOptions {
  double sample_rate_hz = 0.0;
  LatencyWindow window;  // relative to the trigger, e.g. {-10, 90}; rounded to whole samples
  std::size_t channels = 1;
};

struct Epoch {
  std::uint64_t trigger_id = 0;        // as given to AddTrigger
  double trigger_sample = 0.0;         // position of latency 0 in the stream
  std::size_t samples = 0;             // a channel
  std::size_t missing_samples = 0;     // positions of the window that never arrived (gap, too late)
  std::size_t non_finite_samples = 0;  // arrived as NaN or infinite, over all channels
  std::vector<double> values_uv;       // channel after channel; NaN where missing

  std::span<const double> Channel(std::size_t channel) const {
    return std::span<const double>(values_uv).subspan(channel * samples, samples);
  }
};

// What one Push met.
struct PushReport {
  std::uint64_t gap_samples = 0;          // skipped between the last block and this one
  std::uint64_t overlapping_samples = 0;  // of this block, already known: ignored
};

// What a line of samples holds `fraction` (0 to below 1) of a sample behind each position,
// beginning with its third one: output[i] lies behind line[i + kSamplesBeforeShift]. The line has
// kSamplesBeforeShift + kSamplesBehindShift samples more than the output. 6-point Lagrange; what is
// not finite spreads over all that rests on it.
inline constexpr std::size_t kSamplesBeforeShift = 2;
inline constexpr std::size_t kSamplesBehindShift = 3;
void ShiftSamples(std::span<const double> line, double fraction, std::span<double> output);

class EpochCutter {
 public:
  // Errors: kInvalidArgument -> rate, window or channel count.
  static absl::StatusOr<EpochCutter> Create(const EpochOptions& options);

  // A stimulus at `trigger_sample` (any order; before its samples arrive, or up to kLateTriggerMs
  // after: its epoch then comes with the next Push, which may be empty).
  // Errors: kInvalidArgument -> not finite or negative; kResourceExhausted -> kMaxPendingTriggers
  // wait. A trigger so old that the ring has lost its window still yields an epoch, with all that
  // is missing counted: a lost stimulus is seen, not swallowed.
  absl::Status AddTrigger(double trigger_sample, std::uint64_t trigger_id);

  // A block of all channels (equal lengths) whose first sample has the position `first_sample`.
  // Appends the epochs that are now complete, by trigger position.
  // Errors: kInvalidArgument -> channel count or lengths differ, position absurd; nothing is taken.
  absl::StatusOr<PushReport> Push(std::uint64_t first_sample,
                                  std::span<const std::span<const double>> channels,
                                  std::vector<Epoch>& epochs);

  // The end of the stream: yields every pending epoch as far as it came. Then Restart().
  void Flush(std::vector<Epoch>& epochs);
  // Forgets samples and triggers; the next Push may start anywhere.
  void Restart();

  // Latency of sample 0 and rate of every epoch.
  const Timebase& timebase() const { return timebase_; }
  std::size_t samples_per_epoch() const { return samples_per_epoch_; }
  std::size_t pending_triggers() const { return triggers_.size(); }

 private:
  struct Trigger {
    double sample;
    std::uint64_t id;
  };

  EpochCutter(const EpochOptions& options, std::size_t samples_per_epoch, SampleRing ring);
  std::int64_t LastNeeded(double trigger_sample) const;
  Epoch Cut(const Trigger& trigger) const;
  void SkipGap(std::int64_t to, std::vector<Epoch>& epochs);
  void YieldComplete(std::vector<Epoch>& epochs);

  Timebase timebase_;
  std::int64_t start_sample_;  // of the window, from the trigger
  std::size_t samples_per_epoch_;
  SampleRing ring_;
  bool started_ = false;
  std::deque<Trigger> triggers_;  // by position
};

}  // namespace remora::dsp
