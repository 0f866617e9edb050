#pragma once

// The stages of a case and the steps between them (drawn in case.proto). The room checks a step
// before it accepts the record; the fold takes it. Pure functions, thread-safe.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "remora/v1/case.pb.h"

namespace remora {

struct CaseLife {
  v1::CaseStage stage = v1::CASE_STAGE_UNSPECIFIED;
  std::string theatre;
};

// The stage after `transition`; UNSPECIFIED where the step is not allowed from `stage`. A case that
// is not there yet has stage UNSPECIFIED.
v1::CaseStage StageAfter(v1::CaseStage stage, v1::CaseTransition transition);

// FailedPrecondition: the stage does not allow the step. InvalidArgument: theatre or reason
// missing.
absl::Status CheckTransition(const CaseLife& life, const v1::CaseLifecycle& step);

// Takes a step that CheckTransition allows; any other leaves the life as it is.
void TakeTransition(const v1::CaseLifecycle& step, CaseLife* life);

// Whether records of this lane, other than steps of its life, may be added at this stage.
//   not there yet  lanes 0-1: what its maker wrote before the step that makes it, in the same lane
//   SCHEDULED      lanes 0-1: plan and talk, no data before the case is open
//   OPEN, CLOSING  everything
//   CLOSED         everything: what a spool still holds
//   SEALED, ABANDONED   everything that its origins are known to hold still: its late annex
bool StageTakesLane(v1::CaseStage stage, uint32_t lane);

// For people: "open", "closing".
std::string StageName(v1::CaseStage stage);
std::string TransitionName(v1::CaseTransition transition);

}  // namespace remora
