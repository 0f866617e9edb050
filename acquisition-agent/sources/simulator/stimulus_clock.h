// When the stimulators of a scenario deliver, in time order. Pure but for where it stands.
//
// Those that take turns (SEP, BAEP, VEP, midline) interleave: with n of them and the highest rate
// r, each begins 1 / (n r) after the one before; the first stimulus is at kFirstStimulusS, so that
// a first epoch has its part before the stimulus.
//
// The others deliver rounds (a train, a train-of-four, the steps of a test). Around a round those
// that take turns pause, as real stimulators do: nothing else may lie in a sweep that is not
// averaged. Of two rounds that would overlap the later in this order is left out: tests in the
// order of the events, then stimulators in the order of the file.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "acquisition-agent/sources/simulator/schedule.h"

namespace remora::agent::sim {

struct Stimulus {
  int stimulator = 0;  // index into Scenario::stimulators
  int64_t number = 0;  // of this stimulator, rounds that were left out included; of a test, by step
  int64_t time_ns = 0;
  double intensity = 0;  // commanded, mA or V
};

class StimulusClock {
 public:
  static constexpr double kFirstStimulusS = 0.1;
  static constexpr double kPauseBeforeS = 0.08;
  static constexpr double kPauseAfterS = 0.18;

  // `scenario` and `schedule` must outlive it.
  StimulusClock(const Scenario& scenario, const EventSchedule& schedule);

  // The next stimulus with a time before `end_ns`; nothing if there is none. Stopped stimulation
  // is not known here.
  std::optional<Stimulus> NextBefore(int64_t end_ns);

 private:
  // A sequence of rounds of equal length, `count` stimuli `step_s` apart.
  struct Stream {
    int stimulator;
    const ScenarioEvent* test;  // or nullptr
    double begin_s;
    double every_s;  // from round to round; infinity: one round
    double until_s;  // no round begins at or after it
    int count;
    double step_s;
    bool pauses_others;
    int64_t next;  // stimulus of this stream
  };

  void AddStream(int stimulator, double begin_s);
  double RoundTimeS(const Stream& stream, int64_t round) const;
  int64_t TimeNs(const Stream& stream, int64_t number) const;
  // Whether a round of streams [0, before) covers any part of [from_s, to_s].
  bool IsTaken(size_t before, double from_s, double to_s) const;
  bool IsLeftOut(size_t stream, int64_t number) const;
  double Intensity(const Stream& stream, int64_t number) const;

  const Scenario& scenario_;
  std::vector<Stream> streams_;  // rounds first, by precedence
  size_t rounds_ = 0;            // streams that deliver rounds
};

}  // namespace remora::agent::sim
