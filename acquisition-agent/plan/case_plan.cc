#include "acquisition-agent/plan/case_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "common/text_proto.h"

namespace remora::agent {
namespace {

std::string BesideOf(const std::string& path, const std::string& file) {
  if (absl::StartsWith(file, "/")) return file;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? file : absl::StrCat(path.substr(0, slash + 1), file);
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Says where in which file.
class Complaint {
 public:
  Complaint(const std::string& file, std::string field) : file_(file), field_(std::move(field)) {}
  template <typename... Args>
  absl::Status Say(const Args&... args) const {
    return absl::InvalidArgumentError(absl::StrCat(file_, ": ", field_, ": ", args...));
  }
  Complaint At(absl::string_view field) const {
    return Complaint(file_, absl::StrCat(field_, ".", field));
  }

 private:
  const std::string& file_;
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
                               bool emg) {
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

absl::Status CheckEvoked(const CasePlan& plan, int index) {
  const v1::EvokedPlan& evoked = plan.plan.evoked(index);
  const Complaint at(plan.plan_path, absl::StrCat("evoked[", index, "]"));
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
  if (evoked.trigger().label_prefix().empty() == evoked.trigger().channel().empty()) {
    return at.At("trigger").Say("needs either label_prefix (such as \"STIM MED R\") or channel");
  }
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
  RETURN_IF_ERROR(
      CheckNumber(at.At("stimulus.rate_hz"), evoked.stimulus().rate_hz(), 0, 100, "Hz"));
  RETURN_IF_ERROR(CheckComponents(at, evoked));
  return CheckCriteriaKeys(at, plan, evoked.criterion(), /*emg=*/false);
}

absl::Status CheckEmg(const CasePlan& plan, int index) {
  const v1::EmgPlan& emg = plan.plan.emg(index);
  const Complaint at(plan.plan_path, absl::StrCat("emg[", index, "]"));
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
  return CheckCriteriaKeys(at, plan, emg.criterion(), /*emg=*/true);
}

absl::Status CheckMontage(const CasePlan& plan) {
  std::vector<std::string> names;
  for (int i = 0; i < plan.montage.derivation_size(); ++i) {
    const v1::Derivation& derivation = plan.montage.derivation(i);
    const Complaint at(plan.montage_path, absl::StrCat("derivation[", i, "]"));
    if (derivation.name().empty())
      return at.At("name").Say("is missing, for example \"CPc-Front\"");
    if (derivation.name().size() > 64) return at.At("name").Say("is longer than 64 bytes");
    if (std::find(names.begin(), names.end(), derivation.name()) != names.end()) {
      return at.At("name").Say("\"", derivation.name(), "\" is there twice");
    }
    names.push_back(derivation.name());
    if (derivation.plus().empty())
      return at.At("plus").Say("is missing: the electrode at the first input");
    if (derivation.plus_size() + derivation.minus_size() > 64) {
      return at.Say("has more than 64 electrodes");
    }
  }
  for (int i = 0; i < plan.montage.alias_size(); ++i) {
    const v1::ElectrodeAlias& alias = plan.montage.alias(i);
    if (alias.name().empty() || alias.electrode().empty()) {
      return Complaint(plan.montage_path, absl::StrCat("alias[", i, "]"))
          .Say("needs both name and electrode, such as name: \"C3'\" electrode: \"CP3\"");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPair(const Complaint& at, absl::string_view what, double amber, double red,
                       double most) {
  for (const double limit : {amber, red}) {
    if (!std::isfinite(limit) || limit < 0 || limit > most) {
      return at.Say(what, ": ", limit, " is out of range; up to ", most, " would be right");
    }
  }
  if (amber > 0 && red > 0 && amber >= red) {
    return at.Say(what, ": amber ", amber, " is not below red ", red);
  }
  return absl::OkStatus();
}

absl::Status CheckCriteria(const CasePlan& plan) {
  std::vector<std::string> keys;
  for (int i = 0; i < plan.criteria.criterion_size(); ++i) {
    const v1::Criterion& row = plan.criteria.criterion(i);
    const Complaint at(plan.criteria_path, absl::StrCat("criterion[", i, "]"));
    if (row.key().empty()) return at.At("key").Say("is missing, for example \"SEP.amp_abs\"");
    if (std::find(keys.begin(), keys.end(), row.key()) != keys.end()) {
      return at.At("key").Say("\"", row.key(), "\" is there twice");
    }
    keys.push_back(row.key());
    if (row.source().empty()) {
      return at.At("source").Say("is missing: guideline, author and year of ", row.key());
    }
    RETURN_IF_ERROR(CheckPair(at, "amplitude_fall_percent", row.amber_amplitude_fall_percent(),
                              row.red_amplitude_fall_percent(), 100));
    RETURN_IF_ERROR(CheckPair(at, "latency_rise_percent", row.amber_latency_rise_percent(),
                              row.red_latency_rise_percent(), 200));
    RETURN_IF_ERROR(CheckPair(at, "train_ms", row.amber_train_ms(), row.red_train_ms(), 3.6e6));
    const bool evoked = row.amber_amplitude_fall_percent() > 0 ||
                        row.red_amplitude_fall_percent() > 0 ||
                        row.amber_latency_rise_percent() > 0 || row.red_latency_rise_percent() > 0;
    const bool train = row.amber_train_ms() > 0 || row.red_train_ms() > 0;
    if (evoked == train) {
      return at.Say(row.key(), evoked ? " mixes limits of a train with those of an evoked response"
                                      : " has no limit");
    }
    RETURN_IF_ERROR(CheckNumber(at.At("minimum_odd_even_correlation"),
                                row.minimum_odd_even_correlation(), 0, 1, "(1 = equal)"));
    RETURN_IF_ERROR(CheckNumber(at.At("maximum_odd_even_difference_percent"),
                                row.maximum_odd_even_difference_percent(), 0, 200, "%"));
  }
  if (!keys.empty() && plan.criteria.version().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.criteria_path, ": version: is missing: every alert names it"));
  }
  return absl::OkStatus();
}

absl::Status CheckTraces(const CasePlan& plan) {
  std::vector<std::string> traces;
  const auto add = [&](const std::string& field, const std::string& trace) -> absl::Status {
    const auto known = std::find(traces.begin(), traces.end(), trace);
    if (known != traces.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan.plan_path, ": ", field, ": is the same trace, \"", trace,
                       "\", as an entry before it; modality, side or derivation must differ"));
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

const v1::Derivation* CasePlan::FindDerivation(absl::string_view name) const {
  for (const v1::Derivation& derivation : montage.derivation()) {
    if (derivation.name() == name) return &derivation;
  }
  return nullptr;
}

const v1::Criterion* CasePlan::FindCriterion(absl::string_view key) const {
  for (const v1::Criterion& row : criteria.criterion()) {
    if (row.key() == key) return &row;
  }
  return nullptr;
}

std::string TraceId(v1::Modality modality, v1::Side side, absl::string_view derivation) {
  absl::string_view name = v1::Modality_Name(modality);
  absl::ConsumePrefix(&name, "MODALITY_");
  const char* letter = "-";
  switch (side) {
    case v1::SIDE_LEFT:
      letter = "L";
      break;
    case v1::SIDE_RIGHT:
      letter = "R";
      break;
    case v1::SIDE_MIDLINE:
      letter = "M";
      break;
    case v1::SIDE_BILATERAL:
      letter = "B";
      break;
    default:
      break;
  }
  return absl::StrCat(name, "/", letter, "/", derivation);
}

std::string DidYouMean(absl::string_view word, const std::vector<std::string>& known) {
  const std::string lower = absl::AsciiStrToLower(word);
  size_t best = 0;
  const std::string* nearest = nullptr;
  for (const std::string& name : known) {
    const size_t distance = EditDistance(lower, absl::AsciiStrToLower(name));
    // Half of the longer one may be wrong: beyond that they have nothing in common.
    if (2 * distance > std::max<size_t>(4, std::max(word.size(), name.size()))) continue;
    if (nearest == nullptr || distance < best) {
      best = distance;
      nearest = &name;
    }
  }
  return nearest == nullptr ? "" : absl::StrCat(" Did you mean \"", *nearest, "\"?");
}

absl::Status CheckCasePlan(const CasePlan& plan) {
  if (plan.plan.evoked().empty() && plan.plan.emg().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": monitors nothing: add an evoked or an emg block"));
  }
  if (plan.plan.mains_hz() != 50 && plan.plan.mains_hz() != 60) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.plan_path, ": mains_hz: ", plan.plan.mains_hz(), "; 50 or 60 would be right"));
  }
  if (plan.plan.procedure().size() > 200) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": procedure: is longer than 200 bytes"));
  }
  if (plan.plan.evoked_size() + plan.plan.emg_size() > 128) {
    return absl::InvalidArgumentError(absl::StrCat(plan.plan_path, ": more than 128 traces"));
  }
  RETURN_IF_ERROR(CheckMontage(plan));
  RETURN_IF_ERROR(CheckCriteria(plan));
  for (int i = 0; i < plan.plan.evoked_size(); ++i) RETURN_IF_ERROR(CheckEvoked(plan, i));
  for (int i = 0; i < plan.plan.emg_size(); ++i) RETURN_IF_ERROR(CheckEmg(plan, i));
  return CheckTraces(plan);
}

absl::StatusOr<CasePlan> LoadCasePlan(FileSystem& files, const std::string& plan_path) {
  CasePlan plan;
  plan.plan_path = plan_path;
  RETURN_IF_ERROR(ReadTextProto(files, plan_path, &plan.plan));
  if (plan.plan.montage_file().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan_path,
        ": montage_file: is missing: the montage beside the plan, such as \"scoliosis.montage\""));
  }
  plan.montage_path = BesideOf(plan_path, plan.plan.montage_file());
  RETURN_IF_ERROR(ReadTextProto(files, plan.montage_path, &plan.montage));
  if (!plan.plan.criteria_file().empty()) {
    plan.criteria_path = BesideOf(plan_path, plan.plan.criteria_file());
    RETURN_IF_ERROR(ReadTextProto(files, plan.criteria_path, &plan.criteria));
  }
  FillDefaults(&plan.plan);
  RETURN_IF_ERROR(CheckCasePlan(plan));
  return plan;
}

}  // namespace remora::agent
