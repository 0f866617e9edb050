#pragma once

// All cases of the hub: finds and makes rooms, and tells what changed. Sessions and the core are
// its callers (sequence-bound to the hub). Owns the rooms, which live until it is destroyed; but
// one without a record in which nobody is goes at the next Tick.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/arrival_set.h"
#include "hub/rooms/origin_bindings.h"
#include "hub/rooms/room.h"
#include "hub/rooms/theatre_claims.h"
#include "remora/v1/directory.pb.h"

namespace remora::hub {

class Directory final : public RoomOwner {
 public:
  using OnDamaged = std::function<void(const CaseId&, const absl::Status&)>;

  // Of `parts`, `owner` is set by the directory. `wake` is called when something was committed or
  // waits for the journal, so that the end of the drain comes even without input. `on_damaged`, if
  // not null, is told of each case that cannot be restored.
  Directory(RoomParts parts, std::function<void()> wake, OnDamaged on_damaged);
  ~Directory() override;

  // Starts to restore every case of the journal, kMaxRestoresUnderWay at a time, and binds their
  // origins. A damaged case gets a room that is kDamaged. Fails where the journal does as a whole.
  absl::Status Start(const std::vector<CaseHead>& cases);
  bool restored() const { return to_restore_.empty() && restores_under_way_ == 0; }

  // Null: no such case.
  Room* Find(const CaseId& case_id) const;
  // A room for a case that is not there yet. AlreadyExists, ResourceExhausted (kMaxCases), or as
  // Journal::CreateCase fails.
  absl::StatusOr<Room*> Create(const CaseId& case_id);

  TheatreClaims& claims() { return claims_; }
  OriginBindings& origins() { return origins_; }

  // Counts changes of any case. A change of state counts at once; of a case whose head alone has
  // moved, see HeadChangesSince.
  uint64_t version() const { return version_; }
  uint64_t newest_state_version() const {
    return by_state_version_.empty() ? 0 : by_state_version_.rbegin()->first;
  }
  // Rooms whose state changed after `version`, and those of which more than the state did.
  std::vector<Room*> StateChangesSince(uint64_t version) const;
  std::vector<Room*> HeadChangesSince(uint64_t version) const;
  size_t size() const { return rooms_.size(); }

  void EndOfDrain();
  void Tick();

  void OnRoomChanged(Room& room, bool state_changed) override;
  void OnRoomDirty(Room& room) override;

 private:
  struct Entry {
    std::unique_ptr<Room> room;
    uint64_t state_version = 0;
    uint64_t head_version = 0;
  };
  Room* Add(CaseRestore restore, const absl::Status& damage = absl::OkStatus());
  // By id: a hash's order is another at each run.
  std::vector<Room*> InOrder() const;
  void StartRestores();
  void OnRestored(Room& room, const absl::Status& status);
  // Lets go of what an opening that failed has left.
  void DropVoidRooms();

  RoomParts parts_;
  const std::function<void()> wake_;
  absl::flat_hash_map<CaseId, Entry> rooms_;
  // Each room once in each, by its newest version.
  std::map<uint64_t, Room*> by_state_version_;
  std::map<uint64_t, Room*> by_head_version_;
  ArrivalSet<Room> dirty_;
  uint64_t version_ = 0;
  const OnDamaged on_damaged_;
  std::deque<Room*> to_restore_;
  size_t restores_under_way_ = 0;
  size_t damaged_ = 0;
  TheatreClaims claims_;
  OriginBindings origins_;
};

}  // namespace remora::hub
