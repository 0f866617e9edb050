#pragma once

// The silences of one agent or reader as they were, for what the hub says of its link: when the hub
// read a message of a connection on which the agent had joined, or the reader followed.
// Sequence-bound to the simulation.

#include <utility>
#include <vector>

#include "common/time.h"
#include "remora/v1/link.pb.h"

namespace remora::simulation {

class Silences {
 public:
  // A reader joins. In the case that it joins the hub hears it then, and not with its follow.
  void OnArrival(uint64_t connection, Duration now) {
    if (joined_ != connection && heard_ && now - last_ >= kNoted) gaps_.emplace_back(last_, now);
  }
  // The hub has read a message; `joins`: the agent joins, or the reader follows with it.
  void OnRead(uint64_t connection, bool joins, Duration now) {
    if (joins && joined_ != connection) before_ = last_;
    // A case that is followed later in a session hears of it later.
    if (joins && joined_ == connection && before_ > Duration()) gaps_.emplace_back(before_, now);
    if (joins) joined_ = connection;
    if (joined_ != connection) return;
    if (heard_ && now - last_ >= kNoted) gaps_.emplace_back(last_, now);
    heard_ = true;
    last_ = now;
  }
  // Whether there was one that `state` can be of.
  bool Explain(const v1::LinkState& state, Duration now) const {
    const Duration outage = Duration::FromSeconds(state.outage_ms() / 1000);
    const bool live = state.condition() == v1::LINK_CONDITION_LIVE;
    if (live && state.outage_ms() == 0) return true;
    if (!live && heard_ && now - last_ >= Least(state.condition())) return true;
    for (auto first = gaps_.begin(); first != gaps_.end(); ++first) {
      if (!live && first->second - first->first >= Least(state.condition())) return true;
      // Several are one outage where no LIVE could be recorded between them.
      for (auto last = first; live && last != gaps_.end(); ++last) {
        const Duration gap = last->second - first->first;
        if ((gap > outage ? gap - outage : outage - gap) <= kTolerance) return true;
      }
    }
    return false;
  }

 private:
  static constexpr Duration kNoted = Duration::Milliseconds(1900);
  // Drift of the hub's clock over the longest of them, and more.
  static constexpr Duration kTolerance = Duration::Milliseconds(50);
  static Duration Least(v1::LinkCondition condition) {
    const int seconds = condition == v1::LINK_CONDITION_UNSUPERVISED ? 60
                        : condition == v1::LINK_CONDITION_LOST       ? 10
                                                                     : 2;
    return Duration::Seconds(seconds) - kTolerance;
  }

  uint64_t joined_ = 0;
  bool heard_ = false;
  Duration last_;
  Duration before_;  // the last message before the connection
  std::vector<std::pair<Duration, Duration>> gaps_;
};

}  // namespace remora::simulation
