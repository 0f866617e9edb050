#include "hub/rooms/directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

// For whoever asks for a purged case: what it still holds of it is in nobody's record.
absl::Status PurgedError(const Tombstone& tombstone) {
  if (tombstone.archive.empty()) {
    return absl::FailedPreconditionError(
        "the case is archived and no longer on this hub; what it would get now is not taken: keep "
        "it, and tell whoever keeps the archive");
  }
  const absl::string_view sha256(reinterpret_cast<const char*>(tombstone.archive_sha256.data()),
                                 tombstone.archive_sha256.size());
  return absl::FailedPreconditionError(
      absl::StrCat("the case is archived as ", tombstone.archive, " (", tombstone.last_seq,
                   " records, SHA-256 ", absl::BytesToHexString(sha256),
                   ") and no longer on this hub; what it would get now is not taken: keep it, and "
                   "tell whoever keeps the archive"));
}

}  // namespace

Directory::Directory(RoomParts parts, std::function<void()> wake, OnDamaged on_damaged)
    : parts_(parts), wake_(std::move(wake)), on_damaged_(std::move(on_damaged)) {
  origins_.Bind(parts_.hub.id, "");
  parts_.owner = this;
}

Directory::~Directory() = default;

absl::Status Directory::Start(const std::vector<CaseHead>& cases) {
  ASSIGN_OR_RETURN(const std::vector<Tombstone> tombstones, parts_.journal->ListTombstones());
  for (const Tombstone& tombstone : tombstones) tombstones_[tombstone.case_id] = tombstone;
  for (const CaseHead& head : cases) {
    if (cases_.contains(head.case_id)) continue;  // of a damaged head not even the id is sure
    absl::StatusOr<CaseRestore> restore = parts_.journal->Restore(head.case_id);
    if (restore.ok()) {
      for (const OriginLaneHeld& held : restore->origins) {
        origins_.Bind(held.origin, held.participant);
      }
      if (!AddAtRest(*restore)) Add(*std::move(restore));
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

bool Directory::AddAtRest(const CaseRestore& restore) {
  if (restore.checkpoint.seq != restore.head.last_seq) return false;
  std::optional<RestNote> note = RestNoteOf(restore.checkpoint.state);
  v1::CaseSummary summary;
  if (!note || !summary.ParseFromString(note->summary)) return false;
  Entry& entry = cases_[restore.head.case_id];
  entry.resting = Resting{restore.head, *std::move(note)};
  NoteChange(restore.head.case_id, entry, true);
  GaugeCases();
  return true;
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
  restored_ |= to_restore_.empty() && restores_under_way_ == 0;
}

void Directory::OnRestored(Room& room, const absl::Status& status) {
  cases_.at(room.case_id()).resting.reset();
  if (status.ok()) return;
  ++damaged_;
  parts_.metrics->Gauge(metric::kRoomsDamaged, static_cast<double>(damaged_));
  if (on_damaged_) on_damaged_(room.case_id(), status);
}

Room* Directory::Add(CaseRestore restore, const absl::Status& damage) {
  const CaseId case_id = restore.head.case_id;
  auto room = std::make_unique<Room>(parts_, std::move(restore), damage);
  Room* added = room.get();
  cases_[case_id].room = std::move(room);
  rooms_[case_id] = added;
  if (added->condition() == Room::Condition::kRestoring) to_restore_.push_back(added);
  GaugeCases();
  return added;
}

void Directory::GaugeCases() {
  parts_.metrics->Gauge(metric::kRooms, static_cast<double>(rooms_.size()));
  parts_.metrics->Gauge(metric::kCases, static_cast<double>(cases_.size()));
}

Room* Directory::Find(const CaseId& case_id) const {
  const auto it = rooms_.find(case_id);
  return it == rooms_.end() ? nullptr : it->second;
}

absl::Status Directory::CheckNotPurged(const CaseId& case_id) const {
  const auto tombstone = tombstones_.find(case_id);
  return tombstone == tombstones_.end() ? absl::OkStatus() : PurgedError(tombstone->second);
}

absl::StatusOr<Room*> Directory::Obtain(const CaseId& case_id) {
  if (Room* room = Find(case_id); room != nullptr) return room;
  RETURN_IF_ERROR(CheckNotPurged(case_id));
  const auto it = cases_.find(case_id);
  if (it == cases_.end()) return absl::NotFoundError("there is no such case");
  if (it->second.purging) {
    return absl::UnavailableError("the case is just being archived: ask again in a moment");
  }
  absl::StatusOr<CaseRestore> restore = parts_.journal->Restore(case_id);
  if (absl::IsDataLoss(restore.status())) {
    CaseRestore nothing;
    nothing.head.case_id = case_id;
    Room* room = Add(std::move(nothing), restore.status());
    OnRestored(*room, restore.status());
    return room;
  }
  RETURN_IF_ERROR(restore.status());
  Room* room = Add(*std::move(restore));
  StartRestores();
  return room;
}

absl::StatusOr<Room*> Directory::Create(const CaseId& case_id) {
  RETURN_IF_ERROR(CheckNotPurged(case_id));
  if (cases_.contains(case_id)) return absl::AlreadyExistsError("the case is there already");
  if (cases_.size() >= kMaxCases) {
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

void Directory::DropRoom(Entry& entry) {
  dirty_.Erase(entry.room.get());
  rooms_.erase(entry.room->case_id());
  entry.room.reset();
  entry.idle_since.reset();
}

void Directory::Forget(const CaseId& case_id) {
  const auto it = cases_.find(case_id);
  by_state_version_.erase(it->second.state_version);
  by_head_version_.erase(it->second.head_version);
  if (it->second.room != nullptr) DropRoom(it->second);
  cases_.erase(it);
  GaugeCases();
}

void Directory::DropVoidRooms() {
  std::vector<CaseId> empty;
  for (const auto& [case_id, room] : rooms_) {
    if (room->IsVoid()) empty.push_back(case_id);
  }
  for (const CaseId& case_id : empty) Forget(case_id);
}

void Directory::RestIdleRooms() {
  const DeviceTime now = parts_.clock->Now();
  std::vector<Entry*> idle;
  for (const auto& [case_id, room] : rooms_) {
    Entry& entry = cases_.at(case_id);
    if (!room->MayRest()) {
      entry.idle_since.reset();
    } else if (!entry.idle_since) {
      entry.idle_since = now;
    } else if (now - *entry.idle_since >= kRestAfter) {
      idle.push_back(&entry);
    }
  }
  for (Entry* entry : idle) PutToRest(*entry);
}

void Directory::PutToRest(Entry& entry) {
  RestNote note = entry.room->PrepareRest();
  entry.resting = Resting{entry.room->committed(), std::move(note)};
  parts_.journal->Release(entry.room->case_id());
  DropRoom(entry);
  GaugeCases();
}

const Directory::Resting* Directory::Rest(const CaseId& case_id) {
  const auto it = cases_.find(case_id);
  if (it == cases_.end() || it->second.purging) return nullptr;
  Entry& entry = it->second;
  if (entry.room != nullptr) {
    if (!entry.room->MayRest()) return nullptr;
    PutToRest(entry);
  }
  return entry.resting ? &*entry.resting : nullptr;
}

std::vector<CaseId> Directory::OverSince(HubTime time) const {
  std::vector<CaseId> over;
  for (const auto& [case_id, entry] : cases_) {
    if (entry.purging || (entry.room != nullptr && !entry.room->MayRest())) continue;
    const CaseHead& head = entry.room != nullptr ? entry.room->committed() : entry.resting->head;
    if (head.last_recorded_unix_ns <= time.nanoseconds()) over.push_back(case_id);
  }
  std::sort(over.begin(), over.end());
  return over;
}

void Directory::BeginPurge(const CaseId& case_id) {
  Entry& entry = cases_.at(case_id);
  REMORA_CHECK(entry.room == nullptr && !entry.purging, "a case that is purged is at rest");
  entry.purging = true;
}

void Directory::EndPurge(const CaseId& case_id, std::optional<Tombstone> tombstone) {
  if (!tombstone) {
    cases_.at(case_id).purging = false;
    return;
  }
  Forget(case_id);
  tombstones_[case_id] = *std::move(tombstone);
  removed_version_ = ++version_;
  wake_();
}

std::optional<v1::CaseSummary> Directory::Summary(const CaseId& case_id) const {
  const auto it = cases_.find(case_id);
  if (it == cases_.end()) return std::nullopt;
  if (!it->second.resting) return it->second.room->Summary();
  v1::CaseSummary summary;
  summary.ParseFromString(it->second.resting->note.summary);
  return summary;
}

void Directory::NoteChange(const CaseId& case_id, Entry& entry, bool state_changed) {
  ++version_;
  by_head_version_.erase(entry.head_version);
  entry.head_version = version_;
  by_head_version_.emplace(version_, case_id);
  if (!state_changed) return;
  by_state_version_.erase(entry.state_version);
  entry.state_version = version_;
  by_state_version_.emplace(version_, case_id);
}

void Directory::OnRoomChanged(Room& room, bool state_changed) {
  const auto it = cases_.find(room.case_id());
  if (it == cases_.end()) return;  // still being made
  NoteChange(room.case_id(), it->second, state_changed);
  wake_();
}

void Directory::OnRoomDirty(Room& room) {
  dirty_.Insert(&room);
  wake_();
}

std::vector<CaseId> Directory::StateChangesSince(uint64_t version) const {
  std::vector<CaseId> cases;
  for (auto it = by_state_version_.upper_bound(version); it != by_state_version_.end(); ++it) {
    cases.push_back(it->second);
  }
  return cases;
}

std::vector<CaseId> Directory::HeadChangesSince(uint64_t version) const {
  std::vector<CaseId> cases;
  for (auto it = by_head_version_.upper_bound(version); it != by_head_version_.end(); ++it) {
    cases.push_back(it->second);
  }
  return cases;
}

void Directory::EndOfDrain() {
  const std::vector<Room*> dirty = dirty_.Take();
  for (Room* room : dirty) room->EndOfDrain();
}

void Directory::Tick() {
  DropVoidRooms();
  RestIdleRooms();
  size_t failed = 0;
  size_t unrecorded = 0;
  size_t uncommitted = 0;
  Duration oldest;
  for (const auto& [case_id, room] : rooms_) {
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
