// A live case's time through restarts of the agent: the machine's monotonic clock from the case's
// first sample on. The wall clock, which people and NTP set, counts only across a restart of the
// machine itself. Pure but for the note that it keeps in the spool.
//
//   the machine             the case goes on
//   ran, or slept           by its monotonic clock, which counts sleep, whatever the wall clock
//                           did: NTP may mend it, or a person, by any step either way
//   was started anew        by the wall clock, the only one that went on: by as much as it did,
//                           steps included, since nothing tells them from time that has passed
//   the same, but the wall  by the least that the machine's clock proves: how long it is up. If it
//   clock cannot be right   stands beyond where it stood with the newest record, by what it has
//                           gone on: where no kernel tells of boots an id may change without one
//   left no note of itself  by the wall clock if it can be right; else not at all
//
// The wall clock cannot be right when it has gone on by less than the machine's clock proves (it
// was fast before, or was set back), nor by more than kLongestOutage (its battery was empty before,
// and it has been set since). Never back: records' times ascend.
#pragma once

#include <cstdint>

#include "acquisition-agent/spool/case_spool.h"
#include "common/clock.h"

namespace remora::agent {

// A live source begins: the case's time 0 is `zero_ns` of the machine's clock. A spool that cannot
// note it says so by itself, and the next restart goes by the wall clock.
void NoteCaseZero(const Clock& clock, int64_t zero_ns, CaseSpool& spool);

struct CaseTime {
  int64_t last_ns = 0;  // of the newest record
  int64_t now_ns = 0;   // not before it
  enum class By { kMachineClock, kWallClock, kLeast };
  By by = By::kMachineClock;

  int64_t away_ns() const { return now_ns - last_ns; }
};
// Where a live case goes on.
CaseTime CaseTimeOf(const CaseSpool& spool, const Clock& clock);

}  // namespace remora::agent
