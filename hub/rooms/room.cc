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

Room::Room(const RoomParts& parts, const CaseId& case_id, std::optional<uint32_t> new_epoch)
    : parts_(parts),
      case_id_(case_id),
      fold_(case_id_),
      recent_(1),
      attendance_({[this](const v1::Presence& presence) {
                     // Who comes to look at a closed record does not change it.
                     if (accepted_life_.stage >= v1::CASE_STAGE_CLOSED &&
                         presence.change() == v1::PRESENCE_CHANGE_JOINED) {
                       return false;
                     }
                     v1::Record body;
                     *body.mutable_presence() = presence;
                     return WriteOwn(1, std::move(body)).has_value();
                   },
                   [this](const v1::LinkState& state) {
                     v1::Record body;
                     *body.mutable_link_state() = state;
                     return WriteOwn(0, std::move(body)).has_value();
                   }}),
      checkpoint_at_(parts.clock->Now()) {
  CaseHead head;
  head.case_id = case_id_;
  head.epoch = new_epoch.value_or(0);
  commits_ = std::make_unique<CommitQueue>(
      *parts_.journal, *parts_.executor, *parts_.clock, *parts_.hub_time, *parts_.metrics, ledger_,
      head,
      [this](const std::vector<RecordFrame>& frames, const std::vector<OriginAdvance>& advances) {
        OnCommitted(frames, advances);
      },
      [this](const absl::Status& status) { OnJournalFailure(status); });
  unrecorded_ = std::make_unique<UnrecordedShow>(
      UnrecordedShow::Parts{parts_.executor, parts_.clock, parts_.hub_time, parts_.metrics,
                            commits_.get(), &ledger_},
      MakeUnrecordedHost());
  seal_ = std::make_unique<CaseSeal>(MakeSealParts());
  ready_ = new_epoch.has_value();
  if (!ready_) restore_ = std::make_unique<RoomRestore>(*this);
}

void Room::StartRestore() { restore_->Start(); }

Room::~Room() = default;

Room::Condition Room::condition() const {
  if (!restore_status_.ok()) return Condition::kDamaged;
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

void Room::GoOnFrom(const CaseRestore& restore) {
  commits_->StartFrom(restore.head);
  for (const OriginLaneHeld& held : restore.origins) ledger_.Restore(held);
  recent_ = RecordRing(restore.head.last_seq + 1);
}

void Room::OnRestored(const absl::Status& status) {
  restore_status_ = status;
  ready_ = status.ok();
  if (ready_) {
    accepted_life_ = fold_.life();
    seal_->Restore();
    FindUnrecordedBeforeStart();
    attendance_.Restore(fold_, {parts_.clock->Now(), parts_.hub_time->Now(),
                                HubTime::FromNanoseconds(committed().last_recorded_unix_ns)});
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
  if (!CanTake(publisher, key.lane)) {
    ShowNotTaken(offer);
    return {Outcome::kNotNow, {}, ""};
  }
  TakeOwnWaiting();
  const uint64_t digest = OriginDigest(offer.bytes);
  if (std::optional<Answer> known = AnswerKnown(publisher, key, digest)) return *std::move(known);
  if (auto again = offering_again_.find(&publisher); again != offering_again_.end()) {
    again->second.erase(key.lane);
    if (again->second.empty() && !not_taking_) offering_again_.erase(again);
  }
  if (absl::Status status = CheckStage(accepted_life_, offer); !status.ok()) {
    return RefuseNew(publisher, key,
                     {v1::REFUSAL_REASON_WRONG_STAGE, std::string(status.message())});
  }
  if (offer.record != nullptr && offer.record->has_publisher_total()) {
    std::string wrong = seal_->WhatIsWrongWith(key, offer.record->publisher_total());
    if (!wrong.empty()) {
      return RefuseNew(publisher, key, {v1::REFUSAL_REASON_MALFORMED, std::move(wrong)});
    }
  }
  bool provisional = false;
  const TraceKey* trace = NameTrace(offer.header, &provisional);
  if (trace == nullptr && key.lane >= 2) {
    return RefuseNew(publisher, key,
                     {v1::REFUSAL_REASON_TOO_LARGE,
                      absl::StrCat("more than ", kMaxTraces, " traces in this case")});
  }
  ledger_.Accept(key, digest, publisher.participant());
  Take(offer, trace, provisional);
  return {Outcome::kAccepted, {}, ""};
}

const TraceKey* Room::NameTrace(const RecordHeader& header, bool* provisional) {
  if (header.lane < 2) return nullptr;
  const BodyPeek peek = PeekBody(header.kind, header.body);
  *provisional = peek.provisional;
  return traces_.Name(header.kind, peek);
}

void Room::Take(const Offer& offer, const TraceKey* trace, bool provisional) {
  if (offer.record != nullptr && offer.record->has_case_lifecycle()) {
    TakeTransition(offer.record->case_lifecycle(), &accepted_life_);
  }
  const RecordFrame& added =
      commits_->Add(offer.header, offer.bytes, {trace, provisional, offer.late});
  unrecorded_->OnTaken(added);
  seal_->OnTaken(offer.header, offer.record);
  parts_.metrics->Count(metric::kRecordsAccepted, kLaneLabels[offer.header.lane], 1);
  parts_.owner->OnRoomDirty(*this);
}

absl::Status Room::CheckStage(const CaseLife& life, const Offer& offer) const {
  if (offer.record != nullptr && offer.record->has_case_lifecycle()) {
    const v1::CaseLifecycle& step = offer.record->case_lifecycle();
    absl::Status status = CheckTransition(life, step);
    if (status.ok() && step.transition() == v1::CASE_TRANSITION_CLOSED) {
      status = seal_->CheckClose(step);
    }
    return status;
  }
  if (life.stage >= v1::CASE_STAGE_SEALED && !seal_->TakesLate(offer.header.key())) {
    return absl::FailedPreconditionError(
        absl::StrCat("the case is ", StageName(life.stage),
                     ": it takes only what its own publishers still hold"));
  }
  if (StageTakesLane(life.stage, offer.header.lane)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "a case that is ", StageName(life.stage), " takes no records of lane ", offer.header.lane));
}

std::optional<Room::Answer> Room::AnswerKnown(RoomPublisher& publisher, const RecordKey& key,
                                              uint64_t digest) {
  switch (ledger_.Judge(key, digest)) {
    case OriginLedger::Verdict::kNew:
      return std::nullopt;
    case OriginLedger::Verdict::kDuplicate: {
      parts_.metrics->Count(metric::kRecordsDuplicate, "", 1);
      ledger_.CountDuplicate(key);
      const SeqRanges::Range one{key.origin_seq, key.origin_seq};
      if (ledger_.Durable(key.origin, key.lane).Contains(key.origin_seq)) {
        publisher.OnDurable(*this, key.lane, {&one, 1});
      }
      return Answer{Outcome::kDuplicate, {}, ""};
    }
    case OriginLedger::Verdict::kReusedId:
      return Reused(publisher, key);
    case OriginLedger::Verdict::kRefused: {
      Refusal refusal = refusals_.Find(key);
      return Answer{Outcome::kRefused, refusal.reason, std::move(refusal.text)};
    }
    case OriginLedger::Verdict::kRefusing: {
      Refusal refusal = refusals_.Find(key);
      return Answer{Outcome::kRefusing, refusal.reason, std::move(refusal.text)};
    }
    case OriginLedger::Verdict::kOutOfOrder:
      return OutOfOrder(publisher, key);
    case OriginLedger::Verdict::kTooMany:
      return Answer{Outcome::kRefused, v1::REFUSAL_REASON_TOO_MANY,
                    "too many origins in this case, or too many holes in this lane"};
  }
  return std::nullopt;
}

bool Room::IsOfferingAgain(RoomPublisher& publisher, uint32_t lane) const {
  const auto again = offering_again_.find(&publisher);
  return again != offering_again_.end() && again->second.contains(lane);
}

Room::Answer Room::OutOfOrder(RoomPublisher& publisher, const RecordKey& key) {
  if (IsOfferingAgain(publisher, key.lane)) return {Outcome::kNotNow, {}, ""};
  offering_again_[&publisher].insert(key.lane);
  publisher.OnOfferAgain(*this);
  return {Outcome::kRefused, v1::REFUSAL_REASON_OUT_OF_ORDER,
          absl::StrCat("lane ", key.lane, " comes in order: expected ",
                       ledger_.Next(key.origin, key.lane), ", got ", key.origin_seq)};
}

Room::Answer Room::RefuseNew(RoomPublisher& publisher, const RecordKey& key, Refusal refusal) {
  if (!ledger_.CanRefuse(key)) {
    return {Outcome::kRefused, v1::REFUSAL_REASON_TOO_MANY,
            absl::StrCat("more than ", kMaxHeldRanges, " records of this lane were refused")};
  }
  refusal.text.resize(std::min(refusal.text.size(), kMaxReasonBytes));
  ledger_.Refuse(key, publisher.participant());
  refusals_.Add(key, refusal);
  parts_.owner->OnRoomDirty(*this);
  return {Outcome::kRefusing, refusal.reason, std::move(refusal.text)};
}

Room::Answer Room::Refuse(RoomPublisher& publisher, const RecordKey& key, absl::string_view bytes,
                          Refusal refusal) {
  if (!CanTake(publisher, key.lane)) {
    const OriginLedger::Verdict verdict = ledger_.Judge(key, OriginDigest(bytes));
    if (verdict == OriginLedger::Verdict::kNew || verdict == OriginLedger::Verdict::kOutOfOrder) {
      unrecorded_->PassOver(key);
    }
    return {Outcome::kNotNow, {}, ""};
  }
  const uint64_t digest = OriginDigest(bytes);
  // What no order could mend need not wait for its turn.
  const bool early = ledger_.Judge(key, digest) == OriginLedger::Verdict::kOutOfOrder &&
                     !IsOfferingAgain(publisher, key.lane);
  if (!early) {
    if (std::optional<Answer> known = AnswerKnown(publisher, key, digest)) return *std::move(known);
  }
  return RefuseNew(publisher, key, std::move(refusal));
}

void Room::RefuseMissing(RoomPublisher& publisher, uint32_t lane, const SeqRanges& there,
                         uint64_t last) {
  const std::vector<SeqRanges::Range> missing = there.Missing(1, last);
  if (missing.size() > kMaxHeldRanges) return;
  for (const SeqRanges::Range& range : missing) {
    ledger_.RefuseRange(publisher.origin(), lane, range, publisher.participant());
  }
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
