#include "hub/participants/record_intake.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/wire_reader.h"
#include "hub/identity/permissions.h"
#include "hub/participants/record_author.h"
#include "hub/participants/session_limits.h"

namespace remora::hub {
namespace {

using Outcome = Room::Outcome;

Room::Answer Refusal(v1::RefusalReason reason, std::string text) {
  return {Outcome::kRefused, reason, std::move(text)};
}

bool MakesCase(v1::CaseTransition transition) {
  return StageAfter(v1::CASE_STAGE_UNSPECIFIED, transition) != v1::CASE_STAGE_UNSPECIFIED;
}

// What can be read off the start of a record that is not one: enough to tell its sender which.
RecordHeader PeekHeader(absl::string_view bytes) {
  RecordHeader header;
  header.lane = kLaneCount;
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    absl::string_view value;
    uint64_t number = 0;
    if (!reader.ReadTag(&field, &type) || field > 4) break;
    if (type == WireType::kBytes && field <= 2) {
      if (!reader.ReadBytes(&value)) break;
      if (field == 1) {
        header.case_id.Assign(value);
      } else {
        header.origin.Assign(value);
      }
    } else if (type == WireType::kVarint && field >= 3) {
      if (!reader.ReadVarint(&number)) break;
      if (field == 3) {
        header.lane = static_cast<uint32_t>(std::min<uint64_t>(number, kLaneCount));
      } else {
        header.origin_seq = number;
      }
    } else {
      break;
    }
  }
  return header;
}

}  // namespace

RecordIntake::RecordIntake(SessionContext& session)
    : session_(session),
      record_tokens_(kMaxRecordsPerSecond),
      refilled_at_(session.services.clock->Now()) {}

void RecordIntake::OnSignOfLife() {
  if (session_.identity.role != v1::ROLE_AGENT) return;
  for (auto& [case_id, place] : places_) {
    if (place.room != nullptr) place.room->SignOfLife(session_.identity.name);
  }
}

void RecordIntake::OnRecord(absl::string_view bytes_untrusted) {
  const DeviceTime now = session_.services.clock->Now();
  record_tokens_ = std::min(kMaxRecordsPerSecond,
                            record_tokens_ + kMaxRecordsPerSecond * (now - refilled_at_).seconds());
  refilled_at_ = now;
  record_tokens_ -= 1;
  if (record_tokens_ < 0) {
    return session_.End(v1::REFUSAL_REASON_TOO_MANY,
                        absl::StrCat("more than ", kMaxRecordsPerSecond, " records a second"));
  }
  absl::StatusOr<RecordHeader> header = WalkRecord(bytes_untrusted);
  if (!header.ok()) return RefuseUnreadable(bytes_untrusted, header.status().message());
  auto it = places_.find(header->case_id);
  if (it == places_.end() || it->second.restoring) {
    return Report(
        Refusal(v1::REFUSAL_REASON_NO_SUCH_CASE, "join the case before you publish in it"), *header,
        nullptr);
  }
  if (header->origin != session_.origin) {
    return Report(
        Refusal(v1::REFUSAL_REASON_NOT_PERMITTED, "the record has another origin than your hello"),
        *header, nullptr);
  }
  Place& place = it->second;
  if (place.room == nullptr) {
    // Somebody else may have made it meanwhile.
    Room* room = session_.services.directory->Find(header->case_id);
    if (room == nullptr) return BeforeOpen(&place, *header, bytes_untrusted);
    Enter(&place, room);
  }
  Offer(&place, *header, bytes_untrusted);
}

void RecordIntake::Offer(Place* place, const RecordHeader& header, absl::string_view bytes) {
  v1::Record record;
  Room::Answer answer = Check(header, bytes, &record);
  if (answer.outcome == Outcome::kRefused) {
    answer = place->room->Refuse(*this, header.key(), answer.reason, std::move(answer.text));
  } else {
    const bool control = header.lane < kControlLaneCount;
    answer = place->room->Accept(*this, {header, bytes, control ? &record : nullptr});
  }
  Report(answer, header, place);
}

Room::Answer RecordIntake::Check(const RecordHeader& header, absl::string_view bytes,
                                 v1::Record* record) {
  const Identity& identity = session_.identity;
  if (!MayPublish(identity.role, header.kind)) {
    return Refusal(v1::REFUSAL_REASON_NOT_PERMITTED,
                   absl::StrCat("your role may not publish ", KindName(header.kind)));
  }
  if (absl::Status status = ValidateBody(header, bytes, record); !status.ok()) {
    return Refusal(v1::REFUSAL_REASON_MALFORMED, std::string(status.message()));
  }
  if (header.lane >= kControlLaneCount) return {};
  if (std::string wrong = WrongAuthor(identity, *record); !wrong.empty()) {
    return Refusal(v1::REFUSAL_REASON_NOT_PERMITTED, std::move(wrong));
  }
  if (record->has_case_lifecycle()) return CheckLifecycle(header, record->case_lifecycle());
  return {};
}

Room::Answer RecordIntake::CheckLifecycle(const RecordHeader& header,
                                          const v1::CaseLifecycle& step) {
  const Identity& identity = session_.identity;
  if (!MayTransition(identity.role, step.transition())) {
    return Refusal(
        v1::REFUSAL_REASON_NOT_PERMITTED,
        absl::StrCat("your role may not have a case ", TransitionName(step.transition())));
  }
  if (step.theatre().empty()) return {};
  if (!session_.MayEnter(step.theatre())) {
    return Refusal(v1::REFUSAL_REASON_NOT_PERMITTED,
                   absl::StrCat("you may not enter theatre '", step.theatre(), "'"));
  }
  const Room* room = session_.services.directory->Find(header.case_id);
  const CaseLife life = room == nullptr ? CaseLife() : room->accepted_life();
  if (!CheckTransition(life, step).ok()) return {};  // the room says why
  TheatreClaims& claims = session_.services.directory->claims();
  const bool moves = step.transition() == v1::CASE_TRANSITION_MOVED;
  if (step.transition() == v1::CASE_TRANSITION_SCHEDULED) return {};
  absl::Status status = moves ? claims.Move(header.case_id, step.theatre())
                              : claims.CheckFree(header.case_id, step.theatre());
  if (status.ok() && identity.role == v1::ROLE_AGENT) {
    status = claims.Claim(step.theatre(), {identity.name, header.case_id, this});
  }
  if (status.ok()) return {};
  TellHolder(step.theatre());
  return Refusal(v1::REFUSAL_REASON_THEATRE_CLAIMED, std::string(status.message()));
}

// Lane 0 comes before the step in lane 1 that makes the case: its records wait for it.
void RecordIntake::BeforeOpen(Place* place, const RecordHeader& header, absl::string_view bytes) {
  if (header.kind == v1::Record::kCaseLifecycle) return OpenCase(place, header, bytes);
  if (place->before_open_bytes + bytes.size() > kMaxBytesBeforeOpen) {
    place->dropped_before_open = true;
    return;
  }
  place->before_open_bytes += bytes.size();
  place->before_open.emplace_back(bytes);
}

void RecordIntake::OpenCase(Place* place, const RecordHeader& header, absl::string_view bytes) {
  v1::Record record;
  Room::Answer answer = Check(header, bytes, &record);
  if (answer.outcome != Outcome::kRefused && !MakesCase(record.case_lifecycle().transition())) {
    answer = Refusal(v1::REFUSAL_REASON_NO_SUCH_CASE,
                     "the case is not there yet: it begins scheduled or opened");
  }
  if (answer.outcome != Outcome::kRefused && session_.services.draining) {
    answer = Refusal(v1::REFUSAL_REASON_DRAINING, "the hub is about to stop: no new cases");
  }
  if (answer.outcome == Outcome::kRefused) {
    return Report(answer, header, place);
  }
  absl::StatusOr<Room*> room = session_.services.directory->Create(header.case_id);
  if (!room.ok()) {
    return Report(Refusal(v1::REFUSAL_REASON_TOO_MANY, std::string(room.status().message())),
                  header, place);
  }
  Enter(place, *room);
  for (const RecordKey& key : place->refused_before_open) {
    (*room)->Refuse(*this, key, v1::REFUSAL_REASON_MALFORMED, "");
  }
  place->refused_before_open.clear();
  std::deque<std::string> waiting = std::move(place->before_open);
  place->before_open.clear();
  place->before_open_bytes = 0;
  const auto offer = [&](bool same_lane) {
    for (const std::string& earlier : waiting) {
      absl::StatusOr<RecordHeader> walked = WalkRecord(earlier);
      if (walked.ok() && (walked->lane == header.lane) == same_lane) {
        Offer(place, *walked, earlier);
      }
    }
  };
  offer(true);
  Offer(place, header, bytes);
  offer(false);
  if (place->dropped_before_open) OnOfferAgain(**room);
  place->dropped_before_open = false;
}

void RecordIntake::RefuseUnreadable(absl::string_view bytes, absl::string_view why) {
  const RecordHeader header = PeekHeader(bytes);
  const size_t limit = header.lane < kControlLaneCount ? kMaxControlBytes
                       : header.lane == 3              ? kMaxSweepBytes
                                                       : kMaxBlockBytes;
  Room::Answer answer =
      Refusal(bytes.size() > limit ? v1::REFUSAL_REASON_TOO_LARGE : v1::REFUSAL_REASON_MALFORMED,
              std::string(why));
  auto it = places_.find(header.case_id);
  Place* place = it == places_.end() ? nullptr : &it->second;
  if (place != nullptr && place->room != nullptr && header.origin == session_.origin &&
      header.lane < kLaneCount && header.origin_seq > 0) {
    answer = place->room->Refuse(*this, header.key(), answer.reason, std::move(answer.text));
  }
  Report(answer, header, place);
}

void RecordIntake::Report(const Room::Answer& answer, const RecordHeader& header, Place* place) {
  if (answer.outcome == Outcome::kNotNow) {
    if (place == nullptr || place->told_not_now) return;
    place->told_not_now = true;
    return session_.Refuse(v1::REFUSAL_REASON_TOO_MANY,
                           "the hub cannot record at present; keep what is not acknowledged: "
                           "you will be joined again",
                           0, header.case_id.bytes());
  }
  if (answer.outcome != Outcome::kRefused) return;
  if (place != nullptr && place->room == nullptr &&
      answer.reason != v1::REFUSAL_REASON_NO_SUCH_CASE &&
      place->refused_before_open.size() < kMaxJoins) {
    place->refused_before_open.push_back(header.key());
  }
  session_.services.metrics->Count(
      metric::kRecordsRefused, absl::StrCat("reason=", v1::RefusalReason_Name(answer.reason)), 1);
  v1::Down down;
  v1::RecordRefused* refused = down.mutable_record_refused();
  refused->set_case_id(header.case_id.ToString());
  refused->set_lane(header.lane < kLaneCount ? header.lane : 0);
  refused->set_origin_seq(header.origin_seq);
  refused->set_reason(answer.reason);
  refused->set_text(answer.text);
  session_.Send(down);
}

}  // namespace remora::hub
