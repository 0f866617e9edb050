#include "common/testing/sample_records.h"

#include <string>

#include "common/check.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"

namespace remora {
namespace {

// The texts name the bodies by their fields; "SWEEP" and "SAMPLES" stand for what text cannot say
// well.
constexpr const char* kBodies[] = {
    R"(alert { priority: ALERT_PRIORITY_HIGH kind: ALERT_KIND_ABSOLUTE
         alert_class: ALERT_CLASS_PHYSIOLOGICAL condition: ALERT_CONDITION_RAISED
         trace_id: "SEP_UPPER/R/CPc-Front" modality: MODALITY_SEP_UPPER side: SIDE_RIGHT
         criterion { key: "SEP.amp_abs" limits: "amplitude -50 %" source: "ACNS 2009" }
         evidence { component: "N20-P25" amplitude_uv: 0.9 amplitude_percent_of_baseline: 36
           sweep { SWEEP } reduced_trace { SAMPLES } reduced_sample_interval_ms: 0.2 }
         summary: "SEP median right CPc-Front: N20-P25 -64 %, limit -50 %" })",
    R"(alert_action { alert { ALERT } kind: ALERT_ACTION_KIND_UNDONE place: PLACE_READER
         actor: "Dr. Example" seen { ALERT } undone { ALERT } })",
    R"(message { kind: MESSAGE_KIND_CHAT text: "Check the lead, bitte \303\274berpr\303\274fen"
         sender: "Dr. Example" about { ALERT } })",
    R"(message_receipt { message { ALERT } kind: RECEIPT_KIND_READ recipient: "OR 3" })",
    R"(request { test: "MEP now" state: REQUEST_STATE_ASKED kind: REQUEST_TEST_TRIAL
         modality: MODALITY_MEP_TRANSCRANIAL limb: "left leg" about { ALERT }
         actor: "Dr. Example" })",
    R"(escalation { alert { ALERT } called_by { ALERT } step_index: 1 target: "Dr. Next"
         state: ESCALATION_STATE_CALLED reason: "not acknowledged for 60 s" })",
    R"(link_state { participant: "agent-or3" condition: LINK_CONDITION_STALE
         previous_duration_ms: 1500 })",
    R"(case_lifecycle { transition: CASE_TRANSITION_OPENED theatre: "OR 3" procedure: "T4-L2" })",
    R"(case_plan_set { plan { procedure: "T4-L2" mains_hz: 50 } revision: 1
         montage { name: "m" derivation { name: "CPc-Front" plus: "CP3" minus: "Fz" } } })",
    R"(phase_change { phase: PHASE_EXPOSURE actor: "Tech" })",
    R"(baseline_set { trace_id: "SEP_UPPER/R/CPc-Front" kind: BASELINE_KIND_POST_POSITION
         sweeps { SWEEP } amplitude_uv: 2.5 latency_ms: 19.4 average { SAMPLES }
         sample_rate_hz: 5000 })",
    R"(annotation { text: "bovie" about { SWEEP } at_latency_ms: 20 has_place: true })",
    R"(checklist_step { protocol: "C" actor: "Tech" run { RUN } step_key: "C7"
         state: STEP_STATE_DONE limbs { limb: "left foot" movement: LIMB_MOVEMENT_MOVES }
         decision { choice: "stop" factor_words: "myelopathy" decided_by: "Dr. Surgeon" }
         measures { measure: "left rod" is_released: true } })",
    R"(vitals { source: "monitor"
         vitals { kind: VITAL_KIND_MEAN_ARTERIAL_PRESSURE value: 72 measured_monotonic_ns: 5 }
         vitals { kind: VITAL_KIND_LIMB_TEMPERATURE value: 31.2 site: "left foot" } })",
    R"(drug_given { drug: "rocuronium" dose: "50 mg" change: DRUG_CHANGE_BOLUS amount: 50
         unit: "mg" given_monotonic_ns: 5 source: "pump 2" })",
    R"(stimulus_change { stimulus { site: "median nerve" current_ma: 15 rate_hz: 4.7 } })",
    R"(presence { participant: "dr-example" role: ROLE_NEUROPHYSIOLOGIST
         change: PRESENCE_CHANGE_JOINED })",
    R"(focus { actor: "Dr. Example" attending: true })",
    R"(necessity_finding { finding: "indicated" source: "ASNM" })",
    R"(handover { from_actor: "A" to_actor: "B" })",
    R"(export_made { format: "csv" actor: "A" })",
    R"(data_gap { cause: DATA_GAP_CAUSE_SPOOL_SHORT origin: "0123456789abcdef" lane: 5
         first_origin_seq: 4 last_origin_seq: 9 })",
    R"(clock_estimate { boot_id: 7 offset_ns: 1000 error_bound_ns: 200000 drift_ppb: -50 })",
    R"(timer_fired { timer: "stale" deadline_unix_ns: 5 lateness_ms: 1 })",
    R"(signed_head { seq: 10 chain: "c" signature: "s" key_id: "k" })",
    R"(unrecorded_interval { from_unix_ns: 1 to_unix_ns: 2 cause: "disk full" shown_count: 3 })",
    R"(certificate { heads { origin: "0123456789abcdef" lane: 1 last_origin_seq: 5 } })",
    R"(source_note { text: "Recording starts" duration_ms: 0 })",
    R"(backlog_reviewed { interval { ALERT } actor: "Dr. Example" })",
    R"(view_seen { actor: "Dr. Example" screen_id: 9 mode: SEEN_MODE_LIVE control_seq: 40
         head_seq: 44
         link_age_ms: 120 acquisition_age_ms: 210 response_age_ms: 840000
         link: LINK_CONDITION_LIVE
         traces { trace_id: "SEP_UPPER/R/CPc-Front" newest { SWEEP } age_ms: 900 } })",
    R"(publisher_total { lanes { lane: 0 last_origin_seq: 4 }
         lanes { lane: 1 last_origin_seq: 1 } })",
    R"(impedances { measured_monotonic_ns: 5 electrodes { electrode: "CP3" kohm: 2.5 }
         electrodes { electrode: "CP4" open: true } })",
    R"(position_change { position: "prone, head turned to the left" actor: "Tech" })",
    R"(input_taken { input { ALERT } })",
    R"(differential { ranking { alert { ALERT } made_for { ALERT } table: "standard 1.0"
         causes { key: "cord" name: "Spinal cord, surgical" group: CAUSE_GROUP_SURGICAL
           support: CAUSE_SUPPORT_STRONG missing: "TOF: 22 min ago" source: "S0:82-84"
           evidence_for { feature: "MEP" words: "lost below the level" seen_on: "TA left" } }
         separating_test: "train-of-four in that limb" changed: "TA left" } })",
    R"(response_event { run { state: PROTOCOL_RUN_STATE_STARTED alert { ALERT } protocol_key: "C"
         phase: PHASE_CORRECTION protocol { key: "C" title: "During deformity correction"
           step { key: "C1" text: "Check" kind: RESPONSE_STEP_KIND_PLAIN } } actor: "Tech" } })",
    R"(adverse_event { alerts { ALERT } onset_unix_ns: 5 phase: PHASE_CORRECTION
         findings: "TA left: lost" context: "MAP 52 mmHg, 1 min ago"
         outcome: EVENT_OUTCOME_ONGOING actor: "Dr. Example" })",
    R"(measurement { trace_id: "SEP_UPPER/R/CPc-Front" modality: MODALITY_SEP_UPPER
         sweep { SWEEP } component: "N20-P25" amplitude_uv: 2.4 latency_ms: 19.5
         state: MEASUREMENT_STATE_WITHIN_LIMITS quality: QUALITY_FLAG_MAINS })",
    R"(emg_activity { trace_id: "EMG/L/TA" kind: EMG_ACTIVITY_KIND_TRAIN duration_ms: 900
         peak_uv: 150 discharge_rate_hz: 40 })",
    R"(train_of_four { limb: "left hand" twitch_count: 4 ratio: 0.9 trace_id: "TOF/L/APB"
         twitch_uv: 900 twitch_uv: 880 twitch_uv: 850 twitch_uv: 810 t1_percent_of_control: 96
         sweeps { SWEEP } sweeps { SWEEP } })",
    R"(spectral_edge { trace_id: "EEG/L/F3" sef95_hz: 14 burst_suppression_percent: 3
         median_hz: 6 alpha_uv2: 40 has_asymmetry: true asymmetry: -0.1 window_ms: 4000 })",
    R"(stimulus_threshold { trace_id: "PEDICLE_SCREW/L/TA" threshold_ma: 11 level: "L4 left"
         state: THRESHOLD_STATE_FOUND step: 1
         steps { intensity: 10 response: RESPONSE_PRESENCE_ABSENT sweep { SWEEP } }
         steps { intensity: 11 response: RESPONSE_PRESENCE_PRESENT trace_id: "TA" } })",
    R"(mapping_contact { strip: "A" contact_index: 3 amplitude_uv: 12 polarity_ratio: -0.8
         sweep { SWEEP } })",
    R"(relation { relation_id: "SEP_UPPER/R/N13-N20" kind: RELATION_KIND_INTERVAL value: 6.1
         first { MEASURED } second { MEASURED } })",
    R"(eeg_activity { trace_id: "ECOG/L/G12" kind: EEG_ACTIVITY_KIND_AFTER_DISCHARGE
         duration_ms: 3200 peak_uv: 400 rate_hz: 4 site: "G12-G13" current_ma: 6 })",
    R"(mapping_result { strip: "A" modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL
         method: MAPPING_METHOD_PHASE_REVERSAL contact_before: 4 contact_after: 5
         confidence: 0.9 })",
    R"(alarm_latency { alert { ALERT } call { ALERT }
         marks { step: LATENCY_STEP_STIMULUS unix_ns: 5 uncertainty_ms: 0.4 }
         marks { step: LATENCY_STEP_SHOWN unix_ns: 90 participant: "Dr. Example" } })",
    R"(sweep { trace_id: "SEP_UPPER/R/CPc-Front" modality: MODALITY_SEP_UPPER side: SIDE_RIGHT
         level_role: LEVEL_ROLE_ABOVE derivation: "CPc-Front" sample_rate_hz: 5000
         first_sample_ms: -10 average { SAMPLES } odd_average { SAMPLES } even_average { SAMPLES }
         requested_count: 200 accepted_count: 198 rejected { over_amplitude_count: 2 }
         noise_uv_rms: 0.1 odd_even_correlation: 0.97 block_index: 3
         first_stimulus_monotonic_ns: 100 last_stimulus_monotonic_ns: 900
         filter { high_pass_hz: 30 low_pass_hz: 500 order: 4 zero_phase: true }
         stimulus { site: "median nerve" side: SIDE_RIGHT current_ma: 15 rate_hz: 4.7 }
         marks { label: "N20" latency_ms: 19.4 amplitude_uv: -1.2
           confidence: MARK_CONFIDENCE_UNCERTAIN reason: "low" }
         quality: QUALITY_FLAG_MAINS quality: QUALITY_FLAG_CLIPPED
         site: "contact 3" trial_index: 4 more_needed_count: 120 decided: true })",
    R"(envelope { trace_id: "EMG/L/TA" started_monotonic_ns: 5 bin_ms: 20 minimum { SAMPLES }
         maximum { SAMPLES } rms { SAMPLES } quality: QUALITY_FLAG_DIATHERMY
         crossing_hz { SAMPLES } centroid_hz { SAMPLES } click_count { SAMPLES } })",
    R"(spectrum_slice { trace_id: "EEG/L/F3" bin_width_hz: 0.5 power_db { SAMPLES }
         window_ms: 4000 side: SIDE_LEFT modality: MODALITY_EEG quality: QUALITY_FLAG_GAP })",
    R"(sample_block { trace_id: "EMG/L/TA" modality: MODALITY_EMG_FREE_RUNNING side: SIDE_LEFT
         sample_rate_hz: 2500 first_sample_index: 12500 started_monotonic_ns: 5
         samples { SAMPLES } filter { high_pass_hz: 20 low_pass_hz: 2000 order: 4 } })",
};

constexpr const char* kSweepId = R"(origin: "0123456789abcdef" lane: 3 origin_seq: 7)";
constexpr const char* kMeasuredId = R"(origin: "0123456789abcdef" lane: 2 origin_seq: 5)";
constexpr const char* kRunId = R"(origin: "0123456789abcdef" lane: 1 origin_seq: 9)";
constexpr const char* kAlertId = R"(origin: "0123456789abcdef" lane: 0 origin_seq: 2)";

void ReplaceAll(std::string* text, const std::string& from, const std::string& to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at)) {
    text->replace(at, from.size(), to);
    at += to.size();
  }
}

v1::Record Parse(std::string text) {
  std::vector<int32_t> counts;
  for (int i = 0; i < 300; ++i) counts.push_back(i * i % 37 - 18);
  std::string samples;
  google::protobuf::TextFormat::PrintToString(PackCounts(counts, 0.05), &samples);
  ReplaceAll(&text, "{ SAMPLES }", "{ " + samples + " }");
  ReplaceAll(&text, "{ SWEEP }", std::string("{ ") + kSweepId + " }");
  ReplaceAll(&text, "{ MEASURED }", std::string("{ ") + kMeasuredId + " }");
  ReplaceAll(&text, "{ RUN }", std::string("{ ") + kRunId + " }");
  ReplaceAll(&text, "{ ALERT }", std::string("{ ") + kAlertId + " }");
  v1::Record record;
  REMORA_CHECK(google::protobuf::TextFormat::ParseFromString(text, &record), text.c_str());
  record.set_case_id(CaseIdForTest().ToString());
  record.set_origin(OriginIdForTest().ToString());
  record.set_lane(LaneOfKind(static_cast<uint32_t>(record.body_case())));
  record.set_origin_seq(1);
  record.mutable_captured_at()->set_boot_id(0x5eed);
  record.mutable_captured_at()->set_monotonic_ns(1'000'000);
  record.mutable_captured_at()->set_wall_unix_ns(1'767'225'600'000'000'000);
  return record;
}

template <typename Id>
Id RepeatedByte(uint8_t byte) {
  return Id::FromBytes(std::string(Id::kBytes, static_cast<char>(byte)));
}

}  // namespace

CaseId CaseIdForTest(uint8_t byte) { return RepeatedByte<CaseId>(byte); }
OriginId OriginIdForTest(uint8_t byte) { return RepeatedByte<OriginId>(byte); }

std::vector<v1::Record> SampleRecords() {
  std::vector<v1::Record> records;
  for (const char* body : kBodies) records.push_back(Parse(body));
  return records;
}

v1::Record SampleRecord(v1::Record::BodyCase kind, uint64_t origin_seq) {
  for (const char* body : kBodies) {
    const std::string name = KindName(static_cast<uint32_t>(kind));
    if (std::string(body).rfind(name + " {", 0) != 0) continue;
    v1::Record record = Parse(body);
    record.set_origin_seq(origin_seq);
    return record;
  }
  REMORA_CHECK(false, "every kind has a sample");
  return v1::Record();
}

}  // namespace remora
