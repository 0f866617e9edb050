// What a room does while its journal fails: see unrecorded_show.h.

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/room.h"

namespace remora::hub {
namespace {

constexpr char kJournalFailed[] = "hub.journal_failed";

}  // namespace

UnrecordedShow::Host Room::MakeUnrecordedHost() {
  return {[this](const RecordFrame& frame) {
            const std::vector<RoomFollower*> followers(followers_.begin(), followers_.end());
            for (RoomFollower* follower : followers) follower->OnUnrecorded(frame);
          },
          [this](bool begins) { OnUnrecorded(begins); },
          [this](const v1::UnrecordedInterval& interval) { OnRecordingAgain(interval); }};
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
  if (!unrecorded_->Show(offer.header, offer.bytes, trace, provisional)) return;
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
  if (!unrecorded_->Show(*header, bytes, nullptr, false)) return std::nullopt;
  own_waiting_.push_back(std::move(bytes));
  return key;
}

void Room::TakeOwnWaiting() {
  for (const std::string& bytes : std::exchange(own_waiting_, {})) {
    const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
    REMORA_CHECK(header.ok(), "the hub kept a record that it would refuse");
    ledger_.Accept(header->key(), OriginDigest(bytes), "");
    Take(*header, bytes, nullptr, nullptr, false);
  }
}

void Room::OnUnrecorded(bool begins) {
  TellRecording();
  if (!begins) return;
  const std::optional<RecordKey> raised =
      RaiseTechnicalAlert(v1::ALERT_PRIORITY_MEDIUM, kJournalFailed, "",
                          absl::StrCat("NOT RECORDED: ", unrecorded_->cause(),
                                       "; it is shown all the same, and its senders keep it"));
  if (raised) unrecorded_alert_ = raised;
}

void Room::OnRecordingAgain(const v1::UnrecordedInterval& interval) {
  TellRecording();
  v1::Record ended;
  *ended.mutable_unrecorded_interval() = interval;
  WriteOwn(1, std::move(ended));
  if (!unrecorded_alert_) return;
  v1::Record recovered = TechnicalAlert(v1::ALERT_PRIORITY_MEDIUM, kJournalFailed,
                                        "the hub could not record for a time; it records again");
  recovered.mutable_alert()->set_condition(v1::ALERT_CONDITION_RECOVERED);
  *recovered.mutable_alert()->mutable_raised_by() = ToProto(*unrecorded_alert_);
  unrecorded_alert_.reset();
  WriteOwn(0, std::move(recovered));
}

void Room::TellRecording() {
  for (RoomPublisher* publisher :
       std::vector<RoomPublisher*>(publishers_.begin(), publishers_.end())) {
    if (publishers_.contains(publisher)) publisher->OnRecordingChanged(*this);
  }
  const std::vector<RoomFollower*> followers(followers_.begin(), followers_.end());
  for (RoomFollower* follower : followers) follower->OnRecordingChanged();
  parts_.owner->OnRoomChanged(*this, true);
}

}  // namespace remora::hub
