// Joining and leaving cases, and what is told about records on disk: see record_intake.h.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/identity/permissions.h"
#include "hub/participants/record_intake.h"
#include "hub/participants/session_limits.h"

namespace remora::hub {
namespace {

void FillRanges(uint32_t lane, const std::vector<SeqRanges::Range>& ranges,
                google::protobuf::RepeatedPtrField<v1::LaneRanges>* out) {
  if (ranges.empty()) return;
  v1::LaneRanges* held = out->Add();
  held->set_lane(lane);
  for (const SeqRanges::Range& range : ranges) {
    v1::SeqRange* added = held->add_ranges();
    added->set_first(range.first);
    added->set_last(range.last);
  }
}

// The ranges of `durable` that `fresh` lies in.
std::vector<SeqRanges::Range> Covering(const SeqRanges& durable, const SeqRanges& fresh) {
  std::vector<SeqRanges::Range> covering;
  auto next = durable.ranges().begin();
  for (const SeqRanges::Range& range : fresh.ranges()) {
    next = std::find_if(next, durable.ranges().end(),
                        [&range](const SeqRanges::Range& d) { return d.last >= range.first; });
    if (next == durable.ranges().end()) break;
    if (covering.empty() || covering.back() != *next) covering.push_back(*next);
  }
  return covering;
}

}  // namespace

RecordIntake::~RecordIntake() {
  *alive_ = false;
  while (!places_.empty()) Drop(places_.begin());
  session_.services.directory->claims().ReleaseAll(this);
}

void RecordIntake::Drop(Places::iterator place) {
  TakeWaiting(&place->second);
  if (Room* room = place->second.room; room != nullptr) {
    room->RemovePublisher(this);
    room->Leave(session_.identity.name, /*answers=*/false);
  }
  session_.services.directory->claims().Release(this, place->first);
  places_.erase(place);
}

bool RecordIntake::IsForbidden(const Place& place) const {
  return place.room != nullptr && !session_.MayEnter(place.room->accepted_life().theatre);
}

void RecordIntake::DropForbidden(Places::iterator place) {
  const CaseId case_id = place->first;
  const std::string theatre = place->second.room->accepted_life().theatre;
  Drop(place);
  session_.Refuse(
      v1::REFUSAL_REASON_NOT_PERMITTED,
      absl::StrCat("the case moved to theatre '", theatre, "', which you may not enter"), 0,
      case_id.bytes());
}

void RecordIntake::EndForbidden() {
  for (auto it = places_.begin(); it != places_.end();) {
    const auto place = it++;
    if (IsForbidden(place->second)) DropForbidden(place);
  }
}

void RecordIntake::OnJoin(const v1::Join& join) {
  CaseId case_id;
  const auto refuse = [&](v1::RefusalReason reason, absl::string_view text) {
    session_.Refuse(reason, text, 0, join.case_id());
  };
  if (!case_id.Assign(join.case_id())) {
    return refuse(v1::REFUSAL_REASON_MALFORMED, "case_id must be 16 bytes");
  }
  if (join.theatre().size() > kMaxNameBytes) {
    return refuse(v1::REFUSAL_REASON_MALFORMED,
                  absl::StrCat("theatre is longer than ", kMaxNameBytes, " bytes"));
  }
  auto it = places_.find(case_id);
  if (it == places_.end() && places_.size() >= kMaxJoins) {
    return refuse(v1::REFUSAL_REASON_TOO_MANY,
                  absl::StrCat("more than ", kMaxJoins, " cases joined"));
  }
  if (it != places_.end() && it->second.restoring) return;
  if (it != places_.end() && it->second.room != nullptr) {
    it->second.joined_due = true;
    it->second.told_not_now = false;
    return session_.Wake();
  }
  const absl::StatusOr<Room*> room = session_.services.directory->Obtain(case_id);
  if (room.ok()) return JoinWhenReady(case_id, *room, join.theatre());
  if (!absl::IsNotFound(room.status()) || !MayCreateCase(session_.identity.role)) {
    return session_.RefuseCase(room.status(), 0, join.case_id());
  }
  CompleteJoin(case_id, nullptr, join.theatre());
}

void RecordIntake::JoinWhenReady(const CaseId& case_id, Room* room, const std::string& theatre) {
  Place& place = places_[case_id];
  place.restoring = true;
  place.generation = ++last_generation_;
  room->WhenReady([this, alive = alive_, case_id, room, generation = place.generation,
                   theatre](const absl::Status& status) {
    if (!*alive) return;
    const auto joined = places_.find(case_id);
    if (joined == places_.end() || joined->second.generation != generation) return;
    joined->second.restoring = false;
    if (status.ok()) {
      CompleteJoin(case_id, room, theatre);
      return;
    }
    Drop(joined);
    if (absl::IsUnavailable(status)) return session_.RefuseCase(status, 0, case_id.ToString());
    session_.Refuse(v1::REFUSAL_REASON_NO_SUCH_CASE,
                    absl::StrCat("the case cannot be restored: ", status.message()), 0,
                    case_id.bytes());
  });
}

bool RecordIntake::CompleteJoin(const CaseId& case_id, Room* room, const std::string& theatre) {
  const auto place = places_.try_emplace(case_id).first;
  const std::string in_theatre = room == nullptr ? theatre : room->accepted_life().theatre;
  if (!session_.MayEnter(in_theatre)) {
    Drop(place);
    session_.Refuse(v1::REFUSAL_REASON_NOT_PERMITTED,
                    absl::StrCat("you may not enter theatre '", in_theatre, "'"), 0,
                    case_id.bytes());
    return false;
  }
  if (session_.identity.role == v1::ROLE_AGENT && !Claim(case_id, room, theatre)) {
    Drop(place);
    return false;
  }
  place->second.joined_due = true;
  place->second.theatre = theatre;
  if (room != nullptr) {
    TakeWaiting(&place->second);  // Joined asks for it again
    Enter(&place->second, room);
  }
  session_.Wake();
  return true;
}

// False: refused, and the one who stands there is told too.
bool RecordIntake::Claim(const CaseId& case_id, Room* room, const std::string& theatre) {
  const std::string in_theatre = room == nullptr ? theatre : room->accepted_life().theatre;
  if (!theatre.empty() && !in_theatre.empty() && theatre != in_theatre) {
    session_.Refuse(v1::REFUSAL_REASON_NOT_PERMITTED,
                    absl::StrCat("the case is in theatre '", in_theatre, "', you stand in '",
                                 theatre, "': move the case first"),
                    0, case_id.bytes());
    return false;
  }
  // A case that is over needs no theatre: what the spool still holds may come.
  const bool over = room != nullptr && room->accepted_life().stage >= v1::CASE_STAGE_CLOSED;
  TheatreClaims& claims = session_.services.directory->claims();
  if (over) claims.Wait({session_.identity.name, case_id, this});
  if (in_theatre.empty() || over) return true;
  const absl::Status status = claims.Claim(in_theatre, {session_.identity.name, case_id, this});
  if (status.ok()) return true;
  TellHolder(in_theatre);
  session_.Refuse(v1::REFUSAL_REASON_THEATRE_CLAIMED, status.message(), 0, case_id.bytes());
  return false;
}

void RecordIntake::TellHolder(const std::string& theatre) {
  const TheatreClaims::Holder* holder = session_.services.directory->claims().Find(theatre);
  Room* held = holder == nullptr ? nullptr : session_.services.directory->Find(holder->case_id);
  if (held == nullptr) return;
  held->RaiseTechnicalAlert(
      v1::ALERT_PRIORITY_MEDIUM, "hub.theatre_claimed_twice", session_.identity.name,
      absl::StrCat(session_.identity.name, " tried to claim theatre '", theatre, "', which ",
                   holder->agent, " holds; it was refused"));
}

void RecordIntake::Enter(Place* place, Room* room) {
  place->room = room;
  room->AddPublisher(this);
  if (room->recording() != v1::RECORDING_CONDITION_RECORDING) session_.TellRecording(*room);
  room->Attend({session_.identity.name, session_.identity.display_name, session_.identity.role});
}

void RecordIntake::Tick() {
  std::vector<CaseId> opened;
  for (const auto& [case_id, place] : places_) {
    if (place.room != nullptr || place.restoring) continue;
    if (session_.services.directory->Find(case_id) != nullptr) opened.push_back(case_id);
  }
  // Joined asks for all that was sent meanwhile.
  for (const CaseId& case_id : opened) {
    const std::string theatre = places_.at(case_id).theatre;
    JoinWhenReady(case_id, session_.services.directory->Find(case_id), theatre);
  }
}

void RecordIntake::OnLeave(const v1::Leave& leave) {
  const auto it = places_.find(CaseId::FromBytes(leave.case_id()));
  if (it != places_.end()) Drop(it);
}

void RecordIntake::OnDurable(Room& room, uint32_t lane, std::span<const SeqRanges::Range> ranges) {
  auto it = places_.find(room.case_id());
  if (it == places_.end() || lane >= kLaneCount) return;
  for (const SeqRanges::Range& range : ranges) {
    it->second.fresh[lane].InsertRange(range.first, range.last);
  }
  it->second.acknowledge_due = true;
  session_.Wake();
}

void RecordIntake::OnRefused(Room& room, uint32_t lane, std::span<const SeqRanges::Range> ranges) {
  auto it = places_.find(room.case_id());
  if (it == places_.end() || lane >= kLaneCount) return;
  size_t left = kMaxRefusalsToldSingly;
  for (const SeqRanges::Range& range : ranges) {
    it->second.fresh_refused[lane].InsertRange(range.first, range.last);
    for (uint64_t number = range.first; number <= range.last && left > 0; ++number, --left) {
      TellRefused(room.case_id(), lane, number, room.RefusalOf({session_.origin, lane, number}));
    }
  }
  it->second.acknowledge_due = true;
  session_.Wake();
}

void RecordIntake::OnOfferAgain(Room& room) {
  auto it = places_.find(room.case_id());
  if (it == places_.end()) return;
  it->second.joined_due = true;
  it->second.told_not_now = false;
  session_.Wake();
}

bool RecordIntake::HasNext() const {
  return std::any_of(places_.begin(), places_.end(),
                     [](const auto& p) { return p.second.joined_due || p.second.acknowledge_due; });
}

bool RecordIntake::TakeNext(v1::Down* down) {
  for (auto& [case_id, place] : places_) {
    if (place.joined_due) {
      place.joined_due = false;
      v1::Joined* joined = down->mutable_joined();
      joined->set_case_id(case_id.ToString());
      if (place.room == nullptr) return true;
      joined->set_epoch(place.room->epoch());
      joined->set_stage(place.room->accepted_life().stage);
      for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
        FillRanges(lane, place.room->Durable(session_.origin, lane).ranges(),
                   joined->mutable_held());
        FillRanges(lane, place.room->DurablyRefused(session_.origin, lane).ranges(),
                   joined->mutable_refused());
      }
      return true;
    }
    if (!place.acknowledge_due || place.room == nullptr) continue;
    place.acknowledge_due = false;
    v1::Acknowledge* acknowledge = down->mutable_acknowledge();
    acknowledge->set_case_id(case_id.ToString());
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      FillRanges(lane, Covering(place.room->Durable(session_.origin, lane), place.fresh[lane]),
                 acknowledge->mutable_held());
      FillRanges(
          lane,
          Covering(place.room->DurablyRefused(session_.origin, lane), place.fresh_refused[lane]),
          acknowledge->mutable_refused());
      place.fresh[lane] = SeqRanges();
      place.fresh_refused[lane] = SeqRanges();
    }
    return true;
  }
  return false;
}

}  // namespace remora::hub
