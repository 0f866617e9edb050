// The files that say what is monitored (docs/plan-files.md): plan, montage, criteria, causes. Read,
// filled in with the defaults that plan.proto names, and checked for all that can be known without
// a source.
//
// Called once, by the app, before anything else. An error is one message for a person:
// "FILE:LINE:COLUMN: FIELD: what is wrong; what would be right".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/plan/field_places.h"
#include "common/file_system.h"
#include "dsp/assess/causes/cause_model.h"
#include "remora/v1/plan.pb.h"
#include "remora/v1/waveform.pb.h"

namespace remora::agent {

struct CasePlan {
  v1::Plan plan;  // every default filled in
  v1::Montage montage;
  v1::CriteriaPack criteria;              // with the site's rows
  std::optional<dsp::CauseModel> causes;  // nothing: the plan names no table
  // As opened, for messages.
  std::string plan_path;
  std::string montage_path;
  std::string criteria_path;
  FieldPlaces plan_places;
  FieldPlaces montage_places;
  FieldPlaces criteria_places;

  // "FILE:LINE:COLUMN: FIELD", as a message begins.
  std::string InPlan(absl::string_view field) const { return plan_places.At(plan_path, field); }
  std::string InMontage(absl::string_view field) const {
    return montage_places.At(montage_path, field);
  }
  std::string InCriteria(absl::string_view field) const {
    return criteria_places.At(criteria_path, field);
  }
  // Nothing for an unknown one.
  const v1::Derivation* FindDerivation(absl::string_view name) const;
  const v1::Criterion* FindCriterion(absl::string_view key) const;
};

// NotFound: no such file. InvalidArgument: what is in it.
absl::StatusOr<CasePlan> LoadCasePlan(FileSystem& files, const std::string& plan_path);

// The parts of LoadCasePlan, for files that are already read.
void FillDefaults(v1::Plan* plan);
// The rule of an entry with its defaults; those alone where the plan has no `sequential`. Its
// sweep_count is set.
v1::SequentialPlan SequentialRule(const v1::EvokedPlan& evoked);
absl::Status CheckCasePlan(const CasePlan& plan);

// "SEP_UPPER/R/CPc-Front": names the trace within its case.
std::string TraceId(v1::Modality modality, v1::Side side, absl::string_view derivation);

// The entry of `known` that `word` is most likely a misspelling of, as " Did you mean \"X\"?"; ""
// when none is near.
std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known);

}  // namespace remora::agent
