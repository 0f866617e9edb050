// What can be known to be wrong in a pack of criteria by itself.

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/plan_rules.h"
#include "common/status_macros.h"
#include "dsp/assess/adaptive_criterion.h"
#include "dsp/assess/drift.h"
#include "dsp/assess/fixed_criteria.h"
#include "google/protobuf/descriptor.h"

namespace remora::agent {
namespace {

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

// Fields that this version has words for but judges by no rule: a row with one would look like a
// guard, and be none.
absl::Status CheckWhatIsJudged(const Complaint& at, const v1::Criterion& row) {
  static const std::set<std::string> kJudged = {"key",
                                                "modality",
                                                "source",
                                                "procedure",
                                                "need",
                                                "adaptive",
                                                "drift",
                                                "only_when_named",
                                                "loss_is_amber_only",
                                                "amber_amplitude_fall_percent",
                                                "red_amplitude_fall_percent",
                                                "amber_latency_rise_percent",
                                                "red_latency_rise_percent",
                                                "amber_train_ms",
                                                "red_train_ms",
                                                "minimum_odd_even_correlation",
                                                "maximum_odd_even_difference_percent"};
  std::vector<const google::protobuf::FieldDescriptor*> set;
  row.GetReflection()->ListFields(row, &set);
  for (const auto* field : set) {
    if (kJudged.count(field->name()) > 0) continue;
    return at.At(field->name()).Say("is not judged by this version: leave it out");
  }
  for (int i = 0; i < row.need_size(); ++i) {
    if (row.need(i) == v1::CRITERION_NEED_TRAIN_OF_FOUR) continue;
    return at.At("need").Say(v1::CriterionNeed_Name(row.need(i)),
                             " is not judged by this version; CRITERION_NEED_TRAIN_OF_FOUR is");
  }
  return absl::OkStatus();
}

bool IsOfMuscles(v1::Modality modality) {
  return modality == v1::MODALITY_MEP_TRANSCRANIAL || modality == v1::MODALITY_MEP_DIRECT_CORTICAL;
}

absl::Status CheckKindOfLimits(const Complaint& at, const v1::Criterion& row) {
  const bool fixed = row.amber_amplitude_fall_percent() > 0 ||
                     row.red_amplitude_fall_percent() > 0 || row.amber_latency_rise_percent() > 0 ||
                     row.red_latency_rise_percent() > 0;
  const bool train = row.amber_train_ms() > 0 || row.red_train_ms() > 0;
  if (fixed && train) {
    return at.Say(row.key(), " mixes limits of a train with those of an evoked response");
  }
  const int kinds =
      (fixed ? 1 : 0) + (train ? 1 : 0) + (row.has_adaptive() ? 1 : 0) + (row.has_drift() ? 1 : 0);
  // Of muscles a loss alone is a limit.
  if (kinds == 0 && !IsOfMuscles(row.modality())) return at.Say(row.key(), " has no limit");
  if (kinds > 1) {
    return at.Say(row.key(),
                  " mixes a fixed limit, an adaptive and a drift rule: a row each "
                  "would be right");
  }
  const bool fits = train ? row.modality() == v1::MODALITY_EMG_FREE_RUNNING
                          : IsEvokedModality(row.modality()) || IsOfMuscles(row.modality());
  if (row.modality() != v1::MODALITY_UNSPECIFIED && !fits) {
    return at.At("modality")
        .Say("does not go with limits ", train ? "of a train in EMG" : "of an evoked response");
  }
  if (row.has_drift() && !IsOfMuscles(row.modality())) {
    return at.At("drift").Say("is judged of motor evoked responses alone");
  }
  if (IsOfMuscles(row.modality()) &&
      (row.amber_latency_rise_percent() > 0 || row.red_latency_rise_percent() > 0)) {
    return at.Say(row.key(), ": the latency of a muscle's response is shown, and not judged");
  }
  return absl::OkStatus();
}

absl::Status CheckRules(const Complaint& at, const v1::Criterion& row) {
  if (row.has_adaptive()) {
    const v1::AdaptiveRule& rule = row.adaptive();
    const Complaint here = at.At("adaptive");
    RETURN_IF_ERROR(CheckNumber(here.At("least_fall_percent"), rule.least_fall_percent(), 0, 95,
                                "% (left out: 30)"));
    RETURN_IF_ERROR(
        CheckNumber(here.At("spreads_ratio"), rule.spreads_ratio(), 0, 10, "(left out: 3)"));
    if (rule.least_recent_count() != 0 &&
        (rule.least_recent_count() < 3 || rule.least_recent_count() > 8)) {
      return here.At("least_recent_count")
          .Say(rule.least_recent_count(), " is out of range; 3 to 8 would be right");
    }
    RETURN_IF_ERROR(CheckNumber(here.At("span_s"), rule.span_s(), 0, 14'400, "s"));
  }
  if (!row.has_drift()) return absl::OkStatus();
  return CheckNumber(at.At("drift").At("least_fall_percent"), row.drift().least_fall_percent(), 0,
                     95, "% (left out: 20)");
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
  RETURN_IF_ERROR(CheckWhatIsJudged(at, row));
  RETURN_IF_ERROR(CheckKindOfLimits(at, row));
  RETURN_IF_ERROR(CheckRules(at, row));
  RETURN_IF_ERROR(CheckNumber(at.At("minimum_odd_even_correlation"),
                              row.minimum_odd_even_correlation(), 0, 1, "(1 = equal)"));
  return CheckNumber(at.At("maximum_odd_even_difference_percent"),
                     row.maximum_odd_even_difference_percent(), 0, 200, "%");
}

}  // namespace

absl::Status CheckCriteriaPack(const v1::CriteriaPack& pack, const std::string& path,
                               const FieldPlaces& places) {
  std::vector<std::string> keys;
  for (int i = 0; i < pack.criterion_size(); ++i) {
    const v1::Criterion& row = pack.criterion(i);
    const Complaint at = Complaint::InFile(path, places, absl::StrCat("criterion[", i, "]"));
    RETURN_IF_ERROR(CheckCriterion(at, row));
    if (std::find(keys.begin(), keys.end(), row.key()) != keys.end()) {
      return at.At("key").Say("\"", row.key(), "\" is there twice");
    }
    keys.push_back(row.key());
  }
  const Complaint version = Complaint::InFile(path, places, "version");
  if (!keys.empty() && pack.version().empty()) {
    return version.Say("is missing: every alert names it");
  }
  return CheckLength(version, pack.version(), kMaxNameBytes);
}

}  // namespace remora::agent
