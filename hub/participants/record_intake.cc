#include "hub/participants/record_intake.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/fold/readers.h"
#include "common/origin_seq.h"
#include "common/record_codec.h"
#include "common/wire_reader.h"
#include "hub/identity/permissions.h"
#include "hub/participants/record_author.h"
#include "hub/participants/session_limits.h"

namespace remora::hub {
namespace {

using Outcome = Room::Outcome;

Room::Answer Refused(v1::RefusalReason reason, std::string text) {
  return {Outcome::kRefused, reason, std::move(text)};
}

bool MakesCase(v1::CaseTransition transition) {
  return StageAfter(v1::CASE_STAGE_UNSPECIFIED, transition) != v1::CASE_STAGE_UNSPECIFIED;
}

// What can be read off the start of a record that is not one: enough to tell its sender which.
RecordHeader PeekHeader(absl::string_view bytes) {
  RecordHeader header;
  header.lane = kLaneCount;
  bool has_lane = false;
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
        has_lane = true;
        header.lane = static_cast<uint32_t>(std::min<uint64_t>(number, kLaneCount));
      } else {
        header.origin_seq = number;
        // Lane 0 is not on the wire, and the lane comes before the number.
        if (!has_lane) header.lane = 0;
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
  const v1::Role role = session_.identity.role;
  if (role != v1::ROLE_AGENT && !ReadsCases(role)) return;
  for (auto& [case_id, place] : places_) {
    if (place.room != nullptr) place.room->SignOfLife(session_.identity.name);
  }
}

void RecordIntake::OnRecord(absl::string_view bytes_untrusted, bool backlog) {
  backlog_ = backlog;
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
        Refused(v1::REFUSAL_REASON_NO_SUCH_CASE, "join the case before you publish in it"), *header,
        nullptr);
  }
  if (header->origin != session_.origin) {
    return Report(
        Refused(v1::REFUSAL_REASON_NOT_PERMITTED, "the record has another origin than your hello"),
        *header, nullptr);
  }
  if (IsForbidden(it->second)) {
    DropForbidden(it);
    return Report(Refused(v1::REFUSAL_REASON_NO_SUCH_CASE, "the case has left your theatre"),
                  *header, nullptr);
  }
  if (it->second.room == nullptr) {
    // Somebody else may have made it meanwhile.
    Room* room = session_.services.directory->Find(header->case_id);
    if (room == nullptr) return BeforeOpen(&it->second, *header, bytes_untrusted);
    const std::deque<Waiting> waiting = TakeWaiting(&it->second);
    if (!CompleteJoin(header->case_id, room, std::string(it->second.theatre))) {
      return Report(Refused(v1::REFUSAL_REASON_NO_SUCH_CASE, "you are not in the case"), *header,
                    nullptr);
    }
    for (const Waiting& earlier : waiting) OfferWaiting(&it->second, earlier);
  }
  Offer(&it->second, *header, bytes_untrusted);
}

void RecordIntake::Offer(Place* place, const RecordHeader& header, absl::string_view bytes) {
  v1::Record record;
  Room::Answer answer = Check(header, bytes, &record);
  if (answer.outcome == Outcome::kRefused) {
    answer =
        place->room->Refuse(*this, header.key(), bytes, {answer.reason, std::move(answer.text)});
  } else {
    const bool control = header.lane < kControlLaneCount;
    answer = place->room->Accept(*this, {header, bytes, control ? &record : nullptr, backlog_});
    if (answer.outcome == Outcome::kAccepted && control && record.has_case_lifecycle()) {
      UpdateClaims(*place->room, record.case_lifecycle());
    }
  }
  Report(answer, header, place);
}

Room::Answer RecordIntake::Check(const RecordHeader& header, absl::string_view bytes,
                                 v1::Record* record) {
  const Identity& identity = session_.identity;
  if (!MayPublish(identity.role, header.kind)) {
    return Refused(v1::REFUSAL_REASON_NOT_PERMITTED,
                   absl::StrCat("your role may not publish ", KindName(header.kind)));
  }
  if (absl::Status status = ValidateBody(header, bytes, record); !status.ok()) {
    return Refused(v1::REFUSAL_REASON_MALFORMED, std::string(status.message()));
  }
  if (header.lane >= kControlLaneCount) return {};
  if (std::string wrong = WrongAuthor(identity, *record); !wrong.empty()) {
    return Refused(v1::REFUSAL_REASON_NOT_PERMITTED, std::move(wrong));
  }
  if (record->has_case_lifecycle()) return CheckLifecycle(header, record->case_lifecycle());
  return {};
}

Room::Answer RecordIntake::CheckLifecycle(const RecordHeader& header,
                                          const v1::CaseLifecycle& step) {
  const Identity& identity = session_.identity;
  if (!MayTransition(identity.role, step.transition())) {
    return Refused(
        v1::REFUSAL_REASON_NOT_PERMITTED,
        absl::StrCat("your role may not have a case ", TransitionName(step.transition())));
  }
  if (step.with_gaps() && identity.role == v1::ROLE_AGENT) {
    return Refused(v1::REFUSAL_REASON_NOT_PERMITTED,
                   "a person closes a case with gaps, and says why");
  }
  const Room* room = session_.services.directory->Find(header.case_id);
  const CaseLife life = room == nullptr ? CaseLife() : room->accepted_life();
  const std::string& theatre = step.theatre().empty() ? life.theatre : step.theatre();
  if (!session_.MayEnter(theatre)) {
    return Refused(v1::REFUSAL_REASON_NOT_PERMITTED,
                   absl::StrCat("you may not enter theatre '", theatre, "'"));
  }
  if (!CheckTransition(life, step).ok()) return {};  // the room says why
  const bool opens = StageAfter(life.stage, step.transition()) == v1::CASE_STAGE_OPEN &&
                     life.stage != v1::CASE_STAGE_OPEN;
  const bool scheduled = step.transition() == v1::CASE_TRANSITION_SCHEDULED;
  if (theatre.empty() || scheduled || (!opens && theatre == life.theatre)) return {};
  const TheatreClaims& claims = session_.services.directory->claims();
  absl::Status status = claims.CheckFree(header.case_id, theatre);
  if (status.ok() && identity.role == v1::ROLE_AGENT) {
    status = claims.CheckClaim(theatre, identity.name);
  }
  if (status.ok()) return {};
  TellHolder(theatre);
  return Refused(v1::REFUSAL_REASON_THEATRE_CLAIMED, std::string(status.message()));
}

void RecordIntake::UpdateClaims(const Room& room, const v1::CaseLifecycle& step) {
  TheatreClaims& claims = session_.services.directory->claims();
  const CaseLife& life = room.accepted_life();
  if (life.stage >= v1::CASE_STAGE_CLOSED) return claims.Suspend(room.case_id());
  if (life.stage == v1::CASE_STAGE_SCHEDULED) return;
  claims.Move(room.case_id(), life.theatre);
  if (step.transition() == v1::CASE_TRANSITION_REOPENED) {
    claims.Resume(room.case_id(), life.theatre);
  } else if (session_.identity.role == v1::ROLE_AGENT) {
    // CheckLifecycle found it free, or no theatre was asked for.
    claims.Claim(life.theatre, {session_.identity.name, room.case_id(), this}).IgnoreError();
  }
}

// Lane 0 comes before the step in lane 1 that makes the case: its records wait for it.
void RecordIntake::BeforeOpen(Place* place, const RecordHeader& header, absl::string_view bytes) {
  if (header.kind == v1::Record::kCaseLifecycle) return OpenCase(place, header, bytes);
  KeepBeforeOpen(place, bytes);
}

void RecordIntake::KeepBeforeOpen(Place* place, absl::string_view bytes) {
  size_t& of_hub = session_.services.before_open_bytes;
  if (before_open_bytes_ + bytes.size() > kMaxBytesBeforeOpen ||
      of_hub + bytes.size() > kMaxBytesBeforeOpenOfHub) {
    place->dropped_before_open = true;
    return;
  }
  place->before_open_bytes += bytes.size();
  before_open_bytes_ += bytes.size();
  of_hub += bytes.size();
  place->before_open.push_back({std::string(bytes), backlog_});
}

std::deque<RecordIntake::Waiting> RecordIntake::TakeWaiting(Place* place) {
  before_open_bytes_ -= place->before_open_bytes;
  session_.services.before_open_bytes -= place->before_open_bytes;
  place->before_open_bytes = 0;
  return std::exchange(place->before_open, {});
}

void RecordIntake::OfferWaiting(Place* place, const Waiting& waiting) {
  const bool backlog = std::exchange(backlog_, waiting.backlog);
  if (const absl::StatusOr<RecordHeader> header = WalkRecord(waiting.bytes); header.ok()) {
    Offer(place, *header, waiting.bytes);
  } else {
    RefuseUnreadable(waiting.bytes, header.status().message());
  }
  backlog_ = backlog;
}

Room::Answer RecordIntake::CheckOpening(const RecordHeader& header, absl::string_view bytes) {
  v1::Record record;
  Room::Answer answer = Check(header, bytes, &record);
  if (answer.outcome == Outcome::kRefused) return answer;
  const v1::CaseLifecycle& step = record.case_lifecycle();
  if (!MakesCase(step.transition())) {
    return Refused(v1::REFUSAL_REASON_NO_SUCH_CASE,
                   "the case is not there yet: it begins scheduled or opened");
  }
  if (session_.services.draining) {
    return Refused(v1::REFUSAL_REASON_DRAINING, "the hub is about to stop: no new cases");
  }
  if (absl::Status status = CheckTransition(CaseLife(), step); !status.ok()) {
    return Refused(v1::REFUSAL_REASON_WRONG_STAGE, std::string(status.message()));
  }
  return {};
}

void RecordIntake::OpenCase(Place* place, const RecordHeader& header, absl::string_view bytes) {
  const Room::Answer answer = CheckOpening(header, bytes);
  if (answer.outcome == Outcome::kRefused) return Report(answer, header, place);
  absl::StatusOr<Room*> room = session_.services.directory->Create(header.case_id);
  if (!room.ok()) {
    return Report(Refused(v1::REFUSAL_REASON_TOO_MANY, std::string(room.status().message())),
                  header, place);
  }
  Enter(place, *room);
  const std::deque<Waiting> waiting = TakeWaiting(place);
  std::array<SeqRanges, kLaneCount + 1> there;
  there[header.lane].Insert(header.origin_seq);
  for (const Waiting& earlier : waiting) {
    const RecordHeader peeked = PeekHeader(earlier.bytes);
    there[peeked.lane].Insert(peeked.origin_seq);
  }
  // Everything that its sender still has came in order. What did not come was an opening that was
  // refused, perhaps by a hub that was restarted since.
  for (uint32_t lane = 0; lane < kControlLaneCount && !place->dropped_before_open; ++lane) {
    (*room)->RefuseMissing(*this, lane, there[lane], there[lane].largest());
  }
  const auto offer = [&](bool same_lane) {
    for (const Waiting& earlier : waiting) {
      if ((PeekHeader(earlier.bytes).lane == header.lane) == same_lane)
        OfferWaiting(place, earlier);
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
      Refused(bytes.size() > limit ? v1::REFUSAL_REASON_TOO_LARGE : v1::REFUSAL_REASON_MALFORMED,
              std::string(why));
  auto it = places_.find(header.case_id);
  Place* place = it == places_.end() || it->second.restoring ? nullptr : &it->second;
  if (place != nullptr && header.origin == session_.origin && header.lane < kLaneCount &&
      header.origin_seq > 0 && header.origin_seq <= kMaxOriginSeq) {
    // Refused in its turn once there is a room that remembers it.
    if (place->room == nullptr) return KeepBeforeOpen(place, bytes);
    answer =
        place->room->Refuse(*this, header.key(), bytes, {answer.reason, std::move(answer.text)});
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
  if (answer.outcome != Outcome::kRefused && answer.outcome != Outcome::kRefusing) return;
  session_.services.metrics->Count(
      metric::kRecordsRefused, absl::StrCat("reason=", v1::RefusalReason_Name(answer.reason)), 1);
  if (answer.outcome == Outcome::kRefusing) return;  // OnRefused will come
  TellRefused(header.case_id, header.lane < kLaneCount ? header.lane : 0, header.origin_seq,
              {answer.reason, answer.text});
}

void RecordIntake::TellRefused(const CaseId& case_id, uint32_t lane, uint64_t origin_seq,
                               const Refusal& refusal) {
  v1::Down down;
  v1::RecordRefused* refused = down.mutable_record_refused();
  refused->set_case_id(case_id.ToString());
  refused->set_lane(lane);
  refused->set_origin_seq(origin_seq);
  refused->set_reason(refusal.reason);
  refused->set_text(refusal.text);
  session_.Send(down);
}

}  // namespace remora::hub
