#include "acquisition-agent/plan/plan_rules.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_join.h"
#include "acquisition-agent/plan/limits.h"
#include "common/status_macros.h"

namespace remora::agent {

bool IsEvokedModality(v1::Modality modality) {
  switch (modality) {
    case v1::MODALITY_SEP_UPPER:
    case v1::MODALITY_SEP_LOWER:
    case v1::MODALITY_SEP_DERMATOMAL:
    case v1::MODALITY_D_WAVE:
    case v1::MODALITY_BAEP:
    case v1::MODALITY_ECOCHG:
    case v1::MODALITY_VEP:
      return true;
    default:
      return false;
  }
}

bool IsMotorModality(v1::Modality modality) {
  switch (modality) {
    case v1::MODALITY_MEP_TRANSCRANIAL:
    case v1::MODALITY_MEP_DIRECT_CORTICAL:
    case v1::MODALITY_EMG_TRIGGERED:
    case v1::MODALITY_DIRECT_NERVE_STIMULATION:
    case v1::MODALITY_PEDICLE_SCREW:
    case v1::MODALITY_RLN_INTERMITTENT:
    case v1::MODALITY_RLN_CONTINUOUS:
    case v1::MODALITY_MAP_CORTICAL_STIMULATION:
    case v1::MODALITY_MAP_SUBCORTICAL:
      return true;
    default:
      return false;
  }
}

absl::Status CheckNumber(const Complaint& at, double value, double from, double to,
                         absl::string_view unit) {
  if (std::isfinite(value) && value >= from && value <= to) return absl::OkStatus();
  return at.Say(value, " is out of range; ", from, " to ", to, " ", unit, " would be right");
}

absl::Status CheckLength(const Complaint& at, const std::string& text, size_t most) {
  return text.size() <= most ? absl::OkStatus() : at.Say("is longer than ", most, " bytes");
}

absl::Status CheckFilter(const Complaint& at, const v1::FilterSetting& filter) {
  if (filter.order() < 1 || filter.order() > 12) {
    return at.At("order").Say(filter.order(),
                              " is out of range; 1 to 12 would be right (4 is usual)");
  }
  RETURN_IF_ERROR(CheckNumber(at.At("high_pass_hz"), filter.high_pass_hz(), 0, 100'000, "Hz"));
  RETURN_IF_ERROR(CheckNumber(at.At("low_pass_hz"), filter.low_pass_hz(), 0, 100'000, "Hz"));
  RETURN_IF_ERROR(CheckNumber(at.At("notch_hz"), filter.notch_hz(), 0, 100'000, "Hz"));
  if (filter.low_pass_hz() > 0 && filter.high_pass_hz() >= filter.low_pass_hz()) {
    return at.Say("high_pass_hz ", filter.high_pass_hz(), " is not below low_pass_hz ",
                  filter.low_pass_hz());
  }
  return absl::OkStatus();
}

absl::Status CheckCausalFilter(const Complaint& at, const v1::FilterSetting& filter) {
  RETURN_IF_ERROR(CheckFilter(at, filter));
  if (!filter.zero_phase()) return absl::OkStatus();
  return at.At("zero_phase").Say("must be false: what is told here comes as it happens");
}

absl::Status CheckDerivationName(const Complaint& at, const CasePlan& plan,
                                 const std::string& name) {
  if (plan.FindDerivation(name) != nullptr) return absl::OkStatus();
  std::vector<std::string> known;
  for (const v1::Derivation& derivation : plan.montage.derivation()) {
    known.push_back(derivation.name());
  }
  if (name.empty()) return at.Say("is missing; name one of ", plan.montage_path);
  return at.Say("\"", name, "\" is not in ", plan.montage_path,
                ", which has: ", absl::StrJoin(known, ", "), ".", DidYouMean(name, known));
}

absl::Status CheckTrigger(const Complaint& at, const v1::TriggerPlan& trigger) {
  const int ways = (trigger.label_prefix().empty() ? 0 : 1) + (trigger.channel().empty() ? 0 : 1) +
                   (trigger.code() == 0 ? 0 : 1);
  if (ways != 1) {
    return at.Say("needs one of label_prefix (such as \"STIM MED R\"), code and channel");
  }
  RETURN_IF_ERROR(CheckLength(at.At("label_prefix"), trigger.label_prefix(), kMaxLabelPrefixBytes));
  RETURN_IF_ERROR(CheckLength(at.At("channel"), trigger.channel(), kMaxLabelPrefixBytes));
  return CheckNumber(at.At("channel_threshold"), trigger.channel_threshold(), -1e9, 1e9,
                     "in the channel's unit");
}

absl::Status CheckStimulusSetting(const Complaint& at, const v1::StimulusSetting& stimulus) {
  RETURN_IF_ERROR(CheckLength(at.At("site"), stimulus.site(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckLength(at.At("electrodes"), stimulus.electrodes(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckNumber(at.At("rate_hz"), stimulus.rate_hz(), 0, 100, "Hz"));
  RETURN_IF_ERROR(CheckNumber(at.At("current_ma"), stimulus.current_ma(), 0, kMaxStimulusMa, "mA"));
  RETURN_IF_ERROR(CheckNumber(at.At("voltage_v"), stimulus.voltage_v(), 0, kMaxStimulusV, "V"));
  RETURN_IF_ERROR(CheckNumber(at.At("pulse_count"), stimulus.pulse_count(), 0, kMaxPulses, ""));
  RETURN_IF_ERROR(CheckNumber(at.At("pulse_interval_ms"), stimulus.pulse_interval_ms(), 0,
                              kMaxPulseIntervalMs, "ms"));
  return CheckNumber(at.At("pulse_us"), stimulus.pulse_us(), 0, kMaxPulseUs, "us");
}

absl::Status CheckEpoch(const Complaint& at, double epoch_from_ms, double epoch_to_ms,
                        double blank_from_ms, double blank_to_ms) {
  RETURN_IF_ERROR(CheckNumber(at.At("epoch_from_ms"), epoch_from_ms, -500, 0, "ms"));
  RETURN_IF_ERROR(CheckNumber(at.At("epoch_to_ms"), epoch_to_ms, 5, 1000, "ms"));
  RETURN_IF_ERROR(CheckNumber(at.At("blank_from_ms"), blank_from_ms, -50, 0, "ms"));
  return CheckNumber(at.At("blank_to_ms"), blank_to_ms, 0, 50, "ms");
}

absl::Status CheckWindow(const Complaint& at, double from_ms, double to_ms, double blank_to_ms,
                         double epoch_to_ms) {
  if (!(from_ms < to_ms)) {
    return at.Say("window_from_ms ", from_ms, " is not below window_to_ms ", to_ms);
  }
  if (from_ms < blank_to_ms) {
    return at.At("window_from_ms")
        .Say(from_ms, " lies in what is blanked after the stimulus (to ", blank_to_ms, " ms)");
  }
  if (to_ms > epoch_to_ms) {
    return at.At("window_to_ms").Say(to_ms, " is beyond the epoch's end, ", epoch_to_ms, " ms");
  }
  return absl::OkStatus();
}

}  // namespace remora::agent
