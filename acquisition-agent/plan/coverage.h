// What a plan cannot see, or could not tell apart: said before the operation, and kept with the
// plan (docs/plan-files.md, "What a plan cannot see"). It refuses nothing: a person decides.
// Pure functions.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "acquisition-agent/plan/case_plan.h"
#include "remora/v1/case.pb.h"

namespace remora::agent {

// In the order in which a person would mend them.
std::vector<v1::CoverageGap> CoverageGapsOf(const CasePlan& plan);

// Number of a root or vertebra from C1 on ("C5": 5, "T1": 9, "L4-L5": that of L4), counting C8; 0:
// none is named. `last`: of a span its last one.
int RootNumber(absl::string_view roots, bool last);

}  // namespace remora::agent
