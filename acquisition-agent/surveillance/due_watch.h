// Responses that are awaited in a risk stage and do not come (docs/freshness.md): a technical alert
// for each modality of SEP, MEP and D-wave whose last trial ended too long ago. Recovers with the
// next trial, or when the stage is over. Thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <map>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "remora/v1/case.pb.h"
#include "remora/v1/waveform.pb.h"

namespace remora::agent {

class DueWatch {
 public:
  // `sink` outlives it.
  DueWatch(const ResolvedPlan& plan, RecordSink& sink);

  // First, in the middle of a case: takes up its alerts, and the phase. What is
  // awaited is awaited from `now_ns` on.
  void Restore(const CasePast& past, int64_t now_ns);
  // The operation enters a phase.
  void OnPhase(v1::Phase phase, int64_t now_ns);
  // A trial of this modality has ended: a finished average, or the sweeps of a single response.
  // Modalities that are not awaited are ignored.
  void OnTrial(v1::Modality modality, int64_t now_ns);
  // With each piece of signal.
  void OnTime(int64_t now_ns);
  void OnAlertResolved(const v1::AlertAction& action);

 private:
  struct Awaited {
    int64_t due_ns = 0;
    int64_t last_ns = 0;
    AlertSlot alert;
  };
  void Recover(v1::Modality modality, Awaited* awaited, int64_t now_ns);

  RecordSink& sink_;
  std::map<v1::Modality, Awaited> awaited_;
  bool at_risk_ = false;
  int64_t risk_since_ns_ = 0;
};

// Phases in which a structure may be harmed.
bool IsRiskPhase(v1::Phase phase);

}  // namespace remora::agent
