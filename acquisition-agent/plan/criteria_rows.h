// Which rows of the criteria an entry of the plan is judged by, and a site's rows laid over those
// that ship (docs/plan-files.md, "Criteria"). Pure functions.
#pragma once

#include <string>
#include <vector>

#include "acquisition-agent/plan/case_plan.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "remora/v1/plan.pb.h"

namespace remora::agent {

using CriterionKeys = google::protobuf::RepeatedPtrField<std::string>;

// The rows of these keys, in their order; without keys, those of the modality that apply to the
// plan's kind of operation, in the file's order.
std::vector<v1::Criterion> RowsFor(const CasePlan& plan, const CriterionKeys& keys,
                                   v1::Modality modality);

// The site's rows in place of those with the same key, and behind them those with a new one. The
// version names both.
v1::CriteriaPack LayOver(const v1::CriteriaPack& base, const v1::CriteriaPack& site);

}  // namespace remora::agent
