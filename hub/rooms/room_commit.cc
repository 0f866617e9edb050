// What a room does when records are on disk, when they cannot be put there, and as time passes:
// see room.h.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/wire_writer.h"
#include "hub/rooms/checkpoint_notes.h"
#include "hub/rooms/folded_frame.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/room.h"
#include "hub/rooms/room_restore.h"

namespace remora::hub {

void Room::OnCommitted(const std::vector<RecordFrame>& frames,
                       const std::vector<OriginAdvance>& advances) {
  // Also where nothing but refusals came: there may be an origin more.
  if (!advances.empty()) checkpoint_rests_ = false;
  bool state_changed = false;
  const uint64_t forgotten = fold_.intervals_forgotten();
  for (const RecordFrame& frame : frames) {
    fold_.Apply(ToFolded(frame));
    if (shown_fold_ && !unrecorded_->WasShown(frame)) FoldShown(frame);
    traces_.Keep(frame);
    recent_.Add(frame);
    last_of_lane_[frame.lane] = frame;
    unrecorded_->OnCommitted(frame);
    state_changed |= frame.lane < kControlLaneCount;
  }
  if (const uint64_t more = fold_.intervals_forgotten() - forgotten; more > 0) {
    parts_.metrics->Count(metric::kIntervalsForgotten, "", more);
  }
  if (!frames.empty()) {
    const std::vector<RoomFollower*> followers = followers_.in_order();
    for (RoomFollower* follower : followers) follower->OnCommitted(frames);
  }
  // A publisher that is told too much may end.
  const std::vector<RoomPublisher*> publishers = publishers_.in_order();
  for (RoomPublisher* publisher : publishers) {
    for (const OriginAdvance& advance : advances) {
      if (!publishers_.Contains(publisher)) break;
      if (advance.origin != publisher->origin()) continue;
      if (!advance.added.empty()) publisher->OnDurable(*this, advance.lane, advance.added);
      if (!advance.refused.empty()) publisher->OnRefused(*this, advance.lane, advance.refused);
    }
  }
  if (not_taking_ && commits_->uncommitted_bytes() < kMaxUncommittedBytes / 2 &&
      !commits_->failed()) {
    LetPublishersOfferAgain();
  }
  if (committed().last_seq >= checkpoint_seq_ + kCheckpointRecords) SaveCheckpoint();
  if (!frames.empty()) parts_.owner->OnRoomChanged(*this, state_changed);
}

void Room::OnJournalFailure(const absl::Status& status) {
  if (status.ok()) {
    TakeOwnWaiting();
    if (not_taking_) LetPublishersOfferAgain();
  } else {
    unrecorded_->Watch();
  }
  parts_.owner->OnRoomChanged(*this, true);
}

void Room::LetPublishersOfferAgain() {
  not_taking_ = false;
  shown_life_.reset();
  std::vector<RoomPublisher*> publishers;
  for (RoomPublisher* publisher : publishers_.in_order()) {
    if (offering_again_.contains(publisher)) publishers.push_back(publisher);
  }
  for (RoomPublisher* publisher : publishers) publisher->OnOfferAgain(*this);
}

void Room::Tick() {
  if (!ready_) return;
  const DeviceTime now = parts_.clock->Now();
  const v1::CaseStage stage = accepted_life_.stage;
  const bool open = stage == v1::CASE_STAGE_OPEN || stage == v1::CASE_STAGE_CLOSING;
  attendance_.Update(now, open, committed().last_seq);
  unrecorded_->Watch();
  RaiseUnrecordedAlert();
  CloseUnrecordedBeforeStart();
  if (condition() == Condition::kServing) {
    TakeOwnWaiting();
    seal_->Tick(stage);
  }
  recent_.Trim(parts_.hub_time->Now(), kMaxRecentAge);
  if (now - checkpoint_at_ >= kCheckpointInterval) {
    checkpoint_at_ = now;
    if (committed().last_seq > checkpoint_seq_) SaveCheckpoint();
  }
}

void Room::SaveCheckpoint(std::string rest_note) {
  checkpoint_seq_ = committed().last_seq;
  checkpoint_rests_ = !rest_note.empty();
  checkpoint_at_ = parts_.clock->Now();
  parts_.journal->SaveCheckpoint(
      case_id_,
      {checkpoint_seq_, fold_.EncodeCheckpoint() + EncodeCheckpointNotes(traces_.NewestSeqs()),
       std::move(rest_note)});
}

bool Room::MayRest() const {
  if (condition() != Condition::kServing || accepted_life_.stage < v1::CASE_STAGE_CLOSED) {
    return false;
  }
  const bool asked_for = !publishers_.empty() || !followers_.empty() || !waiting_.empty();
  const bool owes = !own_waiting_.empty() || unrecorded_->active() || unrecorded_alert_ || cut_off_;
  return !asked_for && !owes && commits_->idle() && !ledger_.has_advances() && seal_->IsAtRest() &&
         attendance_.IsEmpty(parts_.clock->Now());
}

std::vector<OriginOwner> Room::Owners() const {
  std::vector<OriginOwner> owners;
  for (const OriginId& origin : ledger_.Origins()) {
    owners.push_back({origin, ledger_.ParticipantOf(origin)});
  }
  return owners;
}

RestNote Room::PrepareRest() {
  RestNote note{Summary().SerializeAsString(), ClosedUnixNs(), Owners()};
  if (!checkpoint_rests_ || checkpoint_seq_ != committed().last_seq) {
    SaveCheckpoint(EncodeRestNote(note));
  }
  return note;
}

int64_t Room::ClosedUnixNs() const {
  int64_t closed_unix_ns = 0;
  for (const auto& [seq, entry] : fold_.lifecycle().records()) {
    v1::Record record;
    const absl::string_view bytes = entry.bytes.view();
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    if (record.case_lifecycle().transition() != v1::CASE_TRANSITION_CLOSED) continue;
    closed_unix_ns = record.stamp().recorded_unix_ns();
  }
  return closed_unix_ns;
}

std::optional<RecordKey> Room::WriteOwn(uint32_t lane, v1::Record body) {
  const v1::CaseStage stage = accepted_life_.stage;
  if (stage >= v1::CASE_STAGE_SEALED || !StageTakesLane(stage, lane)) return std::nullopt;
  if (condition() == Condition::kJournalFailed) return KeepOwn(lane, std::move(body));
  if (condition() != Condition::kServing) return std::nullopt;
  TakeOwnWaiting();
  return PutOwn(lane, std::move(body));
}

RecordKey Room::PutOwn(uint32_t lane, v1::Record body) {
  const uint64_t number = ledger_.Next(parts_.hub.id, lane);
  const std::string bytes = WriteHubRecord(parts_.hub, case_id_, lane, number, std::move(body));
  absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  REMORA_CHECK(header.ok(), "the hub wrote a record that it would refuse");
  ledger_.Accept(header->key(), OriginDigest(bytes), "");
  Take({*header, bytes}, nullptr, false);
  return header->key();
}

CaseSeal::Parts Room::MakeSealParts() {
  CaseSeal::Parts parts;
  parts.signer = parts_.signer;
  parts.clock = parts_.clock;
  parts.hub_time = parts_.hub_time;
  parts.commits = commits_.get();
  parts.ledger = &ledger_;
  parts.fold = &fold_;
  parts.hub = parts_.hub.id;
  parts.is_here = [this](const OriginId& origin) {
    const std::vector<RoomPublisher*>& here = publishers_.in_order();
    return std::any_of(here.begin(), here.end(),
                       [&origin](const auto* publisher) { return publisher->origin() == origin; });
  };
  parts.write = [this](v1::Record body) {
    REMORA_CHECK(own_waiting_.empty(), "a record of the hub would overtake one with its number");
    PutOwn(1, std::move(body));
  };
  parts.tell_uncertified = [this](const std::string& summary) {
    parts_.metrics->Count(metric::kUncertified, "", 1);
    RaiseTechnicalAlert(v1::ALERT_PRIORITY_MEDIUM, "hub.no_certificate", "", summary);
  };
  parts.turns = parts_.turns;
  return parts;
}

std::optional<RecordKey> Room::RaiseTechnicalAlert(v1::AlertPriority priority,
                                                   const std::string& cause,
                                                   const std::string& participant,
                                                   const std::string& summary) {
  const std::string key = absl::StrCat(cause, "\x1f", participant);
  const DeviceTime now = parts_.clock->Now();
  std::erase_if(alerted_at_, [now](const auto& alerted) {
    return now - alerted.second >= kTechnicalAlertInterval;
  });
  if (alerted_at_.contains(key) || alerted_at_.size() >= kMaxListed) return std::nullopt;
  const std::optional<RecordKey> raised = WriteOwn(0, TechnicalAlert(priority, cause, summary));
  if (raised) alerted_at_[key] = now;
  return raised;
}

void Room::Attend(const Attendee& attendee) { attendance_.Arrive(attendee, parts_.clock->Now()); }

void Room::Leave(const std::string& participant, bool answers) {
  attendance_.Depart(participant, answers, parts_.clock->Now());
}

void Room::SignOfLife(const std::string& participant) {
  attendance_.SignOfLife(participant, parts_.clock->Now());
}

void Room::AddPublisher(RoomPublisher* publisher) { publishers_.Insert(publisher); }

void Room::RemovePublisher(RoomPublisher* publisher) {
  publishers_.Erase(publisher);
  offering_again_.erase(publisher);
}

void Room::AddFollower(RoomFollower* follower) { followers_.Insert(follower); }
void Room::RemoveFollower(RoomFollower* follower) { followers_.Erase(follower); }

RecordFrame Room::MakeFrame(const StampedRecord& stamped, absl::string_view bytes) {
  std::string framed;
  AppendFrame(bytes, &framed);
  RecordFrame frame;
  frame.header_bytes = static_cast<uint8_t>(framed.size() - bytes.size());
  frame.bytes = SharedBytes(std::move(framed));
  frame.seq = stamped.stamp.seq;
  frame.recorded_unix_ns = stamped.stamp.recorded_at.nanoseconds();
  frame.origin_seq = stamped.header.origin_seq;
  frame.origin_index = ledger_.IndexOf(stamped.header.origin);
  frame.kind = stamped.header.kind;
  frame.lane = static_cast<uint8_t>(stamped.header.lane);
  if (frame.lane >= 2) {
    const BodyPeek peek = PeekBody(frame.kind, stamped.header.body);
    frame.trace = traces_.Name(frame.kind, peek);
    frame.provisional = peek.provisional;
  }
  return frame;
}

v1::CaseSummary Room::Summary() const {
  if (!shown_fold_) return CompleteSummary(fold_.Summary());
  v1::CaseSummary summary = shown_fold_->Summary();
  if (summary.stage() >= v1::CASE_STAGE_CLOSED) {
    // A case is over when that is on record.
    summary.set_stage(fold_.life().stage);
    summary.set_theatre(fold_.life().theatre);
  }
  return CompleteSummary(std::move(summary));
}

v1::CaseSummary Room::CompleteSummary(v1::CaseSummary summary) const {
  summary.set_head_seq(committed().last_seq);
  summary.set_last_record_unix_ns(committed().last_recorded_unix_ns);
  summary.set_recording(recording());
  if (committed().last_seq == 0 && unrecorded_->active()) {
    // A new case whose opening the journal could not take yet can be found all the same.
    summary.set_stage(accepted_life_.stage);
    summary.set_theatre(accepted_life_.theatre);
  }
  // Quiet muscles send envelopes alone, which are no part of the fold.
  for (v1::ModalitySummary& modality : *summary.mutable_modalities()) {
    const int64_t envelope_unix_ns = traces_.LastEnvelopeUnixNs();
    if (modality.modality() != v1::MODALITY_EMG_FREE_RUNNING || envelope_unix_ns == 0) continue;
    modality.set_last_unix_ns(std::max<int64_t>(modality.last_unix_ns(), envelope_unix_ns));
    if (modality.worst_state() == v1::MEASUREMENT_STATE_UNSPECIFIED) {
      modality.set_worst_state(v1::MEASUREMENT_STATE_WITHIN_LIMITS);
    }
  }
  return summary;
}

std::string Room::EncodeSnapshot(uint32_t follow_id, absl::string_view cause) const {
  std::string out;
  AppendVarintField(v1::Snapshot::kFollowIdFieldNumber, follow_id, &out);
  AppendBytesField(v1::Snapshot::kCaseIdFieldNumber, case_id_.bytes(), &out);
  AppendBytesField(v1::Snapshot::kStateFieldNumber,
                   fold_.EncodeSnapshotState(CompleteSummary(fold_.Summary())), &out);
  std::map<uint64_t, absl::string_view> records;
  for (const auto& [seq, entry] : fold_.measurements().records()) {
    records.emplace(seq, entry.bytes.view());
  }
  const std::vector<RecordFrame> newest = traces_.Newest(kMaxSnapshotTraceBytes);
  for (const RecordFrame& frame : newest) records.emplace(frame.seq, frame.record());
  for (const auto& [seq, bytes] : records) {
    AppendBytesField(v1::Snapshot::kRecordsFieldNumber, bytes, &out);
  }
  v1::Cursor cursor;
  cursor.set_epoch(epoch());
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    v1::LaneCursor* at = cursor.add_lanes();
    at->set_lane(lane);
    at->set_seq(committed().lane_seq[lane]);
    const RecordFrame& last = last_of_lane_[lane];
    if (last.seq != 0 && last.seq == at->seq()) at->set_digest(RecordDigest(last.record()));
  }
  AppendBytesField(v1::Snapshot::kCursorFieldNumber, cursor.SerializeAsString(), &out);
  AppendFixed64Field(v1::Snapshot::kHeadSeqFieldNumber, committed().last_seq, &out);
  AppendBytesField(v1::Snapshot::kCauseFieldNumber, cause, &out);
  return out;
}

}  // namespace remora::hub
