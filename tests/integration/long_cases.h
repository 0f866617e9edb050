#pragma once

// Makes a journal as a hub leaves it after hours of many open cases: through the hub's own core, so
// that runs, checkpoints and ranges are what they would be.

#include <string>

#include "absl/status/status.h"
#include "common/time.h"

namespace remora::testing {

struct LongCases {
  int rooms = 20;
  Duration length = Duration::Seconds(8 * 3600);
  uint64_t records = 0;  // out: how many were made
};

// Theatre "OR k" has the open case k of agent "agent-k".
absl::Status MakeLongCases(const std::string& journal_path, LongCases* cases);

}  // namespace remora::testing
