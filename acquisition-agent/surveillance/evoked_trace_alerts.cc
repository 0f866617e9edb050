// EvokedTrace: what a finished average means: its measurement, the criteria, the alerts.
#include "acquisition-agent/surveillance/evoked_trace.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/component_marks.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

dsp::ResponseState ResponseOf(dsp::Presence presence) {
  switch (presence) {
    case dsp::Presence::kPresent:
      return dsp::ResponseState::kPresent;
    case dsp::Presence::kUncertain:
      return dsp::ResponseState::kUncertain;
    case dsp::Presence::kAbsent:
      return dsp::ResponseState::kAbsent;
  }
  return dsp::ResponseState::kUncertain;
}

// Peak to peak of an average that is all noise, and how far noise moves one that is not, of its
// rms.
constexpr double kHiddenOverNoise = 2;
constexpr double kPeakToPeakNoise = 1.414;
constexpr double kLeastAmplitudeUv = 1e-3;

}  // namespace

v1::Measurement EvokedTrace::DescribeMeasurement(const Finished& finished) const {
  v1::Measurement measurement;
  measurement.set_trace_id(plan_.trace_id);
  measurement.set_modality(plan_.plan.modality());
  measurement.set_side(plan_.plan.side());
  *measurement.mutable_sweep() = ToProto(finished.sweep);
  measurement.set_component(ComponentName());
  measurement.set_amplitude_uv(FiniteOr0(finished.marking.amplitude_uv));
  measurement.set_latency_ms(FiniteOr0(finished.marking.first.latency_ms));
  measurement.set_interpeak_ms(FiniteOr0(finished.marking.inter_peak_ms));
  measurement.set_confidence(ConfidenceOf(finished.marking.presence));
  measurement.set_block_index(finished.average.block_index);
  for (const v1::QualityFlag flag : finished.average.quality) measurement.add_quality(flag);
  if (finished.marking.presence == dsp::Presence::kUncertain) {
    measurement.add_quality(v1::QUALITY_FLAG_UNCERTAIN_MARK);
  }
  if (!finished.reproducible) measurement.add_quality(v1::QUALITY_FLAG_NOT_REPRODUCIBLE);
  for (const v1::IntervalPlan& interval : plan_.plan.interval()) {
    *measurement.add_intervals() =
        MeasureInterval(interval, finished.marks,
                        baselines_.empty() ? std::vector<v1::PeakMark>() : baselines_.back().marks);
  }
  if (baselines_.empty()) return measurement;
  const Baseline& newest = baselines_.back();
  *measurement.mutable_baseline() = ToProto(newest.id);
  measurement.set_amplitude_percent_of_baseline(
      FiniteOr0(100 * finished.marking.amplitude_uv / newest.amplitude_uv));
  if (finished.marking.presence != dsp::Presence::kAbsent) {
    measurement.set_latency_change_percent(
        FiniteOr0(100 * (finished.marking.first.latency_ms / newest.latency_ms - 1)));
  }
  if (baselines_.size() < 2) return measurement;
  const Baseline& first = baselines_.front();
  *measurement.mutable_first_baseline() = ToProto(first.id);
  measurement.set_first_amplitude_percent(
      FiniteOr0(100 * finished.marking.amplitude_uv / first.amplitude_uv));
  if (finished.marking.presence != dsp::Presence::kAbsent) {
    measurement.set_first_latency_change_percent(
        FiniteOr0(100 * (finished.marking.first.latency_ms / first.latency_ms - 1)));
  }
  return measurement;
}

MeasuredAverage EvokedTrace::PutMeasurement(const Finished& finished, v1::Record* record,
                                            int64_t now_ns) {
  MeasuredAverage measured;
  measured.record = sink_.Put(record, now_ns);
  measured.measurement = record->measurement();
  measured.first_stimulus_ns = finished.average.first_stimulus_ns;
  measured.last_stimulus_ns = finished.average.last_stimulus_ns;
  return measured;
}

MeasuredAverage EvokedTrace::Judge(const Finished& finished, int64_t now_ns) {
  v1::Record record;
  v1::Measurement& measurement = *record.mutable_measurement();
  measurement = DescribeMeasurement(finished);
  const bool absent = finished.marking.presence == dsp::Presence::kAbsent;
  std::vector<std::string> reasons;
  if (finished.marking.doubts != 0) reasons.push_back(dsp::DoubtText(finished.marking.doubts));
  if (baselines_.empty()) {
    measurement.set_state(absent ? v1::MEASUREMENT_STATE_NO_RESPONSE
                                 : v1::MEASUREMENT_STATE_NO_BASELINE);
    if (!finished.reproducible) reasons.push_back("odd and even averages differ");
    measurement.set_reason(absl::StrJoin(reasons, "; "));
    return PutMeasurement(finished, &record, now_ns);
  }
  std::vector<Judgement> judgements;
  dsp::AlertLevel worst = dsp::AlertLevel::kNormal;
  bool assessed = rows_.empty();
  for (Row& row : rows_) {
    judgements.push_back(JudgeRow(&row, finished));
    const dsp::Assessment& assessment = judgements.back().assessment;
    worst = std::max(worst, assessment.trial_level);
    const std::string why = WhyNot(assessment.interpretability);
    assessed = assessed || why.empty();
    if (!why.empty() && std::find(reasons.begin(), reasons.end(), why) == reasons.end()) {
      reasons.push_back(why);
    }
  }
  const std::vector<std::string> differences =
      dsp::Differences(baselines_.back().conditions, ConditionsOf(finished.average));
  if (!differences.empty()) {
    measurement.add_quality(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE);
    reasons.push_back(
        absl::StrCat("differs from the baseline: ", absl::StrJoin(differences, ", ")));
  }
  if (!assessed) {
    measurement.set_state(v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
  } else if (absent) {
    measurement.set_state(v1::MEASUREMENT_STATE_NO_RESPONSE);
  } else {
    measurement.set_state(worst == dsp::AlertLevel::kRed     ? v1::MEASUREMENT_STATE_RED
                          : worst == dsp::AlertLevel::kAmber ? v1::MEASUREMENT_STATE_AMBER
                                                             : v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  }
  measurement.set_reason(absl::StrJoin(reasons, "; "));
  for (const Row& row : rows_) {
    if (!row.adaptive || !row.recent.comparison) continue;
    measurement.set_recent_amplitude_uv(FiniteOr0(row.recent.comparison->centre));
    measurement.set_recent_count(static_cast<uint32_t>(row.recent.comparison->trials));
    measurement.set_recent_is_frozen(row.recent.frozen);
  }
  MeasuredAverage measured = PutMeasurement(finished, &record, now_ns);
  for (size_t i = 0; i < rows_.size(); ++i) MoveAlert(&rows_[i], judgements[i], finished, now_ns);
  return measured;
}

EvokedTrace::Judgement EvokedTrace::JudgeRow(Row* row, const Finished& finished) {
  const EvokedAverage& average = finished.average;
  dsp::TrialMeasurement trial;
  trial.response = ResponseOf(finished.marking.presence);
  trial.amplitude_uv = finished.marking.amplitude_uv;
  trial.latency_ms = finished.marking.first.latency_ms;
  trial.residual_noise_uv = average.noise_uv;
  trial.technically_valid =
      average.decided || average.accepted >= kMinAcceptedShare * average.requested;
  trial.reproducible =
      dsp::CompareHalves(average.odd_uv, average.even_uv, average.timebase, GateWindow(), row->gate)
          .reproducible();
  Judgement worst;
  for (size_t i = 0; i < row->against.size(); ++i) {
    dsp::TrialMeasurement against = trial;
    against.differences = dsp::Differences(baselines_[i].conditions, ConditionsOf(average));
    // What is not there has no latency: a loss is for the row that judges amplitude.
    if (!row->has_amplitude && trial.response == dsp::ResponseState::kAbsent) {
      against.technically_valid = false;
    }
    const dsp::Assessment assessment = row->against[i].Update(against);
    // The newer baseline speaks where both say the same.
    if (i == 0 || assessment.level >= worst.assessment.level) worst = {assessment, i};
  }
  if (row->adaptive) JudgeRecent(row, finished, &worst);
  return worst;
}

void EvokedTrace::JudgeRecent(Row* row, const Finished& finished, Judgement* judgement) {
  dsp::Assessment& assessment = judgement->assessment;
  assessment.level = row->adaptive->level();
  assessment.trial_level = dsp::AlertLevel::kNormal;
  if (!WhyNot(assessment.interpretability).empty()) return;
  const double noise_uv = FiniteOr0(finished.average.noise_uv);
  dsp::AdaptiveTrial trial;
  trial.time_ns = finished.average.last_stimulus_ns;
  trial.lost = finished.marking.presence == dsp::Presence::kAbsent;
  // Of what is not there: the most that noise would hide.
  const double least_uv = std::max(kHiddenOverNoise * noise_uv, kLeastAmplitudeUv);
  trial.value = trial.lost ? least_uv : std::max(finished.marking.amplitude_uv, kLeastAmplitudeUv);
  trial.floor_spread = kPeakToPeakNoise * noise_uv / trial.value;
  trial.like_for_like = assessment.interpretability != dsp::Interpretability::kNotLikeForLike;
  row->recent = row->adaptive->Update(trial);
  assessment.level = row->recent.level;
  if (row->recent.suspect)
    assessment.trial_level = std::max(row->recent.level, dsp::AlertLevel::kAmber);
}

bool EvokedTrace::IsCalledByFixed(dsp::AlertLevel level) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    return !row.adaptive && row.has_amplitude && row.level >= level && row.alert.is_on();
  });
}

v1::AlertKind EvokedTrace::KindOf(const Row& row, const Finished& finished) {
  if (row.adaptive) return v1::ALERT_KIND_ADAPTIVE;
  return finished.marking.presence == dsp::Presence::kAbsent ? v1::ALERT_KIND_LOSS
                                                             : v1::ALERT_KIND_ABSOLUTE;
}

void EvokedTrace::MoveAlert(Row* row, const Judgement& judgement, const Finished& finished,
                            int64_t now_ns) {
  const dsp::Assessment& assessment = judgement.assessment;
  const bool judged = WhyNot(assessment.interpretability).empty();
  row->level = assessment.level;
  if (row->level == dsp::AlertLevel::kNormal) {
    if (row->alert.is_open() && row->lost_its_baseline) return;
    if (row->alert.is_on()) {
      row->alert.Recover(DescribeAlert(*row, judgement, finished), now_ns, sink_);
    }
    return;
  }
  // An average that could not be judged has no new numbers.
  if (row->alert.is_on() && !judged) return;
  // What the fixed limit already calls as loud is not called a second time, nor anew by what only
  // is on its way back.
  if (row->adaptive && !row->alert.is_on() &&
      (IsCalledByFixed(row->level) || !row->recent.suspect)) {
    return;
  }
  row->alert.Show(DescribeAlert(*row, judgement, finished), finished.average.first_stimulus_ns,
                  now_ns, sink_);
}

std::string EvokedTrace::Summary(const Row& row, const Judgement& judgement,
                                 const Finished& finished) const {
  const Baseline& baseline = baselines_[judgement.baseline];
  const double percent = 100 * finished.marking.amplitude_uv / baseline.amplitude_uv - 100;
  const double rise = 100 * (finished.marking.first.latency_ms / baseline.latency_ms - 1);
  std::string what;
  if (row.level == dsp::AlertLevel::kNormal) {
    what = absl::StrFormat("back within limits, %s %+.0f %%, %s %+.1f %%", ComponentName(), percent,
                           plan_.plan.component(0).label(), rise);
  } else if (finished.marking.presence == dsp::Presence::kAbsent) {
    what = absl::StrFormat("%s lost (was %.1f uV)", ComponentName(), baseline.amplitude_uv);
  } else if (row.adaptive && row.recent.comparison) {
    what = absl::StrFormat("%s %.0f %% less than in its last %d averages", ComponentName(),
                           row.recent.comparison->fall_percent, row.recent.comparison->trials);
  } else if (row.has_amplitude) {
    what = absl::StrFormat("%s %+.0f %%", ComponentName(), percent);
  } else {
    what = absl::StrFormat("%s %+.1f %% (%.1f ms)", plan_.plan.component(0).label(), rise,
                           finished.marking.first.latency_ms);
  }
  return absl::StrCat(StimulusText(plan_.plan), " ", plan_.plan.derivation(), ": ", what,
                      " (limit ", LimitText(row.criterion, row.level), ")");
}

v1::Alert EvokedTrace::DescribeAlert(const Row& row, const Judgement& judgement,
                                     const Finished& finished) const {
  const Baseline& baseline = baselines_[judgement.baseline];
  const bool absent = finished.marking.presence == dsp::Presence::kAbsent;
  v1::Alert alert;
  alert.set_priority(row.level == dsp::AlertLevel::kRed     ? v1::ALERT_PRIORITY_HIGH
                     : row.level == dsp::AlertLevel::kAmber ? v1::ALERT_PRIORITY_MEDIUM
                                                            : v1::ALERT_PRIORITY_INFORMATION);
  alert.set_kind(KindOf(row, finished));
  alert.set_alert_class(v1::ALERT_CLASS_PHYSIOLOGICAL);
  alert.set_trace_id(plan_.trace_id);
  alert.set_modality(plan_.plan.modality());
  alert.set_side(plan_.plan.side());
  alert.set_derivation(plan_.plan.derivation());
  *alert.mutable_criterion() = ReferenceTo(row.criterion, criteria_version_);
  alert.set_summary(Summary(row, judgement, finished));

  v1::AlertEvidence& evidence = *alert.mutable_evidence();
  evidence.set_component(ComponentName());
  evidence.set_amplitude_uv(FiniteOr0(finished.marking.amplitude_uv));
  evidence.set_baseline_amplitude_uv(baseline.amplitude_uv);
  evidence.set_amplitude_percent_of_baseline(
      FiniteOr0(100 * finished.marking.amplitude_uv / baseline.amplitude_uv));
  evidence.set_baseline_latency_ms(baseline.latency_ms);
  if (!absent) {
    evidence.set_latency_ms(FiniteOr0(finished.marking.first.latency_ms));
    evidence.set_latency_change_percent(
        FiniteOr0(100 * (finished.marking.first.latency_ms / baseline.latency_ms - 1)));
  }
  *evidence.mutable_baseline() = ToProto(baseline.id);
  *evidence.mutable_sweep() = ToProto(finished.sweep);
  double interval_ms = 0;
  const double rate = finished.average.timebase.sample_rate_hz;
  *evidence.mutable_reduced_trace() =
      ReduceTrace(finished.average.mean_uv, rate, kMaxEvidenceSamples, &interval_ms);
  evidence.set_reduced_first_sample_ms(finished.average.timebase.start_ms);
  evidence.set_reduced_sample_interval_ms(interval_ms);
  *evidence.mutable_reduced_baseline() =
      ReduceTrace(baseline.mean_uv, rate, kMaxEvidenceSamples, &interval_ms);
  if (row.adaptive && row.recent.comparison) {
    evidence.set_recent_amplitude_uv(FiniteOr0(row.recent.comparison->centre));
    evidence.set_recent_fall_percent(FiniteOr0(row.recent.comparison->fall_percent));
    evidence.set_deviation_ratio(FiniteOr0(row.recent.comparison->deviation));
    evidence.set_is_abrupt(row.recent.abrupt);
  }
  alert.set_last_stimulus_monotonic_ns(finished.average.last_stimulus_ns);
  evidence.set_accepted_count(finished.average.accepted);
  evidence.set_noise_uv_rms(FiniteOr0(finished.average.noise_uv));
  for (const v1::QualityFlag flag : finished.average.quality) evidence.add_quality(flag);
  if (!finished.reproducible) evidence.add_quality(v1::QUALITY_FLAG_NOT_REPRODUCIBLE);
  if (finished.marking.presence == dsp::Presence::kUncertain) {
    evidence.add_quality(v1::QUALITY_FLAG_UNCERTAIN_MARK);
  }
  return alert;
}

}  // namespace remora::agent
