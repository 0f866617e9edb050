// What the record of a case says that an analysis which begins anew in its middle must know: a live
// source cannot be run over again. A plain value; the app reads it from its spool.
#pragma once

#include <vector>

#include "common/ids.h"
#include "remora/v1/alert.pb.h"
#include "remora/v1/case.pb.h"

namespace remora::agent {

struct CasePast {
  struct Baseline {
    RecordKey key;
    v1::BaselineSet set;
  };
  struct Alert {
    RecordKey key;
    v1::Alert last;
  };

  // Those that the agent set, in their order.
  std::vector<Baseline> baselines;
  // The last record of each condition that is on.
  std::vector<Alert> alerts;
  v1::Phase phase = v1::PHASE_UNSPECIFIED;
};

}  // namespace remora::agent
