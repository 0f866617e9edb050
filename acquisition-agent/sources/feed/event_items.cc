#include "acquisition-agent/sources/feed/event_items.h"

#include <algorithm>
#include <limits>

namespace remora::agent::feed {
namespace {

StimulusTrigger MakeTrigger(const wire::Trigger& trigger, int64_t time_ns) {
  StimulusTrigger item;
  item.time_ns = time_ns;
  item.code = trigger.code();
  item.label = trigger.label();
  item.site = trigger.site();
  if (trigger.has_commanded_ma()) item.commanded_ma = trigger.commanded_ma();
  if (trigger.has_delivered_ma()) item.delivered_ma = trigger.delivered_ma();
  if (trigger.has_commanded_v()) item.commanded_v = trigger.commanded_v();
  if (trigger.has_delivered_v()) item.delivered_v = trigger.delivered_v();
  if (trigger.has_rate_hz()) item.rate_hz = trigger.rate_hz();
  if (trigger.has_pulse_us()) item.pulse_us = trigger.pulse_us();
  item.pulses = static_cast<int32_t>(std::max<uint32_t>(1, trigger.pulses_count()));
  item.pulse_interval_ms = item.pulses > 1 ? trigger.pulse_interval_ms() : 0;
  return item;
}

VitalSign::Kind KindOf(wire::VitalKind kind) {
  switch (kind) {
    case wire::VITAL_KIND_SYSTOLIC_PRESSURE:
      return VitalSign::Kind::kSystolicPressure;
    case wire::VITAL_KIND_DIASTOLIC_PRESSURE:
      return VitalSign::Kind::kDiastolicPressure;
    case wire::VITAL_KIND_HEART_RATE:
      return VitalSign::Kind::kHeartRate;
    case wire::VITAL_KIND_OXYGEN_SATURATION:
      return VitalSign::Kind::kOxygenSaturation;
    case wire::VITAL_KIND_END_TIDAL_CO2:
      return VitalSign::Kind::kEndTidalCo2;
    case wire::VITAL_KIND_CORE_TEMPERATURE:
      return VitalSign::Kind::kCoreTemperature;
    case wire::VITAL_KIND_LIMB_TEMPERATURE:
      return VitalSign::Kind::kLimbTemperature;
    case wire::VITAL_KIND_HAEMOGLOBIN:
      return VitalSign::Kind::kHaemoglobin;
    case wire::VITAL_KIND_BISPECTRAL_INDEX:
      return VitalSign::Kind::kBispectralIndex;
    case wire::VITAL_KIND_ALVEOLAR_CONCENTRATION:
      return VitalSign::Kind::kAlveolarConcentration;
    default:
      return VitalSign::Kind::kMeanArterialPressure;
  }
}

DrugEvent::Kind KindOf(wire::DrugKind kind) {
  switch (kind) {
    case wire::DRUG_KIND_INFUSION_RATE:
      return DrugEvent::Kind::kInfusionRate;
    case wire::DRUG_KIND_INFUSION_STOPPED:
      return DrugEvent::Kind::kInfusionStopped;
    case wire::DRUG_KIND_INSPIRED:
      return DrugEvent::Kind::kInspired;
    default:
      return DrugEvent::Kind::kBolus;
  }
}

}  // namespace

int64_t EventTimeOf(const wire::Envelope& envelope) {
  switch (envelope.body_case()) {
    case wire::Envelope::kTrigger:
      return envelope.trigger().at_ns();
    case wire::Envelope::kImpedance:
      return envelope.impedance().at_ns();
    case wire::Envelope::kVital:
      return envelope.vital().at_ns();
    case wire::Envelope::kDrug:
      return envelope.drug().at_ns();
    case wire::Envelope::kNote:
      return envelope.note().at_ns();
    default:
      return envelope.sent_ns();
  }
}

Item MakeEventItem(const wire::Envelope& envelope, int64_t time_ns, const std::string& device) {
  const auto source_of = [&](const std::string& told) { return told.empty() ? device : told; };
  switch (envelope.body_case()) {
    case wire::Envelope::kTrigger:
      return MakeTrigger(envelope.trigger(), time_ns);
    case wire::Envelope::kImpedance: {
      const wire::Impedance& told = envelope.impedance();
      return ElectrodeImpedance{
          time_ns, told.electrode(),
          told.open() ? std::numeric_limits<double>::infinity() : told.kohm()};
    }
    case wire::Envelope::kVital: {
      const wire::Vital& told = envelope.vital();
      return VitalSign{time_ns, KindOf(told.kind()), told.value(), told.site(),
                       source_of(told.source())};
    }
    case wire::Envelope::kDrug: {
      const wire::Drug& told = envelope.drug();
      return DrugEvent{time_ns,       KindOf(told.kind()), told.drug(),
                       told.amount(), told.unit(),         source_of(told.source())};
    }
    default:
      return SourceEvent{time_ns, 0, envelope.note().text()};
  }
}

}  // namespace remora::agent::feed
