#include "acquisition-agent/surveillance/emg_watch.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/limits.h"
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

void EmgWatch::OnOutput(EmgOutput* output, int64_t now_ns) {
  for (EmgEvent& event : output->events) {
    // Without a kind it is for the criteria alone, between two records of a train.
    if (event.activity.kind() != v1::EMG_ACTIVITY_KIND_UNSPECIFIED) {
      v1::Record record;
      *record.mutable_emg_activity() = event.activity;
      sink_.Put(&record, now_ns);
    }
    if (!event.train_ongoing && !event.train_ended) continue;
    for (Row& row : rows_) Judge(&row, event, now_ns);
  }
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

void EmgWatch::Judge(Row* row, const EmgEvent& event, int64_t now_ns) {
  const double lasted_ms = event.activity.duration_ms();
  dsp::AlertLevel level = dsp::AlertLevel::kNormal;
  if (row->criterion.amber_train_ms() > 0 && lasted_ms >= row->criterion.amber_train_ms()) {
    level = dsp::AlertLevel::kAmber;
  }
  if (row->criterion.red_train_ms() > 0 && lasted_ms >= row->criterion.red_train_ms()) {
    level = dsp::AlertLevel::kRed;
  }
  if (level > row->level) {
    row->level = level;
    row->alert.Show(Describe(*row, event), event.activity.started_monotonic_ns(), now_ns, sink_);
  }
  if (event.train_ended) {
    row->level = dsp::AlertLevel::kNormal;
    row->alert.Recover(Describe(*row, event), now_ns, sink_);
  }
}

v1::Alert EmgWatch::Describe(const Row& row, const EmgEvent& event) const {
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
  evidence.set_duration_ms(event.activity.duration_ms());
  evidence.set_amplitude_uv(event.activity.peak_uv());
  if (!event.trace_uv.empty()) {
    double interval_ms = 0;
    *evidence.mutable_reduced_trace() =
        ReduceTrace(event.trace_uv, event.trace_rate_hz, kMaxEvidenceSamples, &interval_ms);
    evidence.set_reduced_sample_interval_ms(interval_ms);
  }
  alert.set_summary(absl::StrFormat(
      "EMG %s: train %s %.1f s, %.0f uV, %.0f a second (limit %s)", plan_.plan.derivation(),
      event.train_ended ? "ended after" : "for", event.activity.duration_ms() / 1000,
      event.activity.peak_uv(), event.activity.discharge_rate_hz(),
      LimitText(row.criterion, row.level)));
  return alert;
}

void EmgWatch::OnAlertResolved(const RecordKey& raised_by) {
  for (Row& row : rows_) row.alert.OnResolved(raised_by);
}

}  // namespace remora::agent
