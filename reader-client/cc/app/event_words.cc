#include "reader-client/cc/app/event_words.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "reader-client/cc/app/limits.h"
#include "reader-client/cc/app/quantity.h"

namespace remora::reader {
namespace {

struct VitalLook {
  const char* name;
  const char* unit;
  int digits;
};

VitalLook LookOf(v1::VitalKind kind) {
  switch (kind) {
    case v1::VITAL_KIND_MEAN_ARTERIAL_PRESSURE:
      return {"MAP", "mmHg", 0};
    case v1::VITAL_KIND_SYSTOLIC_PRESSURE:
      return {"systolic", "mmHg", 0};
    case v1::VITAL_KIND_DIASTOLIC_PRESSURE:
      return {"diastolic", "mmHg", 0};
    case v1::VITAL_KIND_HEART_RATE:
      return {"heart rate", "/min", 0};
    case v1::VITAL_KIND_OXYGEN_SATURATION:
      return {"SpO2", "%", 0};
    case v1::VITAL_KIND_END_TIDAL_CO2:
      return {"EtCO2", "mmHg", 0};
    case v1::VITAL_KIND_CORE_TEMPERATURE:
      return {"core", "C", 1};
    case v1::VITAL_KIND_LIMB_TEMPERATURE:
      return {"limb", "C", 1};
    case v1::VITAL_KIND_HAEMOGLOBIN:
      return {"haemoglobin", "g/dl", 1};
    case v1::VITAL_KIND_BISPECTRAL_INDEX:
      return {"BIS of the monitor", "", 0};
    case v1::VITAL_KIND_ALVEOLAR_CONCENTRATION:
      return {"MAC", "", 2};
    default:
      return {"unknown vital sign", "", 2};
  }
}

// " (monitor, Ines Ruiz)"; empty where nobody is named.
std::string By(const std::string& source, const std::string& actor) {
  if (source.empty() && actor.empty()) return "";
  return absl::StrCat(" (", source, source.empty() || actor.empty() ? "" : ", ", actor, ")");
}

// How much, how often, how long: what of it is known.
std::string SettingWords(const v1::StimulusSetting& setting) {
  std::vector<std::string> words;
  if (IsKnown(setting.current_ma())) words.push_back(Quantity(setting.current_ma(), 1, "mA"));
  if (IsKnown(setting.voltage_v())) words.push_back(Quantity(setting.voltage_v(), 0, "V"));
  if (setting.pulse_count() > 1) words.push_back(absl::StrCat(setting.pulse_count(), " pulses"));
  if (IsKnown(setting.pulse_us())) words.push_back(Quantity(setting.pulse_us(), 0, "us"));
  if (IsKnown(setting.rate_hz())) words.push_back(Quantity(setting.rate_hz(), 1, "Hz"));
  return words.empty() ? "not known" : absl::StrJoin(words, ", ");
}

std::string DeliveredWords(const v1::StimulusSetting& setting) {
  if (IsKnown(setting.delivered_ma())) return Quantity(setting.delivered_ma(), 1, "mA");
  if (IsKnown(setting.delivered_v())) return Quantity(setting.delivered_v(), 0, "V");
  return "not told";
}

}  // namespace

std::string VitalsWords(const v1::Vitals& vitals) {
  std::vector<std::string> words;
  for (const v1::Vital& vital : vitals.vitals()) {
    const VitalLook look = LookOf(vital.kind());
    const std::string name =
        vital.kind() == v1::VITAL_KIND_LIMB_TEMPERATURE && !vital.site().empty() ? vital.site()
                                                                                 : look.name;
    words.push_back(absl::StrCat(name, " ", Quantity(vital.value(), look.digits, look.unit)));
  }
  return absl::StrCat(words.empty() ? "no vital sign" : absl::StrJoin(words, ", "),
                      By(vitals.source(), vitals.actor()));
}

std::string DrugWords(const v1::DrugGiven& given) {
  std::string words = given.drug();
  if (given.change() == v1::DRUG_CHANGE_INFUSION_STOPPED) {
    return absl::StrCat(words, " infusion stopped", By(given.source(), given.actor()));
  }
  if (!given.dose().empty()) {
    absl::StrAppend(&words, " ", given.dose());
  } else if (IsKnown(given.amount())) {
    absl::StrAppend(&words, " ", PlainNumber(given.amount()), " ", given.unit());
  } else {
    absl::StrAppend(&words, ", dose not said");
  }
  if (given.change() == v1::DRUG_CHANGE_BOLUS) absl::StrAppend(&words, ", bolus");
  if (given.change() == v1::DRUG_CHANGE_INFUSION_RATE) absl::StrAppend(&words, ", infusion");
  if (given.change() == v1::DRUG_CHANGE_INSPIRED) absl::StrAppend(&words, ", end-tidal");
  return absl::StrCat(words, By(given.source(), given.actor()));
}

std::string ImpedancesWords(const v1::Impedances& impedances) {
  std::vector<std::string> open;
  size_t open_count = 0;
  const v1::ElectrodeImpedance* highest = nullptr;
  for (const v1::ElectrodeImpedance& one : impedances.electrodes()) {
    if (one.open()) {
      if (open.size() < kMaxOpenInALine) open.push_back(one.electrode());
      ++open_count;
    } else if (std::isfinite(one.kohm()) && (!highest || one.kohm() > highest->kohm())) {
      highest = &one;
    }
  }
  const int count = impedances.electrodes_size();
  std::string words =
      absl::StrCat(count, count == 1 ? " electrode: " : " electrodes: ", open_count, " open");
  if (open_count > 0) {
    absl::StrAppend(&words, " (", absl::StrJoin(open, ", "),
                    open_count > open.size() ? " and more" : "", ")");
  }
  if (highest) {
    absl::StrAppend(&words, ", highest ", Quantity(highest->kohm(), 1, "kOhm"), " (",
                    highest->electrode(), ")");
  }
  return words;
}

std::string StimulusChangeWords(const v1::StimulusChange& change) {
  const v1::StimulusSetting& now = change.stimulus();
  const std::string name = v1::Modality_Name(change.modality());
  std::vector<std::string> of;
  if (change.modality() != v1::MODALITY_UNSPECIFIED && !name.empty()) {
    of.push_back(std::string(absl::StripPrefix(name, "MODALITY_")));
  }
  for (const std::string& part :
       {now.site(), std::string(SideWord(now.side())), now.electrodes()}) {
    if (!part.empty()) of.push_back(part);
  }
  std::string words =
      absl::StrCat(of.empty() ? "stimulus" : absl::StrJoin(of, " "), ": ", SettingWords(now));
  if (change.not_as_asked()) {
    absl::StrAppend(&words, ", not as asked: delivered ", DeliveredWords(now));
  }
  if (change.has_previous()) absl::StrAppend(&words, "; was ", SettingWords(change.previous()));
  return words;
}

std::string PositionWords(const v1::PositionChange& change) {
  return absl::StrCat("position: ", change.position(), By("", change.actor()));
}

}  // namespace remora::reader
