#include "acquisition-agent/surveillance/laryngeal_comparison.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

using Nerve = LaryngealSite::Nerve;

std::string AtCurrent(double ma) { return ma > 0 ? absl::StrCat(" at ", ma, " mA") : ""; }

std::string Delivered(const v1::StimulusSetting& setting) {
  if (setting.delivered_ma() > 0) return absl::StrCat("delivered ", setting.delivered_ma(), " mA");
  if (setting.current_ma() > 0) {
    return absl::StrCat(setting.current_ma(), " mA asked for, not known what was delivered");
  }
  return "current not known";
}

std::string Satisfaction(double amplitude_uv) {
  if (amplitude_uv > kSatisfactoryLaryngealUv) return "satisfactory";
  return absl::StrCat("not satisfactory, over ", kSatisfactoryLaryngealUv, " uV would be");
}

v1::MeasurementState StateAgainst(double fall_percent, double rise_percent) {
  if (fall_percent > kLaryngealRedFallPercent && rise_percent > kLaryngealRedRisePercent) {
    return v1::MEASUREMENT_STATE_RED;
  }
  return fall_percent >= kLaryngealAmberFallPercent || rise_percent >= kLaryngealAmberRisePercent
             ? v1::MEASUREMENT_STATE_AMBER
             : v1::MEASUREMENT_STATE_WITHIN_LIMITS;
}

}  // namespace

double LaryngealComparison::CurrentOf(const v1::StimulusSetting& setting) {
  return setting.delivered_ma() > 0 ? setting.delivered_ma() : setting.current_ma();
}

LaryngealComparison::LaryngealComparison(const ResolvedMotor& plan,
                                         std::shared_ptr<const LatestTrain> trains,
                                         RecordSink& sink)
    : plan_(plan),
      continuous_(plan.plan.modality() == v1::MODALITY_RLN_CONTINUOUS),
      trains_(std::move(trains)),
      sink_(sink),
      series_(plan.muscles.size()) {}

bool LaryngealComparison::IsFor(v1::Modality modality) {
  return modality == v1::MODALITY_RLN_CONTINUOUS || modality == v1::MODALITY_RLN_INTERMITTENT;
}

// The side is the site's word, or else the plan's or the muscle's.
std::optional<LaryngealComparison::Place> LaryngealComparison::PlaceOf(const MotorTrial& trial,
                                                                       size_t muscle,
                                                                       bool* is_second) const {
  *is_second = continuous_;
  if (continuous_) return Place(Nerve::kVagus, v1::SIDE_UNSPECIFIED);
  const std::optional<LaryngealSite> site = LaryngealSiteOf(trial.site);
  if (!site) return std::nullopt;
  *is_second = site->is_second;
  for (const v1::Side side :
       {site->side, plan_.plan.side(), trial.setting.side(), plan_.muscles[muscle].plan.side()}) {
    if (side != v1::SIDE_UNSPECIFIED) return Place(site->nerve, side);
  }
  return std::nullopt;
}

// Without the rate: continuous monitoring slows down behind its baseline by design, and a probe
// that is held by hand has none.
dsp::RecordingConditions LaryngealComparison::ConditionsOf(const MotorTrial& trial,
                                                           size_t muscle) const {
  dsp::RecordingConditions conditions;
  conditions.derivation = plan_.muscles[muscle].plan.derivation();
  conditions.filter = plan_.plan.filter().ShortDebugString();
  if (continuous_) conditions.stimulus_site = trial.site;
  conditions.sample_rate_hz = trial.timebase.sample_rate_hz;
  if (CurrentOf(trial.setting) > 0) {
    conditions.stimulus_intensity_ma = CurrentOf(trial.setting);
  }
  return conditions;
}

void LaryngealComparison::Compare(const MotorTrial& trial, size_t muscle, int64_t now_ns,
                                  v1::Measurement* measurement) {
  bool is_second = false;
  const std::optional<Place> place = PlaceOf(trial, muscle, &is_second);
  std::vector<std::string> reasons;
  if (!measurement->reason().empty()) reasons.push_back(measurement->reason());
  if (place && is_second && place->first != Nerve::kLaryngoscopy) {
    Series& series = SeriesAt(muscle, *place);
    if (!continuous_ && !series.baseline) TryFirst(muscle, *place, &series, now_ns);
    if (series.baseline) {
      Hold(*series.baseline, trial, muscle, &reasons, measurement);
    } else if (!series.why_none.empty()) {
      reasons.push_back(absl::StrCat("no baseline: ", series.why_none));
    }
  }
  const dsp::MotorResponse& response = trial.answers[muscle].response;
  if (response.presence == dsp::Presence::kAbsent || response.amplitude_uv < kLostLaryngealUv) {
    reasons.push_back(InitialResponse(muscle, place));
    reasons.push_back(Delivered(trial.setting));
    const std::string train = trains_ ? trains_->Before(trial.stimulus.time_ns) : "";
    if (!train.empty()) reasons.push_back(train);
  }
  measurement->set_reason(absl::StrJoin(reasons, "; "));
}

void LaryngealComparison::Hold(const Baseline& baseline, const MotorTrial& trial, size_t muscle,
                               std::vector<std::string>* reasons,
                               v1::Measurement* measurement) const {
  const dsp::MotorResponse& response = trial.answers[muscle].response;
  *measurement->mutable_baseline() = ToProto(baseline.id);
  const double percent = 100 * FiniteOr0(response.amplitude_uv) / baseline.amplitude_uv;
  measurement->set_amplitude_percent_of_baseline(percent);
  const std::vector<std::string> differences =
      dsp::Differences(baseline.conditions, ConditionsOf(trial, muscle));
  if (!differences.empty()) {
    measurement->add_quality(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE);
    reasons->push_back(
        absl::StrCat("differs from the baseline: ", absl::StrJoin(differences, ", ")));
  }
  if (response.presence == dsp::Presence::kAbsent) return;
  const double rise = FiniteOr0(100 * (response.first.latency_ms / baseline.latency_ms - 1));
  measurement->set_latency_change_percent(rise);
  // Another current or filter makes another response: that it fell then says nothing of the nerve.
  if (!differences.empty()) {
    measurement->set_state(v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
    return;
  }
  // The place of a doubtful peak judges nothing.
  const bool certain = response.presence == dsp::Presence::kPresent;
  measurement->set_state(StateAgainst(100 - percent, certain ? rise : 0));
}

std::string LaryngealComparison::InitialResponse(size_t muscle,
                                                 const std::optional<Place>& place) const {
  constexpr char kNone[] = "no initial response on record";
  if (!place) return kNone;
  const std::map<Place, Series>& all = series_[muscle];
  for (const Nerve nerve : {place->first, Nerve::kVagus, Nerve::kRecurrent}) {
    const auto found = all.find({nerve, place->second});
    if (found == all.end()) continue;
    const Series& series = found->second;
    LaryngealSite site;
    site.nerve = nerve;
    site.side = place->second;
    const std::string name = continuous_ ? "baseline" : NameOf(site);
    if (series.baseline) {
      return absl::StrFormat("initial response %s %.0f uV%s: %s", name,
                             series.baseline->amplitude_uv,
                             AtCurrent(CurrentOf(series.baseline->setting)),
                             Satisfaction(series.baseline->amplitude_uv));
    }
    if (series.kept.empty()) continue;
    // The best so far: a probe that slipped is no initial response.
    const Answer& best = *std::max_element(
        series.kept.begin(), series.kept.end(), [](const Answer& a, const Answer& b) {
          return std::pair(a.present, a.amplitude_uv) < std::pair(b.present, b.amplitude_uv);
        });
    const std::string from = continuous_ ? "before a baseline" : name;
    if (!best.present) {
      return absl::StrCat("initial response ", from, AtCurrent(CurrentOf(best.setting)), ": none");
    }
    return absl::StrFormat("initial response %s %.0f uV%s: %s", from, best.amplitude_uv,
                           AtCurrent(CurrentOf(best.setting)), Satisfaction(best.amplitude_uv));
  }
  return kNone;
}

}  // namespace remora::agent
