// Replaces the stimulus artefact by a straight line before any filter can smear it.
//
// Window [trigger - before_ms, trigger + after_ms], default -2..+3 ms. The samples at its edges
// stay, those between lie on the line that joins them. Windows that overlap are one. An edge
// outside the recording, or not finite, takes the other edge's value; with neither the samples
// become NaN. Triggers are sample positions with a fraction; the window is widened to whole
// samples.
// Streaming; thread-compatible; pipeline's sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace remora::dsp {

struct BlankingWindow {
  double before_ms = 2.0;  // 0 .. kMaxBlankingMs
  double after_ms = 3.0;   // 0 .. kMaxBlankingMs
};

// Longest side of a window: a blank longer than this would cut into a response (N9 at 9 ms).
inline constexpr double kMaxBlankingMs = 50.0;
// A trigger that is told later than this belongs to the next stretch of signal.
inline constexpr double kMaxAnnounceDelayMs = 10000.0;
// Triggers held before their samples arrive. 50 stimuli/s, a minute ahead.
inline constexpr std::size_t kMaxPendingBlankings = 3000;

class StimulusBlanking {
 public:
  // `announce_delay_ms` (0 .. kMaxAnnounceDelayMs): how late a trigger may be told, see AddTrigger.
  static absl::StatusOr<StimulusBlanking> Create(double sample_rate_hz, BlankingWindow window,
                                                 double announce_delay_ms = 0.0);

  // Announce a trigger, in ascending order, before the Push that brings samples later than it by
  // more than announce_delay_ms. `trigger_sample` counts from the first sample pushed since
  // construction or Restart().
  // Errors: kFailedPrecondition -> too late: its window has (in part) been given out, what is left
  // is blanked; kInvalidArgument -> not finite or out of order; kResourceExhausted -> too many
  // pending.
  absl::Status AddTrigger(double trigger_sample);

  // Appends to `output` all samples that no trigger announced in time can still change.
  void Push(std::span<const double> input, std::vector<double>& output);
  // End of the recording or a gap: gives out what is held (a half-seen window is held flat).
  void Flush(std::vector<double>& output);
  // As new, with sample 0 next.
  void Restart();

  // Samples held back while no stimulus is in sight: announce delay and the window's `before` part.
  std::size_t delay_samples() const { return delay_samples_; }
  std::size_t pending_samples() const { return held_.size() - given_out_; }

 private:
  struct Range {
    std::int64_t first;  // kept: the line starts here
    std::int64_t last;   // kept: the line ends here
  };

  StimulusBlanking(double before_samples, double after_samples, std::size_t delay_samples);
  void Emit(bool at_end, std::vector<double>& output);
  void FlattenRange(const Range& range);
  double HeldOr(std::int64_t sample, double otherwise) const;

  double window_before_samples_;
  double window_after_samples_;
  std::size_t delay_samples_;
  std::int64_t next_input_ = 0;   // index of the next sample to be pushed
  std::int64_t next_output_ = 0;  // of the first that is held
  double last_trigger_sample_ = 0.0;
  bool has_trigger_ = false;
  double last_emitted_;  // NaN before the first
  // From given_out_ on what is held; in front of it what has been given out.
  std::vector<double> held_;
  std::size_t given_out_ = 0;
  std::deque<Range> ranges_;
};

}  // namespace remora::dsp
