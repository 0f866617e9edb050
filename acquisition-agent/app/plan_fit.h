// Whether a plan can run on a source, asked before anything is written.
#pragma once

#include "absl/status/status.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent {

// Lays the plan over the source and builds the analysis of it, which then is thrown away.
// InvalidArgument: "FILE:LINE:COLUMN: evoked[2]...: what is wrong".
absl::Status CheckPlanFits(const CasePlan& plan, const SourceInfo& source);

}  // namespace remora::agent
