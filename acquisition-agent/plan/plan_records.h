// Whether the records that a plan leads to are records of the contract.
#pragma once

#include "absl/status/status.h"
#include "acquisition-agent/plan/case_plan.h"

namespace remora::agent {

// Makes what the plan's texts and settings will stand in - the plan itself, of each trace the
// records of the kinds that its entry makes, and each relation - and checks it as the hub will
// (ValidateBody). Later the hub
// would refuse them one by one, alerts first. InvalidArgument names file, entry and field.
absl::Status CheckPlanRecords(const CasePlan& plan);

}  // namespace remora::agent
