#pragma once

// What every part of the world shares. Outlives all of them.

#include <functional>
#include <string>

#include "tests/simulation/counters.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/network.h"
#include "tests/simulation/oracle.h"

namespace remora::simulation {

struct Context {
  Context(EventLoop& a_loop, Oracle& an_oracle, Counters& the_counters)
      : loop(a_loop), oracle(an_oracle), counters(the_counters) {}

  EventLoop& loop;
  Oracle& oracle;
  Counters& counters;
  HubPort* hub = nullptr;
  WireTap* tap = nullptr;
  Planted planted = Planted::kNone;
  Fail fail;
  // A read of the journal has failed: follows may have started anew.
  std::function<bool()> reads_failed;
  // For people who replay a seed; not called unless they asked for it.
  std::function<void(const std::string&)> log;
  void Log(const std::string& what) const {
    if (log) log(what);
  }
};

}  // namespace remora::simulation
