// What each kind of lane 2 requires, beyond what all kinds share (validation.cc).

#include <algorithm>
#include <initializer_list>

#include "common/record_codec.h"
#include "common/validation_rules.h"

namespace remora {
namespace {

// Of a record of that lane.
bool IsIn(uint32_t lane, bool has, const v1::RecordId& id) { return has && id.lane() == lane; }

// Of a record of that lane, where there is one at all.
bool IsInIfAny(uint32_t lane, bool has, const v1::RecordId& id) {
  return !has || IsIn(lane, has, id);
}

bool IsNoneNegative(std::initializer_list<double> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double number) { return number >= 0; });
}

absl::Status Check(const v1::Measurement& measurement) {
  return CheckAll({
      {!measurement.trace_id().empty(), "Measurement.trace_id: required"},
      {measurement.modality() != 0, "Measurement.modality: required"},
      {IsIn(3, measurement.has_sweep(), measurement.sweep()),
       "Measurement.sweep: required, a record of lane 3"},
      {measurement.state() != 0, "Measurement.state: required"},
      {measurement.quality_size() <= kMaxQualityFlags, "Measurement.quality: at most 32 entries"},
      {measurement.intervals_size() <= kMaxIntervalsOfTrace, "Measurement.intervals: at most 4"},
      {measurement.muscle().area_uv_ms() >= 0, "MuscleResponse.area_uv_ms: not negative"},
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
  const bool are_twitches = std::all_of(tof.twitch_uv().begin(), tof.twitch_uv().end(),
                                        [](double twitch_uv) { return twitch_uv >= 0; });
  return CheckAll({
      {tof.twitch_count() <= 4, "TrainOfFour.twitch_count: 0 to 4"},
      {tof.ratio() >= 0 && tof.ratio() <= kMaxTwitchRatio, "TrainOfFour.ratio: 0 to 2"},
      {are_twitches, "TrainOfFour.twitch_uv: not negative"},
      {tof.twitch_uv_size() == 0 || tof.twitch_uv_size() == 4, "TrainOfFour.twitch_uv: 4 or none"},
      {!measured || are_sweeps, "TrainOfFour.sweeps: 1 to 4 of a measured one, of lane 3"},
      {tof.t1_percent_of_control() >= 0, "TrainOfFour.t1_percent_of_control: not negative"},
      {tof.quality_size() <= kMaxQualityFlags, "TrainOfFour.quality: at most 32 entries"},
  });
}

absl::Status Check(const v1::SpectralEdge& edge) {
  return CheckAll({
      {!edge.trace_id().empty(), "SpectralEdge.trace_id: required"},
      {IsNoneNegative({edge.sef95_hz(), edge.median_hz()}),
       "SpectralEdge: frequencies not negative"},
      {IsNoneNegative({edge.delta_uv2(), edge.theta_uv2(), edge.alpha_uv2(), edge.beta_uv2(),
                       edge.gamma_uv2(), edge.fast_uv2()}),
       "SpectralEdge: powers not negative"},
      {edge.burst_suppression_percent() >= 0 && edge.burst_suppression_percent() <= 100,
       "SpectralEdge.burst_suppression_percent: 0 to 100"},
      {edge.asymmetry() >= -1 && edge.asymmetry() <= 1, "SpectralEdge.asymmetry: -1 to 1"},
      {edge.suppression_over_s() >= 0 && edge.suppression_over_s() <= kSuppressionWindowS,
       "SpectralEdge.suppression_over_s: 0 to 60"},
      {edge.window_ms() >= 0, "SpectralEdge.window_ms: not negative"},
      {edge.quality_size() <= kMaxQualityFlags, "SpectralEdge.quality: at most 32 entries"},
  });
}

absl::Status Check(const v1::StimulusThreshold& threshold) {
  for (const v1::ThresholdStep& step : threshold.steps()) {
    if (step.intensity() < 0 || !IsInIfAny(3, step.has_sweep(), step.sweep())) {
      return absl::InvalidArgumentError(
          "ThresholdStep: an intensity is not negative, a sweep a record of lane 3");
    }
  }
  const bool found = threshold.state() == v1::THRESHOLD_STATE_FOUND;
  return CheckAll({
      {!threshold.trace_id().empty(), "StimulusThreshold.trace_id: required"},
      {threshold.state() != 0, "StimulusThreshold.state: required"},
      {IsNoneNegative({threshold.threshold_ma(), threshold.threshold_v(),
                       threshold.rising_threshold(), threshold.falling_threshold(),
                       threshold.largest_without_response(), threshold.own_mean()}),
       "StimulusThreshold: a threshold is not negative"},
      {threshold.step() >= 0, "StimulusThreshold.step: not negative"},
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
      {relation.kind() != v1::RELATION_KIND_RATIO || relation.value() >= 0,
       "Relation.value: a ratio is not negative"},
  });
}

absl::Status Check(const v1::EegActivity& activity) {
  return CheckAll({
      {!activity.trace_id().empty(), "EegActivity.trace_id: required"},
      {activity.kind() != 0, "EegActivity.kind: required"},
      {activity.duration_ms() >= 0, "EegActivity.duration_ms: not negative"},
      {IsNoneNegative({activity.peak_uv(), activity.rate_hz(), activity.current_ma()}),
       "EegActivity.peak_uv, rate_hz, current_ma: not negative"},
  });
}

absl::Status Check(const v1::MappingContact& contact) {
  return CheckAll({
      {!contact.strip().empty(), "MappingContact.strip: required"},
      {contact.contact_index() >= 1, "MappingContact.contact_index: starts at 1"},
      {contact.amplitude_uv() >= 0, "MappingContact.amplitude_uv: not negative"},
      {contact.polarity_ratio() >= -1 && contact.polarity_ratio() <= 1,
       "MappingContact.polarity_ratio: -1 to 1"},
      {IsInIfAny(3, contact.has_sweep(), contact.sweep()),
       "MappingContact.sweep: a record of lane 3"},
      {contact.current_ma() >= 0, "MappingContact.current_ma: not negative"},
  });
}

absl::Status Check(const v1::MappingResult& result) {
  const bool somewhere = result.contact_before() != 0 || result.contact_after() != 0;
  return CheckAll({
      {!result.strip().empty(), "MappingResult.strip: required"},
      {result.method() != 0, "MappingResult.method: required"},
      {!somewhere || (result.contact_before() != 0 && result.contact_after() != 0),
       "MappingResult.contact_before, contact_after: both or none"},
      {!somewhere || result.contact_before() < result.contact_after(),
       "MappingResult.contact_before, contact_after: ascending"},
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
      return Check(record.mapping_contact());
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
