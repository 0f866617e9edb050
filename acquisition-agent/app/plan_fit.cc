#include "acquisition-agent/app/plan_fit.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

class NullSink : public RecordSink {
 public:
  RecordKey Put(v1::Record* /*record*/, int64_t /*at_ns*/) override { return RecordKey(); }
};

absl::Status Build(const CasePlan& plan, const SourceInfo& source) {
  NullSink sink;
  return CaseAnalysis::Create(plan, source, sink).status();
}

// One entry alone, so that the message can name it.
absl::Status BuildEntry(const CasePlan& entry, const SourceInfo& source, const std::string& where) {
  const absl::Status status = Build(entry, source);
  if (status.ok()) return status;
  absl::string_view what = status.message();
  absl::ConsumePrefix(&what, absl::StrCat(entry.plan_path, ": "));
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

}  // namespace

absl::Status CheckPlanFits(const CasePlan& plan, const SourceInfo& source) {
  // Names the field itself.
  RETURN_IF_ERROR(ResolvePlan(plan, source).status());
  if (Build(plan, source).ok()) return absl::OkStatus();
  CasePlan entry = plan;
  for (int i = 0; i < plan.plan.evoked_size(); ++i) {
    entry.plan.clear_evoked();
    entry.plan.clear_emg();
    *entry.plan.add_evoked() = plan.plan.evoked(i);
    RETURN_IF_ERROR(BuildEntry(entry, source, plan.InPlan(absl::StrCat("evoked[", i, "]"))));
  }
  for (int i = 0; i < plan.plan.emg_size(); ++i) {
    entry.plan.clear_evoked();
    entry.plan.clear_emg();
    *entry.plan.add_emg() = plan.plan.emg(i);
    RETURN_IF_ERROR(BuildEntry(entry, source, plan.InPlan(absl::StrCat("emg[", i, "]"))));
  }
  return BuildEntry(plan, source, plan.plan_path);
}

}  // namespace remora::agent
