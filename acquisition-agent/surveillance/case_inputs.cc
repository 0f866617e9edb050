// CaseAnalysis: what people write down, and what it leads to.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

RecordKey KeyOf(const v1::Record& record) {
  RecordKey key;
  key.origin.Assign(record.origin());
  key.lane = record.lane();
  key.origin_seq = record.origin_seq();
  return key;
}

}  // namespace

bool CaseAnalysis::IsInput(const v1::Record& record) {
  if (record.has_baseline_set()) {
    // The agent's own answers name what they carry out.
    return !record.baseline_set().has_asked_by();
  }
  if (record.has_phase_change()) return true;
  // Without an actor it is what the agent itself was told by a device.
  if (record.has_drug_given()) return !record.drug_given().actor().empty();
  if (record.has_vitals()) return !record.vitals().actor().empty();
  if (record.has_position_change()) return !record.position_change().actor().empty();
  if (record.has_annotation()) return !record.annotation().has_about();
  if (record.has_train_of_four()) {
    // Of a measured one the agent itself is the author.
    return record.train_of_four().trace_id().empty() && record.train_of_four().quality().empty();
  }
  return record.has_alert_action() &&
         (record.alert_action().kind() == v1::ALERT_ACTION_KIND_RESOLVED ||
          record.alert_action().kind() == v1::ALERT_ACTION_KIND_DISMISSED);
}

void CaseAnalysis::NoteTaken(const v1::Record& input) {
  v1::Record record;
  *record.mutable_input_taken()->mutable_input() = ToProto(KeyOf(input));
  sink_.Put(&record, now_ns_);
}

void CaseAnalysis::TakeInput(const v1::Record& record) {
  if (!IsInput(record)) return;
  // One without an id cannot be named: a test's, or an older version's.
  if (record.origin_seq() != 0) NoteTaken(record);
  sink_.OnInput(record, KeyOf(record), now_ns_);
  if (record.has_alert_action()) {
    const v1::AlertAction& action = record.alert_action();
    for (const auto& trace : traces_) trace->OnAlertResolved(action);
    for (const auto& watch : emg_watches_) watch->OnAlertResolved(action);
    technical_->OnAlertResolved(action);
    due_->OnAlertResolved(action);
    for (const auto& worker : workers_) worker->OnAlertResolved(action);
    return;
  }
  if (record.has_phase_change()) return EnterPhase(record.phase_change().phase(), now_ns_);
  if (record.has_train_of_four()) {
    const v1::TrainOfFour& counted = record.train_of_four();
    return facts_.trains->NoteCounted(static_cast<int>(counted.twitch_count()), counted.ratio(),
                                      counted.limb(), now_ns_);
  }
  if (record.has_drug_given()) {
    // When it was given is on the person's own clock, if at all.
    return NoteRelaxant(record.drug_given().drug(), now_ns_);
  }
  if (record.has_baseline_set()) TakeBaselineAsked(record);
}

void CaseAnalysis::TakeBaselineAsked(const v1::Record& record) {
  const RecordKey asked_by = KeyOf(record);
  for (const auto& trace : traces_) {
    if (trace->trace_id() == record.baseline_set().trace_id()) {
      trace->OnBaselineAsked(record.baseline_set(), asked_by, now_ns_);
      return NoteSmallestResponses();
    }
  }
  for (const auto& worker : workers_) {
    if (worker->OnBaselineAsked(record.baseline_set(), asked_by, now_ns_)) return;
  }
  PutSystemMessage(
      absl::StrCat("Baseline of ", record.baseline_set().trace_id(),
                   " not set: there is no such trace in this case, or nothing judges it"),
      asked_by, now_ns_, sink_);
}

}  // namespace remora::agent
