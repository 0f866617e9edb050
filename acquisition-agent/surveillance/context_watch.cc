#include "acquisition-agent/surveillance/context_watch.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/limits.h"

namespace remora::agent {
namespace {

constexpr char kPositionWord[] = "POSITION ";
constexpr char kPhaseWord[] = "PHASE ";
// The largest BIS there is.
constexpr double kMaxBispectralIndex = 100;
// Delivered is not what was asked for from this share on.
constexpr double kAsAskedShare = 0.1;
// A setting that changes is told at most this often. A ramp has a step a second: each step stands
// on its sweep, and of a search in its StimulusThreshold too.
constexpr int64_t kSettingIntervalNs = 5'000'000'000;
// One that is no longer delivered as asked for, or is again.
constexpr int64_t kFaultIntervalNs = 500'000'000;

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

// Known, and not known before or not so.
bool IsNews(double now, double before, double share) {
  return now > 0 && (before <= 0 || Differ(now, before, share));
}

// Of all that a source says of a stimulus. What was measured varies by itself, and is all there is
// of it where nobody says what was asked for.
bool HasNews(const v1::StimulusSetting& now, const v1::StimulusSetting& before) {
  const bool is_asked = now.current_ma() > 0 || now.voltage_v() > 0;
  const double delivered_share = is_asked ? kAsAskedShare : kSameCurrentShare;
  return IsNews(now.current_ma(), before.current_ma(), kSameCurrentShare) ||
         IsNews(now.voltage_v(), before.voltage_v(), kSameCurrentShare) ||
         IsNews(now.delivered_ma(), before.delivered_ma(), delivered_share) ||
         IsNews(now.delivered_v(), before.delivered_v(), delivered_share) ||
         IsNews(now.rate_hz(), before.rate_hz(), kSameRateShare) ||
         IsNews(now.pulse_us(), before.pulse_us(), kSameCurrentShare) ||
         IsNews(now.pulse_interval_ms(), before.pulse_interval_ms(), kSameCurrentShare) ||
         std::max(1u, now.pulse_count()) != std::max(1u, before.pulse_count());
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
    Listener& listener = listeners_[trigger.listener];
    listener.modality = modality;
    listener.planned = planned;
    listener.trigger = trigger.plan.SerializeAsString();
    const std::string setting = planned.SerializeAsString();
    for (size_t i = 0; i < trigger.listener; ++i) {
      const Listener& other = listeners_[i];
      if (other.modality == modality && other.trigger == listener.trigger &&
          other.planned.SerializeAsString() == setting) {
        listener.is_told = false;
      }
    }
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
  FlushSettings(/*all=*/false, now_ns);
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
    if (!stimulus.own[i] || !listeners_[i].is_told) continue;
    Listener& listener = listeners_[i];
    Setting setting{SettingOf(stimulus, listener.planned), false};
    setting.not_as_asked = !IsAsAsked(setting.stimulus);
    listener.waiting.reset();
    const v1::StimulusSetting& before = listener.told ? listener.told->stimulus : listener.planned;
    const bool turned = setting.not_as_asked != (listener.told && listener.told->not_as_asked);
    if (!turned && !HasNews(setting.stimulus, before)) {
      // The plan said it already.
      if (!listener.told) listener.told = setting;
      continue;
    }
    const int64_t interval_ns = turned ? kFaultIntervalNs : kSettingIntervalNs;
    if (listener.at_ns && stimulus.time_ns - *listener.at_ns < interval_ns) {
      listener.waiting = std::move(setting);
      continue;
    }
    PutSetting(listener, setting, listener.told, now_ns);
    listener.told = std::move(setting);
    listener.at_ns = stimulus.time_ns;
  }
}

void ContextWatch::FlushSettings(bool all, int64_t now_ns) {
  for (Listener& listener : listeners_) {
    if (!listener.waiting || (!all && now_ns - *listener.at_ns < kSettingIntervalNs)) continue;
    PutSetting(listener, *listener.waiting, listener.told, now_ns);
    listener.told = std::move(listener.waiting);
    listener.waiting.reset();
    listener.at_ns = now_ns;
  }
}

void ContextWatch::PutSetting(const Listener& listener, const Setting& setting,
                              const std::optional<Setting>& previous, int64_t now_ns) {
  v1::Record record;
  v1::StimulusChange& change = *record.mutable_stimulus_change();
  *change.mutable_stimulus() = setting.stimulus;
  if (previous) *change.mutable_previous() = previous->stimulus;
  change.set_modality(listener.modality);
  change.set_not_as_asked(setting.not_as_asked);
  sink_.Put(&record, now_ns);
}

void ContextWatch::OnEnd(int64_t now_ns) {
  Flush(now_ns);
  FlushSettings(/*all=*/true, now_ns);
}

}  // namespace remora::agent
