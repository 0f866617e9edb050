#include "acquisition-agent/app/plan_fit.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/status_macros.h"
#include "google/protobuf/descriptor.h"

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

// Without what names another entry, which alone is not there; ResolvePlan has seen that it is.
void ForgetOthers(v1::Plan* plan) {
  for (v1::EegPlan& eeg : *plan->mutable_eeg()) eeg.clear_mirror_derivation();
}

// Leaves what all entries share.
void ClearEntries(v1::Plan* plan) {
  const google::protobuf::Descriptor& type = *v1::Plan::descriptor();
  for (int f = 0; f < type.field_count(); ++f) {
    if (type.field(f)->is_repeated()) plan->GetReflection()->ClearField(plan, type.field(f));
  }
}

}  // namespace

absl::Status CheckPlanFits(const CasePlan& plan, const SourceInfo& source) {
  // Names the field itself.
  RETURN_IF_ERROR(ResolvePlan(plan, source).status());
  if (Build(plan, source).ok()) return absl::OkStatus();
  const google::protobuf::Descriptor& type = *v1::Plan::descriptor();
  const google::protobuf::Reflection& all = *plan.plan.GetReflection();
  CasePlan entry = plan;
  for (int f = 0; f < type.field_count(); ++f) {
    const google::protobuf::FieldDescriptor* field = type.field(f);
    if (!field->is_repeated()) continue;
    for (int i = 0; i < all.FieldSize(plan.plan, field); ++i) {
      ClearEntries(&entry.plan);
      entry.plan.GetReflection()
          ->AddMessage(&entry.plan, field)
          ->CopyFrom(all.GetRepeatedMessage(plan.plan, field, i));
      ForgetOthers(&entry.plan);
      RETURN_IF_ERROR(
          BuildEntry(entry, source, plan.InPlan(absl::StrCat(field->name(), "[", i, "]"))));
    }
  }
  return BuildEntry(plan, source, plan.plan_path);
}

}  // namespace remora::agent
