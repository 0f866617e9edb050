#include "acquisition-agent/surveillance/muscle_reference.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/baseline_records.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

// Peak to peak, what noise comes to in a window of a limb's length and what more is asked of a
// response (dsp/motor/motor_response.h), of its rms: 1.25 x 2 sqrt(2 ln 900).
constexpr double kHiddenOverNoise = 9.2;

v1::Monitorability MonitorabilityOf(dsp::Monitorability of) {
  switch (of) {
    case dsp::Monitorability::kMonitorable:
      return v1::MONITORABILITY_MONITORABLE;
    case dsp::Monitorability::kPresenceOnly:
      return v1::MONITORABILITY_PRESENCE_ONLY;
    case dsp::Monitorability::kNotMonitorable:
      break;
  }
  return v1::MONITORABILITY_NOT_MONITORABLE;
}

dsp::Monitorability FromRecorded(v1::Monitorability of) {
  switch (of) {
    case v1::MONITORABILITY_MONITORABLE:
      return dsp::Monitorability::kMonitorable;
    case v1::MONITORABILITY_PRESENCE_ONLY:
      return dsp::Monitorability::kPresenceOnly;
    default:
      return dsp::Monitorability::kNotMonitorable;
  }
}

void Describe(const dsp::MotorBaseline& baseline, v1::MuscleBaseline* told) {
  told->set_monitorability(MonitorabilityOf(baseline.monitorability));
  told->set_reason(baseline.reason);
  told->set_lowest_uv(baseline.lowest_uv);
  told->set_highest_uv(baseline.highest_uv);
  told->set_cv_ratio(FiniteOr0(baseline.cv));
  told->set_log_spread_ratio(FiniteOr0(baseline.log_spread));
  told->set_trial_count(static_cast<uint32_t>(baseline.trials));
  told->set_absent_count(static_cast<uint32_t>(baseline.absent));
}

}  // namespace

double HiddenUv(const MuscleAnswer& answer, const v1::MotorPlan& plan) {
  const double noise_uv = FiniteOr0(answer.response.noise_uv) * kHiddenOverNoise;
  const double there_uv = answer.response.presence == dsp::Presence::kAbsent
                              ? FiniteOr0(answer.response.amplitude_uv)
                              : 0;
  return std::max({plan.present_over_uv(), noise_uv, there_uv, 1.0});
}

dsp::RecordingConditions MuscleReference::ConditionsOf(const v1::StimulusSetting& setting) const {
  dsp::RecordingConditions conditions;
  conditions.derivation = plan_.muscles[muscle_].plan.derivation();
  conditions.filter = plan_.plan.filter().ShortDebugString();
  conditions.stimulus_site = absl::StrCat(setting.site(), setting.electrodes());
  conditions.sample_rate_hz = plan_.muscles[muscle_].derivation.sample_rate_hz;
  const double ma = setting.delivered_ma() > 0 ? setting.delivered_ma() : setting.current_ma();
  const double v = setting.delivered_v() > 0 ? setting.delivered_v() : setting.voltage_v();
  if (ma > 0) conditions.stimulus_intensity_ma = ma;
  if (v > 0) conditions.stimulus_intensity_v = v;
  return conditions;
}

void MuscleReference::Keep(const MotorTrial& trial, const RecordKey& sweep) {
  const MuscleAnswer& answer = trial.answers[muscle_];
  if (!answer.is_good()) return;
  Trial& kept = trials_.emplace_back();
  kept.sweep = sweep;
  kept.present = answer.response.presence != dsp::Presence::kAbsent;
  kept.amplitude_uv = FiniteOr0(answer.response.amplitude_uv);
  kept.latency_ms = kept.present ? FiniteOr0(answer.response.first.latency_ms) : 0;
  kept.hidden_uv = HiddenUv(answer, plan_.plan);
  kept.uv = answer.uv;
  kept.timebase = trial.timebase;
  kept.uv_per_count = answer.uv_per_count;
  kept.setting = trial.setting;
  kept.conditions = ConditionsOf(trial.setting);
  if (trials_.size() > kMost) trials_.pop_front();
}

std::vector<const MuscleReference::Trial*> MuscleReference::Usable(size_t most) const {
  std::vector<const Trial*> usable;
  for (auto one = trials_.rbegin(); one != trials_.rend() && usable.size() < most; ++one) {
    if (!usable.empty() && !dsp::Differences(usable[0]->conditions, one->conditions).empty()) {
      break;
    }
    usable.push_back(&*one);
  }
  std::reverse(usable.begin(), usable.end());
  return usable;
}

absl::StatusOr<std::vector<const MuscleReference::Trial*>> MuscleReference::Named(
    const v1::BaselineSet& asked) const {
  std::vector<const Trial*> named;
  for (const v1::RecordId& id : asked.sweeps()) {
    const RecordKey key = FromProto(id);
    const auto found = std::find_if(trials_.begin(), trials_.end(),
                                    [&](const Trial& one) { return one.sweep == key; });
    if (found == trials_.end()) {
      return absl::FailedPreconditionError(absl::StrCat("sweep ", id.origin_seq(),
                                                        " is not one of the last ", kMost,
                                                        " good trials of this muscle"));
    }
    if (!named.empty() && !dsp::Differences(named[0]->conditions, found->conditions).empty()) {
      return absl::FailedPreconditionError("the trials differ in stimulus or recording");
    }
    named.push_back(&*found);
  }
  return named;
}

dsp::BaselinePlace MuscleReference::PlaceFor(v1::BaselineKind kind) const {
  if (empty()) return dsp::BaselinePlace::kFirst;
  const bool is_before_incision =
      kind == v1::BASELINE_KIND_PRE_INCISION && !at(dsp::BaselinePlace::kPreIncision);
  return is_before_incision ? dsp::BaselinePlace::kPreIncision : dsp::BaselinePlace::kCurrent;
}

absl::StatusOr<MuscleReference::Draft> MuscleReference::MakeDraft(const v1::BaselineSet& asked,
                                                                  size_t trials) const {
  ASSIGN_OR_RETURN(std::vector<const Trial*> from, Named(asked));
  // A single one that is named stands for "now": one trial is no reference.
  if (from.size() < dsp::kMinMotorBaselineTrials && from.size() <= 1) {
    from = Usable(std::max<size_t>(trials, dsp::kMinMotorBaselineTrials));
  }
  if (from.size() < dsp::kMinMotorBaselineTrials) {
    return absl::FailedPreconditionError(
        absl::StrCat(from.size(),
                     " good trials of the same stimulus: a muscle's baseline is the "
                     "median of at least ",
                     dsp::kMinMotorBaselineTrials));
  }
  std::vector<dsp::MotorBaselineTrial> measured;
  std::vector<double> mean_uv(from.back()->uv.size());
  double hidden_uv = 0;
  size_t of_mean = 0;
  Draft draft;
  draft.set = asked;
  draft.set.clear_sweeps();
  for (const Trial* trial : from) {
    measured.push_back({trial->present, trial->amplitude_uv, trial->latency_ms});
    hidden_uv = std::max(hidden_uv, trial->hidden_uv);
    *draft.set.add_sweeps() = ToProto(trial->sweep);
    if (trial->uv.size() != mean_uv.size()) continue;
    for (size_t i = 0; i < mean_uv.size(); ++i) mean_uv[i] += trial->uv[i];
    ++of_mean;
  }
  for (double& value : mean_uv) value /= static_cast<double>(std::max<size_t>(of_mean, 1));
  ASSIGN_OR_RETURN(draft.reference.baseline, dsp::MakeMotorBaseline(measured, hidden_uv));
  draft.place = PlaceFor(asked.kind());
  draft.reference.kind = asked.kind();
  draft.reference.mean_uv = mean_uv;
  draft.reference.timebase = from.back()->timebase;
  draft.reference.conditions = from.back()->conditions;
  const v1::Sweep packed = PackTrace(mean_uv, from.back()->timebase, from.back()->uv_per_count,
                                     plan_.plan.filter().low_pass_hz());
  draft.set.set_trace_id(plan_.muscles[muscle_].trace_id);
  draft.set.set_amplitude_uv(draft.reference.baseline.amplitude_uv);
  draft.set.set_latency_ms(draft.reference.baseline.latency_ms);
  draft.set.set_component("response");
  *draft.set.mutable_average() = packed.average();
  draft.set.set_first_sample_ms(packed.first_sample_ms());
  draft.set.set_sample_rate_hz(packed.sample_rate_hz());
  *draft.set.mutable_filter() = plan_.plan.filter();
  *draft.set.mutable_stimulus() = from.back()->setting;
  Describe(draft.reference.baseline, draft.set.mutable_muscle());
  Seal(&draft.set);
  return draft;
}

void MuscleReference::Add(Draft draft, const RecordKey& id, int64_t now_ns) {
  draft.reference.id = id;
  draft.reference.set_at_ns = now_ns;
  newest_ = draft.place;
  references_[static_cast<size_t>(draft.place)] = std::move(draft.reference);
}

absl::StatusOr<MuscleReference::Draft> MuscleReference::FromRecord(
    const CasePast::Baseline& past) const {
  const v1::BaselineSet& set = past.set;
  if (!set.has_muscle() || set.muscle().trial_count() == 0) {
    return absl::FailedPreconditionError("it does not say how its trials varied");
  }
  Draft draft;
  draft.place = PlaceFor(set.kind());
  draft.set = set;
  dsp::MotorBaseline& baseline = draft.reference.baseline;
  baseline.monitorability = FromRecorded(set.muscle().monitorability());
  baseline.reason = set.muscle().reason();
  baseline.amplitude_uv = set.amplitude_uv();
  baseline.latency_ms = set.latency_ms();
  baseline.lowest_uv = set.muscle().lowest_uv();
  baseline.highest_uv = set.muscle().highest_uv();
  baseline.cv = set.muscle().cv_ratio();
  baseline.log_spread = set.muscle().log_spread_ratio();
  baseline.trials = static_cast<int>(set.muscle().trial_count());
  baseline.absent = static_cast<int>(set.muscle().absent_count());
  const absl::StatusOr<std::vector<double>> mean = UnpackMicrovolts(set.average());
  if (mean.ok()) draft.reference.mean_uv = *mean;
  draft.reference.timebase = {set.sample_rate_hz(), set.first_sample_ms()};
  draft.reference.kind = set.kind();
  draft.reference.conditions = ConditionsOf(set.stimulus());
  draft.reference.conditions.filter = set.filter().ShortDebugString();
  return draft;
}

const MuscleReference::Reference* MuscleReference::newest() const {
  return newest_ && at(*newest_) ? &*at(*newest_) : nullptr;
}

std::vector<std::string> MuscleReference::DifferencesTo(const MotorTrial& trial) const {
  const Reference* reference = newest();
  if (reference == nullptr) return {};
  return dsp::Differences(reference->conditions, ConditionsOf(trial.setting));
}

}  // namespace remora::agent
