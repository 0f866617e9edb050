// LimbWatch: its alert, and what it says.
#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/limb_watch.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/limits.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

v1::AlertPriority PriorityOf(dsp::AlertLevel level) {
  switch (level) {
    case dsp::AlertLevel::kRed:
      return v1::ALERT_PRIORITY_HIGH;
    case dsp::AlertLevel::kAmber:
      return v1::ALERT_PRIORITY_MEDIUM;
    case dsp::AlertLevel::kNormal:
      break;
  }
  return v1::ALERT_PRIORITY_INFORMATION;
}

}  // namespace

LimbWatch::Voice LimbWatch::Speaking() const {
  const dsp::AlertLevel level = judgement_.level;
  const bool is_absolute = judgement_.absolute == level && rows_.absolute;
  const bool by_loss = std::any_of(
      judgement_.muscles.begin(), judgement_.muscles.end(),
      [&](const dsp::MuscleJudgement& one) { return one.level == level && one.by_loss; });
  if (is_absolute) {
    return {by_loss ? v1::ALERT_KIND_LOSS : v1::ALERT_KIND_ABSOLUTE, &*rows_.absolute, level};
  }
  if (rows_.adaptive && judgement_.adaptive.level == level) {
    return {v1::ALERT_KIND_ADAPTIVE, &*rows_.adaptive, level};
  }
  if (rows_.drift) return {v1::ALERT_KIND_DRIFT, &*rows_.drift, level};
  return {v1::ALERT_KIND_ABSOLUTE, rows_.absolute ? &*rows_.absolute : nullptr, level};
}

// The worst first. Of an index, all muscles that it rests on.
std::vector<size_t> LimbWatch::Changed() const {
  std::vector<size_t> changed;
  const bool by_muscle = judgement_.absolute == judgement_.level;
  for (size_t own = 0; own < judgement_.muscles.size(); ++own) {
    const dsp::MuscleJudgement& one = judgement_.muscles[own];
    const bool is_changed = one.level > dsp::AlertLevel::kNormal || one.suspect;
    if (by_muscle ? is_changed : one.judged) changed.push_back(own);
  }
  const auto percent = [&](size_t own) {
    const dsp::MuscleJudgement& one = judgement_.muscles[own];
    double least = 1e9;
    for (const dsp::SingleTrialAssessment& against : one.against_each) {
      if (against.amplitude_percent_of_baseline > 0) {
        least = std::min(least, against.amplitude_percent_of_baseline);
      }
    }
    return least;
  };
  std::stable_sort(changed.begin(), changed.end(), [&](size_t a, size_t b) {
    const dsp::MuscleJudgement& one = judgement_.muscles[a];
    const dsp::MuscleJudgement& other = judgement_.muscles[b];
    return one.level != other.level ? one.level > other.level : percent(a) < percent(b);
  });
  if (changed.size() > kMaxAlertTraces) changed.resize(kMaxAlertTraces);
  return changed;
}

std::string LimbWatch::MuscleWords(size_t own, const MotorTrial& trial) const {
  const MuscleAnswer& answer = trial.answers[limb_.muscles[own]];
  const std::string& name = MuscleOf(own).plan.derivation();
  const MuscleReference::Reference* reference = ReferenceOf(own);
  if (!answer.is_good()) return absl::StrCat(name, " cannot be judged");
  if (reference == nullptr || !(reference->baseline.amplitude_uv > 0)) {
    return absl::StrCat(name, " without a baseline");
  }
  if (answer.response.presence == dsp::Presence::kAbsent) {
    return absl::StrFormat("%s lost (was %.0f uV)", name, reference->baseline.amplitude_uv);
  }
  return absl::StrFormat(
      "%s %+.0f %%", name,
      100 * FiniteOr0(answer.response.amplitude_uv) / reference->baseline.amplitude_uv - 100);
}

std::string LimbWatch::Summary(const Voice& voice, const std::vector<size_t>& changed,
                               const MotorTrial& trial) const {
  const std::string limb = absl::StrCat("MEP ", limb_.name, ": ");
  std::vector<std::string> words;
  for (const size_t own : changed) words.push_back(MuscleWords(own, trial));
  const std::string muscles = absl::StrJoin(words, ", ");
  if (voice.level == dsp::AlertLevel::kNormal) return absl::StrCat(limb, "back within limits");
  switch (voice.kind) {
    case v1::ALERT_KIND_ADAPTIVE: {
      const auto& comparison = judgement_.adaptive.comparison;
      const std::string fall = comparison
                                   ? absl::StrFormat("%.0f %% less than in its last %d trials",
                                                     comparison->fall_percent, comparison->trials)
                                   : "less than in its last trials";
      return absl::StrCat(limb, fall, " (", muscles, ")");
    }
    case v1::ALERT_KIND_DRIFT:
      return absl::StrCat(limb,
                          absl::StrFormat("slowly falling, %.0f %% beyond what time alone brings",
                                          judgement_.drift.fall_percent),
                          " (", muscles, ")");
    default:
      break;
  }
  const std::string limit = voice.row == nullptr ? "" : LimitText(*voice.row, voice.level);
  return absl::StrCat(limb, muscles, " (limit ",
                      limit.empty() ? "loss" : absl::StrCat(limit, " or loss"), ")");
}

v1::AlertTrace LimbWatch::DescribeMuscle(size_t own, const MotorTrial& trial,
                                         const std::vector<RecordKey>& sweeps,
                                         size_t most_samples) const {
  const size_t muscle = limb_.muscles[own];
  const MuscleAnswer& answer = trial.answers[muscle];
  const dsp::MuscleJudgement& judged = judgement_.muscles[own];
  v1::AlertTrace trace;
  trace.set_trace_id(MuscleOf(own).trace_id);
  trace.set_derivation(MuscleOf(own).plan.derivation());
  trace.set_side(MuscleOf(own).plan.side());
  trace.set_priority(PriorityOf(judged.level));
  trace.set_kind(judged.by_loss ? v1::ALERT_KIND_LOSS : v1::ALERT_KIND_ABSOLUTE);
  trace.set_summary(MuscleWords(own, trial));
  v1::AlertEvidence& evidence = *trace.mutable_evidence();
  evidence.set_component("response");
  evidence.set_accepted_count(answer.is_good() ? 1 : 0);
  *evidence.mutable_sweep() = ToProto(sweeps[muscle]);
  const bool absent = answer.response.presence == dsp::Presence::kAbsent;
  const double amplitude_uv =
      absent || !answer.is_good() ? 0 : FiniteOr0(answer.response.amplitude_uv);
  evidence.set_amplitude_uv(amplitude_uv);
  if (answer.is_good()) evidence.set_noise_uv_rms(FiniteOr0(answer.response.noise_uv));
  double interval_ms = 0;
  const double rate = trial.timebase.sample_rate_hz;
  *evidence.mutable_reduced_trace() = ReduceTrace(answer.uv, rate, most_samples, &interval_ms);
  evidence.set_reduced_first_sample_ms(trial.timebase.start_ms);
  evidence.set_reduced_sample_interval_ms(interval_ms);
  const auto& worst = references_[own].at(judged.against);
  const MuscleReference::Reference* reference = worst ? &*worst : ReferenceOf(own);
  if (reference == nullptr) return trace;
  *evidence.mutable_baseline() = ToProto(reference->id);
  evidence.set_baseline_amplitude_uv(reference->baseline.amplitude_uv);
  evidence.set_baseline_latency_ms(reference->baseline.latency_ms);
  if (reference->baseline.amplitude_uv > 0) {
    evidence.set_amplitude_percent_of_baseline(100 * amplitude_uv /
                                               reference->baseline.amplitude_uv);
  }
  if (!absent && answer.is_good()) {
    evidence.set_latency_ms(FiniteOr0(answer.response.first.latency_ms));
    if (reference->baseline.latency_ms > 0) {
      evidence.set_latency_change_percent(
          FiniteOr0(100 * (evidence.latency_ms() / reference->baseline.latency_ms - 1)));
    }
  }
  const MuscleReference::Reference* first = ReferenceOf(own);
  if (first != reference && first != nullptr && first->baseline.amplitude_uv > 0) {
    evidence.set_first_amplitude_percent(100 * amplitude_uv / first->baseline.amplitude_uv);
  }
  *evidence.mutable_reduced_baseline() = ReduceTrace(
      reference->mean_uv, reference->timebase.sample_rate_hz, most_samples, &interval_ms);
  if (!differences_.empty()) evidence.add_quality(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE);
  return trace;
}

v1::Alert LimbWatch::DescribeAlert(const Voice& voice, const MotorTrial& trial,
                                   const std::vector<RecordKey>& sweeps, int64_t now_ns) const {
  v1::Alert alert;
  alert.set_priority(PriorityOf(voice.level));
  alert.set_kind(voice.kind);
  alert.set_alert_class(v1::ALERT_CLASS_PHYSIOLOGICAL);
  alert.set_trace_id(trace_id_);
  alert.set_modality(plan_.plan.modality());
  alert.set_side(limb_.side);
  alert.set_limb(limb_.name);
  if (voice.row != nullptr) *alert.mutable_criterion() = ReferenceTo(*voice.row, rows_.version);
  const std::vector<size_t> changed = Changed();
  alert.set_summary(Bounded(Summary(voice, changed, trial), kMaxTextBytes));
  for (const size_t own : changed) {
    *alert.add_traces() = DescribeMuscle(
        own, trial, sweeps, alert.traces().empty() ? kMaxEvidenceSamples : kMaxOtherTraceSamples);
  }
  v1::AlertEvidence& evidence = *alert.mutable_evidence();
  if (!alert.traces().empty()) {
    // Once: the worst one's is the alert's.
    evidence = alert.traces(0).evidence();
    alert.set_derivation(alert.traces(0).derivation());
    alert.mutable_traces(0)->mutable_evidence()->clear_reduced_trace();
    alert.mutable_traces(0)->mutable_evidence()->clear_reduced_baseline();
  }
  const dsp::AdaptiveAssessment& adaptive = judgement_.adaptive;
  if (adaptive.comparison) {
    evidence.set_recent_fall_percent(FiniteOr0(adaptive.comparison->fall_percent));
    evidence.set_deviation_ratio(FiniteOr0(adaptive.comparison->deviation));
    evidence.set_is_abrupt(adaptive.abrupt);
  }
  const double expected = ExpectedPercent(trial.stimulus.time_ns);
  if (expected < 100) evidence.set_expected_percent(expected);
  if (is_held_) alert.set_held(absl::StrCat("relaxant, ", gate_.words));
  alert.set_last_stimulus_monotonic_ns(trial.stimulus.time_ns);
  alert.set_measured_monotonic_ns(now_ns);
  alert.set_asks_for_repeat(judgement_.asks_for_repeat);
  return alert;
}

void LimbWatch::MoveAlert(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
                          int64_t now_ns) {
  const bool any_judged = std::any_of(judgement_.muscles.begin(), judgement_.muscles.end(),
                                      [](const dsp::MuscleJudgement& one) { return one.judged; });
  if (judgement_.level == dsp::AlertLevel::kNormal) {
    if (!alert_.is_on() || !any_judged || (holds_past_ && alert_.is_open())) return;
    alert_.Recover(DescribeAlert(Speaking(), trial, sweeps, now_ns), now_ns, sink_);
    return;
  }
  // What cannot be judged has no new numbers; that it is held is news once.
  if (alert_.is_on() && !any_judged && !(is_held_ && !was_held_)) return;
  was_held_ = is_held_;
  holds_past_ = false;
  alert_.Show(DescribeAlert(Speaking(), trial, sweeps, now_ns), trial.stimulus.time_ns, now_ns,
              sink_);
}

}  // namespace remora::agent
