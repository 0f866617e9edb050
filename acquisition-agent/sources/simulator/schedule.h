// When the events of a scenario are in force. Pure: the same answer for the same time, whatever was
// asked before.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"

#include "acquisition-agent/sources/simulator/scenario.h"

namespace remora::agent::sim {

// One time that an event takes place. Samples [first_sample, end_sample) lie in it.
struct Occurrence {
  const ScenarioEvent* event = nullptr;
  int64_t number = 0;  // 0, 1, 2... of an event that comes again and again
  double begin_s = 0;
  double end_s = 0;
  int64_t first_sample = 0;
  int64_t end_sample = 0;
};

// What becomes of a response: its height times `amplitude`, at latency * `latency` + `delay_ms`.
struct ResponseFactors {
  double amplitude = 1;
  double latency = 1;
  double delay_ms = 0;

  // What both do, one after the other.
  void Apply(const ResponseFactors& other) {
    amplitude *= other.amplitude;
    latency *= other.latency;
    delay_ms += other.delay_ms;
  }
};

// Whether a kStopStimulation, kDelivery or kThreshold is about this stimulator.
bool ConcernsStimulator(const ScenarioEvent& event, const Stimulator& stimulator);

// How much of `event` is in force, 0 to 1, with its ramps.
double EventWeight(const ScenarioEvent& event, double time_s);

class EventSchedule {
 public:
  EventSchedule(std::vector<ScenarioEvent> events, double sample_rate_hz);

  // All occurrences of `kind` that touch samples [first, end), in the order of the scenario.
  void Visit(ScenarioEvent::Kind kind, int64_t first, int64_t end,
             absl::FunctionRef<void(const Occurrence&)> visit) const;

  // What a stimulus at `time_s` evokes at `level`. Changes that overlap multiply.
  ResponseFactors Response(Nerve nerve, Side side, Level level, double time_s) const;

  // Whether `kind` is in force at `time_s` for stimuli of this stimulator.
  bool IsInForce(ScenarioEvent::Kind kind, const Stimulator& stimulator, double time_s) const;

  // The first sample at or after `sample` where a gap begins or ends; INT64_MAX if none. `in_gap`:
  // whether `sample` is lost.
  int64_t NextGapEdge(int64_t sample, bool* in_gap) const;

  const std::vector<ScenarioEvent>& events() const { return events_; }

 private:
  bool OccurrenceAt(const ScenarioEvent& event, int64_t number, Occurrence* out) const;
  const std::vector<ScenarioEvent> events_;
  const double sample_rate_hz_;
};

}  // namespace remora::agent::sim
