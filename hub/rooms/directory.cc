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
absl::Status PurgedError(const absl::StatusOr<Tombstone>& tombstone) {
  if (!tombstone.ok() || tombstone->archive.empty()) {
    return absl::FailedPreconditionError(
        "the case is archived and no longer on this hub; what it would get now is not taken: keep "
        "it, and tell whoever keeps the archive");
  }
  const absl::string_view sha256(reinterpret_cast<const char*>(tombstone->archive_sha256.data()),
                                 tombstone->archive_sha256.size());
  return absl::FailedPreconditionError(
      absl::StrCat("the case is archived as ", tombstone->archive, " (", tombstone->last_seq,
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

absl::Status Directory::Start(const std::vector<ListedCase>& cases) {
  for (const ListedCase& listed : cases) List(listed);
  std::vector<const ListedCase*> newest_first;
  for (const ListedCase& listed : cases) newest_first.push_back(&listed);
  std::stable_sort(newest_first.begin(), newest_first.end(), [](const auto* one, const auto* two) {
    return one->last_recorded_unix_ns > two->last_recorded_unix_ns;
  });
  for (const ListedCase* listed : newest_first) {
    const Entry& entry = cases_.at(listed->case_id);
    if (entry.unread) {
      unread_.push_back(listed->case_id);
    } else if (!entry.resting->note.is_current()) {
      to_refold_.push_back(listed->case_id);
    }
  }
  GaugeCases();
  StartRestores();
  return absl::OkStatus();
}

void Directory::List(const ListedCase& listed) {
  const auto [it, is_new] = cases_.try_emplace(listed.case_id);
  if (!is_new) return;  // of a damaged head not even the id is sure
  Entry& entry = it->second;
  std::optional<RestNote> note = DecodeRestNote(listed.note);
  v1::CaseSummary summary;
  const bool rests = note && summary.ParseFromString(note->summary);
  for (const OriginOwner& owner : rests ? note->owners : listed.owners) {
    origins_.Bind(owner.origin, owner.participant);
  }
  if (!rests) {
    entry.unread = true;
    ++unread_left_;
    return;
  }
  note->owners = {};  // bound
  entry.resting = Resting{listed, *std::move(note), summary.certificate()};
  NoteChange(listed.case_id, entry, true);
}

void Directory::StartRestores() {
  while (!asked_for_.empty() && asked_under_way_ < kMaxAskedRestoresUnderWay) {
    Room* room = asked_for_.front();
    asked_for_.pop_front();
    StartRestore(room, &asked_under_way_);
  }
  while (restores_under_way_ < kMaxRestoresUnderWay) {
    Room* room = TakeUnasked(&unread_);
    if (room == nullptr) break;
    StartRestore(room, &restores_under_way_);
  }
  while (restores_under_way_ + asked_under_way_ == 0 && refolds_under_way_ < kMaxRefoldsUnderWay) {
    Room* room = TakeUnasked(&to_refold_);
    if (room == nullptr) break;
    StartRestore(room, &refolds_under_way_);
  }
}

Room* Directory::TakeUnasked(std::deque<CaseId>* queue) {
  while (!queue->empty()) {
    const CaseId case_id = queue->front();
    queue->pop_front();
    const auto it = cases_.find(case_id);
    if (it == cases_.end()) continue;
    const Entry& entry = it->second;
    const bool waits = entry.unread || (entry.resting && !entry.resting->note.is_current());
    if (entry.room != nullptr || !waits) continue;
    Room* room = Add(case_id, std::nullopt);
    cases_.at(case_id).unasked = true;
    return room;
  }
  return nullptr;
}

void Directory::StartRestore(Room* room, size_t* under_way) {
  ++*under_way;
  room->WhenReady([this, room, under_way](const absl::Status& status) {
    --*under_way;
    OnRestored(*room, status);
    StartRestores();
  });
  room->StartRestore();
}

void Directory::OnRestored(Room& room, const absl::Status& status) {
  if (absl::IsUnavailable(status)) return OnUnreadable(room.case_id(), status);
  Entry& entry = cases_.at(room.case_id());
  const bool was_listed = entry.resting.has_value();
  entry.resting.reset();
  const bool was_unreadable = unreadable_.erase(room.case_id()) > 0;
  if (std::exchange(entry.unread, false) && !was_unreadable) --unread_left_;
  if (was_unreadable) GaugeCases();
  if (status.ok()) {
    // Where they could not be read at the start.
    for (const OriginOwner& owner : room.Owners()) origins_.Bind(owner.origin, owner.participant);
    return;
  }
  ++damaged_;
  parts_.metrics->Gauge(metric::kRoomsDamaged, static_cast<double>(damaged_));
  if (was_listed) {  // it would stay there as if it were sound
    removed_version_ = ++version_;
    wake_();
  }
  if (on_damaged_) on_damaged_(room.case_id(), status);
}

void Directory::OnUnreadable(const CaseId& case_id, const absl::Status& status) {
  const auto [it, is_new] = unreadable_.try_emplace(case_id);
  it->second = parts_.clock->Now() + kUnreadableRetry;
  if (!is_new) return;
  if (cases_.at(case_id).unread) --unread_left_;
  GaugeCases();
  if (on_damaged_) on_damaged_(case_id, status);
}

void Directory::TickUnreadable() {
  if (unreadable_.empty()) return;
  const DeviceTime now = parts_.clock->Now();
  for (auto it = unreadable_.begin(); it != unreadable_.end();) {
    const CaseId case_id = it->first;
    Entry& entry = cases_.at(case_id);
    if (entry.room != nullptr && entry.room->condition() == Room::Condition::kDamaged) {
      DropRoom(entry);
    }
    if (now < it->second || entry.room != nullptr) {
      ++it;
    } else if (entry.unread) {
      it->second = now + kUnreadableRetry;
      unread_.push_back(case_id);
      ++it;
    } else {  // at rest: when somebody asks for it, or it is its turn to be folded anew
      if (entry.resting && !entry.resting->note.is_current()) to_refold_.push_back(case_id);
      it = unreadable_.erase(it);
    }
  }
  GaugeCases();
  StartRestores();
}

Room* Directory::Add(const CaseId& case_id, std::optional<uint32_t> new_epoch) {
  auto room = std::make_unique<Room>(parts_, case_id, new_epoch);
  Room* added = room.get();
  cases_[case_id].room = std::move(room);
  rooms_[case_id] = added;
  GaugeCases();
  return added;
}

void Directory::GaugeCases() {
  parts_.metrics->Gauge(metric::kRooms, static_cast<double>(rooms_.size()));
  parts_.metrics->Gauge(metric::kCases, static_cast<double>(cases_.size()));
  parts_.metrics->Gauge(metric::kCasesUnreadable, static_cast<double>(unreadable_.size()));
}

Room* Directory::Find(const CaseId& case_id) const {
  const auto it = rooms_.find(case_id);
  return it == rooms_.end() ? nullptr : it->second;
}

void Directory::ExplainPurged(const CaseId& case_id,
                              std::function<void(const absl::Status&)> done) const {
  parts_.journal->FindTombstone(
      case_id, [done = std::move(done)](const absl::StatusOr<Tombstone>& tombstone) {
        done(PurgedError(tombstone));
      });
}

absl::Status Directory::NoSuchCase(const CaseId& case_id) const {
  if (!parts_.journal->IsPurged(case_id)) return absl::NotFoundError("there is no such case");
  return PurgedError(absl::NotFoundError("not looked up"));
}

absl::StatusOr<Room*> Directory::Obtain(const CaseId& case_id) {
  if (const auto it = unreadable_.find(case_id);
      it != unreadable_.end() && parts_.clock->Now() < it->second) {
    return absl::UnavailableError("the case cannot be read at present: ask again in a minute");
  }
  if (Room* room = Find(case_id); room != nullptr) {
    cases_.at(case_id).unasked = false;
    return room;
  }
  const auto it = cases_.find(case_id);
  if (it == cases_.end()) return NoSuchCase(case_id);
  if (it->second.purging) {
    return absl::UnavailableError("the case is just being archived: ask again in a moment");
  }
  if (asked_for_.size() >= kMaxAskedRestores) {
    return absl::UnavailableError("too many cases are being opened: ask again in a moment");
  }
  Room* room = Add(case_id, std::nullopt);
  asked_for_.push_back(room);
  StartRestores();
  return room;
}

absl::StatusOr<Room*> Directory::Create(const CaseId& case_id) {
  if (cases_.contains(case_id)) return absl::AlreadyExistsError("the case is there already");
  if (parts_.journal->IsPurged(case_id)) return NoSuchCase(case_id);
  if (cases_.size() >= kMaxCases) {
    return absl::ResourceExhaustedError(absl::StrCat("this hub has ", kMaxCases, " cases"));
  }
  // An earlier opening of it may have failed.
  const auto known = std::find_if(voided_.begin(), voided_.end(),
                                  [&](const auto& one) { return one.first == case_id; });
  if (known != voided_.end()) {
    Room* room = Add(case_id, known->second);
    voided_.erase(known);
    return room;
  }
  ASSIGN_OR_RETURN(const uint32_t epoch, parts_.journal->CreateCase(case_id));
  return Add(case_id, epoch);
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
  unreadable_.erase(case_id);
  GaugeCases();
}

void Directory::DropVoidRooms() {
  std::vector<CaseId> empty;
  for (const auto& [case_id, room] : rooms_) {
    if (room->IsVoid()) empty.push_back(case_id);
  }
  for (const CaseId& case_id : empty) {
    if (voided_.size() >= kMaxVoidCases) voided_.pop_front();
    voided_.emplace_back(case_id, rooms_.at(case_id)->epoch());
    Forget(case_id);
  }
}

void Directory::RestIdleRooms() {
  const DeviceTime now = parts_.clock->Now();
  std::vector<Entry*> idle;
  for (const auto& [case_id, room] : rooms_) {
    Entry& entry = cases_.at(case_id);
    if (!room->MayRest()) {
      entry.idle_since.reset();
      entry.unasked &= room->condition() == Room::Condition::kRestoring;
    } else if (entry.unasked) {
      idle.push_back(&entry);
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
  note.owners = {};
  entry.resting =
      Resting{entry.room->committed(), std::move(note), entry.room->Summary().certificate()};
  parts_.journal->Release(entry.room->case_id());
  DropRoom(entry);
  GaugeCases();
}

bool Directory::CouldRest(const Entry& entry) {
  if (entry.purging) return false;
  if (entry.room != nullptr) return entry.room->MayRest();
  return entry.resting && entry.resting->note.is_current();
}

const Directory::Resting* Directory::Rest(const CaseId& case_id) {
  const auto it = cases_.find(case_id);
  if (it == cases_.end() || !CouldRest(it->second)) return nullptr;
  if (it->second.room != nullptr) PutToRest(it->second);
  return &*it->second.resting;
}

void Directory::ForEachOver(absl::FunctionRef<void(const Over&)> look) const {
  for (const auto& [case_id, entry] : cases_) {
    if (!CouldRest(entry)) continue;
    const CaseHead& head = entry.room != nullptr ? entry.room->committed() : entry.resting->head;
    const HubTime last_recorded = HubTime::FromNanoseconds(head.last_recorded_unix_ns);
    if (entry.room == nullptr) {
      look({case_id, last_recorded, entry.resting->certificate});
    } else {
      look({case_id, last_recorded, entry.room->Summary().certificate()});
    }
  }
}

void Directory::BeginPurge(const CaseId& case_id) {
  Entry& entry = cases_.at(case_id);
  REMORA_CHECK(entry.room == nullptr && !entry.purging, "a case that is purged is at rest");
  entry.purging = true;
}

void Directory::EndPurge(const CaseId& case_id, bool purged) {
  if (!purged) {
    cases_.at(case_id).purging = false;
    return;
  }
  Forget(case_id);
  removed_version_ = ++version_;
  wake_();
}

std::optional<v1::CaseSummary> Directory::Summary(const CaseId& case_id) const {
  const auto it = cases_.find(case_id);
  if (it == cases_.end()) return std::nullopt;
  const Entry& entry = it->second;
  if (!entry.resting && entry.room == nullptr) return std::nullopt;
  if (!entry.resting) return entry.room->Summary();
  v1::CaseSummary summary;
  summary.ParseFromString(entry.resting->note.summary);
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
  TickUnreadable();
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
