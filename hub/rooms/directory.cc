#include "hub/rooms/directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

Directory::Directory(RoomParts parts, std::function<void()> wake, OnDamaged on_damaged)
    : parts_(parts), wake_(std::move(wake)), on_damaged_(std::move(on_damaged)) {
  origins_.Bind(parts_.hub.id, "");
  parts_.owner = this;
}

Directory::~Directory() = default;

absl::Status Directory::Start(const std::vector<CaseHead>& cases) {
  for (const CaseHead& head : cases) {
    if (rooms_.contains(head.case_id)) continue;  // of a damaged head not even the id is sure
    absl::StatusOr<CaseRestore> restore = parts_.journal->Restore(head.case_id);
    if (restore.ok()) {
      for (const OriginLaneHeld& held : restore->origins) {
        origins_.Bind(held.origin, held.participant);
      }
      Add(*std::move(restore));
    } else if (absl::IsDataLoss(restore.status())) {
      CaseRestore nothing;
      nothing.head.case_id = head.case_id;
      OnRestored(*Add(std::move(nothing), restore.status()), restore.status());
    } else {
      return restore.status();
    }
  }
  StartRestores();
  return absl::OkStatus();
}

void Directory::StartRestores() {
  while (!to_restore_.empty() && restores_under_way_ < kMaxRestoresUnderWay) {
    Room* room = to_restore_.front();
    to_restore_.pop_front();
    ++restores_under_way_;
    room->WhenReady([this, room](const absl::Status& status) {
      --restores_under_way_;
      OnRestored(*room, status);
      StartRestores();
    });
    room->StartRestore();
  }
}

void Directory::OnRestored(Room& room, const absl::Status& status) {
  if (status.ok()) return;
  ++damaged_;
  parts_.metrics->Gauge(metric::kRoomsDamaged, static_cast<double>(damaged_));
  if (on_damaged_) on_damaged_(room.case_id(), status);
}

Room* Directory::Add(CaseRestore restore, const absl::Status& damage) {
  const CaseId case_id = restore.head.case_id;
  auto room = std::make_unique<Room>(parts_, std::move(restore), damage);
  Room* added = room.get();
  rooms_[case_id].room = std::move(room);
  if (added->condition() == Room::Condition::kRestoring) to_restore_.push_back(added);
  parts_.metrics->Gauge(metric::kRooms, static_cast<double>(rooms_.size()));
  return added;
}

Room* Directory::Find(const CaseId& case_id) const {
  auto it = rooms_.find(case_id);
  return it == rooms_.end() ? nullptr : it->second.room.get();
}

absl::StatusOr<Room*> Directory::Create(const CaseId& case_id) {
  if (rooms_.contains(case_id)) return absl::AlreadyExistsError("the case is there already");
  if (rooms_.size() >= kMaxCases) {
    return absl::ResourceExhaustedError(absl::StrCat("this hub has ", kMaxCases, " cases"));
  }
  const absl::StatusOr<uint32_t> epoch = parts_.journal->CreateCase(case_id);
  CaseRestore restore;
  restore.head.case_id = case_id;
  if (absl::IsAlreadyExists(epoch.status())) {
    // An earlier opening of it failed.
    ASSIGN_OR_RETURN(restore, parts_.journal->Restore(case_id));
    if (restore.head.last_seq != 0) return epoch.status();
  } else {
    RETURN_IF_ERROR(epoch.status());
    restore.head.epoch = *epoch;
  }
  return Add(std::move(restore));
}

void Directory::DropVoidRooms() {
  std::vector<CaseId> empty;
  for (const auto& [case_id, entry] : rooms_) {
    if (entry.room->IsVoid()) empty.push_back(case_id);
  }
  for (const CaseId& case_id : empty) {
    const auto it = rooms_.find(case_id);
    by_state_version_.erase(it->second.state_version);
    by_head_version_.erase(it->second.head_version);
    dirty_.Erase(it->second.room.get());
    rooms_.erase(it);
  }
  if (!empty.empty()) parts_.metrics->Gauge(metric::kRooms, static_cast<double>(rooms_.size()));
}

void Directory::OnRoomChanged(Room& room, bool state_changed) {
  auto it = rooms_.find(room.case_id());
  if (it == rooms_.end()) return;  // still being made
  Entry& entry = it->second;
  ++version_;
  by_head_version_.erase(entry.head_version);
  entry.head_version = version_;
  by_head_version_.emplace(version_, &room);
  if (state_changed) {
    by_state_version_.erase(entry.state_version);
    entry.state_version = version_;
    by_state_version_.emplace(version_, &room);
  }
  wake_();
}

void Directory::OnRoomDirty(Room& room) {
  dirty_.Insert(&room);
  wake_();
}

std::vector<Room*> Directory::StateChangesSince(uint64_t version) const {
  std::vector<Room*> rooms;
  for (auto it = by_state_version_.upper_bound(version); it != by_state_version_.end(); ++it) {
    rooms.push_back(it->second);
  }
  return rooms;
}

std::vector<Room*> Directory::HeadChangesSince(uint64_t version) const {
  std::vector<Room*> rooms;
  for (auto it = by_head_version_.upper_bound(version); it != by_head_version_.end(); ++it) {
    rooms.push_back(it->second);
  }
  return rooms;
}

std::vector<Room*> Directory::InOrder() const {
  std::vector<Room*> rooms;
  for (const auto& [case_id, entry] : rooms_) rooms.push_back(entry.room.get());
  std::sort(rooms.begin(), rooms.end(),
            [](const Room* a, const Room* b) { return a->case_id() < b->case_id(); });
  return rooms;
}

void Directory::EndOfDrain() {
  const std::vector<Room*> dirty = dirty_.Take();
  for (Room* room : dirty) room->EndOfDrain();
}

void Directory::Tick() {
  DropVoidRooms();
  size_t failed = 0;
  size_t unrecorded = 0;
  size_t uncommitted = 0;
  Duration oldest;
  for (Room* room : InOrder()) {
    room->Tick();
    failed += room->condition() == Room::Condition::kJournalFailed;
    unrecorded += room->recording() == v1::RECORDING_CONDITION_UNRECORDED;
    uncommitted += room->uncommitted_bytes();
    oldest = std::max(oldest, room->oldest_uncommitted_age());
  }
  parts_.metrics->Gauge(metric::kRoomsFailed, static_cast<double>(failed));
  parts_.metrics->Gauge(metric::kRoomsUnrecorded, static_cast<double>(unrecorded));
  parts_.metrics->Gauge(metric::kUncommittedBytes, static_cast<double>(uncommitted));
  parts_.metrics->Gauge(metric::kOldestUncommittedSeconds, oldest.seconds());
}

}  // namespace remora::hub
