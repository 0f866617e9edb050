#include "acquisition-agent/surveillance/emg_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/technical_watch.h"
#include "acquisition-agent/surveillance/wording.h"

namespace remora::agent {

EmgWatch::EmgWatch(const ResolvedEmg& plan, const std::vector<v1::Criterion>& rows,
                   std::string criteria_version, RecordSink& sink)
    : plan_(plan), criteria_version_(std::move(criteria_version)), sink_(sink) {
  for (const v1::Criterion& row : rows) {
    rows_.emplace_back();
    rows_.back().criterion = row;
  }
}

void EmgWatch::Restore(const CasePast& past) {
  for (const CasePast::Alert& alert : past.alerts) {
    const v1::Alert& last = alert.last;
    if (last.trace_id() != plan_.trace_id) continue;
    if (last.alert_class() == v1::ALERT_CLASS_TECHNICAL) {
      unassessed_.Restore(alert);
      continue;
    }
    for (Row& row : rows_) {
      if (row.criterion.key() != last.criterion().key()) continue;
      row.alert.Restore(alert);
      if (!alert.is_on()) continue;
      row.level = LevelOf(last.priority());
      row.told_ms = last.evidence().duration_ms();
      if (cut_off_ && seen_ms_ >= row.told_ms) continue;
      seen_ms_ = row.told_ms;
      began_ns_ = last.onset_monotonic_ns();
      EmgEvent& train = cut_off_.emplace();
      train.activity.set_started_monotonic_ns(began_ns_);
      train.activity.set_duration_ms(seen_ms_);
      train.activity.set_peak_uv(last.evidence().amplitude_uv());
      train.train_ended = true;
      train.interrupted = true;
    }
  }
}

void EmgWatch::OnOutput(EmgOutput* output, int64_t now_ns) {
  for (EmgEvent& event : output->events) {
    // Without a kind it is for the criteria alone, between two records of a train.
    if (event.activity.kind() != v1::EMG_ACTIVITY_KIND_UNSPECIFIED) {
      v1::Record record;
      *record.mutable_emg_activity() = event.activity;
      sink_.Put(&record, now_ns);
    }
    if (event.train_ongoing || event.train_ended) OnTrain(event, now_ns);
  }
  if (output->state) OnState(*output->state, now_ns);
  for (v1::Envelope& envelope : output->envelopes) {
    v1::Record record;
    *record.mutable_envelope() = std::move(envelope);
    sink_.Put(&record, now_ns);
  }
  for (v1::SampleBlock& block : output->blocks) {
    v1::Record record;
    *record.mutable_sample_block() = std::move(block);
    sink_.Put(&record, now_ns);
  }
  *output = EmgOutput();
}

void EmgWatch::OnTrain(const EmgEvent& event, int64_t now_ns) {
  for (Row& row : rows_) Judge(&row, event, now_ns);
  if (!event.train_ended) return;
  if (event.interrupted) {
    if (!cut_off_) began_ns_ = event.activity.started_monotonic_ns();
    seen_ms_ = LastedMs(event);
    cut_off_ = event;
  } else {
    EndTrain(event, now_ns);
  }
}

void EmgWatch::OnState(const EmgState& state, int64_t now_ns) {
  if (cut_off_ && state.silent_ms > dsp::BurstTrainOptions().max_gap_ms) {
    EmgEvent last = *cut_off_;
    seen_ms_ -= last.activity.duration_ms();  // it stands in the event
    EndTrain(last, now_ns);
  }
  if (state.unassessed_ms > kMaxUnassessedMs && !unassessed_.is_on()) {
    v1::Alert alert = TechnicalAlert(
        plan_.trace_id,
        absl::StrFormat("EMG %s cannot be assessed for %.0f s%s%s", plan_.plan.derivation(),
                        state.unassessed_ms / 1000, state.unassessed_because.empty() ? "" : ": ",
                        state.unassessed_because));
    unassessed_.Show(std::move(alert), now_ns - static_cast<int64_t>(state.unassessed_ms * 1e6),
                     now_ns, sink_);
  } else if (state.unassessed_ms == 0 && unassessed_.is_on()) {
    unassessed_.Recover(TechnicalAlert(plan_.trace_id, absl::StrFormat("EMG %s is assessed again",
                                                                       plan_.plan.derivation())),
                        now_ns, sink_);
  }
}

double EmgWatch::LastedMs(const EmgEvent& event) const {
  return seen_ms_ + event.activity.duration_ms();
}

void EmgWatch::Judge(Row* row, const EmgEvent& event, int64_t now_ns) {
  const double lasted_ms = LastedMs(event);
  dsp::AlertLevel level = dsp::AlertLevel::kNormal;
  if (row->criterion.amber_train_ms() > 0 && lasted_ms >= row->criterion.amber_train_ms()) {
    level = dsp::AlertLevel::kAmber;
  }
  if (row->criterion.red_train_ms() > 0 && lasted_ms >= row->criterion.red_train_ms()) {
    level = dsp::AlertLevel::kRed;
  }
  const bool worse = level > row->level;
  if (!worse && (row->level == dsp::AlertLevel::kNormal || lasted_ms < 2 * row->told_ms)) return;
  row->level = std::max(row->level, level);
  row->told_ms = lasted_ms;
  row->alert.Show(Describe(*row, event, /*ended=*/false),
                  cut_off_ ? began_ns_ : event.activity.started_monotonic_ns(), now_ns, sink_);
}

void EmgWatch::EndTrain(const EmgEvent& event, int64_t now_ns) {
  for (Row& row : rows_) {
    row.level = dsp::AlertLevel::kNormal;
    row.told_ms = 0;
    row.alert.Recover(Describe(row, event, /*ended=*/true), now_ns, sink_);
  }
  cut_off_.reset();
  seen_ms_ = 0;
}

v1::Alert EmgWatch::Describe(const Row& row, const EmgEvent& event, bool ended) const {
  v1::Alert alert;
  alert.set_priority(row.level == dsp::AlertLevel::kRed     ? v1::ALERT_PRIORITY_HIGH
                     : row.level == dsp::AlertLevel::kAmber ? v1::ALERT_PRIORITY_MEDIUM
                                                            : v1::ALERT_PRIORITY_INFORMATION);
  alert.set_kind(v1::ALERT_KIND_TRAIN);
  alert.set_alert_class(v1::ALERT_CLASS_PHYSIOLOGICAL);
  alert.set_trace_id(plan_.trace_id);
  alert.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
  alert.set_side(plan_.plan.side());
  alert.set_derivation(plan_.plan.derivation());
  *alert.mutable_criterion() = ReferenceTo(row.criterion, criteria_version_);
  v1::AlertEvidence& evidence = *alert.mutable_evidence();
  evidence.set_duration_ms(LastedMs(event));
  evidence.set_amplitude_uv(event.activity.peak_uv());
  if (!event.trace_uv.empty()) {
    double interval_ms = 0;
    *evidence.mutable_reduced_trace() =
        ReduceTrace(event.trace_uv, event.trace_rate_hz, kMaxEvidenceSamples, &interval_ms);
    evidence.set_reduced_sample_interval_ms(interval_ms);
  }
  alert.set_summary(absl::StrFormat(
      "EMG %s: train %s %.1f s%s%s, %.0f uV, %.0f a second (limit %s)", plan_.plan.derivation(),
      ended ? "ended after" : "for", LastedMs(event) / 1000,
      cut_off_ ? " seen, with an artefact in it" : "",
      event.stimulated ? ", while the cortex was stimulated" : "", event.activity.peak_uv(),
      event.activity.discharge_rate_hz(), LimitText(row.criterion, row.level)));
  return alert;
}

void EmgWatch::OnAlertResolved(const v1::AlertAction& action) {
  for (Row& row : rows_) row.alert.OnResolved(action);
  unassessed_.OnResolved(action);
}

}  // namespace remora::agent
