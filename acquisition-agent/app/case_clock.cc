#include "acquisition-agent/app/case_clock.h"

#include <algorithm>

#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spool_repair.h"

namespace remora::agent {
namespace {

// What the record says may be anything: differences of such times stay in range.
constexpr int64_t kFarthestNs = int64_t{1} << 61;

int64_t Within(int64_t ns) { return std::clamp(ns, -kFarthestNs, kFarthestNs); }

}  // namespace

void NoteCaseZero(const Clock& clock, int64_t zero_ns, CaseSpool& spool) {
  CaseInfo info;
  if (spool.info() != nullptr) info = *spool.info();
  info.machine_boot_id = clock.boot_id();
  info.zero_ns = zero_ns;
  spool.SetInfo(info).IgnoreError();
}

CaseTime CaseTimeOf(const CaseSpool& spool, const Clock& clock) {
  const LastCapture last = LastCaptureOf(spool);
  const CaseInfo* info = spool.info();
  const int64_t machine_ns = Within(clock.Now().nanoseconds());
  CaseTime time;
  time.last_ns = Within(last.monotonic_ns);
  int64_t least_ns = 0;
  if (info != nullptr && info->machine_boot_id != 0) {
    const int64_t zero_ns = Within(info->zero_ns);
    if (info->machine_boot_id == clock.boot_id()) {
      time.now_ns = std::max(time.last_ns, machine_ns - zero_ns);
      return time;
    }
    const int64_t stood_at_ns = zero_ns + time.last_ns;
    least_ns = Within(machine_ns >= stood_at_ns ? machine_ns - stood_at_ns : machine_ns);
  }
  const int64_t wall_ns = Within(clock.WallNow().nanoseconds()) - Within(last.wall_unix_ns);
  const bool can_be_right = wall_ns >= least_ns && wall_ns <= kLongestOutage.nanoseconds();
  time.by = can_be_right ? CaseTime::By::kWallClock : CaseTime::By::kLeast;
  time.now_ns = time.last_ns + (can_be_right ? wall_ns : least_ns);
  return time;
}

}  // namespace remora::agent
