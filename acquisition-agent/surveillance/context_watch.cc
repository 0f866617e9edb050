#include "acquisition-agent/surveillance/context_watch.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/surveillance/limits.h"
#include "common/limits.h"

namespace remora::agent {
namespace {

constexpr char kPositionWord[] = "POSITION ";
constexpr char kPhaseWord[] = "PHASE ";
// The largest BIS there is.
constexpr double kMaxBispectralIndex = 100;
// Delivered is not what was asked for from this share on.
constexpr double kAsAskedShare = 0.1;
// A setting that changes is told at most this often; a ramp has a step a second.
constexpr int64_t kSettingIntervalNs = 500'000'000;

std::string Bounded(absl::string_view text, size_t most) {
  size_t end = std::min(text.size(), most);
  // Not in the middle of a UTF-8 character.
  while (end > 0 && end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

v1::DrugChange ChangeOf(DrugEvent::Kind kind) {
  switch (kind) {
    case DrugEvent::Kind::kBolus:
      return v1::DRUG_CHANGE_BOLUS;
    case DrugEvent::Kind::kInfusionRate:
      return v1::DRUG_CHANGE_INFUSION_RATE;
    case DrugEvent::Kind::kInfusionStopped:
      return v1::DRUG_CHANGE_INFUSION_STOPPED;
    case DrugEvent::Kind::kInspired:
      return v1::DRUG_CHANGE_INSPIRED;
  }
  return v1::DRUG_CHANGE_UNSPECIFIED;
}

// Both known, and not alike.
bool Differ(double a, double b, double share) {
  return a > 0 && b > 0 && std::fabs(a - b) > share * std::max(a, b);
}

bool IsAsAsked(const v1::StimulusSetting& setting) {
  return !Differ(setting.delivered_ma(), setting.current_ma(), kAsAskedShare) &&
         !Differ(setting.delivered_v(), setting.voltage_v(), kAsAskedShare);
}

bool SameSetting(const v1::StimulusSetting& a, const v1::StimulusSetting& b) {
  return !Differ(a.current_ma(), b.current_ma(), kSameCurrentShare) &&
         !Differ(a.voltage_v(), b.voltage_v(), kSameCurrentShare) &&
         !Differ(a.rate_hz(), b.rate_hz(), kSameRateShare) &&
         !Differ(a.pulse_us(), b.pulse_us(), kSameCurrentShare) &&
         a.pulse_count() == b.pulse_count();
}

std::optional<v1::Phase> PhaseOf(absl::string_view word) {
  std::string name = absl::AsciiStrToUpper(absl::StripAsciiWhitespace(word));
  std::replace(name.begin(), name.end(), ' ', '_');
  v1::Phase phase;
  if (!v1::Phase_Parse(absl::StrCat("PHASE_", name), &phase)) return std::nullopt;
  return phase == v1::PHASE_UNSPECIFIED ? std::nullopt : std::optional<v1::Phase>(phase);
}

}  // namespace

v1::VitalKind KindOf(VitalSign::Kind kind) {
  switch (kind) {
    case VitalSign::Kind::kMeanArterialPressure:
      return v1::VITAL_KIND_MEAN_ARTERIAL_PRESSURE;
    case VitalSign::Kind::kSystolicPressure:
      return v1::VITAL_KIND_SYSTOLIC_PRESSURE;
    case VitalSign::Kind::kDiastolicPressure:
      return v1::VITAL_KIND_DIASTOLIC_PRESSURE;
    case VitalSign::Kind::kHeartRate:
      return v1::VITAL_KIND_HEART_RATE;
    case VitalSign::Kind::kOxygenSaturation:
      return v1::VITAL_KIND_OXYGEN_SATURATION;
    case VitalSign::Kind::kEndTidalCo2:
      return v1::VITAL_KIND_END_TIDAL_CO2;
    case VitalSign::Kind::kCoreTemperature:
      return v1::VITAL_KIND_CORE_TEMPERATURE;
    case VitalSign::Kind::kLimbTemperature:
      return v1::VITAL_KIND_LIMB_TEMPERATURE;
    case VitalSign::Kind::kHaemoglobin:
      return v1::VITAL_KIND_HAEMOGLOBIN;
    case VitalSign::Kind::kBispectralIndex:
      return v1::VITAL_KIND_BISPECTRAL_INDEX;
    case VitalSign::Kind::kAlveolarConcentration:
      return v1::VITAL_KIND_ALVEOLAR_CONCENTRATION;
  }
  return v1::VITAL_KIND_UNSPECIFIED;
}

ContextWatch::ContextWatch(const ResolvedPlan& plan, RecordSink& sink) : sink_(sink) {
  listeners_.resize(plan.triggers().size());
  const auto add = [&](const ResolvedTrigger& trigger, v1::Modality modality,
                       const v1::StimulusSetting& planned) {
    listeners_[trigger.listener] = {modality, planned, {}};
  };
  for (const ResolvedEvoked& one : plan.evoked) {
    add(one.trigger, one.plan.modality(), one.plan.stimulus());
  }
  for (const ResolvedMotor& one : plan.motor) {
    add(one.trigger, one.plan.modality(), one.plan.stimulus());
  }
  for (const ResolvedEeg& one : plan.eeg) {
    if (one.after_discharge) add(*one.after_discharge, v1::MODALITY_MAP_CORTICAL_STIMULATION, {});
  }
  for (const ResolvedTrainOfFour& one : plan.train_of_four) {
    add(one.trigger, v1::MODALITY_TRAIN_OF_FOUR, one.plan.stimulus());
  }
  for (const ResolvedMapping& one : plan.mapping) {
    add(one.trigger, one.plan.modality(), one.plan.stimulus());
  }
}

void ContextWatch::OnVital(const VitalSign& vital, int64_t now_ns) {
  if (!std::isfinite(vital.value)) return;
  // Monitors say so that they have no index; with it the hub would refuse all values of the moment.
  const bool is_index = vital.kind == VitalSign::Kind::kBispectralIndex;
  if (is_index && (vital.value < 0 || vital.value > kMaxBispectralIndex)) return;
  if (!vitals_.empty() &&
      (vitals_.back().time_ns != vital.time_ns || vitals_.back().source != vital.source ||
       vitals_.size() >= kMaxVitalsTold)) {
    Flush(now_ns);
  }
  vitals_.push_back(vital);
}

void ContextWatch::OnImpedance(const ElectrodeImpedance& impedance, int64_t now_ns) {
  if (std::isnan(impedance.kohm) || impedance.kohm < 0 || impedance.electrode.empty()) return;
  if (!impedances_.empty() && (impedances_.back().time_ns != impedance.time_ns ||
                               impedances_.size() >= kMaxImpedancesTold)) {
    Flush(now_ns);
  }
  impedances_.push_back(impedance);
}

void ContextWatch::Flush(int64_t now_ns) {
  if (!vitals_.empty()) {
    v1::Record record;
    v1::Vitals& told = *record.mutable_vitals();
    told.set_source(Bounded(vitals_[0].source, kMaxReasonBytes));
    for (const VitalSign& vital : vitals_) {
      v1::Vital& one = *told.add_vitals();
      one.set_kind(KindOf(vital.kind));
      one.set_value(vital.value);
      one.set_measured_monotonic_ns(vital.time_ns);
      one.set_site(Bounded(vital.site, kMaxNameBytes));
    }
    vitals_.clear();
    sink_.Put(&record, now_ns);
  }
  if (!impedances_.empty()) {
    v1::Record record;
    v1::Impedances& told = *record.mutable_impedances();
    told.set_measured_monotonic_ns(impedances_[0].time_ns);
    for (const ElectrodeImpedance& impedance : impedances_) {
      v1::ElectrodeImpedance& one = *told.add_electrodes();
      one.set_electrode(Bounded(impedance.electrode, kMaxNameBytes));
      one.set_open(std::isinf(impedance.kohm));
      if (!one.open()) one.set_kohm(impedance.kohm);
    }
    impedances_.clear();
    sink_.Put(&record, now_ns);
  }
}

void ContextWatch::OnDrug(const DrugEvent& drug, int64_t now_ns) {
  if (drug.drug.empty()) return;
  v1::Record record;
  v1::DrugGiven& given = *record.mutable_drug_given();
  given.set_drug(Bounded(drug.drug, kMaxNameBytes));
  given.set_change(ChangeOf(drug.kind));
  if (std::isfinite(drug.amount) && drug.amount > 0) {
    given.set_amount(drug.amount);
    given.set_unit(Bounded(drug.unit, kMaxNameBytes));
    given.set_dose(Bounded(absl::StrCat(drug.amount, " ", drug.unit), kMaxNameBytes));
  }
  given.set_given_monotonic_ns(drug.time_ns);
  given.set_source(Bounded(drug.source, kMaxReasonBytes));
  sink_.Put(&record, now_ns);
}

std::optional<v1::Phase> ContextWatch::OnEvent(const SourceEvent& event, bool* taken,
                                               int64_t now_ns) {
  *taken = false;
  absl::string_view text = event.text;
  if (absl::ConsumePrefix(&text, kPositionWord)) {
    text = absl::StripAsciiWhitespace(text);
    if (text.empty()) return std::nullopt;
    *taken = true;
    v1::Record record;
    v1::PositionChange& change = *record.mutable_position_change();
    change.set_position(Bounded(text, kMaxNameBytes));
    change.set_changed_monotonic_ns(event.time_ns);
    sink_.Put(&record, now_ns);
    return std::nullopt;
  }
  if (!absl::ConsumePrefix(&text, kPhaseWord)) return std::nullopt;
  const std::optional<v1::Phase> phase = PhaseOf(text);
  if (!phase) return std::nullopt;
  *taken = true;
  v1::Record record;
  record.mutable_phase_change()->set_phase(*phase);
  sink_.Put(&record, now_ns);
  return phase;
}

void ContextWatch::OnStimulus(const Stimulus& stimulus, int64_t now_ns) {
  for (size_t i = 0; i < listeners_.size() && i < stimulus.own.size(); ++i) {
    if (!stimulus.own[i]) continue;
    Listener& listener = listeners_[i];
    const v1::StimulusSetting setting = SettingOf(stimulus, listener.planned);
    const bool as_asked = IsAsAsked(setting);
    Told& told = listener.told;
    if (!told.setting) {
      // The plan said it already, unless it was not so.
      told.setting = listener.planned;
    }
    const bool same = SameSetting(setting, *told.setting) && as_asked == !told.not_as_asked;
    if (same || (told.at_ns != 0 && stimulus.time_ns - told.at_ns < kSettingIntervalNs)) continue;
    v1::Record record;
    v1::StimulusChange& change = *record.mutable_stimulus_change();
    *change.mutable_stimulus() = setting;
    *change.mutable_previous() = *told.setting;
    change.set_modality(listener.modality);
    change.set_not_as_asked(!as_asked);
    sink_.Put(&record, now_ns);
    told.setting = setting;
    told.not_as_asked = !as_asked;
    told.at_ns = stimulus.time_ns;
  }
}

}  // namespace remora::agent
