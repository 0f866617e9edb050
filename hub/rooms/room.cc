#include "hub/rooms/room.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/room_restore.h"

namespace remora::hub {
namespace {

constexpr const char* kLaneLabels[kLaneCount] = {"lane=0", "lane=1", "lane=2",
                                                 "lane=3", "lane=4", "lane=5"};

}  // namespace
Room::Room(const RoomParts& parts, CaseRestore restore)
    : parts_(parts),
      case_id_(restore.head.case_id),
      fold_(case_id_),
      recent_(restore.head.last_seq + 1),
      attendance_({[this](const v1::Presence& presence) {
                     // Who comes to look at a closed record does not change it.
                     if (accepted_life_.stage == v1::CASE_STAGE_CLOSED &&
                         presence.change() == v1::PRESENCE_CHANGE_JOINED) {
                       return false;
                     }
                     v1::Record body;
                     *body.mutable_presence() = presence;
                     return WriteOwn(1, std::move(body));
                   },
                   [this](const v1::LinkState& state) {
                     v1::Record body;
                     *body.mutable_link_state() = state;
                     return WriteOwn(0, std::move(body));
                   }}),
      checkpoint_at_(parts.clock->Now()) {
  for (const OriginLaneHeld& held : restore.origins) ledger_.Restore(held);
  commits_ = std::make_unique<CommitQueue>(
      *parts_.journal, *parts_.executor, *parts_.clock, *parts_.hub_time, *parts_.metrics, ledger_,
      restore.head,
      [this](const std::vector<RecordFrame>& frames, const std::vector<OriginAdvance>& advances) {
        OnCommitted(frames, advances);
      },
      [this](const absl::Status& status) { OnJournalFailure(status); });
  if (restore.head.last_seq == 0) {
    ready_ = true;
    return;
  }
  restore_ = std::make_unique<RoomRestore>(*this, std::move(restore.checkpoint));
  restore_->Start();
}

Room::~Room() = default;

Room::Condition Room::condition() const {
  if (!ready_) return Condition::kRestoring;
  return commits_->failed() ? Condition::kJournalFailed : Condition::kServing;
}

void Room::WhenReady(std::function<void(absl::Status)> ready) {
  if (ready_ || !restore_status_.ok()) {
    ready(restore_status_);
  } else {
    waiting_.push_back(std::move(ready));
  }
}

void Room::OnRestored(const absl::Status& status) {
  restore_status_ = status;
  ready_ = status.ok();
  if (ready_) {
    accepted_life_ = fold_.life();
    attendance_.Restore(fold_, parts_.clock->Now());
  }
  const auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& ready : waiting) ready(status);
  parts_.owner->OnRoomChanged(*this, true);
}

bool Room::CanTake(RoomPublisher& publisher, uint32_t lane) {
  if (condition() == Condition::kServing && commits_->uncommitted_bytes() < kMaxUncommittedBytes) {
    return true;
  }
  not_taking_ = true;
  offering_again_[&publisher].insert(lane);
  return false;
}

Room::Answer Room::Accept(RoomPublisher& publisher, const Offer& offer) {
  const RecordKey key = offer.header.key();
  if (!CanTake(publisher, key.lane)) return {Outcome::kNotNow, {}, ""};
  const uint64_t digest = OriginDigest(offer.bytes);
  switch (ledger_.Judge(key, digest)) {
    case OriginLedger::Verdict::kNew:
      break;
    case OriginLedger::Verdict::kDuplicate: {
      parts_.metrics->Count(metric::kRecordsDuplicate, "", 1);
      const SeqRanges::Range one{key.origin_seq, key.origin_seq};
      if (ledger_.Durable(key.origin, key.lane).Contains(key.origin_seq)) {
        publisher.OnDurable(*this, key.lane, {&one, 1});
      }
      return {Outcome::kDuplicate, {}, ""};
    }
    case OriginLedger::Verdict::kReusedId:
      return Reused(publisher, key);
    case OriginLedger::Verdict::kOutOfOrder: {
      auto again = offering_again_.find(&publisher);
      if (again != offering_again_.end() && again->second.contains(key.lane)) {
        return {Outcome::kNotNow, {}, ""};
      }
      offering_again_[&publisher].insert(key.lane);
      publisher.OnOfferAgain(*this);
      return {Outcome::kRefused, v1::REFUSAL_REASON_OUT_OF_ORDER,
              absl::StrCat("lane ", key.lane, " comes in order: expected ",
                           ledger_.Next(key.origin, key.lane), ", got ", key.origin_seq)};
    }
    case OriginLedger::Verdict::kTooMany:
      return {Outcome::kRefused, v1::REFUSAL_REASON_TOO_MANY,
              "too many origins in this case, or too many holes in this lane"};
  }
  if (auto again = offering_again_.find(&publisher); again != offering_again_.end()) {
    again->second.erase(key.lane);
    if (again->second.empty() && !not_taking_) offering_again_.erase(again);
  }
  if (absl::Status status = CheckStage(offer); !status.ok()) {
    return RefuseNew(key, v1::REFUSAL_REASON_WRONG_STAGE, std::string(status.message()));
  }
  const TraceKey* trace = nullptr;
  BodyPeek peek;
  if (key.lane >= 2) {
    peek = PeekBody(offer.header.kind, offer.header.body);
    trace = traces_.Name(offer.header.kind, peek);
    if (trace == nullptr) {
      return RefuseNew(key, v1::REFUSAL_REASON_TOO_LARGE,
                       absl::StrCat("more than ", kMaxTraces, " traces in this case"));
    }
  }
  ledger_.Accept(key, digest);
  Take(offer.header, offer.bytes, offer.record, trace, peek.provisional);
  return {Outcome::kAccepted, {}, ""};
}

void Room::Take(const RecordHeader& header, absl::string_view bytes, const v1::Record* record,
                const TraceKey* trace, bool provisional) {
  if (record != nullptr && record->has_case_lifecycle()) {
    TakeTransition(record->case_lifecycle(), &accepted_life_);
  }
  commits_->Add(header, bytes, trace, provisional);
  parts_.metrics->Count(metric::kRecordsAccepted, kLaneLabels[header.lane], 1);
  parts_.owner->OnRoomDirty(*this);
}

absl::Status Room::CheckStage(const Offer& offer) const {
  if (offer.record != nullptr && offer.record->has_case_lifecycle()) {
    return CheckTransition(accepted_life_, offer.record->case_lifecycle());
  }
  if (StageTakesLane(accepted_life_.stage, offer.header.lane)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("a case that is ", StageName(accepted_life_.stage), " takes no records of lane ",
                   offer.header.lane));
}

Room::Answer Room::RefuseNew(const RecordKey& key, v1::RefusalReason reason, std::string text) {
  ledger_.Refuse(key);
  if (!refusals_wait_) refusals_since_ = parts_.clock->Now();
  refusals_wait_ = true;
  return {Outcome::kRefused, reason, std::move(text)};
}

Room::Answer Room::Refuse(RoomPublisher& publisher, const RecordKey& key, v1::RefusalReason reason,
                          std::string text) {
  if (!CanTake(publisher, key.lane)) return {Outcome::kNotNow, {}, ""};
  const OriginLedger::Verdict verdict = ledger_.Judge(key, 0);
  if (verdict == OriginLedger::Verdict::kOutOfOrder) {
    auto again = offering_again_.find(&publisher);
    if (again != offering_again_.end() && again->second.contains(key.lane)) {
      return {Outcome::kNotNow, {}, ""};
    }
  }
  if (verdict == OriginLedger::Verdict::kNew || verdict == OriginLedger::Verdict::kOutOfOrder) {
    return RefuseNew(key, reason, std::move(text));
  }
  return {Outcome::kRefused, reason, std::move(text)};
}

Room::Answer Room::Reused(RoomPublisher& publisher, const RecordKey& key) {
  const std::string which = absl::StrCat("record ", key.origin_seq, " of lane ", key.lane,
                                         " of origin ", key.origin.Hex());
  RaiseTechnicalAlert(v1::ALERT_PRIORITY_MEDIUM, "hub.record_id_reused", publisher.participant(),
                      absl::StrCat(publisher.participant(), " sent ", which,
                                   " again with other contents; the first is kept"));
  return {Outcome::kRefused, v1::REFUSAL_REASON_ID_REUSED,
          absl::StrCat(which, " is on record with other bytes; take a new number")};
}

void Room::EndOfDrain() { commits_->Flush(); }

}  // namespace remora::hub
