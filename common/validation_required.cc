// What each kind of lanes 0 and 1 requires, beyond what they all share (validation.cc).

#include "absl/strings/str_cat.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/origin_seq.h"
#include "common/validation_rules.h"

namespace remora {
namespace {

bool IsReduced(const v1::PackedSamples& samples) {
  return samples.sample_count() <= kMaxReducedSamples;
}

bool IsOptionalId(const std::string& id) { return id.empty() || id.size() == OriginId::kBytes; }

absl::Status Check(const v1::Alert& alert) {
  const bool physiological = alert.alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL;
  const v1::AlertEvidence& evidence = alert.evidence();
  return CheckAll({
      {alert.priority() != 0, "Alert.priority: required"},
      {alert.kind() != 0, "Alert.kind: required"},
      {alert.alert_class() != 0, "Alert.alert_class: required"},
      {alert.condition() != 0, "Alert.condition: required"},
      {!alert.summary().empty(), "Alert.summary: required, one line in words"},
      {alert.has_raised_by() == (alert.condition() != v1::ALERT_CONDITION_RAISED),
       "Alert.raised_by: required when updated or recovered, absent when raised"},
      {!physiological || !alert.trace_id().empty(),
       "Alert.trace_id: required of a physiological alert"},
      {!physiological || !alert.criterion().key().empty(),
       "Alert.criterion.key: required of a physiological alert"},
      {!physiological || !alert.criterion().source().empty(),
       "Alert.criterion.source: required of a physiological alert"},
      {!physiological || alert.has_evidence(), "Alert.evidence: required of a physiological alert"},
      {IsReduced(evidence.reduced_trace()) && IsReduced(evidence.reduced_baseline()),
       "AlertEvidence: a reduced trace has at most 512 samples"},
      {evidence.quality_size() <= kMaxQualityFlags, "AlertEvidence.quality: at most 32 entries"},
  });
}

absl::Status Check(const v1::AlertAction& action) {
  return CheckAll({
      {action.has_alert(), "AlertAction.alert: required"},
      {action.kind() != 0, "AlertAction.kind: required"},
      {action.place() != 0, "AlertAction.place: required"},
      {action.kind() != v1::ALERT_ACTION_KIND_DISMISSED || !action.reason().empty(),
       "AlertAction.reason: required to dismiss"},
  });
}

absl::Status Check(const v1::Message& message) {
  return CheckAll({
      {message.kind() != 0, "Message.kind: required"},
      {!message.text().empty(), "Message.text: required"},
  });
}

absl::Status Check(const v1::MessageReceipt& receipt) {
  return CheckAll({
      {receipt.has_message(), "MessageReceipt.message: required"},
      {receipt.kind() != 0, "MessageReceipt.kind: required"},
  });
}

absl::Status Check(const v1::Request& request) {
  const bool asked = request.state() == v1::REQUEST_STATE_ASKED;
  const bool needs_reason =
      request.state() == v1::REQUEST_STATE_CANNOT || request.state() == v1::REQUEST_STATE_WITHDRAWN;
  return CheckAll({
      {request.state() != 0, "Request.state: required"},
      {asked != request.has_request(),
       "Request.request: absent when asked, required in what answers it"},
      {!asked || !request.test().empty(), "Request.test: required when asked"},
      {!needs_reason || !request.reason().empty(),
       "Request.reason: required when it cannot be done, or is withdrawn"},
  });
}

absl::Status Check(const v1::Escalation& escalation) {
  return CheckAll({
      {escalation.has_alert(), "Escalation.alert: required"},
      {escalation.state() != 0, "Escalation.state: required"},
  });
}

// Never a cause without what speaks for it.
absl::Status Check(const v1::CauseRanking& ranking) {
  for (const v1::RankedCause& cause : ranking.causes()) {
    if (absl::Status status = CheckAll({
            {!cause.key().empty() && !cause.name().empty(), "RankedCause.key, name: required"},
            {cause.support() != 0, "RankedCause.support: required"},
            {cause.evidence_for_size() > 0 || !cause.kept_by().empty(),
             "RankedCause.evidence_for: required"},
        });
        !status.ok()) {
      return status;
    }
  }
  return CheckAll({
      {ranking.has_alert(), "CauseRanking.alert: required"},
      {ranking.causes_size() <= kMaxRankedCauses, "CauseRanking.causes: at most 3"},
  });
}

absl::Status Check(const v1::Differential& differential) {
  switch (differential.what_case()) {
    case v1::Differential::kRanking:
      return Check(differential.ranking());
    case v1::Differential::kPick: {
      const v1::CausePick& pick = differential.pick();
      return CheckAll({
          {pick.has_alert(), "CausePick.alert: required"},
          {pick.cause_key_size() > 0 || !pick.words().empty(),
           "CausePick.words: required where no cause is picked"},
      });
    }
    case v1::Differential::WHAT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("Differential: ranking or pick, required");
}

absl::Status Check(const v1::ProtocolRun& run) {
  const bool ends =
      run.state() == v1::PROTOCOL_RUN_STATE_ENDED || run.state() == v1::PROTOCOL_RUN_STATE_DECLINED;
  return CheckAll({
      {run.state() != 0, "ProtocolRun.state: required"},
      {!ends || run.has_run(), "ProtocolRun.run: required when ended or declined"},
      {run.state() != v1::PROTOCOL_RUN_STATE_STARTED || run.protocol().step_size() > 0,
       "ProtocolRun.protocol: required when started"},
      {run.state() != v1::PROTOCOL_RUN_STATE_DECLINED || !run.reason().empty(),
       "ProtocolRun.reason: required when declined"},
  });
}

absl::Status Check(const v1::ResponseEvent& event) {
  switch (event.what_case()) {
    case v1::ResponseEvent::kRun:
      return Check(event.run());
    case v1::ResponseEvent::kFacts:
      return CheckAll({
          {event.facts().has_run(), "StepFacts.run: required"},
          {!event.facts().step_key().empty(), "StepFacts.step_key: required"},
      });
    case v1::ResponseEvent::WHAT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("ResponseEvent: run or facts, required");
}

absl::Status Check(const v1::ChecklistStep& step) {
  return CheckAll({
      {!step.protocol().empty(), "ChecklistStep.protocol: required"},
      {step.has_run(), "ChecklistStep.run: required"},
      {!step.step_key().empty(), "ChecklistStep.step_key: required"},
      {step.state() != 0, "ChecklistStep.state: required"},
  });
}

absl::Status Check(const v1::AdverseEvent& event) {
  const bool opens = !event.has_event();
  return CheckAll({
      {!opens || event.alerts_size() > 0 || event.findings_size() > 0,
       "AdverseEvent: alerts or findings, required of the first record"},
      {event.remedial_step().empty() ? event.response_then().empty() : true,
       "AdverseEvent.response_then: of a remedial step"},
  });
}

absl::Status Check(const v1::AlarmLatency& latency) {
  for (const v1::LatencyMark& mark : latency.marks()) {
    if (mark.step() == 0) return absl::InvalidArgumentError("LatencyMark.step: required");
    if (mark.uncertainty_ms() < 0) {
      return absl::InvalidArgumentError("LatencyMark.uncertainty_ms: not negative");
    }
  }
  return CheckAll({
      {latency.has_alert() && latency.has_call(), "AlarmLatency.alert, call: required"},
      {latency.marks_size() >= 1, "AlarmLatency.marks: at least one"},
  });
}

absl::Status Check(const v1::LinkState& link) {
  return CheckAll({
      {!link.participant().empty() || link.own_view(),
       "LinkState.participant: required, but of an own view"},
      {link.condition() != 0, "LinkState.condition: required"},
      {link.previous_duration_ms() >= 0, "LinkState.previous_duration_ms: not negative"},
  });
}

absl::Status Check(const v1::CaseLifecycle& step) {
  const v1::CaseTransition to = step.transition();
  const bool corrected = to == v1::CASE_TRANSITION_CORRECTED;
  const bool into_theatre =
      to == v1::CASE_TRANSITION_SCHEDULED || to == v1::CASE_TRANSITION_OPENED ||
      to == v1::CASE_TRANSITION_OPENED_EMERGENCY || to == v1::CASE_TRANSITION_MOVED;
  const bool needs_reason =
      corrected || to == v1::CASE_TRANSITION_REOPENED || to == v1::CASE_TRANSITION_ABANDONED;
  return CheckAll({
      {to != 0, "CaseLifecycle.transition: required"},
      {!into_theatre || !step.theatre().empty(),
       "CaseLifecycle.theatre: required when scheduled, opened or moved"},
      {!needs_reason || !step.reason().empty(),
       "CaseLifecycle.reason: required when corrected, re-opened or abandoned"},
      {step.corrected_case_id().size() == (corrected ? CaseId::kBytes : 0),
       "CaseLifecycle.corrected_case_id: 16 bytes when corrected, else absent"},
  });
}

absl::Status Check(const v1::CasePlanSet& set) {
  return CheckAll({
      {set.has_plan(), "CasePlanSet.plan: required"},
      {set.revision() >= 1, "CasePlanSet.revision: starts at 1"},
  });
}

absl::Status Check(const v1::BaselineSet& baseline) {
  bool are_sweeps = true;
  for (const v1::RecordId& id : baseline.sweeps()) are_sweeps = are_sweeps && id.lane() == 3;
  return CheckAll({
      {!baseline.trace_id().empty(), "BaselineSet.trace_id: required"},
      {baseline.kind() != 0, "BaselineSet.kind: required"},
      {baseline.sweeps_size() >= 1, "BaselineSet.sweeps: at least one"},
      {are_sweeps, "BaselineSet.sweeps: must be records of lane 3"},
      {baseline.amplitude_uv() >= 0, "BaselineSet.amplitude_uv: not negative"},
      {baseline.sample_rate_hz() >= 0 && baseline.sample_rate_hz() <= kMaxSampleRateHz,
       "BaselineSet.sample_rate_hz: 0 to 200,000"},
      {!baseline.has_average() || baseline.sample_rate_hz() > 0,
       "BaselineSet.sample_rate_hz: required with an average"},
      {baseline.digest().empty() || baseline.digest().size() == kDigestBytes,
       "BaselineSet.digest: 32 bytes, or absent"},
  });
}

absl::Status Check(const v1::Presence& presence) {
  return CheckAll({
      {!presence.participant().empty(), "Presence.participant: required"},
      {presence.role() != 0, "Presence.role: required"},
      {presence.change() != 0, "Presence.change: required"},
  });
}

absl::Status Check(const v1::DataGap& gap) {
  const bool of_records = !gap.origin().empty();
  return CheckAll({
      {gap.cause() != 0, "DataGap.cause: required"},
      {IsOptionalId(gap.origin()), "DataGap.origin: 16 bytes, or absent"},
      {gap.lane() < kLaneCount, "DataGap.lane: 0 to 5"},
      {!of_records ||
           (gap.first_origin_seq() >= 1 && gap.last_origin_seq() >= gap.first_origin_seq()),
       "DataGap.first_origin_seq, last_origin_seq: from 1, ascending"},
      {gap.first_origin_seq() <= kMaxOriginSeq && gap.last_origin_seq() <= kMaxOriginSeq,
       "DataGap.first_origin_seq, last_origin_seq: at most 2^53 - 1"},
      {gap.to_monotonic_ns() >= gap.from_monotonic_ns(), "DataGap: ends before it starts"},
  });
}

absl::Status Check(const v1::Certificate& certificate) {
  for (const v1::OriginLaneHead& head : certificate.heads()) {
    if (head.origin().size() != OriginId::kBytes || head.lane() >= kLaneCount) {
      return absl::InvalidArgumentError("Certificate.heads: origin of 16 bytes, lane 0 to 5");
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::PublisherTotal& total) {
  uint32_t lanes = 0;
  for (const v1::LaneTotal& lane : total.lanes()) {
    if (lane.lane() >= kLaneCount || (lanes & (1U << lane.lane())) != 0) {
      return absl::InvalidArgumentError("PublisherTotal.lanes: each lane of 0 to 5 at most once");
    }
    if (lane.last_origin_seq() > kMaxOriginSeq) {
      return absl::InvalidArgumentError("PublisherTotal.lanes: last_origin_seq at most 2^53 - 1");
    }
    lanes |= 1U << lane.lane();
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::Vitals& vitals) {
  for (const v1::Vital& vital : vitals.vitals()) {
    if (vital.kind() == 0) return absl::InvalidArgumentError("Vital.kind: required");
    if (vital.kind() == v1::VITAL_KIND_BISPECTRAL_INDEX &&
        (vital.value() < 0 || vital.value() > kMaxBispectralIndex)) {
      return absl::InvalidArgumentError("Vital.value: a bispectral index is 0 to 100");
    }
  }
  // An origin of before them says these.
  const bool has_old = vitals.mean_arterial_pressure_mmhg() > 0 || vitals.temperature_c() > 0;
  return CheckAll({{(vitals.vitals_size() >= 1 || has_old) && vitals.vitals_size() <= kMaxVitals,
                    "Vitals.vitals: 1 to 12"}});
}

absl::Status Check(const v1::Impedances& impedances) {
  for (const v1::ElectrodeImpedance& electrode : impedances.electrodes()) {
    if (electrode.electrode().empty() || electrode.kohm() < 0) {
      return absl::InvalidArgumentError(
          "ElectrodeImpedance: electrode required, kohm not negative");
    }
    if (electrode.open() && electrode.kohm() != 0) {
      return absl::InvalidArgumentError("ElectrodeImpedance.kohm: 0 of one that is open");
    }
  }
  return CheckAll({{impedances.electrodes_size() >= 1, "Impedances.electrodes: at least one"}});
}

// Kinds of lane 1 with one or two rules each.
absl::Status CheckSmallEvent(uint32_t kind, const v1::Record& r) {
  switch (kind) {
    case v1::Record::kPhaseChange:
      return CheckAll({{r.phase_change().phase() != 0, "PhaseChange.phase: required"}});
    case v1::Record::kAnnotation:
      return CheckAll({{!r.annotation().text().empty(), "Annotation.text: required"}});
    case v1::Record::kChecklistStep:
      return Check(r.checklist_step());
    case v1::Record::kInputTaken:
      return CheckAll({{r.input_taken().has_input(), "InputTaken.input: required"}});
    case v1::Record::kDifferential:
      return Check(r.differential());
    case v1::Record::kResponseEvent:
      return Check(r.response_event());
    case v1::Record::kAdverseEvent:
      return Check(r.adverse_event());
    case v1::Record::kVitals:
      return Check(r.vitals());
    case v1::Record::kDrugGiven:
      return CheckAll({{!r.drug_given().drug().empty(), "DrugGiven.drug: required"},
                       {r.drug_given().amount() >= 0, "DrugGiven.amount: not negative"}});
    case v1::Record::kImpedances:
      return Check(r.impedances());
    case v1::Record::kPositionChange:
      return CheckAll(
          {{!r.position_change().position().empty(), "PositionChange.position: required"}});
    case v1::Record::kStimulusChange:
      return CheckAll({{r.stimulus_change().has_stimulus(), "StimulusChange.stimulus: required"}});
    case v1::Record::kNecessityFinding:
      return CheckAll(
          {{!r.necessity_finding().finding().empty(), "NecessityFinding.finding: required"}});
    case v1::Record::kHandover:
      return CheckAll({{!r.handover().from_actor().empty() && !r.handover().to_actor().empty(),
                        "Handover.from_actor, to_actor: required"}});
    case v1::Record::kExportMade:
      return CheckAll({{!r.export_made().format().empty(), "ExportMade.format: required"}});
    case v1::Record::kTimerFired:
      return CheckAll({{!r.timer_fired().timer().empty(), "TimerFired.timer: required"}});
    case v1::Record::kUnrecordedInterval:
      return CheckAll(
          {{r.unrecorded_interval().to_unix_ns() >= r.unrecorded_interval().from_unix_ns(),
            "UnrecordedInterval: ends before it starts"}});
    case v1::Record::kBacklogReviewed:
      return CheckAll(
          {{r.backlog_reviewed().has_interval(), "BacklogReviewed.interval: required"}});
    case v1::Record::kViewSeen:
      return CheckAll({{r.view_seen().mode() != 0, "ViewSeen.mode: required"},
                       {r.view_seen().traces_size() <= 64, "ViewSeen.traces: at most 64"},
                       {r.view_seen().alerts_size() <= 64, "ViewSeen.alerts: at most 64"}});
    case v1::Record::kPublisherTotal:
      return Check(r.publisher_total());
    case v1::Record::kSourceNote:
      return CheckAll(
          {{!r.source_note().text().empty(), "SourceNote.text: required"},
           {r.source_note().duration_ms() >= 0, "SourceNote.duration_ms: not negative"}});
    default:
      return absl::OkStatus();
  }
}

}  // namespace

absl::Status CheckRequired(uint32_t kind, const v1::Record& record) {
  switch (kind) {
    case v1::Record::kAlert:
      return Check(record.alert());
    case v1::Record::kAlertAction:
      return Check(record.alert_action());
    case v1::Record::kMessage:
      return Check(record.message());
    case v1::Record::kMessageReceipt:
      return Check(record.message_receipt());
    case v1::Record::kRequest:
      return Check(record.request());
    case v1::Record::kEscalation:
      return Check(record.escalation());
    case v1::Record::kAlarmLatency:
      return Check(record.alarm_latency());
    case v1::Record::kLinkState:
      return Check(record.link_state());
    case v1::Record::kCaseLifecycle:
      return Check(record.case_lifecycle());
    case v1::Record::kCasePlanSet:
      return Check(record.case_plan_set());
    case v1::Record::kBaselineSet:
      return Check(record.baseline_set());
    case v1::Record::kPresence:
      return Check(record.presence());
    case v1::Record::kDataGap:
      return Check(record.data_gap());
    case v1::Record::kCertificate:
      return Check(record.certificate());
    default:
      return LaneOfKind(kind) == 1 ? CheckSmallEvent(kind, record) : CheckMeasured(kind, record);
  }
}

}  // namespace remora
