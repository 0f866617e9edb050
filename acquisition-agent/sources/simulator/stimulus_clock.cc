#include "acquisition-agent/sources/simulator/stimulus_clock.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace remora::agent::sim {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr double kFirstRoundS = 3;    // of the first stimulator that delivers rounds, ...
constexpr double kBetweenFirstS = 4;  // ... the next one that much later

}  // namespace

int ScenarioEvent::test_count() const {
  return step > 0 ? static_cast<int>(std::abs(last - first) / step + 1e-6) + 1 : 1;
}

StimulusClock::StimulusClock(const Scenario& scenario, const EventSchedule& schedule)
    : scenario_(scenario) {
  for (const ScenarioEvent& event : schedule.events()) {
    if (event.kind != ScenarioEvent::Kind::kTest) continue;
    streams_.push_back({event.stimulator, &event, event.at_s,
                        event.every_s > 0 ? event.every_s : kForever, kForever, event.test_count(),
                        event.step_s, true, 0});
  }
  int rounds = 0;
  for (int i = 0; i < static_cast<int>(scenario.stimulators.size()); ++i) {
    const Stimulator& stimulator = scenario.stimulators[i];
    if (stimulator.takes_turns() || stimulator.every_s <= 0) continue;
    AddStream(i,
              stimulator.from_s > 0 ? stimulator.from_s : kFirstRoundS + kBetweenFirstS * rounds++);
  }
  rounds_ = streams_.size();
  double highest_hz = 0;
  int turns = 0;
  for (const Stimulator& stimulator : scenario.stimulators) {
    if (!stimulator.takes_turns()) continue;
    highest_hz = std::max(highest_hz, stimulator.rate_hz);
    ++turns;
  }
  int turn = 0;
  for (int i = 0; i < static_cast<int>(scenario.stimulators.size()); ++i) {
    const Stimulator& stimulator = scenario.stimulators[i];
    if (!stimulator.takes_turns()) continue;
    AddStream(i, stimulator.from_s + kFirstStimulusS +
                     static_cast<double>(turn++) / (static_cast<double>(turns) * highest_hz));
  }
}

void StimulusClock::AddStream(int stimulator, double begin_s) {
  const Stimulator& which = scenario_.stimulators[stimulator];
  const bool turns = which.takes_turns();
  streams_.push_back({stimulator, nullptr, begin_s, turns ? 1 / which.rate_hz : which.every_s,
                      which.until_s, turns ? 1 : which.sweeps,
                      which.sweeps > 1 ? 1 / which.rate_hz : 0, !turns, 0});
}

double StimulusClock::RoundTimeS(const Stream& stream, int64_t round) const {
  return round == 0 ? stream.begin_s : stream.begin_s + static_cast<double>(round) * stream.every_s;
}

int64_t StimulusClock::TimeNs(const Stream& stream, int64_t number) const {
  const int64_t round = number / stream.count;
  if (round > 0 && std::isinf(stream.every_s)) return kNever;
  if (RoundTimeS(stream, round) >= stream.until_s) return kNever;
  // The quotient, not the period times the number: nothing accumulates.
  const long double rounds_s =
      stream.pauses_others
          ? (round == 0 ? 0.0L : round * static_cast<long double>(stream.every_s))
          : round / static_cast<long double>(scenario_.stimulators[stream.stimulator].rate_hz);
  const long double time_s = static_cast<long double>(stream.begin_s) + rounds_s +
                             (number % stream.count) * static_cast<long double>(stream.step_s);
  return std::llround(time_s * 1e9L);
}

bool StimulusClock::IsTaken(size_t before, double from_s, double to_s) const {
  for (size_t i = 0; i < before; ++i) {
    const Stream& stream = streams_[i];
    const double length_s = (stream.count - 1) * stream.step_s;
    int64_t round = 0;
    if (!std::isinf(stream.every_s)) {
      const double first = std::ceil((from_s - length_s - stream.begin_s) / stream.every_s);
      round = std::max<int64_t>(0, static_cast<int64_t>(first));
    }
    const double begin_s = RoundTimeS(stream, round);
    if (begin_s < stream.until_s && begin_s <= to_s && begin_s + length_s >= from_s) return true;
  }
  return false;
}

bool StimulusClock::IsLeftOut(size_t index, int64_t number) const {
  const Stream& stream = streams_[index];
  if (!stream.pauses_others) {
    const double time_s = static_cast<double>(TimeNs(stream, number)) * 1e-9;
    return IsTaken(rounds_, time_s - kPauseAfterS, time_s + kPauseBeforeS);
  }
  const double begin_s = RoundTimeS(stream, number / stream.count);
  const double length_s = (stream.count - 1) * stream.step_s;
  return IsTaken(index, begin_s - kPauseAfterS, begin_s + length_s + kPauseAfterS);
}

double StimulusClock::Intensity(const Stream& stream, int64_t number) const {
  if (stream.test == nullptr) return scenario_.stimulators[stream.stimulator].intensity();
  const double steps = static_cast<double>(number % stream.count) * stream.test->step;
  const double intensity = stream.test->first <= stream.test->last ? stream.test->first + steps
                                                                   : stream.test->first - steps;
  return std::round(intensity * 1e4) / 1e4;  // 0.3, not 0.30000000000000004
}

std::optional<Stimulus> StimulusClock::NextBefore(int64_t end_ns) {
  while (true) {
    size_t next = streams_.size();
    int64_t time_ns = kNever;
    for (size_t i = 0; i < streams_.size(); ++i) {
      const int64_t its_ns = TimeNs(streams_[i], streams_[i].next);
      if (its_ns >= time_ns) continue;
      time_ns = its_ns;
      next = i;
    }
    if (time_ns >= end_ns) return std::nullopt;
    Stream& stream = streams_[next];
    const int64_t number = stream.next++;
    if (IsLeftOut(next, number)) continue;
    return Stimulus{stream.stimulator, number, time_ns, Intensity(stream, number)};
  }
}

}  // namespace remora::agent::sim
