#include "acquisition-agent/surveillance/due_watch.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/technical_watch.h"

namespace remora::agent {
namespace {

// 0: not awaited.
int64_t DueOf(v1::Modality modality) {
  switch (modality) {
    case v1::MODALITY_SEP_UPPER:
    case v1::MODALITY_SEP_LOWER:
    case v1::MODALITY_SEP_DERMATOMAL:
      return kSepDueNs;
    case v1::MODALITY_MEP_TRANSCRANIAL:
    case v1::MODALITY_MEP_DIRECT_CORTICAL:
    case v1::MODALITY_D_WAVE:
      return kMepDueNs;
    default:
      return 0;
  }
}

// "SEP_UPPER".
std::string NameOf(v1::Modality modality) {
  constexpr size_t kPrefix = sizeof("MODALITY_") - 1;
  return v1::Modality_Name(modality).substr(kPrefix);
}

}  // namespace

bool IsRiskPhase(v1::Phase phase) {
  switch (phase) {
    case v1::PHASE_INSTRUMENTATION:
    case v1::PHASE_NEURAL_MANIPULATION:
    case v1::PHASE_CORRECTION:
    case v1::PHASE_RESECTION:
    case v1::PHASE_CLAMP:
    case v1::PHASE_DECOMPRESSION:
      return true;
    default:
      return false;
  }
}

DueWatch::DueWatch(const ResolvedPlan& plan, RecordSink& sink) : sink_(sink) {
  for (const ResolvedEvoked& evoked : plan.evoked) {
    const int64_t due_ns = DueOf(evoked.plan.modality());
    if (due_ns > 0) awaited_[evoked.plan.modality()].due_ns = due_ns;
  }
  // MEPs; screws and nerves are stimulated when there is something to ask.
  for (const ResolvedMotor& motor : plan.motor) {
    const int64_t due_ns = DueOf(motor.plan.modality());
    if (due_ns > 0) awaited_[motor.plan.modality()].due_ns = due_ns;
  }
}

void DueWatch::Restore(const CasePast& past, int64_t now_ns) {
  for (const CasePast::Alert& alert : past.alerts) {
    for (auto& [modality, awaited] : awaited_) {
      if (alert.last.trace_id() == absl::StrCat("due/", NameOf(modality))) {
        awaited.alert.Restore(alert);
      }
    }
  }
  if (past.phase != v1::PHASE_UNSPECIFIED) OnPhase(past.phase, now_ns);
}

void DueWatch::OnPhase(v1::Phase phase, int64_t now_ns) {
  const bool was_at_risk = at_risk_;
  at_risk_ = IsRiskPhase(phase);
  if (at_risk_ && !was_at_risk) risk_since_ns_ = now_ns;
  if (at_risk_) return;
  for (auto& [modality, awaited] : awaited_) Recover(modality, &awaited, now_ns);
}

void DueWatch::OnTrial(v1::Modality modality, int64_t now_ns) {
  const auto it = awaited_.find(modality);
  if (it == awaited_.end()) return;
  it->second.last_ns = now_ns;
  Recover(modality, &it->second, now_ns);
}

void DueWatch::Recover(v1::Modality modality, Awaited* awaited, int64_t now_ns) {
  awaited->alert.Recover(TechnicalAlert(absl::StrCat("due/", NameOf(modality)),
                                        absl::StrCat(NameOf(modality), ": no longer overdue")),
                         now_ns, sink_);
}

void DueWatch::OnTime(int64_t now_ns) {
  if (!at_risk_) return;
  for (auto& [modality, awaited] : awaited_) {
    // What was not run before the stage is awaited from its beginning on.
    const int64_t since_ns = std::max(awaited.last_ns, risk_since_ns_);
    if (awaited.alert.is_on() || now_ns - since_ns <= awaited.due_ns) continue;
    awaited.alert.Show(
        TechnicalAlert(absl::StrCat("due/", NameOf(modality)),
                       absl::StrFormat("%s overdue in a risk stage: none has ended for %d min",
                                       NameOf(modality), (now_ns - since_ns) / 60'000'000'000)),
        since_ns + awaited.due_ns, now_ns, sink_);
  }
}

void DueWatch::OnAlertResolved(const v1::AlertAction& action) {
  for (auto& [modality, awaited] : awaited_) awaited.alert.OnResolved(action);
}

}  // namespace remora::agent
