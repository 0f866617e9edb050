#include "hub/rooms/directory.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

Directory::Directory(RoomParts parts, std::function<void()> wake)
    : parts_(parts), wake_(std::move(wake)) {
  parts_.owner = this;
}

Directory::~Directory() = default;

absl::Status Directory::Start(const std::vector<CaseHead>& cases) {
  for (const CaseHead& head : cases) {
    ASSIGN_OR_RETURN(CaseRestore restore, parts_.journal->Restore(head.case_id));
    Add(std::move(restore));
  }
  return absl::OkStatus();
}

Room* Directory::Add(CaseRestore restore) {
  const CaseId case_id = restore.head.case_id;
  auto room = std::make_unique<Room>(parts_, std::move(restore));
  Room* added = room.get();
  rooms_[case_id].room = std::move(room);
  ++restoring_;
  added->WhenReady([this](const absl::Status&) { --restoring_; });
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
  ASSIGN_OR_RETURN(const uint32_t epoch, parts_.journal->CreateCase(case_id));
  CaseRestore restore;
  restore.head.case_id = case_id;
  restore.head.epoch = epoch;
  return Add(std::move(restore));
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
  dirty_.insert(&room);
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

void Directory::EndOfDrain() {
  const std::set<Room*> dirty = std::move(dirty_);
  dirty_.clear();
  for (Room* room : dirty) room->EndOfDrain();
}

void Directory::Tick() {
  size_t failed = 0;
  size_t uncommitted = 0;
  for (const auto& [case_id, entry] : rooms_) {
    entry.room->Tick();
    failed += entry.room->condition() == Room::Condition::kJournalFailed;
    uncommitted += entry.room->uncommitted_bytes();
  }
  parts_.metrics->Gauge(metric::kRoomsFailed, static_cast<double>(failed));
  parts_.metrics->Gauge(metric::kUncommittedBytes, static_cast<double>(uncommitted));
}

}  // namespace remora::hub
