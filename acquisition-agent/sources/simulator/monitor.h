// What the other devices of the theatre tell: vital signs each 5 s, drugs when they are given,
// impedances at the start and when they change, marks of the technologist. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "acquisition-agent/sources/simulator/schedule.h"
#include "acquisition-agent/sources/simulator/truth.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::sim {

class TheatreMonitor {
 public:
  static constexpr int kVitalPeriodS = 5;

  // All must outlive it.
  TheatreMonitor(const Scenario& scenario, const EventSchedule& schedule,
                 const SimulatedTruth& truth, double sample_rate_hz, uint64_t seed);

  // Appends all items of [first, end) samples, in no order.
  void AppendItems(int64_t first, int64_t end, std::vector<Item>* items) const;

 private:
  int64_t SampleTimeNs(int64_t sample) const;
  void AppendVitals(int64_t tick, std::vector<Item>* items) const;
  void AppendImpedances(int64_t first, int64_t end, std::vector<Item>* items) const;
  void AppendImpedance(const std::string& electrode, int64_t sample,
                       std::vector<Item>* items) const;

  const Scenario& scenario_;
  const EventSchedule& schedule_;
  const SimulatedTruth& truth_;
  const double sample_rate_hz_;
  const uint64_t seed_;
};

}  // namespace remora::agent::sim
