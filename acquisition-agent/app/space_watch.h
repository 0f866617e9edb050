// Warns before the theatre's disk is full: before the incision when the rest of the planned
// operation does not fit, later when an hour and a quarter of an hour are left.
//
//   kEnough --does not fit, before exposure--> kBelowPlan --60 min--> kHour --15 min--> kQuarter
//      ^----------------------------- space again (with some to spare) -------------------'
//
// One alert: raised, updated as it becomes worse, recovered. After a restart it goes on with the
// one that is on record. "Left" is until EMG and sweeps have to be given up: the reserve for
// alerts and messages is not counted. Sequence-bound to the agent's sequence.
#pragma once

#include <optional>
#include <string>

#include "acquisition-agent/app/console.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/spool/case_spool.h"
#include "acquisition-agent/spool/space_forecast.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "common/clock.h"
#include "remora/v1/case.pb.h"

namespace remora::agent {

// What the plan will write once everything runs, in the source's own time.
LaneRates PlannedRates(const ResolvedPlan& plan);

struct SpaceWatchOptions {
  // From the case's start to its end.
  Duration planned_duration = Duration::Seconds(8 * 3600);
  // Of the source's time; so is planned_duration.
  LaneRates planned{};
  double speed = 1;
};

class SpaceWatch {
 public:
  // All outlive it.
  SpaceWatch(const SpaceWatchOptions& options, const CaseSpool& spool, const Clock& clock,
             Console& console);

  // First, after a restart: takes up its alert, and the phase.
  void Restore(const CasePast& past);
  // Looks at the disk; `now_ns` since the case's start, for records.
  void Look(int64_t now_ns, RecordSink& sink);
  void OnPhase(v1::Phase phase) { phase_ = phase; }
  void OnAlertResolved(const v1::AlertAction& action) { slot_.OnResolved(action); }

  // "The disk lasts 31 h at 48 kB/s"; empty before the first look.
  const std::string& status_line() const { return status_line_; }
  bool is_alarm_on() const { return slot_.is_on(); }

 private:
  enum class Level { kEnough = 0, kBelowPlan = 1, kHour = 2, kQuarter = 3 };

  Level LevelOf(Duration left, int64_t now_ns) const;
  // On the clock, of the planned duration.
  Duration Rest(int64_t now_ns) const;
  void Tell(Level level, Duration left, int64_t now_ns, RecordSink& sink);

  const SpaceWatchOptions options_;
  const CaseSpool& spool_;
  const Clock& clock_;
  Console& console_;
  SpaceForecast forecast_;
  v1::Phase phase_ = v1::PHASE_UNSPECIFIED;
  Level level_ = Level::kEnough;
  AlertSlot slot_;
  std::string status_line_;
  std::optional<DeviceTime> said_at_;
};

}  // namespace remora::agent
