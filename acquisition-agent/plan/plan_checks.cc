// What can be known to be wrong in plan, montage and criteria without a source.

#include <algorithm>
#include <cmath>

#include "acquisition-agent/plan/coverage.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_records.h"
#include "acquisition-agent/plan/plan_rules.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

absl::Status CheckMontage(const CasePlan& plan) {
  std::vector<std::string> names;
  for (int i = 0; i < plan.montage.derivation_size(); ++i) {
    const v1::Derivation& derivation = plan.montage.derivation(i);
    const Complaint at = Complaint::InMontage(plan, absl::StrCat("derivation[", i, "]"));
    if (derivation.name().empty())
      return at.At("name").Say("is missing, for example \"CPc-Front\"");
    RETURN_IF_ERROR(CheckLength(at.At("name"), derivation.name(), kMaxDerivationNameBytes));
    if (std::find(names.begin(), names.end(), derivation.name()) != names.end()) {
      return at.At("name").Say("\"", derivation.name(), "\" is there twice");
    }
    names.push_back(derivation.name());
    if (derivation.plus().empty())
      return at.At("plus").Say("is missing: the electrode at the first input");
    if (derivation.plus_size() + derivation.minus_size() > kMaxInputs) {
      return at.Say("has more than ", kMaxInputs, " electrodes");
    }
  }
  for (int i = 0; i < plan.montage.alias_size(); ++i) {
    const v1::ElectrodeAlias& alias = plan.montage.alias(i);
    if (alias.name().empty() || alias.electrode().empty()) {
      return Complaint::InMontage(plan, absl::StrCat("alias[", i, "]"))
          .Say("needs both name and electrode, such as name: \"C3'\" electrode: \"CP3\"");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTraces(const CasePlan& plan) {
  const std::vector<PlannedTrace> traces = PlannedTraces(plan.plan);
  if (traces.size() > kMaxTraces) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": more than ", kMaxTraces, " traces"));
  }
  std::vector<std::string> known;
  for (const PlannedTrace& trace : traces) {
    if (std::find(known.begin(), known.end(), trace.trace_id) != known.end()) {
      return Complaint::InPlan(plan, trace.field)
          .Say("is the same trace, \"", trace.trace_id, "\", as an entry before it; ",
               trace.block == PlannedTrace::Block::kMotor
                   ? "side, derivation or stimulus.electrodes must differ"
                   : "modality, side or derivation must differ");
    }
    known.push_back(trace.trace_id);
  }
  return absl::OkStatus();
}

absl::Status CheckEntries(const CasePlan& plan) {
  const v1::Plan& all = plan.plan;
  for (int i = 0; i < all.evoked_size(); ++i) RETURN_IF_ERROR(CheckEvoked(plan, i));
  for (int i = 0; i < all.emg_size(); ++i) RETURN_IF_ERROR(CheckEmg(plan, i));
  for (int i = 0; i < all.motor_size(); ++i) RETURN_IF_ERROR(CheckMotor(plan, i));
  for (int i = 0; i < all.eeg_size(); ++i) RETURN_IF_ERROR(CheckEeg(plan, i));
  for (int i = 0; i < all.train_of_four_size(); ++i) RETURN_IF_ERROR(CheckTrainOfFour(plan, i));
  for (int i = 0; i < all.mapping_size(); ++i) RETURN_IF_ERROR(CheckMapping(plan, i));
  for (int i = 0; i < all.relation_size(); ++i) RETURN_IF_ERROR(CheckRelation(plan, i));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCasePlan(const CasePlan& plan) {
  if (PlannedTraces(plan.plan).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": monitors nothing: add an evoked or an emg block"));
  }
  if (plan.plan.mains_hz() != 50 && plan.plan.mains_hz() != 60) {
    return Complaint::InPlan(plan, "mains_hz")
        .Say(plan.plan.mains_hz(), "; 50 or 60 would be right");
  }
  RETURN_IF_ERROR(
      CheckLength(Complaint::InPlan(plan, "procedure"), plan.plan.procedure(), kMaxProcedureBytes));
  for (const auto& [field, level] :
       {std::pair<const char*, const std::string&>{"operated_from", plan.plan.operated_from()},
        {"operated_to", plan.plan.operated_to()}}) {
    if (level.empty() || RootNumber(level, /*last=*/false) > 0) continue;
    return Complaint::InPlan(plan, field)
        .Say("\"", level, "\" is no level of the spine; \"T4\" or \"L2\" would be right");
  }
  RETURN_IF_ERROR(CheckMontage(plan));
  RETURN_IF_ERROR(CheckCriteriaPack(plan.criteria, plan.criteria_path, plan.criteria_places));
  RETURN_IF_ERROR(CheckEntries(plan));
  RETURN_IF_ERROR(CheckTraces(plan));
  return CheckPlanRecords(plan);
}

}  // namespace remora::agent
