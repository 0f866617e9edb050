// A plan's modalities, and what of the plan is left when only one of them is monitored.
#pragma once

#include <vector>

#include "acquisition-agent/plan/case_plan.h"

namespace remora::agent {

// In the order of the enumeration, each once.
std::vector<v1::Modality> ModalitiesOf(const v1::Plan& plan);
// The entries of one modality, relations with them; montage and criteria as they are.
CasePlan PartOf(const CasePlan& plan, v1::Modality modality);

}  // namespace remora::agent
