// What can be known to be wrong in plan, montage and criteria without a source.

#include <algorithm>
#include <cmath>

#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_records.h"
#include "acquisition-agent/plan/plan_rules.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "common/status_macros.h"
#include "dsp/assess/fixed_criteria.h"

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

// Two limits of one quantity. The alert is lowered when the value is `margin` inside a limit: one
// that lies within the margin would keep it up at the baseline itself.
absl::Status CheckPair(const Complaint& at, absl::string_view what, double amber, double red,
                       double most, double margin) {
  for (const auto& [level, limit] :
       {std::pair<const char*, double>{"amber", amber}, {"red", red}}) {
    const Complaint here = at.At(absl::StrCat(level, "_", what));
    if (!std::isfinite(limit) || limit < 0 || limit > most) {
      return here.Say(limit, " is out of range; up to ", most, " would be right");
    }
    if (limit > 0 && limit <= margin) {
      return here.Say(limit,
                      " is within the margin of recovery: the alert would stay on at the "
                      "baseline; more than ",
                      margin, " would be right");
    }
  }
  if (amber > 0 && red > 0 && amber >= red) {
    return at.Say(what, ": amber ", amber, " is not below red ", red);
  }
  return absl::OkStatus();
}

absl::Status CheckCriterion(const Complaint& at, const v1::Criterion& row) {
  if (row.key().empty()) return at.At("key").Say("is missing, for example \"SEP.amp_abs\"");
  RETURN_IF_ERROR(CheckLength(at.At("key"), row.key(), kMaxNameBytes));
  if (row.source().empty()) {
    return at.At("source").Say("is missing: guideline, author and year of ", row.key());
  }
  RETURN_IF_ERROR(CheckLength(at.At("source"), row.source(), kMaxReasonBytes));
  const dsp::CriterionLimits margins;
  RETURN_IF_ERROR(CheckPair(at, "amplitude_fall_percent", row.amber_amplitude_fall_percent(),
                            row.red_amplitude_fall_percent(), 100,
                            margins.amplitude_margin_percent));
  RETURN_IF_ERROR(CheckPair(at, "latency_rise_percent", row.amber_latency_rise_percent(),
                            row.red_latency_rise_percent(), 200, margins.latency_margin_percent));
  RETURN_IF_ERROR(CheckPair(at, "train_ms", row.amber_train_ms(), row.red_train_ms(), 3.6e6, 0));
  const bool evoked = row.amber_amplitude_fall_percent() > 0 ||
                      row.red_amplitude_fall_percent() > 0 ||
                      row.amber_latency_rise_percent() > 0 || row.red_latency_rise_percent() > 0;
  const bool train = row.amber_train_ms() > 0 || row.red_train_ms() > 0;
  if (evoked == train) {
    return at.Say(row.key(), evoked ? " mixes limits of a train with those of an evoked response"
                                    : " has no limit");
  }
  const bool fits =
      evoked ? IsEvokedModality(row.modality()) : row.modality() == v1::MODALITY_EMG_FREE_RUNNING;
  if (row.modality() != v1::MODALITY_UNSPECIFIED && !fits) {
    return at.At("modality")
        .Say("does not go with limits ", evoked ? "of an evoked response" : "of a train in EMG");
  }
  RETURN_IF_ERROR(CheckNumber(at.At("minimum_odd_even_correlation"),
                              row.minimum_odd_even_correlation(), 0, 1, "(1 = equal)"));
  return CheckNumber(at.At("maximum_odd_even_difference_percent"),
                     row.maximum_odd_even_difference_percent(), 0, 200, "%");
}

absl::Status CheckCriteria(const CasePlan& plan) {
  std::vector<std::string> keys;
  for (int i = 0; i < plan.criteria.criterion_size(); ++i) {
    const v1::Criterion& row = plan.criteria.criterion(i);
    const Complaint at = Complaint::InCriteria(plan, absl::StrCat("criterion[", i, "]"));
    RETURN_IF_ERROR(CheckCriterion(at, row));
    if (std::find(keys.begin(), keys.end(), row.key()) != keys.end()) {
      return at.At("key").Say("\"", row.key(), "\" is there twice");
    }
    keys.push_back(row.key());
  }
  const Complaint version = Complaint::InCriteria(plan, "version");
  if (!keys.empty() && plan.criteria.version().empty()) {
    return version.Say("is missing: every alert names it");
  }
  return CheckLength(version, plan.criteria.version(), kMaxNameBytes);
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
  RETURN_IF_ERROR(CheckMontage(plan));
  RETURN_IF_ERROR(CheckCriteria(plan));
  RETURN_IF_ERROR(CheckEntries(plan));
  RETURN_IF_ERROR(CheckTraces(plan));
  return CheckPlanRecords(plan);
}

}  // namespace remora::agent
