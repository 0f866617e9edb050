#pragma once

// All cases of the hub: finds and makes rooms, and tells what changed. Sessions and the core are
// its callers (sequence-bound to the hub). Owns the rooms, which live until it is destroyed.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/rooms/origin_bindings.h"
#include "hub/rooms/room.h"
#include "hub/rooms/theatre_claims.h"
#include "remora/v1/directory.pb.h"

namespace remora::hub {

class Directory final : public RoomOwner {
 public:
  // Of `parts`, `owner` is set by the directory. `wake` is called when something was committed or
  // waits for the journal, so that the end of the drain comes even without input.
  Directory(RoomParts parts, std::function<void()> wake);
  ~Directory() override;

  // Starts to restore every case of the journal. As Journal::ListCases and Restore fail.
  absl::Status Start(const std::vector<CaseHead>& cases);
  bool restored() const { return restoring_ == 0; }

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
  Room* Add(CaseRestore restore);

  RoomParts parts_;
  const std::function<void()> wake_;
  absl::flat_hash_map<CaseId, Entry> rooms_;
  // Each room once in each, by its newest version.
  std::map<uint64_t, Room*> by_state_version_;
  std::map<uint64_t, Room*> by_head_version_;
  std::set<Room*> dirty_;
  uint64_t version_ = 0;
  size_t restoring_ = 0;
  TheatreClaims claims_;
  OriginBindings origins_;
};

}  // namespace remora::hub
