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
  for (auto& [case_id, place] : places_) {
    if (place.room == nullptr) continue;
    place.room->RemovePublisher(this);
    place.room->Leave(session_.identity.name);
  }
  session_.services.directory->claims().ReleaseAll(this);
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
  Room* room = session_.services.directory->Find(case_id);
  if (room == nullptr) {
    if (!MayCreateCase(session_.identity.role)) {
      return refuse(v1::REFUSAL_REASON_NO_SUCH_CASE, "there is no such case");
    }
    return CompleteJoin(case_id, nullptr, join.theatre());
  }
  places_[case_id].restoring = true;
  room->WhenReady(
      [this, alive = alive_, case_id, room, theatre = join.theatre()](const absl::Status& status) {
        if (!*alive || !places_.contains(case_id)) return;
        places_[case_id].restoring = false;
        if (status.ok()) return CompleteJoin(case_id, room, theatre);
        places_.erase(case_id);
        session_.Refuse(v1::REFUSAL_REASON_NO_SUCH_CASE,
                        absl::StrCat("the case cannot be restored: ", status.message()), 0,
                        case_id.bytes());
      });
}

void RecordIntake::CompleteJoin(const CaseId& case_id, Room* room, const std::string& theatre) {
  const std::string in_theatre = room == nullptr ? theatre : room->accepted_life().theatre;
  if (!session_.MayEnter(in_theatre)) {
    places_.erase(case_id);
    return session_.Refuse(v1::REFUSAL_REASON_NOT_PERMITTED,
                           absl::StrCat("you may not enter theatre '", in_theatre, "'"), 0,
                           case_id.bytes());
  }
  if (session_.identity.role == v1::ROLE_AGENT && !Claim(case_id, room, theatre)) {
    places_.erase(case_id);
    return;
  }
  Place& place = places_[case_id];
  place.joined_due = true;
  if (room != nullptr) Enter(&place, room);
  session_.Wake();
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
  if (in_theatre.empty() || over) return true;
  TheatreClaims& claims = session_.services.directory->claims();
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
  room->Attend({session_.identity.name, session_.identity.display_name, session_.identity.role});
}

void RecordIntake::OnLeave(const v1::Leave& leave) {
  const CaseId case_id = CaseId::FromBytes(leave.case_id());
  auto it = places_.find(case_id);
  if (it == places_.end()) return;
  if (it->second.room != nullptr) {
    it->second.room->RemovePublisher(this);
    it->second.room->Leave(session_.identity.name);
  }
  session_.services.directory->claims().Release(this, case_id);
  places_.erase(it);
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
      place.fresh[lane] = SeqRanges();
    }
    return true;
  }
  return false;
}

}  // namespace remora::hub
