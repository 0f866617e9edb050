#include "common/fold/case_life.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/limits.h"

namespace remora {
namespace {

bool NeedsTheatre(v1::CaseTransition transition) {
  return transition == v1::CASE_TRANSITION_SCHEDULED || transition == v1::CASE_TRANSITION_OPENED ||
         transition == v1::CASE_TRANSITION_OPENED_EMERGENCY ||
         transition == v1::CASE_TRANSITION_MOVED;
}

bool NeedsReason(v1::CaseTransition transition) {
  return transition == v1::CASE_TRANSITION_CORRECTED ||
         transition == v1::CASE_TRANSITION_REOPENED || transition == v1::CASE_TRANSITION_ABANDONED;
}

}  // namespace

v1::CaseStage StageAfter(v1::CaseStage stage, v1::CaseTransition transition) {
  const bool is_new = stage == v1::CASE_STAGE_UNSPECIFIED;
  const bool scheduled = stage == v1::CASE_STAGE_SCHEDULED;
  const bool open = stage == v1::CASE_STAGE_OPEN;
  const bool closing = stage == v1::CASE_STAGE_CLOSING;
  const bool closed = stage == v1::CASE_STAGE_CLOSED;
  const auto when = [](bool allowed, v1::CaseStage next) {
    return allowed ? next : v1::CASE_STAGE_UNSPECIFIED;
  };
  switch (transition) {
    case v1::CASE_TRANSITION_SCHEDULED:
      return when(is_new, v1::CASE_STAGE_SCHEDULED);
    case v1::CASE_TRANSITION_OPENED:
      return when(is_new || scheduled, v1::CASE_STAGE_OPEN);
    case v1::CASE_TRANSITION_OPENED_EMERGENCY:
      return when(is_new, v1::CASE_STAGE_OPEN);
    case v1::CASE_TRANSITION_MOVED:
    case v1::CASE_TRANSITION_CORRECTED:
      return when(open, v1::CASE_STAGE_OPEN);
    case v1::CASE_TRANSITION_CLOSING:
      return when(open, v1::CASE_STAGE_CLOSING);
    case v1::CASE_TRANSITION_CLOSED:
      return when(closing, v1::CASE_STAGE_CLOSED);
    case v1::CASE_TRANSITION_REOPENED:
      return when(closing || closed, v1::CASE_STAGE_OPEN);
    case v1::CASE_TRANSITION_SEALED:
      return when(closed, v1::CASE_STAGE_SEALED);
    case v1::CASE_TRANSITION_ABANDONED:
      return when(scheduled || open, v1::CASE_STAGE_ABANDONED);
    default:
      return v1::CASE_STAGE_UNSPECIFIED;
  }
}

absl::Status CheckTransition(const CaseLife& life, const v1::CaseLifecycle& step) {
  if (StageAfter(life.stage, step.transition()) == v1::CASE_STAGE_UNSPECIFIED) {
    return absl::FailedPreconditionError(absl::StrCat("a case that is ", StageName(life.stage),
                                                      " cannot be ",
                                                      TransitionName(step.transition())));
  }
  if (NeedsTheatre(step.transition()) && step.theatre().empty()) {
    return absl::InvalidArgumentError("theatre is missing: say which one the case is in");
  }
  if (step.theatre().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("theatre is longer than ", kMaxNameBytes, " bytes"));
  }
  if (NeedsReason(step.transition()) && step.reason().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "reason is missing: a case that is ", TransitionName(step.transition()), " needs one"));
  }
  if (step.with_gaps() && step.transition() != v1::CASE_TRANSITION_CLOSED) {
    return absl::InvalidArgumentError("with_gaps: only a case that is closed has them named");
  }
  if (step.with_gaps() && step.reason().empty()) {
    return absl::InvalidArgumentError(
        "reason is missing: say why the case is closed though records are missing");
  }
  return absl::OkStatus();
}

void TakeTransition(const v1::CaseLifecycle& step, CaseLife* life) {
  const v1::CaseStage next = StageAfter(life->stage, step.transition());
  if (next == v1::CASE_STAGE_UNSPECIFIED) return;
  life->stage = next;
  if (!step.theatre().empty()) life->theatre = step.theatre();
}

bool StageTakesLane(v1::CaseStage stage, uint32_t lane) {
  switch (stage) {
    case v1::CASE_STAGE_UNSPECIFIED:
    case v1::CASE_STAGE_SCHEDULED:
      return lane <= 1;
    case v1::CASE_STAGE_OPEN:
    case v1::CASE_STAGE_CLOSING:
    case v1::CASE_STAGE_CLOSED:
    case v1::CASE_STAGE_SEALED:
    case v1::CASE_STAGE_ABANDONED:
      return true;
    default:
      return false;
  }
}

std::string StageName(v1::CaseStage stage) {
  if (stage == v1::CASE_STAGE_UNSPECIFIED) return "not there yet";
  return absl::AsciiStrToLower(
      std::string(absl::StripPrefix(v1::CaseStage_Name(stage), "CASE_STAGE_")));
}

std::string TransitionName(v1::CaseTransition transition) {
  if (!v1::CaseTransition_IsValid(transition) || transition == v1::CASE_TRANSITION_UNSPECIFIED) {
    return "changed by an unknown step";
  }
  return absl::AsciiStrToLower(
      std::string(absl::StripPrefix(v1::CaseTransition_Name(transition), "CASE_TRANSITION_")));
}

}  // namespace remora
