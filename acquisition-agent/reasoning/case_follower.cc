#include "acquisition-agent/reasoning/case_follower.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "dsp/assess/causes/differential.h"
#include "dsp/assess/causes/feature.h"

namespace remora::agent {
namespace {

constexpr size_t kMostCauses = 3;
// A third cause that comes and goes is no news, and a weak one is no third.
constexpr int kMostThatMatter = 2;
constexpr int64_t kAgainNs = int64_t{60} * 1'000'000'000;
constexpr size_t kMostEvidence = 6;
constexpr size_t kMostMissing = 5;
// Alerts that are followed at once: more is a case in which everything alarms.
constexpr size_t kMostAlerts = 32;

v1::CauseSupport SupportOf(dsp::Support support) {
  switch (support) {
    case dsp::Support::kWeak:
      return v1::CAUSE_SUPPORT_WEAK;
    case dsp::Support::kSome:
      return v1::CAUSE_SUPPORT_SOME;
    case dsp::Support::kStrong:
      return v1::CAUSE_SUPPORT_STRONG;
  }
  return v1::CAUSE_SUPPORT_WEAK;
}

v1::CauseGroup GroupOf(dsp::CauseGroup group) {
  switch (group) {
    case dsp::CauseGroup::kTechnical:
      return v1::CAUSE_GROUP_TECHNICAL;
    case dsp::CauseGroup::kSystemic:
      return v1::CAUSE_GROUP_SYSTEMIC;
    case dsp::CauseGroup::kPosition:
      return v1::CAUSE_GROUP_POSITION;
    case dsp::CauseGroup::kSurgical:
      return v1::CAUSE_GROUP_SURGICAL;
  }
  return v1::CAUSE_GROUP_UNSPECIFIED;
}

std::string Cut(const std::string& text) {
  size_t end = std::min(text.size(), kMaxReasonBytes);
  while (end > 0 && end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// A train in EMG is a cause's sign, and has none to be told apart.
bool IsOfAResponse(const v1::Alert& alert) {
  return alert.alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL &&
         alert.kind() != v1::ALERT_KIND_TRAIN;
}

bool IsOfInterest(const v1::Record& record) {
  switch (record.body_case()) {
    case v1::Record::kMeasurement:
    case v1::Record::kTrainOfFour:
    case v1::Record::kVitals:
    case v1::Record::kDrugGiven:
    case v1::Record::kImpedances:
    case v1::Record::kPositionChange:
    case v1::Record::kPhaseChange:
    case v1::Record::kStimulusChange:
    case v1::Record::kSourceNote:
    case v1::Record::kAnnotation:
      return true;
    default:
      return false;
  }
}

}  // namespace

void CaseFollower::OnAlert(const v1::Alert& alert, const RecordKey& key) {
  const RecordKey raised_by = alert.has_raised_by() ? FromProto(alert.raised_by()) : key;
  if (alert.condition() == v1::ALERT_CONDITION_RECOVERED) {
    on_.erase(raised_by);
    return;
  }
  On& on = on_[raised_by];
  on.newest = key;
  on.alert = alert;
  if (on_.size() <= kMostAlerts) return;
  on_.erase(std::min_element(on_.begin(), on_.end(), [](const auto& a, const auto& b) {
    return a.second.alert.onset_monotonic_ns() < b.second.alert.onset_monotonic_ns();
  }));
}

std::vector<v1::CauseRanking> CaseFollower::OnRecord(const v1::Record& record, const RecordKey& key,
                                                     int64_t at_ns) {
  if (record.has_case_plan_set()) traces_.OnPlan(record.case_plan_set());
  if (record.has_measurement()) traces_.OnMeasurement(record.measurement(), at_ns);
  patient_.OnRecord(record, at_ns);
  const bool is_alert = record.has_alert() && IsOfAResponse(record.alert());
  if (is_alert) OnAlert(record.alert(), key);
  std::vector<v1::CauseRanking> told;
  if (!is_alert && !IsOfInterest(record)) return told;
  for (auto& [raised_by, on] : on_) {
    if (is_alert && on.newest != key) continue;
    // An alert that has become louder is told at once, what else is new now and then.
    const bool calls = is_alert && record.alert().priority() > on.told_priority;
    if (!calls && at_ns - on.told_ns < kAgainNs) continue;
    v1::CauseRanking ranking = Rank(raised_by, on, at_ns);
    // Again only where the first causes or the test are other ones.
    std::string order = OrderOf(ranking);
    if (order == on.told) continue;
    on.told = std::move(order);
    on.told_ns = at_ns;
    on.told_priority = std::max(on.told_priority, on.alert.priority());
    told.push_back(std::move(ranking));
  }
  return told;
}

std::string CaseFollower::OrderOf(const v1::CauseRanking& ranking) {
  std::string order = ranking.separating_test();
  for (int i = 0; i < std::min(ranking.causes_size(), kMostThatMatter); ++i) {
    absl::StrAppend(&order, "|", ranking.causes(i).key());
    if (i == 0) absl::StrAppend(&order, ":", ranking.causes(i).support());
  }
  return order;
}

dsp::CasePicture CaseFollower::PictureOf(const v1::Alert& alert, int64_t now_ns) const {
  const int64_t onset_ns = alert.onset_monotonic_ns();
  dsp::CasePicture picture;
  picture.traces = traces_.Pictured(onset_ns);
  picture.time_course = traces_.TimeCourseOf(alert);
  picture.d_wave = traces_.DWave(onset_ns);
  picture.baep = traces_.Baep(onset_ns);
  picture.fits_fade = traces_.FitsFade(onset_ns);
  FollowedPatient::About about;
  const std::vector<std::string> changed = traces_.Changed(onset_ns);
  for (const auto& [id, place] : traces_.places()) {
    if (std::find(changed.begin(), changed.end(), place.name) == changed.end()) continue;
    about.electrodes.insert(about.electrodes.end(), place.electrodes.begin(),
                            place.electrodes.end());
    // "C3-C4": the electrodes of the skull.
    for (const auto electrode : absl::StrSplit(place.stimulus, '-', absl::SkipEmpty())) {
      about.stimulating.emplace_back(electrode);
    }
    if (!place.myotome.empty()) {
      about.myotomes.push_back(place.myotome);
      about.myotomes.push_back(place.name);
    }
    about.modalities.push_back(place.modality);
    about.parts.push_back(place.part);
  }
  patient_.Fill(about, now_ns, &picture);
  return picture;
}

v1::CauseRanking CaseFollower::Rank(const RecordKey& raised_by, const On& on,
                                    int64_t now_ns) const {
  const std::vector<dsp::SeenFeature> seen = dsp::SeeFeatures(PictureOf(on.alert, now_ns), model_);
  const dsp::Differential differential = dsp::RankCauses(model_, seen);
  v1::CauseRanking ranking;
  *ranking.mutable_alert() = ToProto(raised_by);
  *ranking.mutable_made_for() = ToProto(on.newest);
  ranking.set_table(absl::StrCat(model_.name, " ", model_.version));
  for (const std::string& name : traces_.Changed(on.alert.onset_monotonic_ns())) {
    ranking.add_changed(name);
  }
  const auto tell = [&](const dsp::CauseEvidence& evidence, v1::CauseEvidence* told) {
    const dsp::CauseFeature& feature = model_.features[evidence.feature];
    told->set_feature(feature.name);
    told->set_words(Cut(feature.values[evidence.value].words));
    told->set_seen_on(Cut(seen[evidence.feature].seen_on));
  };
  for (const dsp::RankedCause& ranked : differential.ranked) {
    if (static_cast<size_t>(ranking.causes_size()) >= kMostCauses) break;
    const bool is_third = ranking.causes_size() >= kMostThatMatter;
    if (is_third && ranked.support == dsp::Support::kWeak) break;
    const dsp::Cause& cause = model_.causes[ranked.cause];
    v1::RankedCause& told = *ranking.add_causes();
    told.set_key(cause.key);
    told.set_name(cause.name);
    told.set_group(GroupOf(cause.group));
    told.set_support(SupportOf(ranked.support));
    told.set_source(cause.source);
    for (size_t i = 0; i < std::min(ranked.evidence_for.size(), kMostEvidence); ++i) {
      tell(ranked.evidence_for[i], told.add_evidence_for());
    }
    for (size_t i = 0; i < std::min(ranked.evidence_against.size(), kMostEvidence); ++i) {
      tell(ranked.evidence_against[i], told.add_evidence_against());
    }
    for (size_t i = 0; i < std::min(ranked.missing.size(), kMostMissing); ++i) {
      const size_t feature = ranked.missing[i];
      const std::string& why = seen[feature].why_missing;
      told.add_missing(
          Cut(absl::StrCat(model_.features[feature].name, why.empty() ? "" : ": ", why)));
    }
    if (ranked.kept_by) told.set_kept_by(Cut(model_.kept[*ranked.kept_by].reason));
  }
  if (differential.separating_feature) {
    ranking.set_separating_test(Cut(model_.features[*differential.separating_feature].test));
  }
  return ranking;
}

}  // namespace remora::agent
