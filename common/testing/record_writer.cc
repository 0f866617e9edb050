#include "common/testing/record_writer.h"

#include <utility>
#include <vector>

#include "common/record_codec.h"
#include "common/sample_codec.h"

namespace remora {
namespace {

// Noise that does not pack well, from a fixed generator.
v1::PackedSamples Samples(int count, uint32_t seed) {
  std::vector<int32_t> counts;
  uint32_t state = seed * 2654435761u + 1;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    counts.push_back(static_cast<int32_t>(state >> 17) - 16384);
  }
  return PackCounts(counts, 0.1);
}

}  // namespace

std::string RecordWriter::Write(v1::Record body) {
  const uint32_t lane = LaneOfKind(static_cast<uint32_t>(body.body_case()));
  return WriteAs(next_[lane]++, std::move(body));
}

std::string RecordWriter::WriteTotal() {
  v1::Record body;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t last = lane == 1 ? next_[lane] : next_[lane] - 1;
    if (last == 0) continue;
    v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
    total->set_lane(lane);
    total->set_last_origin_seq(last);
  }
  return Write(std::move(body));
}

std::string RecordWriter::WriteAs(uint64_t origin_seq, v1::Record body) const {
  body.set_case_id(case_id_.ToString());
  body.set_origin(origin_.ToString());
  body.set_lane(LaneOfKind(static_cast<uint32_t>(body.body_case())));
  body.set_origin_seq(origin_seq);
  body.mutable_captured_at()->set_boot_id(7);
  // A millisecond apart; numbers that only a liar gives begin again.
  constexpr uint64_t kTimes = uint64_t{1} << 40;
  body.mutable_captured_at()->set_monotonic_ns(static_cast<int64_t>(origin_seq % kTimes) *
                                               1'000'000);
  return body.SerializeAsString();
}

v1::Record LifecycleBody(v1::CaseTransition transition, const std::string& theatre,
                         const std::string& reason) {
  v1::Record body;
  v1::CaseLifecycle* step = body.mutable_case_lifecycle();
  step->set_transition(transition);
  step->set_theatre(theatre);
  step->set_reason(reason);
  if (transition == v1::CASE_TRANSITION_CORRECTED) {
    step->set_corrected_case_id(std::string(16, 'c'));
  }
  return body;
}

v1::Record MessageBody(const std::string& text, const std::string& sender) {
  v1::Record body;
  body.mutable_message()->set_kind(v1::MESSAGE_KIND_CHAT);
  body.mutable_message()->set_text(text);
  body.mutable_message()->set_sender(sender);
  return body;
}

v1::Record AlertBody(const std::string& summary, v1::AlertPriority priority) {
  v1::Record body;
  v1::Alert* alert = body.mutable_alert();
  alert->set_priority(priority);
  alert->set_kind(v1::ALERT_KIND_ABSOLUTE);
  alert->set_alert_class(v1::ALERT_CLASS_PHYSIOLOGICAL);
  alert->set_condition(v1::ALERT_CONDITION_RAISED);
  alert->set_trace_id("SEP/R");
  alert->mutable_criterion()->set_key("SEP.amp_abs");
  alert->mutable_criterion()->set_limits("amplitude -50 %");
  alert->mutable_criterion()->set_source("guideline");
  alert->mutable_evidence()->set_component("N20-P25");
  alert->mutable_evidence()->set_amplitude_percent_of_baseline(36);
  alert->set_summary(summary);
  return body;
}

v1::Record AlertUpdateBody(const RecordKey& raised_by, v1::AlertCondition condition,
                           const std::string& summary, v1::AlertPriority priority) {
  v1::Record body = AlertBody(summary, priority);
  body.mutable_alert()->set_condition(condition);
  *body.mutable_alert()->mutable_raised_by() = ToProto(raised_by);
  return body;
}

v1::Record ActionBody(const RecordKey& alert, v1::AlertActionKind kind, v1::Place place,
                      const std::string& actor) {
  v1::Record body;
  v1::AlertAction* action = body.mutable_alert_action();
  *action->mutable_alert() = ToProto(alert);
  action->set_kind(kind);
  action->set_place(place);
  action->set_actor(actor);
  if (kind == v1::ALERT_ACTION_KIND_DISMISSED) action->set_reason("artefact");
  return body;
}

v1::Record PhaseBody(v1::Phase phase, const std::string& actor) {
  v1::Record body;
  body.mutable_phase_change()->set_phase(phase);
  body.mutable_phase_change()->set_actor(actor);
  return body;
}

v1::Record AnnotationBody(const std::string& text, const std::string& actor) {
  v1::Record body;
  body.mutable_annotation()->set_text(text);
  body.mutable_annotation()->set_actor(actor);
  return body;
}

v1::Record MeasurementBody(const std::string& trace_id, double amplitude_percent,
                           v1::MeasurementState state) {
  v1::Record body;
  v1::Measurement* measurement = body.mutable_measurement();
  measurement->set_trace_id(trace_id);
  measurement->set_modality(v1::MODALITY_SEP_UPPER);
  *measurement->mutable_sweep() = ToProto({OriginId::FromBytes("0123456789abcdef"), 3, 1});
  measurement->set_component("N20-P25");
  measurement->set_amplitude_uv(1.5);
  measurement->set_latency_ms(19.4);
  measurement->set_amplitude_percent_of_baseline(amplitude_percent);
  measurement->set_state(state);
  measurement->set_confidence(v1::MARK_CONFIDENCE_CLEAR);
  return body;
}

v1::Record EmgActivityBody(const std::string& trace_id, int64_t started_monotonic_ns) {
  v1::Record body;
  v1::EmgActivity* activity = body.mutable_emg_activity();
  activity->set_trace_id(trace_id);
  activity->set_kind(v1::EMG_ACTIVITY_KIND_BURST);
  activity->set_started_monotonic_ns(started_monotonic_ns);
  activity->set_duration_ms(80);
  activity->set_peak_uv(120);
  return body;
}

v1::Record SweepBody(const std::string& trace_id, uint32_t block_index, bool provisional,
                     int padding_samples) {
  v1::Record body;
  v1::Sweep* sweep = body.mutable_sweep();
  sweep->set_trace_id(trace_id);
  sweep->set_modality(v1::MODALITY_SEP_UPPER);
  sweep->set_sample_rate_hz(5000);
  *sweep->mutable_average() = Samples(padding_samples, block_index);
  sweep->set_requested_count(200);
  sweep->set_accepted_count(200);
  sweep->set_provisional(provisional);
  sweep->set_block_index(block_index);
  return body;
}

v1::Record EnvelopeBody(const std::string& trace_id, int64_t started_monotonic_ns) {
  v1::Record body;
  v1::Envelope* envelope = body.mutable_envelope();
  envelope->set_trace_id(trace_id);
  envelope->set_modality(v1::MODALITY_EMG_FREE_RUNNING);
  envelope->set_started_monotonic_ns(started_monotonic_ns);
  envelope->set_bin_ms(20);
  *envelope->mutable_minimum() = Samples(50, 1);
  *envelope->mutable_maximum() = Samples(50, 2);
  *envelope->mutable_rms() = Samples(50, 3);
  return body;
}

v1::Record BlockBody(const std::string& trace_id, uint64_t first_sample_index,
                     int padding_samples) {
  v1::Record body;
  v1::SampleBlock* block = body.mutable_sample_block();
  block->set_trace_id(trace_id);
  block->set_modality(v1::MODALITY_EMG_FREE_RUNNING);
  block->set_sample_rate_hz(2000);
  block->set_first_sample_index(first_sample_index);
  *block->mutable_samples() = Samples(padding_samples, static_cast<uint32_t>(first_sample_index));
  return body;
}

FoldedRecord StampedForFold(const std::string& bytes, uint64_t seq, int64_t recorded_unix_ns,
                            uint32_t epoch) {
  std::string stamped = bytes;
  AppendStamp({epoch, seq, HubTime::FromNanoseconds(recorded_unix_ns), false}, &stamped);
  return {{SharedBytes(std::move(stamped)), 0}, seq, recorded_unix_ns, WalkRecord(bytes)->lane};
}

}  // namespace remora
