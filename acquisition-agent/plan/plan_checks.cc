// What can be known to be wrong in plan, montage and criteria without a source.

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_records.h"
#include "common/status_macros.h"
#include "dsp/assess/fixed_criteria.h"

namespace remora::agent {
namespace {

// Says where in which file.
class Complaint {
 public:
  static Complaint InPlan(const CasePlan& plan, std::string field) {
    return Complaint(plan.plan_path, plan.plan_places, std::move(field));
  }
  static Complaint InMontage(const CasePlan& plan, std::string field) {
    return Complaint(plan.montage_path, plan.montage_places, std::move(field));
  }
  static Complaint InCriteria(const CasePlan& plan, std::string field) {
    return Complaint(plan.criteria_path, plan.criteria_places, std::move(field));
  }
  template <typename... Args>
  absl::Status Say(const Args&... args) const {
    return absl::InvalidArgumentError(absl::StrCat(places_.At(file_, field_), ": ", args...));
  }
  Complaint At(absl::string_view field) const {
    return Complaint(file_, places_, absl::StrCat(field_, ".", field));
  }

 private:
  Complaint(const std::string& file, const FieldPlaces& places, std::string field)
      : file_(file), places_(places), field_(std::move(field)) {}

  const std::string& file_;
  const FieldPlaces& places_;
  std::string field_;
};

bool IsEvokedModality(v1::Modality modality) {
  return modality == v1::MODALITY_SEP_UPPER || modality == v1::MODALITY_SEP_LOWER ||
         modality == v1::MODALITY_SEP_DERMATOMAL;
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

absl::Status CheckComponents(const Complaint& at, const v1::EvokedPlan& evoked) {
  if (evoked.component_size() != 2) {
    return at.At("component")
        .Say("there are ", evoked.component_size(),
             "; two are needed: the peak that is measured (such as N20), then the opposite one "
             "that follows it (P25)");
  }
  for (int i = 0; i < 2; ++i) {
    const v1::ComponentPlan& component = evoked.component(i);
    const Complaint here = at.At(absl::StrCat("component[", i, "]"));
    if (component.label().empty()) return here.At("label").Say("is missing, for example \"N20\"");
    RETURN_IF_ERROR(CheckLength(here.At("label"), component.label(), kMaxComponentLabelBytes));
    if (component.polarity() == v1::POLARITY_UNSPECIFIED) {
      return here.At("polarity")
          .Say(
              "is missing; POLARITY_NEGATIVE or POLARITY_POSITIVE at the derivation's first input");
    }
    if (!(component.window_from_ms() < component.window_to_ms())) {
      return here.Say("window_from_ms ", component.window_from_ms(), " is not below window_to_ms ",
                      component.window_to_ms());
    }
    if (component.window_from_ms() < evoked.blank_to_ms()) {
      return here.At("window_from_ms")
          .Say(component.window_from_ms(), " lies in what is blanked after the stimulus (to ",
               evoked.blank_to_ms(), " ms)");
    }
    if (component.window_to_ms() > evoked.epoch_to_ms()) {
      return here.At("window_to_ms")
          .Say(component.window_to_ms(), " is beyond the epoch's end, ", evoked.epoch_to_ms(),
               " ms");
    }
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

absl::Status CheckStimulus(const Complaint& at, const v1::EvokedPlan& evoked) {
  const Complaint trigger = at.At("trigger");
  if (evoked.trigger().label_prefix().empty() == evoked.trigger().channel().empty()) {
    return trigger.Say("needs either label_prefix (such as \"STIM MED R\") or channel");
  }
  RETURN_IF_ERROR(CheckLength(trigger.At("label_prefix"), evoked.trigger().label_prefix(),
                              kMaxLabelPrefixBytes));
  RETURN_IF_ERROR(
      CheckLength(trigger.At("channel"), evoked.trigger().channel(), kMaxLabelPrefixBytes));
  RETURN_IF_ERROR(CheckNumber(trigger.At("channel_threshold"), evoked.trigger().channel_threshold(),
                              -1e9, 1e9, "in the channel's unit"));
  const Complaint stimulus = at.At("stimulus");
  RETURN_IF_ERROR(CheckLength(stimulus.At("site"), evoked.stimulus().site(), kMaxNameBytes));
  RETURN_IF_ERROR(CheckNumber(stimulus.At("rate_hz"), evoked.stimulus().rate_hz(), 0, 100, "Hz"));
  RETURN_IF_ERROR(CheckNumber(stimulus.At("current_ma"), evoked.stimulus().current_ma(), 0,
                              kMaxStimulusMa, "mA"));
  return CheckNumber(stimulus.At("pulse_us"), evoked.stimulus().pulse_us(), 0, kMaxPulseUs, "us");
}

absl::Status CheckEvoked(const CasePlan& plan, int index) {
  const v1::EvokedPlan& evoked = plan.plan.evoked(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("evoked[", index, "]"));
  if (!IsEvokedModality(evoked.modality())) {
    return at.At("modality")
        .Say(evoked.modality() == v1::MODALITY_UNSPECIFIED
                 ? "is missing"
                 : "is not an averaged response of this version",
             "; MODALITY_SEP_UPPER, _LOWER or _DERMATOMAL would be right");
  }
  if (evoked.side() == v1::SIDE_UNSPECIFIED) {
    return at.At("side").Say("is missing; the side that is stimulated, such as SIDE_RIGHT");
  }
  RETURN_IF_ERROR(CheckDerivationName(at.At("derivation"), plan, evoked.derivation()));
  RETURN_IF_ERROR(CheckStimulus(at, evoked));
  RETURN_IF_ERROR(CheckFilter(at.At("filter"), evoked.filter()));
  if (evoked.filter().high_pass_hz() == 0 && evoked.filter().low_pass_hz() == 0) {
    return at.At("filter").Say("has no corner; high_pass_hz 30 and low_pass_hz 500 are usual");
  }
  RETURN_IF_ERROR(CheckNumber(at.At("epoch_from_ms"), evoked.epoch_from_ms(), -500, 0, "ms"));
  RETURN_IF_ERROR(CheckNumber(at.At("epoch_to_ms"), evoked.epoch_to_ms(), 5, 1000, "ms"));
  RETURN_IF_ERROR(CheckNumber(at.At("blank_from_ms"), evoked.blank_from_ms(), -50, 0, "ms"));
  RETURN_IF_ERROR(CheckNumber(at.At("blank_to_ms"), evoked.blank_to_ms(), 0, 50, "ms"));
  if (evoked.sweep_count() < 2 || evoked.sweep_count() > 10'000) {
    return at.At("sweep_count")
        .Say(evoked.sweep_count(), " is out of range; 2 to 10000 would be right");
  }
  RETURN_IF_ERROR(CheckNumber(at.At("reject_over_uv"), evoked.reject_over_uv(), 0.1, 1e6, "uV"));
  RETURN_IF_ERROR(
      CheckNumber(at.At("provisional_rate_hz"), evoked.provisional_rate_hz(), 0.01, 1, "Hz"));
  RETURN_IF_ERROR(CheckComponents(at, evoked));
  return CheckCriteriaKeys(at, plan, evoked.criterion(), evoked.modality());
}

absl::Status CheckEmg(const CasePlan& plan, int index) {
  const v1::EmgPlan& emg = plan.plan.emg(index);
  const Complaint at = Complaint::InPlan(plan, absl::StrCat("emg[", index, "]"));
  RETURN_IF_ERROR(CheckDerivationName(at.At("derivation"), plan, emg.derivation()));
  if (emg.has_filter()) {
    RETURN_IF_ERROR(CheckFilter(at.At("filter"), emg.filter()));
    if (emg.filter().zero_phase()) {
      return at.At("filter.zero_phase")
          .Say("must be false: free-running EMG is heard and seen as it comes");
    }
  }
  RETURN_IF_ERROR(
      CheckNumber(at.At("interference_over_uv"), emg.interference_over_uv(), 10, 1e6, "uV"));
  RETURN_IF_ERROR(CheckNumber(at.At("sent_rate_hz"), emg.sent_rate_hz(), 100, 100'000, "Hz"));
  RETURN_IF_ERROR(CheckNumber(at.At("envelope_bin_ms"), emg.envelope_bin_ms(), 5, 1000, "ms"));
  return CheckCriteriaKeys(at, plan, emg.criterion(), v1::MODALITY_EMG_FREE_RUNNING);
}

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
  std::vector<std::string> traces;
  const auto add = [&](const std::string& field, const std::string& trace) -> absl::Status {
    const auto known = std::find(traces.begin(), traces.end(), trace);
    if (known != traces.end()) {
      return Complaint::InPlan(plan, field)
          .Say("is the same trace, \"", trace,
               "\", as an entry before it; modality, side or derivation must differ");
    }
    traces.push_back(trace);
    return absl::OkStatus();
  };
  for (int i = 0; i < plan.plan.evoked_size(); ++i) {
    const v1::EvokedPlan& evoked = plan.plan.evoked(i);
    RETURN_IF_ERROR(add(absl::StrCat("evoked[", i, "]"),
                        TraceId(evoked.modality(), evoked.side(), evoked.derivation())));
  }
  for (int i = 0; i < plan.plan.emg_size(); ++i) {
    const v1::EmgPlan& emg = plan.plan.emg(i);
    RETURN_IF_ERROR(add(absl::StrCat("emg[", i, "]"),
                        TraceId(v1::MODALITY_EMG_FREE_RUNNING, emg.side(), emg.derivation())));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCasePlan(const CasePlan& plan) {
  if (plan.plan.evoked().empty() && plan.plan.emg().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": monitors nothing: add an evoked or an emg block"));
  }
  if (plan.plan.mains_hz() != 50 && plan.plan.mains_hz() != 60) {
    return Complaint::InPlan(plan, "mains_hz")
        .Say(plan.plan.mains_hz(), "; 50 or 60 would be right");
  }
  RETURN_IF_ERROR(
      CheckLength(Complaint::InPlan(plan, "procedure"), plan.plan.procedure(), kMaxProcedureBytes));
  if (plan.plan.evoked_size() + plan.plan.emg_size() > kMaxTraces) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": more than ", kMaxTraces, " traces"));
  }
  RETURN_IF_ERROR(CheckMontage(plan));
  RETURN_IF_ERROR(CheckCriteria(plan));
  for (int i = 0; i < plan.plan.evoked_size(); ++i) RETURN_IF_ERROR(CheckEvoked(plan, i));
  for (int i = 0; i < plan.plan.emg_size(); ++i) RETURN_IF_ERROR(CheckEmg(plan, i));
  RETURN_IF_ERROR(CheckTraces(plan));
  return CheckPlanRecords(plan);
}

}  // namespace remora::agent
