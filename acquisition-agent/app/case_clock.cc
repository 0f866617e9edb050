#include "acquisition-agent/app/case_clock.h"

#include <algorithm>

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
  const int64_t machine_ns = clock.Now().nanoseconds();
  CaseTime time;
  time.last_ns = Within(last.monotonic_ns);
  if (info != nullptr && info->machine_boot_id != 0 && info->machine_boot_id == clock.boot_id()) {
    time.now_ns = std::max(time.last_ns, machine_ns - Within(info->zero_ns));
    return time;
  }
  time.by_wall_clock = true;
  int64_t away_ns = Within(clock.WallNow().nanoseconds()) - Within(last.wall_unix_ns);
  // A machine that was started anew was away for as long as it has been up, at least.
  const bool another_boot = info != nullptr && info->machine_boot_id != 0;
  away_ns = std::max(away_ns, another_boot ? machine_ns : 0);
  time.now_ns = time.last_ns + away_ns;
  return time;
}

}  // namespace remora::agent
