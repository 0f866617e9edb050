#include "hub/participants/follow_desk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/fold/readers.h"
#include "hub/fanout/limits.h"
#include "hub/identity/permissions.h"
#include "hub/participants/room_feed.h"
#include "hub/participants/session_limits.h"

namespace remora::hub {
namespace {

template <typename Lanes>
bool ReadLanes(const Lanes& lanes, LaneSet* set) {
  if (lanes.empty()) {
    *set = LaneSet::All();
    return true;
  }
  for (uint32_t lane : lanes) {
    if (lane >= kLaneCount) return false;
    set->wanted[lane] = true;
  }
  return true;
}

constexpr char kBlind[] =
    "the hub cannot record this case at present, and this version of the protocol cannot show what "
    "is not recorded: follow again later";
constexpr char kWrongLanes[] = "lanes are 0 to 5";

}  // namespace

FollowDesk::FollowDesk(SessionContext& session, Journal& journal)
    : session_(session),
      journal_(journal),
      answers_(ReadsCases(session.identity.role) &&
               session.version >= kVersionThatAnswersHeartbeats),
      delivery_(*session.services.clock, *session.services.hub_time, *session.services.metrics,
                session.version >= kVersionThatAnswersHeartbeats, [this] { session_.Wake(); }) {
  delivery_.set_on_ended([this](uint32_t follow_id) { Forget(follow_id); });
  delivery_.set_fill_heads([this](v1::HubHeartbeat* heartbeat) { FillHeads(heartbeat); });
}

FollowDesk::~FollowDesk() {
  *alive_ = false;
  while (!cases_.empty()) Forget(cases_.begin()->first);
}

void FollowDesk::OnSignOfLife() {
  if (!ReadsCases(session_.identity.role)) return;
  for (auto& [id, followed] : cases_) {
    if (followed.room != nullptr) followed.room->SignOfLife(session_.identity.name);
  }
}

void FollowDesk::Forget(uint32_t follow_id) {
  auto it = cases_.find(follow_id);
  if (it == cases_.end()) return;
  if (it->second.room != nullptr) it->second.room->Leave(session_.identity.name, answers_);
  cases_.erase(it);
}

std::string FollowDesk::CheckFollow(const v1::Follow& follow, LaneSet* lanes) const {
  if (follow.follow_id() == 0) return "follow_id must not be 0";
  if (cases_.contains(follow.follow_id()) || directory_id_ == follow.follow_id()) {
    return "this follow_id is in use";
  }
  if (follow.target_case() == v1::Follow::kDirectory) {
    return directory_id_ == 0 ? "" : "the directory is followed already";
  }
  if (follow.case_id().size() != CaseId::kBytes) return "case_id must be 16 bytes";
  if (follow.delivery() != v1::DELIVERY_LIVE && follow.delivery() != v1::DELIVERY_COMPLETE) {
    return "delivery must be DELIVERY_LIVE or DELIVERY_COMPLETE";
  }
  if (!ReadLanes(follow.lanes(), lanes)) return kWrongLanes;
  const CaseId case_id = CaseId::FromBytes(follow.case_id());
  for (const auto& [id, followed] : cases_) {
    if (followed.case_id == case_id) return "this case is followed already, cancel that one first";
  }
  return "";
}

void FollowDesk::OnFollow(const v1::Follow& follow) {
  const auto refuse = [&](v1::RefusalReason reason, absl::string_view text) {
    session_.Refuse(reason, text, follow.follow_id(), follow.case_id());
  };
  LaneSet lanes;
  if (const std::string wrong = CheckFollow(follow, &lanes); !wrong.empty()) {
    return refuse(v1::REFUSAL_REASON_MALFORMED, wrong);
  }
  if (follow_count() >= kMaxFollows ||
      follow.trace_ids_size() > static_cast<int>(kMaxTraceFilter)) {
    return refuse(v1::REFUSAL_REASON_TOO_MANY,
                  absl::StrCat("at most ", kMaxFollows, " follows of a session, and ",
                               kMaxTraceFilter, " traces of a follow"));
  }
  const bool directory = follow.target_case() == v1::Follow::kDirectory;
  const v1::Role role = session_.identity.role;
  if (directory ? !MayFollowDirectory(role) : !MayFollowCase(role)) {
    return refuse(v1::REFUSAL_REASON_NOT_PERMITTED, "your role may not follow this");
  }
  if (directory) return FollowDirectory(follow.follow_id());
  const CaseId case_id = CaseId::FromBytes(follow.case_id());
  const absl::StatusOr<Room*> obtained = session_.services.directory->Obtain(case_id);
  if (!obtained.ok()) {
    return session_.RefuseCase(obtained.status(), follow.follow_id(), follow.case_id());
  }
  Room* room = *obtained;
  const uint64_t generation = ++last_generation_;
  cases_[follow.follow_id()] = {case_id, nullptr, generation};
  room->WhenReady(
      [this, alive = alive_, room, follow, lanes, generation](const absl::Status& status) {
        if (!*alive) return;
        const auto asked = cases_.find(follow.follow_id());
        if (asked == cases_.end() || asked->second.generation != generation) return;
        const std::string theatre = status.ok() ? room->accepted_life().theatre : "";
        if (status.ok() && session_.MayEnter(theatre)) return FollowCase(room, follow, lanes);
        cases_.erase(follow.follow_id());
        if (absl::IsUnavailable(status)) {
          return session_.RefuseCase(status, follow.follow_id(), follow.case_id());
        }
        session_.Refuse(
            status.ok() ? v1::REFUSAL_REASON_NOT_PERMITTED : v1::REFUSAL_REASON_NO_SUCH_CASE,
            status.ok() ? absl::StrCat("you may not enter theatre '", theatre, "'")
                        : absl::StrCat("the case cannot be restored: ", status.message()),
            follow.follow_id(), follow.case_id());
      });
}

void FollowDesk::FollowCase(Room* room, const v1::Follow& follow, LaneSet lanes) {
  const bool live = follow.delivery() == v1::DELIVERY_LIVE;
  const bool blind = live && !session_.KnowsUnrecorded();
  if (blind && room->recording() != v1::RECORDING_CONDITION_RECORDING) {
    cases_.erase(follow.follow_id());
    return session_.Refuse(v1::REFUSAL_REASON_TOO_MANY, kBlind, follow.follow_id(),
                           follow.case_id());
  }
  cases_[follow.follow_id()].room = room;
  const Identity& identity = session_.identity;
  room->Attend({identity.name, identity.display_name, identity.role, answers_});
  auto feed =
      std::make_unique<RoomFeed>(*room, journal_, *session_.services.executor,
                                 live && session_.KnowsUnrecorded(), [this] { session_.Wake(); });
  feed->set_on_recording([this, room, blind, follow_id = follow.follow_id()] {
    session_.TellRecording(*room);
    if (blind) EndBlind(follow_id);
  });
  if (room->recording() != v1::RECORDING_CONDITION_RECORDING) session_.TellRecording(*room);
  if (live) {
    RoomFeed* live_feed = feed.get();
    live_feed->set_live(delivery_.AddLive(std::move(feed), follow, lanes));
  } else {
    delivery_.AddComplete(std::move(feed), follow, lanes);
  }
}

// Version 1 is shown nothing of an UNRECORDED case and knows no word for it: a screen would keep
// its last pictures under a link that lives. It is told that this follow is over, and may ask
// again.
void FollowDesk::EndBlind(uint32_t follow_id) {
  session_.services.executor->Post([this, alive = alive_, follow_id] {
    if (!*alive) return;
    const auto it = cases_.find(follow_id);
    if (it == cases_.end() || it->second.room == nullptr ||
        it->second.room->recording() == v1::RECORDING_CONDITION_RECORDING) {
      return;
    }
    v1::Down down;
    down.mutable_follow_ended()->set_follow_id(follow_id);
    down.mutable_follow_ended()->set_cause(kBlind);
    delivery_.Cancel(follow_id);
    Forget(follow_id);
    session_.Send(down);
  });
}

void FollowDesk::FollowDirectory(uint32_t follow_id) {
  directory_id_ = follow_id;
  directory_complete_ = false;
  told_state_version_ = 0;
  told_head_version_ = 0;
  directory_rest_.clear();
  directory_shown_.clear();
  session_.Wake();
}

void FollowDesk::OnCancel(const v1::CancelFollow& cancel) {
  if (cancel.follow_id() != 0 && cancel.follow_id() == directory_id_) {
    directory_id_ = 0;
    directory_rest_.clear();
  } else {
    delivery_.Cancel(cancel.follow_id());
    Forget(cancel.follow_id());
  }
}

void FollowDesk::OnHistory(const v1::HistoryRequest& request) {
  const auto refuse = [&](v1::RefusalReason reason, absl::string_view text) {
    session_.Refuse(reason, text, 0, request.case_id(), request.request_id());
  };
  LaneSet lanes;
  if (!ReadLanes(request.lanes(), &lanes)) {
    return refuse(v1::REFUSAL_REASON_MALFORMED, kWrongLanes);
  }
  if (delivery_.history_count() + history_waiting_ >= kMaxHistoryRequests) {
    return refuse(v1::REFUSAL_REASON_TOO_MANY,
                  absl::StrCat("at most ", kMaxHistoryRequests, " history requests at a time"));
  }
  if (!MayFollowCase(session_.identity.role)) {
    return refuse(v1::REFUSAL_REASON_NOT_PERMITTED, "you may not follow this case");
  }
  const absl::StatusOr<Room*> room =
      session_.services.directory->Obtain(CaseId::FromBytes(request.case_id()));
  if (!room.ok()) {
    return session_.RefuseCase(room.status(), 0, request.case_id(), request.request_id());
  }
  ++history_waiting_;
  (*room)->WhenReady(
      [this, alive = alive_, room = *room, request, lanes](const absl::Status& status) {
        if (!*alive) return;
        --history_waiting_;
        if (status.ok()) return BeginHistory(room, request, lanes);
        if (absl::IsUnavailable(status)) {
          return session_.RefuseCase(status, 0, request.case_id(), request.request_id());
        }
        session_.Refuse(v1::REFUSAL_REASON_NO_SUCH_CASE,
                        absl::StrCat("the case cannot be restored: ", status.message()), 0,
                        request.case_id(), request.request_id());
      });
}

void FollowDesk::BeginHistory(Room* room, const v1::HistoryRequest& request, LaneSet lanes) {
  if (!session_.MayEnter(room->accepted_life().theatre)) {
    return session_.Refuse(v1::REFUSAL_REASON_NOT_PERMITTED, "you may not follow this case", 0,
                           request.case_id(), request.request_id());
  }
  delivery_.AddHistory(
      std::make_unique<RoomFeed>(*room, journal_, *session_.services.executor, false, [] {}),
      request, lanes);
}

void FollowDesk::EndForbidden() {
  for (auto it = cases_.begin(); it != cases_.end();) {
    const auto& [follow_id, followed] = *it++;
    if (followed.room == nullptr) continue;
    const std::string theatre = followed.room->fold().life().theatre;
    if (session_.MayEnter(theatre)) continue;
    v1::Down down;
    down.mutable_follow_ended()->set_follow_id(follow_id);
    down.mutable_follow_ended()->set_cause(
        absl::StrCat("the case moved to theatre '", theatre, "', which you may not enter"));
    delivery_.Cancel(follow_id);
    Forget(follow_id);
    session_.Send(down);
  }
}

bool FollowDesk::IsListShorter(DeviceTime now) const {
  return session_.services.directory->removed_version() > told_removed_version_ &&
         now - told_whole_at_ >= kDirectoryWholeInterval;
}

bool FollowDesk::IsDirectoryDue(DeviceTime now) const {
  if (!directory_complete_) return session_.services.directory->restored();
  const Directory& directory = *session_.services.directory;
  if (IsListShorter(now)) return true;
  return (now - told_state_at_ >= kDirectoryInterval &&
          directory.newest_state_version() > told_state_version_) ||
         (now - told_head_at_ >= kDirectoryHeadInterval &&
          directory.version() > told_head_version_);
}

bool FollowDesk::HasDirectory(DeviceTime now) const {
  return directory_id_ != 0 && (!directory_rest_.empty() || IsDirectoryDue(now));
}

void FollowDesk::BeginDirectoryUpdate(DeviceTime now) {
  const Directory& directory = *session_.services.directory;
  // Only a list from its beginning says that a case is gone.
  if (IsListShorter(now)) directory_complete_ = false;
  if (!directory_complete_) {
    told_removed_version_ = directory.removed_version();
    told_whole_at_ = now;
    directory_shown_.clear();
  }
  const bool heads = !directory_complete_ || now - told_head_at_ >= kDirectoryHeadInterval;
  const std::vector<CaseId> changed =
      heads && directory_complete_ ? directory.HeadChangesSince(told_head_version_)
      : directory_complete_        ? directory.StateChangesSince(told_state_version_)
                                   : directory.HeadChangesSince(0);
  directory_rest_.assign(changed.begin(), changed.end());
  told_state_version_ = directory.version();
  told_state_at_ = now;
  if (heads) {
    told_head_version_ = directory.version();
    told_head_at_ = now;
  }
}

bool FollowDesk::TakeDirectory(DeviceTime now, v1::Down* down) {
  if (!HasDirectory(now)) return false;
  if (directory_rest_.empty()) BeginDirectoryUpdate(now);
  v1::DirectoryUpdate update;
  while (!directory_rest_.empty() && update.cases_size() < static_cast<int>(kMaxDirectoryPage)) {
    const CaseId case_id = directory_rest_.front();
    directory_rest_.pop_front();
    std::optional<v1::CaseSummary> summary = session_.services.directory->Summary(case_id);
    if (!summary || summary->stage() == v1::CASE_STAGE_UNSPECIFIED) continue;
    if (session_.MayEnter(summary->theatre())) {
      if (!session_.identity.theatres.empty()) directory_shown_.insert(case_id);
      *update.add_cases() = *std::move(summary);
    } else if (directory_shown_.contains(case_id)) {
      // It moved away: only a new list can say that it is gone.
      update.clear_cases();
      directory_complete_ = false;
      BeginDirectoryUpdate(now);
    }
  }
  // The first page voids what was known; the others add to it.
  const bool first = !directory_complete_;
  directory_complete_ = true;
  // Who was told of a rest is told its end, though nothing may be left of it by now.
  const bool owed = directory_more_said_;
  directory_more_said_ = !directory_rest_.empty();
  if (!first && !owed && update.cases_size() == 0) return false;
  update.set_follow_id(directory_id_);
  update.set_complete(first);
  update.set_more(directory_more_said_);
  *down->mutable_directory() = std::move(update);
  return true;
}

void FollowDesk::FillHeads(v1::HubHeartbeat* heartbeat) {
  for (auto& [id, followed] : cases_) {
    if (followed.room == nullptr) continue;
    const CaseHead& head = followed.room->committed();
    v1::CaseHead* out = heartbeat->add_heads();
    out->set_case_id(followed.case_id.ToString());
    out->set_head_seq(head.last_seq);
    out->set_recording(followed.room->recording());
    for (uint64_t seq : head.lane_seq) out->add_lane_seq(seq);
    const v1::SignedHead& signed_head = followed.room->fold().signed_head();
    if (signed_head.seq() > followed.signed_head_told) {
      followed.signed_head_told = signed_head.seq();
      *out->mutable_signed_head() = signed_head;
    }
  }
}

}  // namespace remora::hub
