#include "acquisition-agent/reasoning/followed_patient.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace remora::agent {
namespace {

constexpr size_t kMostKept = 240;  // 4 h at one a minute

bool HasWord(absl::string_view lower, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return absl::StrContains(lower, word); });
}

bool IsRelaxant(absl::string_view lower) {
  return HasWord(lower, {"rocuronium", "vecuronium", "cisatracurium", "atracurium", "mivacurium",
                         "succinylcholine", "suxamethonium", "pancuronium"});
}

bool IsAnaesthetic(absl::string_view lower) {
  return HasWord(lower, {"propofol", "sevoflurane", "desflurane", "isoflurane", "thiopental",
                         "etomidate", "midazolam", "dexmedetomidine", "nitrous"});
}

}  // namespace

void FollowedPatient::Keep(Series* series, Timed one) {
  series->push_back(std::move(one));
  if (series->size() > kMostKept) series->pop_front();
}

void FollowedPatient::OnRecord(const v1::Record& record, int64_t at_ns) {
  switch (record.body_case()) {
    case v1::Record::kCasePlanSet:
      any_emg_ = record.case_plan_set().plan().emg_size() > 0;
      target_map_mmhg_ = record.case_plan_set().plan().target_map_mmhg();
      for (const v1::DueInterval& due : record.case_plan_set().plan().due()) {
        const auto ns = static_cast<int64_t>(due.every_s() * 1e9);
        if (due.is_of_vitals()) due_.vitals_ns = ns;
        if (due.modality() == v1::MODALITY_TRAIN_OF_FOUR) due_.train_ns = ns;
      }
      break;
    case v1::Record::kPhaseChange:
      phase_ = record.phase_change().phase();
      phase_since_ns_ = at_ns;
      if (phase_ == v1::PHASE_POSITIONING) {
        any_position_ = true;
        Keep(&moves_, {at_ns, 0, "positioning"});
      }
      break;
    case v1::Record::kTrainOfFour:
      if (!record.train_of_four().quality().empty()) break;
      trains_of_four_[record.train_of_four().limb()] = record.train_of_four();
      trains_of_four_ns_[record.train_of_four().limb()] = at_ns;
      break;
    case v1::Record::kVitals:
      OnVitals(record.vitals(), at_ns);
      break;
    case v1::Record::kDrugGiven:
      OnDrug(record.drug_given(), at_ns);
      break;
    case v1::Record::kSpectralEdge:
      OnSpectrum(record.spectral_edge(), at_ns);
      break;
    case v1::Record::kImpedances:
      OnImpedances(record.impedances(), at_ns);
      break;
    case v1::Record::kPositionChange:
      any_position_ = true;
      Keep(&moves_, {at_ns, 0, record.position_change().position()});
      break;
    case v1::Record::kStimulusChange: {
      const v1::StimulusChange& change = record.stimulus_change();
      const bool known = change.stimulus().delivered_ma() > 0 ||
                         change.stimulus().delivered_v() > 0 || change.not_as_asked();
      if (known) {
        delivered_[change.modality()] = {!change.not_as_asked(), change.modality_label()};
      }
      break;
    }
    case v1::Record::kSourceNote:
      OnWords(record.source_note().text(), at_ns);
      break;
    case v1::Record::kAnnotation:
      OnWords(record.annotation().text(), at_ns);
      break;
    case v1::Record::kEmgActivity:
      OnEmg(record.emg_activity(), at_ns);
      break;
    default:
      break;
  }
}

void FollowedPatient::OnEmg(const v1::EmgActivity& activity, int64_t at_ns) {
  any_emg_ = true;
  if (activity.artefact_class() == v1::ARTEFACT_CLASS_DIATHERMY ||
      activity.artefact_class() == v1::ARTEFACT_CLASS_DRILL) {
    Keep(&artefacts_, {at_ns, 0, activity.reason()});
  }
  if (activity.kind() == v1::EMG_ACTIVITY_KIND_TRAIN) {
    Keep(&emg_trains_[activity.trace_id()], {at_ns, activity.duration_ms(), ""});
  }
}

void FollowedPatient::OnVitals(const v1::Vitals& vitals, int64_t at_ns) {
  for (const v1::Vital& vital : vitals.vitals()) {
    switch (vital.kind()) {
      case v1::VITAL_KIND_MEAN_ARTERIAL_PRESSURE:
        Keep(&pressure_, {at_ns, vital.value(), ""});
        break;
      case v1::VITAL_KIND_CORE_TEMPERATURE:
        Keep(&core_, {at_ns, vital.value(), ""});
        break;
      case v1::VITAL_KIND_LIMB_TEMPERATURE:
        Keep(&limb_temperature_[vital.site()], {at_ns, vital.value(), ""});
        break;
      default:
        break;
    }
  }
}

void FollowedPatient::OnDrug(const v1::DrugGiven& drug, int64_t at_ns) {
  any_drug_ = true;
  const std::string lower = absl::AsciiStrToLower(drug.drug());
  const std::string words = absl::StrCat(drug.drug(), drug.dose().empty() ? "" : " ", drug.dose());
  if (drug.change() == v1::DRUG_CHANGE_INFUSION_STOPPED) return;
  if (IsRelaxant(lower)) Keep(&relaxants_, {at_ns, drug.amount(), words});
  if (!IsAnaesthetic(lower)) return;
  // More of it: a bolus, or a rate or concentration that rose.
  double before = 0;
  for (const Timed& one : anaesthetics_) {
    if (absl::StartsWith(one.words, drug.drug())) before = std::fabs(one.value);
  }
  const bool is_more = drug.change() == v1::DRUG_CHANGE_BOLUS || drug.amount() > before;
  // What only goes on as it was, or less, is kept with a minus: it is no change to more.
  Keep(&anaesthetics_, {at_ns, is_more ? drug.amount() : -drug.amount(), words});
}

void FollowedPatient::OnSpectrum(const v1::SpectralEdge& edge, int64_t at_ns) {
  if (!edge.quality().empty()) return;
  Keep(&edge_[edge.trace_id()], {at_ns, edge.sef95_hz(), ""});
  Keep(&suppression_[edge.trace_id()], {at_ns, edge.burst_suppression_percent(), ""});
  if (edge.has_asymmetry()) Keep(&asymmetry_[edge.trace_id()], {at_ns, edge.asymmetry(), ""});
}

void FollowedPatient::OnImpedances(const v1::Impedances& impedances, int64_t at_ns) {
  for (const v1::ElectrodeImpedance& one : impedances.electrodes()) {
    Keep(&kohm_[one.electrode()], {at_ns, one.open() ? -1 : one.kohm(), ""});
  }
}

// What people call what happens; what a source's events say.
void FollowedPatient::OnWords(const std::string& words, int64_t at_ns) {
  any_words_ = true;
  const std::string lower = absl::AsciiStrToLower(words);
  const Timed event{at_ns, 0, words};
  if (HasWord(lower, {"screw", "rod", "derotation", "distraction", "osteotomy", "correction",
                      "cage", "hook", "decompression", "myelotomy", "resection"})) {
    Keep(&instruments_, event);
  }
  if (HasWord(lower, {"clip", "retract", "clamp"})) Keep(&retractors_, event);
  if (HasWord(lower,
              {"iliac", "tourniquet", "cuff", "arterial line", "vessel", "femoral artery"})) {
    Keep(&vessels_, event);
  }
  if (HasWord(lower, {"turned", "position", "arm moved", "arm lowered", "head turned"})) {
    any_position_ = true;
    Keep(&moves_, event);
  }
}

}  // namespace remora::agent
