// What a room does while its journal fails: see unrecorded_show.h.

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "hub/rooms/folded_frame.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/room.h"

namespace remora::hub {
namespace {

constexpr char kJournalFailed[] = "hub.journal_failed";

}  // namespace

UnrecordedShow::Host Room::MakeUnrecordedHost() {
  return {[this](const RecordFrame& frame) { OnShown(frame); },
          [this](bool begins) { OnUnrecorded(begins); },
          [this](const v1::UnrecordedInterval& interval) { OnRecordingAgain(interval); }};
}

void Room::OnShown(const RecordFrame& frame) {
  if (frame.lane < kControlLaneCount) {
    if (!shown_fold_) shown_fold_ = std::make_unique<CaseFold>(fold_);
    FoldShown(frame);
    parts_.owner->OnRoomChanged(*this, true);
  }
  const std::vector<RoomFollower*> followers = followers_.in_order();
  for (RoomFollower* follower : followers) follower->OnUnrecorded(frame);
}

// In the order of the showing: what is shown has no place in the record.
void Room::FoldShown(const RecordFrame& frame) {
  FoldedRecord folded = ToFolded(frame);
  folded.seq = shown_fold_->seq() + 1;
  shown_fold_->Apply(folded);
}

v1::Recording Room::RecordingMessage() const {
  v1::Recording recording;
  recording.set_case_id(case_id_.ToString());
  recording.set_condition(this->recording());
  recording.set_since_unix_ns(unrecorded_->since().nanoseconds());
  recording.set_cause(unrecorded_->cause());
  return recording;
}

// What would be refused is not shown; it is refused when it is offered again. What the journal
// knows already was shown, or is.
void Room::ShowNotTaken(const Offer& offer) {
  if (!ready_ || !unrecorded_->active()) return;
  const RecordKey key = offer.header.key();
  const OriginLedger::Verdict verdict = ledger_.Judge(key, OriginDigest(offer.bytes));
  if (verdict != OriginLedger::Verdict::kNew && verdict != OriginLedger::Verdict::kOutOfOrder) {
    return;
  }
  const CaseLife& life = shown_life_ ? *shown_life_ : accepted_life_;
  bool provisional = false;
  const TraceKey* trace = NameTrace(offer.header, &provisional);
  if (!CheckStage(life, offer).ok() || (trace == nullptr && key.lane >= 2)) {
    return unrecorded_->PassOver(key);
  }
  if (!unrecorded_->Show(offer.header, offer.bytes, {trace, provisional, offer.late})) return;
  if (offer.record == nullptr || !offer.record->has_case_lifecycle()) return;
  if (!shown_life_) shown_life_ = accepted_life_;
  TakeTransition(offer.record->case_lifecycle(), &*shown_life_);
}

std::optional<RecordKey> Room::KeepOwn(uint32_t lane, v1::Record body) {
  if (own_waiting_.size() >= kMaxOwnWaiting) return std::nullopt;
  const uint64_t number = unrecorded_->Next(parts_.hub.id, lane);
  std::string bytes = WriteHubRecord(parts_.hub, case_id_, lane, number, std::move(body));
  const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  REMORA_CHECK(header.ok(), "the hub wrote a record that it would refuse");
  const RecordKey key = header->key();
  if (!unrecorded_->Show(*header, bytes, {})) return std::nullopt;
  own_waiting_.push_back(std::move(bytes));
  return key;
}

void Room::TakeOwnWaiting() {
  if (own_waiting_.empty()) return;
  for (const std::string& bytes : std::exchange(own_waiting_, {})) {
    const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
    REMORA_CHECK(header.ok(), "the hub kept a record that it would refuse");
    ledger_.Accept(header->key(), OriginDigest(bytes), "");
    Take({*header, bytes}, nullptr, false);
  }
}

void Room::OnUnrecorded(bool begins) {
  TellRecording();
  if (begins) RaiseUnrecordedAlert();
}

// Again with each tick until it could be: after an interval that was shortly before, it waits for
// the end of kTechnicalAlertInterval.
void Room::RaiseUnrecordedAlert() {
  if (!unrecorded_->active() || unrecorded_alert_) return;
  const std::optional<RecordKey> raised =
      RaiseTechnicalAlert(v1::ALERT_PRIORITY_MEDIUM, kJournalFailed, "",
                          absl::StrCat("NOT RECORDED: ", unrecorded_->cause(),
                                       "; it is shown all the same, and its senders keep it"));
  if (raised) unrecorded_alert_ = raised;
}

void Room::OnRecordingAgain(const v1::UnrecordedInterval& interval) {
  shown_fold_.reset();
  TellRecording();
  v1::Record ended;
  *ended.mutable_unrecorded_interval() = interval;
  WriteOwn(1, std::move(ended));
  RecoverUnrecordedAlert();
}

void Room::RecoverUnrecordedAlert() {
  if (!unrecorded_alert_) return;
  v1::Record recovered = TechnicalAlert(v1::ALERT_PRIORITY_MEDIUM, kJournalFailed,
                                        "the hub could not record for a time; it records again");
  recovered.mutable_alert()->set_condition(v1::ALERT_CONDITION_RECOVERED);
  *recovered.mutable_alert()->mutable_raised_by() = ToProto(*unrecorded_alert_);
  unrecorded_alert_.reset();
  WriteOwn(0, std::move(recovered));
}

// A slow disk took the alert, and then the hub ended: of the interval nothing else is on record.
void Room::FindUnrecordedBeforeStart() {
  const std::optional<AlertBoard::Raised> raised = fold_.alerts().FindRaised(kJournalFailed);
  if (!raised) return;
  unrecorded_alert_ = raised->key;
  cut_off_.emplace();
  cut_off_->set_from_unix_ns(raised->recorded_unix_ns);
  cut_off_->set_first_seq(raised->seq);
  cut_off_->set_to_unix_ns(committed().last_recorded_unix_ns);
  cut_off_->set_cause("the hub ended while its journal failed or was slow");
}

void Room::CloseUnrecordedBeforeStart() {
  if (!cut_off_ || unrecorded_->active() || condition() != Condition::kServing) return;
  v1::Record ended;
  *ended.mutable_unrecorded_interval() = *std::exchange(cut_off_, std::nullopt);
  WriteOwn(1, std::move(ended));
  RecoverUnrecordedAlert();
}

void Room::TellRecording() {
  const std::vector<RoomPublisher*> publishers = publishers_.in_order();
  for (RoomPublisher* publisher : publishers) {
    if (publishers_.Contains(publisher)) publisher->OnRecordingChanged(*this);
  }
  const std::vector<RoomFollower*> followers = followers_.in_order();
  for (RoomFollower* follower : followers) follower->OnRecordingChanged();
  parts_.owner->OnRoomChanged(*this, true);
}

}  // namespace remora::hub
