// What can be known to be wrong in the entries of averaged responses, free-running EMG, and what is
// read off two traces.

#include <algorithm>

#include "absl/strings/str_join.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_rules.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

absl::Status CheckComponents(const Complaint& at, const v1::EvokedPlan& evoked) {
  if (evoked.component_size() < 2 || evoked.component_size() > kMaxComponents) {
    return at.At("component")
        .Say("there are ", evoked.component_size(),
             "; two are needed: the peak that is measured (such as N20), then the opposite one "
             "that follows it (P25); others that are to be marked come after them, up to ",
             kMaxComponents, " in all");
  }
  for (int i = 0; i < evoked.component_size(); ++i) {
    const v1::ComponentPlan& component = evoked.component(i);
    const Complaint here = at.At(absl::StrCat("component[", i, "]"));
    if (component.label().empty()) return here.At("label").Say("is missing, for example \"N20\"");
    RETURN_IF_ERROR(CheckLength(here.At("label"), component.label(), kMaxComponentLabelBytes));
    if (component.polarity() == v1::POLARITY_UNSPECIFIED) {
      return here.At("polarity")
          .Say(
              "is missing; POLARITY_NEGATIVE or POLARITY_POSITIVE at the derivation's first input");
    }
    RETURN_IF_ERROR(CheckWindow(here, component.window_from_ms(), component.window_to_ms(),
                                evoked.blank_to_ms(), evoked.epoch_to_ms()));
    RETURN_IF_ERROR(CheckNumber(here.At("expected_ms"), component.expected_ms(), 0,
                                evoked.epoch_to_ms(), "ms"));
    if (component.expected_ms() != 0 && (component.expected_ms() < component.window_from_ms() ||
                                         component.expected_ms() > component.window_to_ms())) {
      return here.At("expected_ms")
          .Say(component.expected_ms(), " is outside its window, ", component.window_from_ms(),
               " to ", component.window_to_ms(), " ms");
    }
  }
  if (evoked.component(0).polarity() == evoked.component(1).polarity()) {
    return at.At("component[1].polarity").Say("must be opposite to that of component[0]");
  }
  if (evoked.component(1).window_to_ms() <= evoked.component(0).window_from_ms()) {
    return at.At("component[1]").Say("its window ends before that of component[0] begins");
  }
  return absl::OkStatus();
}

bool HasComponent(const v1::EvokedPlan& evoked, const std::string& label) {
  return std::any_of(evoked.component().begin(), evoked.component().end(),
                     [&](const v1::ComponentPlan& one) { return one.label() == label; });
}

absl::Status CheckIntervals(const Complaint& at, const v1::EvokedPlan& evoked) {
  if (evoked.interval_size() > kMaxIntervalsOfTrace) {
    return at.At("interval").Say("there are more than ", kMaxIntervalsOfTrace);
  }
  for (int i = 0; i < evoked.interval_size(); ++i) {
    const v1::IntervalPlan& interval = evoked.interval(i);
    const Complaint here = at.At(absl::StrCat("interval[", i, "]"));
    if (interval.name().empty()) return here.At("name").Say("is missing, for example \"I-V\"");
    RETURN_IF_ERROR(CheckLength(here.At("name"), interval.name(), kMaxNameBytes));
    for (const auto& [field, label] :
         {std::pair<const char*, const std::string&>{"from_component", interval.from_component()},
          {"to_component", interval.to_component()}}) {
      if (!HasComponent(evoked, label)) {
        return here.At(field).Say("\"", label, "\" is no component of this entry");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSequential(const Complaint& at, const v1::EvokedPlan& evoked) {
  const v1::SequentialPlan& sequential = evoked.sequential();
  if (sequential.maximum_sweep_count() < kMinSequentialSweeps ||
      sequential.maximum_sweep_count() > 10'000) {
    return at.At("maximum_sweep_count")
        .Say(sequential.maximum_sweep_count(), " (left out: the sweep_count) is out of range; ",
             kMinSequentialSweeps, " to 10000 would be right");
  }
  if (sequential.minimum_sweep_count() < kMinSequentialSweeps ||
      sequential.minimum_sweep_count() > sequential.maximum_sweep_count()) {
    return at.At("minimum_sweep_count")
        .Say(sequential.minimum_sweep_count(), " is out of range; ", kMinSequentialSweeps, " to ",
             sequential.maximum_sweep_count(), ", the maximum, would be right");
  }
  RETURN_IF_ERROR(
      CheckNumber(at.At("latency_error_ms"), sequential.latency_error_ms(), 0.001, 10, "ms"));
  return CheckNumber(at.At("amplitude_error_percent"), sequential.amplitude_error_percent(), 0.1,
                     50, "%");
}

}  // namespace

absl::Status CheckCriteriaKeys(const Complaint& at, const CasePlan& plan,
                               const google::protobuf::RepeatedPtrField<std::string>& keys,
                               v1::Modality modality) {
  const bool emg = modality == v1::MODALITY_EMG_FREE_RUNNING;
  std::vector<std::string> known;
  for (const v1::Criterion& row : plan.criteria.criterion()) known.push_back(row.key());
  for (int i = 0; i < keys.size(); ++i) {
    const Complaint here = at.At(absl::StrCat("criterion[", i, "]"));
    const v1::Criterion* row = plan.FindCriterion(keys[i]);
    if (row == nullptr) {
      if (plan.plan.criteria_file().empty()) {
        return here.Say("\"", keys[i], "\" needs a criteria_file, and the plan names none");
      }
      return here.Say("\"", keys[i], "\" is not in ", plan.criteria_path,
                      ", which has: ", absl::StrJoin(known, ", "), ".", DidYouMean(keys[i], known));
    }
    const bool train = row->amber_train_ms() > 0 || row->red_train_ms() > 0;
    if (train != emg) {
      return here.Say(
          "\"", keys[i], "\" is a criterion for ",
          train ? "trains in EMG, not for an evoked response" : "an evoked response, not for EMG");
    }
    if (row->modality() != v1::MODALITY_UNSPECIFIED && row->modality() != modality) {
      return here.Say("\"", keys[i], "\" is for ", v1::Modality_Name(row->modality()), ", not for ",
                      v1::Modality_Name(modality));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEvoked(const CasePlan& plan, int index) {
  const v1::EvokedPlan& evoked = plan.plan.evoked(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("evoked[", index, "]"));
  if (!IsEvokedModality(evoked.modality())) {
    return at.At("modality")
        .Say(evoked.modality() == v1::MODALITY_UNSPECIFIED ? "is missing"
                                                           : "is not one of an averaged response",
             "; MODALITY_SEP_UPPER, _LOWER, _DERMATOMAL, MODALITY_D_WAVE, _BAEP, _ECOCHG or _VEP "
             "would be right");
  }
  if (evoked.side() == v1::SIDE_UNSPECIFIED) {
    return at.At("side").Say("is missing; the side that is stimulated, such as SIDE_RIGHT");
  }
  RETURN_IF_ERROR(CheckDerivationName(at.At("derivation"), plan, evoked.derivation()));
  RETURN_IF_ERROR(CheckTrigger(at.At("trigger"), evoked.trigger()));
  RETURN_IF_ERROR(CheckStimulusSetting(at.At("stimulus"), evoked.stimulus()));
  RETURN_IF_ERROR(CheckFilter(at.At("filter"), evoked.filter()));
  if (evoked.filter().high_pass_hz() == 0 && evoked.filter().low_pass_hz() == 0) {
    return at.At("filter").Say("has no corner; high_pass_hz 30 and low_pass_hz 500 are usual");
  }
  RETURN_IF_ERROR(CheckEpoch(at, evoked.epoch_from_ms(), evoked.epoch_to_ms(),
                             evoked.blank_from_ms(), evoked.blank_to_ms()));
  if (evoked.sweep_count() < 2 || evoked.sweep_count() > 10'000) {
    return at.At("sweep_count")
        .Say(evoked.sweep_count(), " is out of range; 2 to 10000 would be right");
  }
  RETURN_IF_ERROR(CheckNumber(at.At("reject_over_uv"), evoked.reject_over_uv(), 0.1, 1e6, "uV"));
  RETURN_IF_ERROR(
      CheckNumber(at.At("provisional_rate_hz"), evoked.provisional_rate_hz(), 0.01, 1, "Hz"));
  RETURN_IF_ERROR(CheckComponents(at, evoked));
  RETURN_IF_ERROR(CheckIntervals(at, evoked));
  if (evoked.has_sequential()) RETURN_IF_ERROR(CheckSequential(at.At("sequential"), evoked));
  return CheckCriteriaKeys(at, plan, evoked.criterion(), evoked.modality());
}

absl::Status CheckEmg(const CasePlan& plan, int index) {
  const v1::EmgPlan& emg = plan.plan.emg(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("emg[", index, "]"));
  RETURN_IF_ERROR(CheckDerivationName(at.At("derivation"), plan, emg.derivation()));
  if (emg.has_filter()) {
    RETURN_IF_ERROR(CheckCausalFilter(at.At("filter"), emg.filter()));
  }
  RETURN_IF_ERROR(
      CheckNumber(at.At("interference_over_uv"), emg.interference_over_uv(), 10, 1e6, "uV"));
  RETURN_IF_ERROR(CheckNumber(at.At("sent_rate_hz"), emg.sent_rate_hz(), 100, 100'000, "Hz"));
  RETURN_IF_ERROR(CheckNumber(at.At("envelope_bin_ms"), emg.envelope_bin_ms(), 5, 1000, "ms"));
  return CheckCriteriaKeys(at, plan, emg.criterion(), v1::MODALITY_EMG_FREE_RUNNING);
}

absl::Status CheckRelation(const CasePlan& plan, int index) {
  const v1::RelationPlan& relation = plan.plan.relation(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("relation[", index, "]"));
  if (relation.name().empty()) {
    return at.At("name").Say("is missing, for example \"central conduction N13-N20\"");
  }
  RETURN_IF_ERROR(CheckLength(at.At("name"), relation.name(), kMaxDerivationNameBytes));
  for (const auto& [field, derivation] :
       {std::pair<const char*, const std::string&>{"first_derivation", relation.first_derivation()},
        {"second_derivation", relation.second_derivation()}}) {
    const bool known = std::any_of(plan.plan.evoked().begin(), plan.plan.evoked().end(),
                                   [&, name = &derivation](const v1::EvokedPlan& evoked) {
                                     return evoked.modality() == relation.modality() &&
                                            evoked.side() == relation.side() &&
                                            evoked.derivation() == *name;
                                   });
    if (!known) {
      return at.At(field).Say("there is no evoked entry of \"", derivation,
                              "\" of this modality and side");
    }
  }
  if (relation.first_derivation() == relation.second_derivation()) {
    return at.At("second_derivation").Say("is the same as the first");
  }
  for (int i = 0; i < index; ++i) {
    const v1::RelationPlan& before = plan.plan.relation(i);
    if (before.name() == relation.name() && before.modality() == relation.modality() &&
        before.side() == relation.side()) {
      return at.At("name").Say("\"", relation.name(),
                               "\" is there twice for this modality and side");
    }
  }
  return absl::OkStatus();
}

}  // namespace remora::agent
