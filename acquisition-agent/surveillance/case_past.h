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
    RecordKey key;  // of `last`
    v1::Alert last;
    // What called last (AlertActionKind says what calls), and its priority.
    RecordKey called_by = {};
    v1::AlertPriority called = v1::ALERT_PRIORITY_UNSPECIFIED;
    // By a person who had that call before them.
    bool closed = false;

    bool is_on() const { return last.condition() != v1::ALERT_CONDITION_RECOVERED; }
  };

  // Those that the agent set, in their order.
  std::vector<Baseline> baselines;
  // Of each condition its newest alert, on or recovered. One that has recovered and is closed is
  // over.
  std::vector<Alert> alerts;
  // The last that a person or a device said.
  v1::Phase phase = v1::PHASE_UNSPECIFIED;
};

}  // namespace remora::agent
