// Encoding of a CaseFold as a CaseState, and back: see case_fold.h.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/fold/case_fold.h"
#include "common/record_codec.h"
#include "common/wire_writer.h"

namespace remora {
namespace {

using State = v1::CaseState;

// A record of a checkpoint, ready to be applied again.
absl::Status Read(const std::string& bytes, std::vector<FoldedRecord>* records) {
  absl::StatusOr<StampedRecord> walked = WalkStamped(bytes);
  if (!walked.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("checkpoint: ", walked.status().message()));
  }
  if (walked->header.lane >= kControlLaneCount) {
    return absl::InvalidArgumentError("checkpoint: a bulk record");
  }
  FoldedRecord& record = records->emplace_back();
  record.bytes.frame = SharedBytes(bytes);
  record.seq = walked->stamp.seq;
  record.recorded_unix_ns = walked->stamp.recorded_at.nanoseconds();
  record.lane = walked->header.lane;
  return absl::OkStatus();
}

}  // namespace

std::string CaseFold::EncodeCheckpoint() const {
  // What is signed stays as it was before the tile said more of a certificate, which is in the
  // state itself.
  v1::CaseSummary summary = Summary();
  if (summary.has_certificate()) {
    summary.mutable_certificate()->clear_given_up_count();
    summary.mutable_certificate()->clear_refused_count();
  }
  std::string out = EncodeShown(summary);
  measurements_.AppendTo(State::kMeasurementsFieldNumber, &out);
  timers_.AppendTo(State::kTimersFieldNumber, &out);
  return out;
}

std::string CaseFold::EncodeSnapshotState(const v1::CaseSummary& summary) const {
  return EncodeShown(summary);
}

std::string CaseFold::EncodeShown(const v1::CaseSummary& summary) const {
  std::string out;
  AppendBytesField(State::kSummaryFieldNumber, summary.SerializeAsString(), &out);
  alerts_.AppendTo(State::kAlertsFieldNumber, State::kAlertActionsFieldNumber, &out);
  messages_.AppendTo(State::kMessagesFieldNumber, &out);
  receipts_.AppendTo(State::kReceiptsFieldNumber, &out);
  baselines_.AppendTo(State::kBaselinesFieldNumber, &out);
  annotations_.AppendTo(State::kAnnotationsFieldNumber, &out);
  plan_.AppendTo(State::kPlanFieldNumber, &out);
  State trends;
  trends_.FillProto(&trends);
  trends.AppendToString(&out);
  phases_.AppendTo(State::kPhasesFieldNumber, &out);
  activities_.AppendTo(State::kActivitiesFieldNumber, &out);
  gaps_.AppendTo(State::kGapsFieldNumber, &out);
  clock_estimates_.AppendTo(State::kClockEstimatesFieldNumber, &out);
  lifecycle_.AppendTo(State::kLifecycleFieldNumber, &out);
  AppendFixed64Field(State::kSeqFieldNumber, seq_, &out);
  link_states_.AppendTo(State::kLinkStatesFieldNumber, &out);
  outages_.AppendTo(State::kOutagesFieldNumber, &out);
  blinks_.AppendTo(State::kOutagesFieldNumber, &out);
  backlog_reviews_.AppendTo(State::kBacklogReviewsFieldNumber, &out);
  unrecorded_intervals_.AppendTo(State::kUnrecordedIntervalsFieldNumber, &out);
  views_seen_.AppendTo(State::kViewsSeenFieldNumber, &out);
  certificates_.AppendTo(State::kCertificatesFieldNumber, &out);
  publisher_totals_.AppendTo(State::kPublisherTotalsFieldNumber, &out);
  signed_heads_.AppendTo(State::kSignedHeadsFieldNumber, &out);
  requests_.AppendTo(State::kRequestsFieldNumber, &out);
  responses_.AppendTo(State::kResponsesFieldNumber, &out);
  differentials_.AppendTo(State::kDifferentialsFieldNumber, &out);
  adverse_events_.AppendTo(State::kAdverseEventsFieldNumber, &out);
  escalations_.AppendTo(State::kEscalationsFieldNumber, &out);
  return out;
}

absl::Status CaseFold::Restore(absl::string_view checkpoint) {
  State state;
  if (!state.ParseFromArray(checkpoint.data(), static_cast<int>(checkpoint.size()))) {
    return absl::InvalidArgumentError("checkpoint: no CaseState");
  }
  if (state.summary().case_id() != case_id_.bytes()) {
    return absl::InvalidArgumentError("checkpoint: of another case");
  }
  if (absl::Status status = RestoreRecords(state); !status.ok()) return status;
  for (const v1::Trend& trend : state.trends()) trends_.Restore(trend);
  RestoreSummary(state.summary());
  seq_ = state.seq();
  return absl::OkStatus();
}

absl::Status CaseFold::RestoreRecords(const v1::CaseState& state) {
  std::vector<FoldedRecord> folded;
  const auto add = [&folded](const auto& records) {
    for (const std::string& bytes : records) {
      if (absl::Status status = Read(bytes, &folded); !status.ok()) return status;
    }
    return absl::OkStatus();
  };
  for (const auto* records : {&state.alerts(),
                              &state.alert_actions(),
                              &state.messages(),
                              &state.receipts(),
                              &state.baselines(),
                              &state.annotations(),
                              &state.phases(),
                              &state.activities(),
                              &state.gaps(),
                              &state.clock_estimates(),
                              &state.lifecycle(),
                              &state.measurements(),
                              &state.link_states(),
                              &state.timers(),
                              &state.outages(),
                              &state.backlog_reviews(),
                              &state.unrecorded_intervals(),
                              &state.views_seen(),
                              &state.certificates(),
                              &state.publisher_totals(),
                              &state.signed_heads(),
                              &state.requests(),
                              &state.responses(),
                              &state.differentials(),
                              &state.adverse_events(),
                              &state.escalations()}) {
    if (absl::Status status = add(*records); !status.ok()) return status;
  }
  if (!state.plan().empty()) {
    if (absl::Status status = Read(state.plan(), &folded); !status.ok()) return status;
  }
  std::sort(folded.begin(), folded.end(),
            [](const FoldedRecord& a, const FoldedRecord& b) { return a.seq < b.seq; });
  for (const FoldedRecord& record : folded) Apply(record);
  return absl::OkStatus();
}

// What does not follow from the records that are still held. Trends were rebuilt from their points.
void CaseFold::RestoreSummary(const v1::CaseSummary& summary) {
  life_ = {summary.stage(), summary.theatre()};
  procedure_ = summary.procedure();
  opened_unix_ns_ = summary.opened_unix_ns();
  phase_ = summary.phase();
  phase_unix_ns_ = summary.phase_unix_ns();
  last_recorded_unix_ns_ = summary.last_record_unix_ns();
  last_message_ = summary.last_message();
  last_message_sender_ = summary.last_message_sender();
  heard_unix_ns_.clear();
  for (const v1::ModalitySummary& m : summary.modalities()) {
    if (m.last_unix_ns() == 0 || !IsPlanned(m.modality()) || HasState(m.modality())) continue;
    heard_unix_ns_[m.modality()] = m.last_unix_ns();
  }
  participants_.clear();
  for (const v1::ParticipantSummary& p : summary.participants()) {
    participants_[p.participant()] = {p.display_name(), p.role(), p.connected()};
  }
}

}  // namespace remora
