#include "acquisition-agent/sources/simulator/schedule.h"

#include <algorithm>
#include <cmath>

namespace remora::agent::sim {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

bool Concerns(const ScenarioEvent& event, Nerve nerve, Side side) {
  return event.nerve.value_or(nerve) == nerve && event.side.value_or(side) == side;
}

// A side means none to a stimulator that has none.
bool HasSide(StimulusKind kind) {
  return kind != StimulusKind::kMep && kind != StimulusKind::kDwave &&
         kind != StimulusKind::kMidline;
}

}  // namespace

bool ConcernsStimulator(const ScenarioEvent& event, const Stimulator& stimulator) {
  const StimulusKind kind = stimulator.kind;
  if (event.stimulation.value_or(kind) != kind) return false;
  if (event.nerve && (kind != StimulusKind::kSep || *event.nerve != stimulator.nerve)) return false;
  return !event.side || !HasSide(kind) || *event.side == stimulator.side;
}

EventSchedule::EventSchedule(std::vector<ScenarioEvent> events, double sample_rate_hz)
    : events_(std::move(events)), sample_rate_hz_(sample_rate_hz) {}

bool EventSchedule::OccurrenceAt(const ScenarioEvent& event, int64_t number,
                                 Occurrence* out) const {
  if (number < 0 || (number > 0 && event.every_s <= 0)) return false;
  // The first sample at or after a time; a hair of tolerance, or 0.3 s at 1 kHz would begin at
  // sample 301.
  const auto sample_at = [&](double time_s) {
    return std::isinf(time_s) ? kNever
                              : static_cast<int64_t>(std::ceil(time_s * sample_rate_hz_ - 1e-6));
  };
  out->event = &event;
  out->number = number;
  out->begin_s = event.at_s + static_cast<double>(number) * event.every_s;
  out->end_s = out->begin_s + event.for_s;
  out->first_sample = sample_at(out->begin_s);
  out->end_sample = sample_at(out->end_s);
  return true;
}

void EventSchedule::Visit(ScenarioEvent::Kind kind, int64_t first, int64_t end,
                          absl::FunctionRef<void(const Occurrence&)> visit) const {
  for (const ScenarioEvent& event : events_) {
    if (event.kind != kind) continue;
    int64_t number = 0;
    if (event.every_s > 0) {
      const double before_s =
          static_cast<double>(first) / sample_rate_hz_ - event.at_s - event.for_s;
      number = std::max<int64_t>(0, static_cast<int64_t>(std::floor(before_s / event.every_s)));
    }
    Occurrence occurrence;
    for (; OccurrenceAt(event, number, &occurrence) && occurrence.first_sample < end; ++number) {
      // An instant (a note) belongs to the sample it falls on.
      const int64_t last = std::max(occurrence.end_sample, occurrence.first_sample + 1);
      if (last > first) visit(occurrence);
    }
  }
}

double EventWeight(const ScenarioEvent& event, double time_s) {
  double since_s = time_s - event.at_s;
  if (since_s < 0) return 0;
  if (event.every_s > 0) since_s = std::fmod(since_s, event.every_s);
  const double rise = event.ramp_s > 0 ? std::min(1.0, since_s / event.ramp_s) : 1.0;
  const double over_s = since_s - event.for_s;
  if (over_s < 0) return rise;
  const double peak = event.ramp_s > 0 ? std::min(1.0, event.for_s / event.ramp_s) : 1.0;
  return event.ramp_s > 0 ? std::max(0.0, peak - over_s / event.ramp_s) : 0.0;
}

ResponseFactors EventSchedule::Response(Nerve nerve, Side side, Level level, double time_s) const {
  ResponseFactors out;
  for (const ScenarioEvent& event : events_) {
    if (event.kind != ScenarioEvent::Kind::kResponse || !Concerns(event, nerve, side)) continue;
    if (!event.levels[static_cast<int>(level)]) continue;
    const double weight = EventWeight(event, time_s);
    out.amplitude *= 1 + (event.amplitude - 1) * weight;
    out.latency *= 1 + (event.latency - 1) * weight;
  }
  out.latency = std::clamp(out.latency, 0.25, 4.0);
  return out;
}

bool EventSchedule::IsInForce(ScenarioEvent::Kind kind, const Stimulator& stimulator,
                              double time_s) const {
  return std::any_of(events_.begin(), events_.end(), [&](const ScenarioEvent& event) {
    return event.kind == kind && ConcernsStimulator(event, stimulator) &&
           EventWeight(event, time_s) > 0;
  });
}

int64_t EventSchedule::NextGapEdge(int64_t sample, bool* in_gap) const {
  *in_gap = false;
  int64_t gap_end = sample;
  int64_t next_begin = kNever;
  for (const ScenarioEvent& event : events_) {
    if (event.kind != ScenarioEvent::Kind::kGap) continue;
    int64_t number = 0;
    if (event.every_s > 0) {
      const double before_s =
          static_cast<double>(sample) / sample_rate_hz_ - event.at_s - event.for_s;
      number = std::max<int64_t>(0, static_cast<int64_t>(std::floor(before_s / event.every_s)));
    }
    Occurrence occurrence;
    for (; OccurrenceAt(event, number, &occurrence); ++number) {
      if (occurrence.end_sample <= sample) continue;
      if (occurrence.first_sample > sample) {
        next_begin = std::min(next_begin, occurrence.first_sample);
        break;
      }
      *in_gap = true;
      gap_end = std::max(gap_end, occurrence.end_sample);
    }
  }
  return *in_gap ? gap_end : next_begin;
}

}  // namespace remora::agent::sim
