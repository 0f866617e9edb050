// What can be known to be wrong in the entries of single responses, EEG, trains-of-four and maps.

#include <string>
#include <vector>

#include "acquisition-agent/plan/limbs.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_rules.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

absl::Status CheckMuscles(const Complaint& at, const CasePlan& plan, const v1::MotorPlan& motor) {
  if (motor.muscle().empty()) {
    return at.At("muscle").Say("is missing: a derivation that may answer, with its side");
  }
  if (motor.muscle_size() > kMaxMuscles) {
    return at.At("muscle").Say("there are more than ", kMaxMuscles);
  }
  for (int i = 0; i < motor.muscle_size(); ++i) {
    const v1::MusclePlan& muscle = motor.muscle(i);
    const Complaint here = at.At(absl::StrCat("muscle[", i, "]"));
    RETURN_IF_ERROR(CheckDerivationName(here.At("derivation"), plan, muscle.derivation()));
    if (muscle.side() == v1::SIDE_UNSPECIFIED) {
      return here.At("side").Say("is missing; the muscle's, such as SIDE_LEFT");
    }
    RETURN_IF_ERROR(CheckLength(here.At("myotome"), muscle.myotome(), kMaxNameBytes));
    // So that modality and side before it are a name of the contract.
    RETURN_IF_ERROR(CheckLength(here.At("limb"), muscle.limb(), kMaxDerivationNameBytes));
    RETURN_IF_ERROR(CheckCriteriaKeys(here, plan, muscle.criterion(), motor.modality()));
  }
  return absl::OkStatus();
}

// Muscles that are judged together are judged by the same rows.
absl::Status CheckLimbs(const Complaint& at, const v1::MotorPlan& motor) {
  for (const PlannedLimb& limb : LimbsOf(motor)) {
    const auto keys = [&](size_t muscle) {
      const auto& own = motor.muscle(static_cast<int>(muscle)).criterion();
      return std::vector<std::string>(own.begin(), own.end());
    };
    for (const size_t muscle : limb.muscles) {
      if (keys(muscle) == keys(limb.muscles[0])) continue;
      return at.At(absl::StrCat("muscle[", muscle, "].criterion"))
          .Say("differs from that of muscle[", limb.muscles[0], "], and both are of the ",
               limb.name, ": the same keys, or a limb of its own, would be right");
    }
  }
  const uint32_t trials = motor.baseline().first_trials_count();
  if (trials != 0 && (trials < kLeastBaselineTrials || trials > kMostBaselineTrials)) {
    return at.At("baseline.first_trials_count")
        .Say(trials, " is out of range; ", kLeastBaselineTrials, " to ", kMostBaselineTrials,
             " would be right");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMotor(const CasePlan& plan, int index) {
  const v1::MotorPlan& motor = plan.plan.motor(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("motor[", index, "]"));
  if (!IsMotorModality(motor.modality())) {
    return at.At("modality")
        .Say(motor.modality() == v1::MODALITY_UNSPECIFIED ? "is missing"
                                                          : "is not one of single responses",
             "; MODALITY_MEP_TRANSCRANIAL, _MEP_DIRECT_CORTICAL, _EMG_TRIGGERED, "
             "_DIRECT_NERVE_STIMULATION, _PEDICLE_SCREW, _RLN_INTERMITTENT, _RLN_CONTINUOUS, "
             "_MAP_CORTICAL_STIMULATION or _MAP_SUBCORTICAL would be right");
  }
  RETURN_IF_ERROR(CheckTrigger(at.At("trigger"), motor.trigger()));
  RETURN_IF_ERROR(CheckStimulusSetting(at.At("stimulus"), motor.stimulus()));
  RETURN_IF_ERROR(CheckMuscles(at, plan, motor));
  RETURN_IF_ERROR(CheckCriteriaKeys(at, plan, motor.criterion(), motor.modality()));
  RETURN_IF_ERROR(CheckLimbs(at, motor));
  if (motor.has_filter()) RETURN_IF_ERROR(CheckCausalFilter(at.At("filter"), motor.filter()));
  RETURN_IF_ERROR(CheckEpoch(at, motor.epoch_from_ms(), motor.epoch_to_ms(), motor.blank_from_ms(),
                             motor.blank_to_ms()));
  RETURN_IF_ERROR(CheckWindow(at, motor.window_from_ms(), motor.window_to_ms(), motor.blank_to_ms(),
                              motor.epoch_to_ms()));
  if (motor.epoch_from_ms() > -kLeastNoiseMs + motor.blank_from_ms()) {
    return at.At("epoch_from_ms")
        .Say(motor.epoch_from_ms(), " leaves less than ", kLeastNoiseMs,
             " ms before the stimulus to tell noise from a response");
  }
  RETURN_IF_ERROR(CheckNumber(at.At("present_over_uv"), motor.present_over_uv(), 0, 1e5, "uV"));
  if (!motor.has_threshold()) return absl::OkStatus();
  const Complaint threshold = at.At("threshold");
  RETURN_IF_ERROR(
      CheckNumber(threshold.At("step"), motor.threshold().step(), 0.01, 500, "mA or V"));
  return CheckNumber(threshold.At("maximum"), motor.threshold().maximum(), motor.threshold().step(),
                     kMaxStimulusMa, "mA or V");
}

absl::Status CheckEeg(const CasePlan& plan, int index) {
  const v1::EegPlan& eeg = plan.plan.eeg(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("eeg[", index, "]"));
  if (eeg.modality() != v1::MODALITY_EEG && eeg.modality() != v1::MODALITY_ECOG) {
    return at.At("modality").Say("MODALITY_EEG or MODALITY_ECOG would be right");
  }
  RETURN_IF_ERROR(CheckDerivationName(at.At("derivation"), plan, eeg.derivation()));
  if (!eeg.mirror_derivation().empty()) {
    RETURN_IF_ERROR(CheckDerivationName(at.At("mirror_derivation"), plan, eeg.mirror_derivation()));
  }
  RETURN_IF_ERROR(CheckCausalFilter(at.At("filter"), eeg.filter()));
  RETURN_IF_ERROR(CheckNumber(at.At("window_s"), eeg.window_s(), 1, 30, "s"));
  RETURN_IF_ERROR(CheckNumber(at.At("step_s"), eeg.step_s(), 0.5, eeg.window_s(), "s"));
  RETURN_IF_ERROR(
      CheckNumber(at.At("suppressed_under_uv"), eeg.suppressed_under_uv(), 0.5, 50, "uV"));
  RETURN_IF_ERROR(CheckNumber(at.At("reject_over_uv"), eeg.reject_over_uv(), 10, 1e5, "uV"));
  RETURN_IF_ERROR(CheckNumber(at.At("sent_rate_hz"), eeg.sent_rate_hz(), 64, 20'000, "Hz"));
  return eeg.has_after_discharge_trigger()
             ? CheckTrigger(at.At("after_discharge_trigger"), eeg.after_discharge_trigger())
             : absl::OkStatus();
}

absl::Status CheckTrainOfFour(const CasePlan& plan, int index) {
  const v1::TrainOfFourPlan& tof = plan.plan.train_of_four(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("train_of_four[", index, "]"));
  RETURN_IF_ERROR(CheckDerivationName(at.At("derivation"), plan, tof.derivation()));
  if (tof.limb().empty()) return at.At("limb").Say("is missing, for example \"left hand\"");
  RETURN_IF_ERROR(CheckLength(at.At("limb"), tof.limb(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckTrigger(at.At("trigger"), tof.trigger()));
  RETURN_IF_ERROR(CheckStimulusSetting(at.At("stimulus"), tof.stimulus()));
  if (tof.has_filter()) RETURN_IF_ERROR(CheckCausalFilter(at.At("filter"), tof.filter()));
  RETURN_IF_ERROR(
      CheckWindow(at, tof.window_from_ms(), tof.window_to_ms(), kTwitchBlankMs, kTwitchEpochMs));
  return CheckNumber(at.At("present_over_uv"), tof.present_over_uv(), 1, 1e5, "uV");
}

absl::Status CheckMapping(const CasePlan& plan, int index) {
  const v1::MappingPlan& mapping = plan.plan.mapping(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("mapping[", index, "]"));
  const bool midline = mapping.modality() == v1::MODALITY_MAP_MIDLINE;
  if (!midline && mapping.modality() != v1::MODALITY_MAP_CORTICAL_PHASE_REVERSAL) {
    return at.At("modality")
        .Say("MODALITY_MAP_MIDLINE or MODALITY_MAP_CORTICAL_PHASE_REVERSAL would be right");
  }
  if (mapping.strip().empty()) return at.At("strip").Say("is missing: what people call it");
  RETURN_IF_ERROR(CheckLength(at.At("strip"), mapping.strip(), kMaxNameBytes));
  const bool scalp = StimulatesContacts(mapping);
  if (midline && !scalp && (mapping.contact_count() > 0 || !mapping.scalp_derivation().empty())) {
    return at.At("contact_derivation")
        .Say(
            "is for contacts that are recorded (the midline by gradient); scalp_derivation and "
            "contact_count are for contacts that are stimulated (by phase reversal): one of both "
            "would be right");
  }
  const int contacts =
      scalp ? static_cast<int>(mapping.contact_count()) : mapping.contact_derivation_size();
  if (contacts < 2 || contacts > kMaxStripContacts) {
    return at.At(scalp ? "contact_count" : "contact_derivation")
        .Say(contacts, " contacts; 2 to ", kMaxStripContacts, " would be right");
  }
  if (scalp) {
    RETURN_IF_ERROR(
        CheckDerivationName(at.At("scalp_derivation"), plan, mapping.scalp_derivation()));
  }
  for (int i = 0; i < mapping.contact_derivation_size(); ++i) {
    RETURN_IF_ERROR(CheckDerivationName(at.At(absl::StrCat("contact_derivation[", i, "]")), plan,
                                        mapping.contact_derivation(i)));
  }
  RETURN_IF_ERROR(CheckTrigger(at.At("trigger"), mapping.trigger()));
  RETURN_IF_ERROR(CheckStimulusSetting(at.At("stimulus"), mapping.stimulus()));
  RETURN_IF_ERROR(CheckFilter(at.At("filter"), mapping.filter()));
  RETURN_IF_ERROR(CheckEpoch(at, mapping.epoch_from_ms(), mapping.epoch_to_ms(),
                             mapping.blank_from_ms(), mapping.blank_to_ms()));
  RETURN_IF_ERROR(CheckWindow(at, mapping.window_from_ms(), mapping.window_to_ms(),
                              mapping.blank_to_ms(), mapping.epoch_to_ms()));
  if (mapping.sweep_count() < 2 || mapping.sweep_count() > 10'000) {
    return at.At("sweep_count")
        .Say(mapping.sweep_count(), " is out of range; 2 to 10000 would be right");
  }
  return CheckNumber(at.At("reject_over_uv"), mapping.reject_over_uv(), 0.1, 1e6, "uV");
}

}  // namespace remora::agent
