#include "acquisition-agent/plan/plan_records.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/origin_seq.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"
#include "google/protobuf/descriptor.h"

namespace remora::agent {
namespace {

// Of any case; numbers as long as they get.
std::string Encode(v1::Record* record) {
  record->set_case_id(std::string(CaseId::kBytes, 'c'));
  record->set_origin(std::string(OriginId::kBytes, 'o'));
  record->set_lane(LaneOfKind(static_cast<uint32_t>(record->body_case())));
  record->set_origin_seq(kMaxOriginSeq);
  record->mutable_captured_at()->set_boot_id(1);
  record->mutable_captured_at()->set_monotonic_ns(1);
  record->mutable_captured_at()->set_wall_unix_ns(1);
  return record->SerializeAsString();
}

absl::Status CheckAsHub(v1::Record record) {
  const std::string bytes = Encode(&record);
  ASSIGN_OR_RETURN(const RecordHeader header, WalkRecord(bytes));
  v1::Record parsed;
  return ValidateBody(header, bytes, &parsed);
}

absl::Status At(const std::string& where, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", status.message()));
}

v1::RecordId Reference(uint32_t lane) {
  RecordKey key;
  key.origin = OriginId::FromBytes(std::string(OriginId::kBytes, 'o'));
  key.lane = lane;
  key.origin_seq = 1;
  return ToProto(key);
}

v1::Record PlanSet(const v1::Plan& plan, const v1::Montage& montage,
                   const v1::CriteriaPack& criteria) {
  v1::Record record;
  v1::CasePlanSet& set = *record.mutable_case_plan_set();
  set.set_revision(1);
  *set.mutable_plan() = plan;
  *set.mutable_montage() = montage;
  *set.mutable_criteria() = criteria;
  return record;
}

// Each entry of each list in a plan of its own.
absl::Status CheckEntriesAlone(const CasePlan& plan) {
  const google::protobuf::Descriptor& type = *v1::Plan::descriptor();
  const google::protobuf::Reflection& all = *plan.plan.GetReflection();
  for (int f = 0; f < type.field_count(); ++f) {
    const google::protobuf::FieldDescriptor* field = type.field(f);
    if (!field->is_repeated()) continue;
    for (int i = 0; i < all.FieldSize(plan.plan, field); ++i) {
      v1::Plan part;
      part.GetReflection()
          ->AddMessage(&part, field)
          ->CopyFrom(all.GetRepeatedMessage(plan.plan, field, i));
      RETURN_IF_ERROR(At(plan.InPlan(absl::StrCat(field->name(), "[", i, "]")),
                         CheckAsHub(PlanSet(part, {}, {}))));
    }
  }
  return absl::OkStatus();
}

// The plan's record. Where it is refused, the entry alone that is at fault.
absl::Status CheckPlanSet(const CasePlan& plan) {
  v1::Record whole = PlanSet(plan.plan, plan.montage, plan.criteria);
  if (const size_t bytes = Encode(&whole).size(); bytes > kMaxControlBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": with its montage and criteria it makes a record of ", bytes,
                     " bytes; at most ", kMaxControlBytes, " are possible"));
  }
  const absl::Status status = CheckAsHub(whole);
  if (status.ok()) return status;
  RETURN_IF_ERROR(CheckEntriesAlone(plan));
  for (int i = 0; i < plan.montage.derivation_size(); ++i) {
    v1::Montage part;
    *part.add_derivation() = plan.montage.derivation(i);
    RETURN_IF_ERROR(
        At(plan.InMontage(absl::StrCat("derivation[", i, "]")), CheckAsHub(PlanSet({}, part, {}))));
  }
  for (int i = 0; i < plan.montage.alias_size(); ++i) {
    v1::Montage part;
    *part.add_alias() = plan.montage.alias(i);
    RETURN_IF_ERROR(
        At(plan.InMontage(absl::StrCat("alias[", i, "]")), CheckAsHub(PlanSet({}, part, {}))));
  }
  for (int i = 0; i < plan.criteria.criterion_size(); ++i) {
    v1::CriteriaPack part;
    *part.add_criterion() = plan.criteria.criterion(i);
    RETURN_IF_ERROR(
        At(plan.InCriteria(absl::StrCat("criterion[", i, "]")), CheckAsHub(PlanSet({}, {}, part))));
  }
  RETURN_IF_ERROR(At(plan.montage_path, CheckAsHub(PlanSet({}, plan.montage, {}))));
  RETURN_IF_ERROR(At(plan.criteria_path, CheckAsHub(PlanSet({}, {}, plan.criteria))));
  return At(plan.plan_path, status);
}

v1::Record SweepOf(const PlannedTrace& trace) {
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep.set_trace_id(trace.trace_id);
  sweep.set_modality(trace.modality);
  sweep.set_side(trace.side);
  sweep.set_level_role(trace.level_role);
  sweep.set_derivation(trace.derivation);
  sweep.set_sample_rate_hz(1000);
  *sweep.mutable_average() = PackCounts({{0}}, 1);
  *sweep.mutable_filter() = trace.filter;
  *sweep.mutable_stimulus() = trace.stimulus;
  return record;
}

void AddMarks(const v1::EvokedPlan& evoked, v1::Sweep* sweep) {
  sweep->set_requested_count(evoked.sweep_count());
  sweep->set_first_sample_ms(evoked.epoch_from_ms());
  for (const v1::ComponentPlan& component : evoked.component()) {
    v1::PeakMark& mark = *sweep->add_marks();
    mark.set_label(component.label());
    mark.set_latency_ms(component.expected_ms());
  }
}

v1::Record MeasurementOf(const PlannedTrace& trace, const std::string& component) {
  v1::Record record;
  v1::Measurement& measurement = *record.mutable_measurement();
  measurement.set_trace_id(trace.trace_id);
  measurement.set_modality(trace.modality);
  measurement.set_side(trace.side);
  *measurement.mutable_sweep() = Reference(3);
  measurement.set_component(component);
  measurement.set_state(v1::MEASUREMENT_STATE_NO_BASELINE);
  return record;
}

v1::Record AlertOf(const CasePlan& plan, const std::string& key, const PlannedTrace& trace) {
  v1::Record record;
  v1::Alert& alert = *record.mutable_alert();
  alert.set_priority(v1::ALERT_PRIORITY_HIGH);
  alert.set_kind(v1::ALERT_KIND_ABSOLUTE);
  alert.set_alert_class(v1::ALERT_CLASS_PHYSIOLOGICAL);
  alert.set_condition(v1::ALERT_CONDITION_RAISED);
  alert.set_trace_id(trace.trace_id);
  alert.set_modality(trace.modality);
  alert.set_side(trace.side);
  alert.set_derivation(trace.derivation);
  alert.mutable_criterion()->set_key(key);
  if (const v1::Criterion* row = plan.FindCriterion(key)) {
    alert.mutable_criterion()->set_source(row->source());
  }
  alert.mutable_criterion()->set_version(plan.criteria.version());
  alert.mutable_evidence()->set_accepted_count(1);
  alert.set_summary(absl::StrCat("SEP ", trace.derivation));
  return record;
}

// An alert about what belongs to the trace, named by `subject`.
v1::Record TechnicalAlertOf(const std::string& subject) {
  v1::Record record;
  v1::Alert& alert = *record.mutable_alert();
  alert.set_priority(v1::ALERT_PRIORITY_LOW);
  alert.set_kind(v1::ALERT_KIND_TECHNICAL);
  alert.set_alert_class(v1::ALERT_CLASS_TECHNICAL);
  alert.set_condition(v1::ALERT_CONDITION_RAISED);
  alert.set_trace_id(subject);
  alert.set_summary(subject);
  return record;
}

// What belongs to any trace that has a stimulus.
absl::Status CheckTraceRecords(const PlannedTrace& trace) {
  RETURN_IF_ERROR(CheckAsHub(TechnicalAlertOf(trace.trace_id)));
  if (!trace.has_stimulus()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckAsHub(SweepOf(trace)));
  return CheckAsHub(TechnicalAlertOf(StimulusSubject(trace.trigger)));
}

absl::Status CheckEvokedRecords(const CasePlan& plan, const v1::EvokedPlan& evoked,
                                const PlannedTrace& trace) {
  v1::Record sweep = SweepOf(trace);
  AddMarks(evoked, sweep.mutable_sweep());
  RETURN_IF_ERROR(CheckAsHub(sweep));
  const std::string component =
      absl::StrCat(evoked.component(0).label(), "-", evoked.component(1).label());
  RETURN_IF_ERROR(CheckAsHub(MeasurementOf(trace, component)));
  for (const std::string& key : evoked.criterion()) {
    RETURN_IF_ERROR(CheckAsHub(AlertOf(plan, key, trace)));
  }
  return absl::OkStatus();
}

v1::Record BlockOf(const PlannedTrace& trace, double sent_rate_hz) {
  v1::Record record;
  v1::SampleBlock& block = *record.mutable_sample_block();
  block.set_trace_id(trace.trace_id);
  block.set_modality(trace.modality);
  block.set_side(trace.side);
  block.set_sample_rate_hz(sent_rate_hz);
  *block.mutable_samples() = PackCounts({{0}}, 1);
  *block.mutable_filter() = trace.filter;
  return record;
}

absl::Status CheckEmgRecords(const CasePlan& plan, const v1::EmgPlan& emg,
                             const PlannedTrace& trace) {
  RETURN_IF_ERROR(CheckAsHub(BlockOf(trace, emg.sent_rate_hz())));
  v1::Record activity;
  activity.mutable_emg_activity()->set_trace_id(trace.trace_id);
  activity.mutable_emg_activity()->set_side(trace.side);
  activity.mutable_emg_activity()->set_kind(v1::EMG_ACTIVITY_KIND_TRAIN);
  RETURN_IF_ERROR(CheckAsHub(activity));
  for (const std::string& key : emg.criterion()) {
    RETURN_IF_ERROR(CheckAsHub(AlertOf(plan, key, trace)));
  }
  return absl::OkStatus();
}

absl::Status CheckMotorRecords(const v1::MotorPlan& motor, const PlannedTrace& trace) {
  v1::Record measurement = MeasurementOf(trace, "response");
  measurement.mutable_measurement()->mutable_muscle()->set_presence(v1::RESPONSE_PRESENCE_PRESENT);
  RETURN_IF_ERROR(CheckAsHub(measurement));
  if (!motor.has_threshold()) return absl::OkStatus();
  v1::Record record;
  v1::StimulusThreshold& threshold = *record.mutable_stimulus_threshold();
  threshold.set_trace_id(trace.trace_id);
  threshold.set_modality(trace.modality);
  threshold.set_side(trace.side);
  threshold.set_level(trace.stimulus.site());
  threshold.set_state(v1::THRESHOLD_STATE_SEARCHING);
  threshold.set_step(motor.threshold().step());
  *threshold.mutable_stimulus() = trace.stimulus;
  threshold.add_steps()->set_trace_id(trace.trace_id);
  return CheckAsHub(record);
}

absl::Status CheckEegRecords(const v1::EegPlan& eeg, const PlannedTrace& trace) {
  RETURN_IF_ERROR(CheckAsHub(BlockOf(trace, eeg.sent_rate_hz())));
  v1::Record edge;
  edge.mutable_spectral_edge()->set_trace_id(trace.trace_id);
  edge.mutable_spectral_edge()->set_modality(trace.modality);
  edge.mutable_spectral_edge()->set_side(trace.side);
  edge.mutable_spectral_edge()->set_window_ms(1000 * eeg.window_s());
  RETURN_IF_ERROR(CheckAsHub(edge));
  v1::Record slice;
  slice.mutable_spectrum_slice()->set_trace_id(trace.trace_id);
  slice.mutable_spectrum_slice()->set_modality(trace.modality);
  slice.mutable_spectrum_slice()->set_side(trace.side);
  slice.mutable_spectrum_slice()->set_bin_width_hz(0.5);
  slice.mutable_spectrum_slice()->set_window_ms(1000 * eeg.window_s());
  *slice.mutable_spectrum_slice()->mutable_power_db() = PackCounts({{0}}, 1);
  RETURN_IF_ERROR(CheckAsHub(slice));
  if (!eeg.has_after_discharge_trigger()) return absl::OkStatus();
  v1::Record activity;
  activity.mutable_eeg_activity()->set_trace_id(trace.trace_id);
  activity.mutable_eeg_activity()->set_kind(v1::EEG_ACTIVITY_KIND_AFTER_DISCHARGE);
  return CheckAsHub(activity);
}

absl::Status CheckTrainOfFourRecords(const v1::TrainOfFourPlan& tof, const PlannedTrace& trace) {
  v1::Record record;
  v1::TrainOfFour& told = *record.mutable_train_of_four();
  told.set_limb(tof.limb());
  told.set_trace_id(trace.trace_id);
  told.set_side(trace.side);
  *told.add_sweeps() = Reference(3);
  *told.mutable_stimulus() = trace.stimulus;
  return CheckAsHub(record);
}

absl::Status CheckMappingRecords(const v1::MappingPlan& mapping, const PlannedTrace& trace) {
  v1::Record contact;
  contact.mutable_mapping_contact()->set_strip(mapping.strip());
  contact.mutable_mapping_contact()->set_contact_index(1);
  contact.mutable_mapping_contact()->set_modality(trace.modality);
  contact.mutable_mapping_contact()->set_side(trace.side);
  *contact.mutable_mapping_contact()->mutable_sweep() = Reference(3);
  contact.mutable_mapping_contact()->set_current_ma(trace.stimulus.current_ma());
  RETURN_IF_ERROR(CheckAsHub(contact));
  v1::Record result;
  result.mutable_mapping_result()->set_strip(mapping.strip());
  result.mutable_mapping_result()->set_modality(trace.modality);
  result.mutable_mapping_result()->set_side(trace.side);
  result.mutable_mapping_result()->set_method(v1::MAPPING_METHOD_PHASE_REVERSAL);
  return CheckAsHub(result);
}

absl::Status CheckRelationRecords(const v1::RelationPlan& plan) {
  v1::Record record;
  v1::Relation& relation = *record.mutable_relation();
  relation.set_relation_id(TraceId(plan.modality(), plan.side(), plan.name()));
  relation.set_kind(plan.is_ratio() ? v1::RELATION_KIND_RATIO : v1::RELATION_KIND_INTERVAL);
  relation.set_name(plan.name());
  relation.set_modality(plan.modality());
  relation.set_side(plan.side());
  *relation.mutable_first() = Reference(2);
  *relation.mutable_second() = Reference(2);
  return CheckAsHub(record);
}

// What an entry of its block makes of the trace.
absl::Status CheckBlockRecords(const CasePlan& plan, const PlannedTrace& trace) {
  const v1::Plan& all = plan.plan;
  switch (trace.block) {
    case PlannedTrace::Block::kEvoked:
      return CheckEvokedRecords(plan, all.evoked(trace.entry), trace);
    case PlannedTrace::Block::kEmg:
      return CheckEmgRecords(plan, all.emg(trace.entry), trace);
    case PlannedTrace::Block::kMotor:
      return CheckMotorRecords(all.motor(trace.entry), trace);
    case PlannedTrace::Block::kEeg:
      return CheckEegRecords(all.eeg(trace.entry), trace);
    case PlannedTrace::Block::kTrainOfFour:
      return CheckTrainOfFourRecords(all.train_of_four(trace.entry), trace);
    case PlannedTrace::Block::kMapping:
      return CheckMappingRecords(all.mapping(trace.entry), trace);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPlanRecords(const CasePlan& plan) {
  RETURN_IF_ERROR(CheckPlanSet(plan));
  for (const PlannedTrace& trace : PlannedTraces(plan.plan)) {
    const std::string where = plan.InPlan(trace.field);
    RETURN_IF_ERROR(At(where, CheckTraceRecords(trace)));
    RETURN_IF_ERROR(At(where, CheckBlockRecords(plan, trace)));
  }
  for (int i = 0; i < plan.plan.relation_size(); ++i) {
    RETURN_IF_ERROR(At(plan.InPlan(absl::StrCat("relation[", i, "]")),
                       CheckRelationRecords(plan.plan.relation(i))));
  }
  return absl::OkStatus();
}

}  // namespace remora::agent
