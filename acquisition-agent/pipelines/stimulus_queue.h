// Pulses on their way to the samples of their time, and which of a stream's own stimuli have had
// their sweep.
//
// Held by what cuts sweeps out of a stream (sweep_stream.h, trial_cutter.h); thread-compatible, on
// its sequence. At most kMaxWaitingTriggers of each wait: a source that stands still loses the
// oldest, which are counted.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>

#include "acquisition-agent/pipelines/stimulus_finder.h"

namespace remora::agent {

// One pulse: of a stimulus, or of a train.
struct Pulse {
  int64_t time_ns = 0;
  Stimulus stimulus;
  bool own = false;  // makes a sweep; the further pulses of a train make none
};

class StimulusQueue {
 public:
  // Each pulse of its train; what is known already waits only where it makes a sweep.
  void Add(const Stimulus& stimulus, bool own);
  // The next pulse before `end_ns`, by time.
  std::optional<Pulse> NextBefore(int64_t end_ns);

  // The sweep of this stimulus comes now. False: it was given out from a look, and does not come
  // again.
  bool Finish(int64_t stimulus_ns);
  // The sweep of this stimulus is given out from a look, before its chunk is whole.
  void Give(int64_t stimulus_ns);
  bool was_given(int64_t stimulus_ns) const { return given_ns_.contains(stimulus_ns); }

  // The first time after `after_ns` that lies `behind_ns` behind a stimulus whose sweep was not
  // given out, leaving out the first `n`; the largest number where there is none.
  int64_t DueNs(size_t n, int64_t after_ns, int64_t behind_ns) const;

  uint64_t dropped_total() const { return dropped_total_; }

 private:
  void Wait(const Stimulus& stimulus, int64_t time_ns, bool own);

  std::deque<Pulse> waiting_;    // by time
  std::deque<int64_t> open_ns_;  // stimuli whose sweeps were not given out, ascending
  std::set<int64_t> given_ns_;   // those given out from a look, that are still to come
  uint64_t dropped_total_ = 0;
};

}  // namespace remora::agent
