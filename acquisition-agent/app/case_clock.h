// A live case's time through restarts of the agent: the machine's monotonic clock from the case's
// first sample on. The wall clock, which people and NTP set, counts only across a restart of the
// machine itself. Pure but for the note that it keeps in the spool.
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
  // The machine was started anew since, or the spool has no note: by the wall clock.
  bool by_wall_clock = false;

  int64_t away_ns() const { return now_ns - last_ns; }
};
// Where a live case goes on.
CaseTime CaseTimeOf(const CaseSpool& spool, const Clock& clock);

}  // namespace remora::agent
