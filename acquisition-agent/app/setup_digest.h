// What a case was set up with, as one number: only with the same source, plan, montage and criteria
// can its records be made again.
#pragma once

#include <cstdint>
#include <string>

#include "acquisition-agent/plan/case_plan.h"

namespace remora::agent {

uint64_t SetupDigest(const std::string& source_uri, const CasePlan& plan);

}  // namespace remora::agent
