// What each kind of lane 2 requires, beyond what all kinds share (validation.cc).

#include "common/record_codec.h"
#include "common/validation_rules.h"

namespace remora {
namespace {

// Of a record of that lane.
bool IsIn(uint32_t lane, bool has, const v1::RecordId& id) { return has && id.lane() == lane; }

absl::Status Check(const v1::Measurement& measurement) {
  return CheckAll({
      {!measurement.trace_id().empty(), "Measurement.trace_id: required"},
      {measurement.modality() != 0, "Measurement.modality: required"},
      {IsIn(3, measurement.has_sweep(), measurement.sweep()),
       "Measurement.sweep: required, a record of lane 3"},
      {measurement.state() != 0, "Measurement.state: required"},
      {measurement.quality_size() <= kMaxQualityFlags, "Measurement.quality: at most 32 entries"},
      {measurement.intervals_size() <= kMaxIntervalsOfTrace, "Measurement.intervals: at most 4"},
  });
}

absl::Status Check(const v1::EmgActivity& activity) {
  return CheckAll({
      {!activity.trace_id().empty(), "EmgActivity.trace_id: required"},
      {activity.kind() != 0, "EmgActivity.kind: required"},
      {activity.duration_ms() >= 0, "EmgActivity.duration_ms: not negative"},
      {activity.discharge_rate_hz() >= 0, "EmgActivity.discharge_rate_hz: not negative"},
      {activity.train_time_ms() >= 0, "EmgActivity.train_time_ms: not negative"},
  });
}

absl::Status Check(const v1::TrainOfFour& tof) {
  const bool measured = !tof.trace_id().empty();
  bool are_sweeps = tof.sweeps_size() >= 1 && tof.sweeps_size() <= 4;
  for (const v1::RecordId& sweep : tof.sweeps()) are_sweeps = are_sweeps && sweep.lane() == 3;
  return CheckAll({
      {tof.twitch_count() <= 4, "TrainOfFour.twitch_count: 0 to 4"},
      {tof.ratio() >= 0, "TrainOfFour.ratio: not negative"},
      {tof.twitch_uv_size() == 0 || tof.twitch_uv_size() == 4, "TrainOfFour.twitch_uv: 4 or none"},
      {!measured || are_sweeps, "TrainOfFour.sweeps: 1 to 4 of a measured one, of lane 3"},
      {tof.t1_percent_of_control() >= 0, "TrainOfFour.t1_percent_of_control: not negative"},
      {tof.quality_size() <= kMaxQualityFlags, "TrainOfFour.quality: at most 32 entries"},
  });
}

absl::Status Check(const v1::SpectralEdge& edge) {
  return CheckAll({
      {!edge.trace_id().empty(), "SpectralEdge.trace_id: required"},
      {edge.sef95_hz() >= 0 && edge.median_hz() >= 0, "SpectralEdge: frequencies not negative"},
      {edge.burst_suppression_percent() >= 0 && edge.burst_suppression_percent() <= 100,
       "SpectralEdge.burst_suppression_percent: 0 to 100"},
      {edge.asymmetry() >= -1 && edge.asymmetry() <= 1, "SpectralEdge.asymmetry: -1 to 1"},
      {edge.quality_size() <= kMaxQualityFlags, "SpectralEdge.quality: at most 32 entries"},
  });
}

absl::Status Check(const v1::StimulusThreshold& threshold) {
  const bool found = threshold.state() == v1::THRESHOLD_STATE_FOUND;
  return CheckAll({
      {!threshold.trace_id().empty(), "StimulusThreshold.trace_id: required"},
      {threshold.threshold_ma() >= 0 && threshold.threshold_v() >= 0,
       "StimulusThreshold: a threshold is not negative"},
      {!found || threshold.threshold_ma() > 0 || threshold.threshold_v() > 0,
       "StimulusThreshold: one that is found has a current or a voltage"},
      {threshold.steps_size() <= kMaxThresholdSteps, "StimulusThreshold.steps: at most 32"},
      {threshold.quality_size() <= kMaxQualityFlags,
       "StimulusThreshold.quality: at most 32 entries"},
  });
}

absl::Status Check(const v1::Relation& relation) {
  return CheckAll({
      {!relation.relation_id().empty(), "Relation.relation_id: required"},
      {relation.kind() != 0, "Relation.kind: required"},
      {IsIn(2, relation.has_first(), relation.first()) &&
           IsIn(2, relation.has_second(), relation.second()),
       "Relation.first, second: required, records of lane 2"},
  });
}

absl::Status Check(const v1::EegActivity& activity) {
  return CheckAll({
      {!activity.trace_id().empty(), "EegActivity.trace_id: required"},
      {activity.kind() != 0, "EegActivity.kind: required"},
      {activity.duration_ms() >= 0, "EegActivity.duration_ms: not negative"},
  });
}

absl::Status Check(const v1::MappingResult& result) {
  const bool somewhere = result.contact_before() != 0 || result.contact_after() != 0;
  return CheckAll({
      {!result.strip().empty(), "MappingResult.strip: required"},
      {result.method() != 0, "MappingResult.method: required"},
      {!somewhere || (result.contact_before() != 0 && result.contact_after() != 0),
       "MappingResult.contact_before, contact_after: both or none"},
      {result.confidence() >= 0 && result.confidence() <= 1, "MappingResult.confidence: 0 to 1"},
  });
}

}  // namespace

absl::Status CheckMeasured(uint32_t kind, const v1::Record& record) {
  switch (kind) {
    case v1::Record::kMeasurement:
      return Check(record.measurement());
    case v1::Record::kEmgActivity:
      return Check(record.emg_activity());
    case v1::Record::kTrainOfFour:
      return Check(record.train_of_four());
    case v1::Record::kSpectralEdge:
      return Check(record.spectral_edge());
    case v1::Record::kStimulusThreshold:
      return Check(record.stimulus_threshold());
    case v1::Record::kMappingContact:
      return CheckAll(
          {{!record.mapping_contact().strip().empty(), "MappingContact.strip: required"}});
    case v1::Record::kRelation:
      return Check(record.relation());
    case v1::Record::kEegActivity:
      return Check(record.eeg_activity());
    case v1::Record::kMappingResult:
      return Check(record.mapping_result());
    default:
      return absl::OkStatus();
  }
}

}  // namespace remora
