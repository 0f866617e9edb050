#pragma once

// All cases of the hub: finds and makes rooms, and tells what changed. Sessions and the core are
// its callers (sequence-bound to the hub). Owns the rooms: one without a record in which nobody is
// goes at the next Tick, and one of a case that is over leaves memory:
//
//             over, nobody in it for kRestAfter               its time has come (retention.h)
//   in memory ----------------------------------> at rest ------------------------------------>
//   purged
//       ^------- Obtain: as after a start ---------'  '-- at a start, if it was at rest before
//
// Of a case at rest the list of cases has all that it had; of a purged one a tombstone is left in
// the journal. After a start rooms are restored in this order, so many at a time (limits.h):
//   1. those that somebody asked for; beside all others
//   2. those that may be open (no rest note stands at their end), the newest record first
//   3. those at rest whose note another build's fold made: listed as it says meanwhile, not purged,
//      folded anew one by one while nothing of 1 and 2 is left
// None of it blocks.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/arrival_set.h"
#include "hub/rooms/checkpoint_notes.h"
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

  // Lists the cases, binds their origins, and starts to restore those that are not at rest. A
  // damaged case gets a room that is kDamaged. Fails where the journal does as a whole.
  absl::Status Start(const std::vector<ListedCase>& cases);
  // No case that may be open is left to be restored: the list of cases is whole. Those that are
  // known to be over are in it from their notes.
  bool restored() const { return unread_left_ == 0; }

  // Null: no such case in memory.
  Room* Find(const CaseId& case_id) const;
  // The case's room; one that is not in memory is made, kRestoring, before all that nobody asked
  // for.
  //   NotFound            no such case
  //   FailedPrecondition  it was purged: ExplainPurged says where it went
  //   Unavailable         it is just being purged, or cannot be read at present; or too many are
  //                       asked for
  absl::StatusOr<Room*> Obtain(const CaseId& case_id);
  // Why a purged case is not to be had, and, where its tombstone can be read, where it went:
  // FailedPrecondition, as Obtain. `done` is called later.
  void ExplainPurged(const CaseId& case_id, std::function<void(const absl::Status&)> done) const;
  // A room for a case that is not there yet; serves at once. AlreadyExists, FailedPrecondition
  // (purged),
  // ResourceExhausted (kMaxCases), or as Journal::CreateCase fails.
  absl::StatusOr<Room*> Create(const CaseId& case_id);

  TheatreClaims& claims() { return claims_; }
  OriginBindings& origins() { return origins_; }

  // Counts changes of any case. A change of state counts at once; of a case whose head alone has
  // moved, see HeadChangesSince.
  uint64_t version() const { return version_; }
  uint64_t newest_state_version() const {
    return by_state_version_.empty() ? 0 : by_state_version_.rbegin()->first;
  }
  // Cases whose state changed after `version`, and those of which more than the state did.
  std::vector<CaseId> StateChangesSince(uint64_t version) const;
  std::vector<CaseId> HeadChangesSince(uint64_t version) const;
  // When a case last left the list, purged or found damaged: only a list from its beginning tells
  // that.
  uint64_t removed_version() const { return removed_version_; }
  // Nothing: no such case, or nothing is known of it yet.
  std::optional<v1::CaseSummary> Summary(const CaseId& case_id) const;
  size_t size() const { return cases_.size(); }
  size_t rooms_in_memory() const { return rooms_.size(); }

  // For retention. A case at rest:
  struct Resting {
    CaseHead head;
    RestNote note;
    // Of the note's summary.
    v1::CertificateSummary certificate;
  };
  // Puts a case to rest that could be, without waiting for kRestAfter. Null: it is in use, being
  // purged, or not over.
  const Resting* Rest(const CaseId& case_id);
  // A case that is at rest, or could be. Valid during the call.
  struct Over {
    const CaseId& case_id;
    HubTime last_recorded;
    const v1::CertificateSummary& certificate;
  };
  // All of them, in no order. Of 100,000 at rest nothing is copied; of a room a summary is made.
  void ForEachOver(absl::FunctionRef<void(const Over&)> look) const;
  // From here on nobody gets the case, until EndPurge. It is at rest.
  void BeginPurge(const CaseId& case_id);
  // It is purged, or it is as before.
  void EndPurge(const CaseId& case_id, bool purged);

  void EndOfDrain();
  void Tick();

  void OnRoomChanged(Room& room, bool state_changed) override;
  void OnRoomDirty(Room& room) override;

 private:
  struct Entry {
    std::unique_ptr<Room> room;  // null: at rest, or its turn to be restored has not come
    // While it is at rest or made again.
    std::optional<Resting> resting;
    bool purging = false;
    // May be open, and was not restored since the start.
    bool unread = false;
    // Nobody asked for its room.
    bool unasked = false;
    // Since when its room could rest.
    std::optional<DeviceTime> idle_since;
    uint64_t state_version = 0;
    uint64_t head_version = 0;
  };
  Room* Add(const CaseId& case_id, std::optional<uint32_t> new_epoch);
  void List(const ListedCase& listed);
  // At rest by this build's fold, or could be.
  static bool CouldRest(const Entry& entry);
  // NotFound; FailedPrecondition: it was purged.
  absl::Status NoSuchCase(const CaseId& case_id) const;
  void StartRestores();
  void StartRestore(Room* room, size_t* under_way);
  // The next of `queue` that is not in memory yet; null: none. Its room is made.
  Room* TakeUnasked(std::deque<CaseId>* queue);
  void OnRestored(Room& room, const absl::Status& status);
  void OnUnreadable(const CaseId& case_id, const absl::Status& status);
  // Their rooms go, and they are tried again in their time.
  void TickUnreadable();
  // Lets go of what an opening that failed has left.
  void DropVoidRooms();
  void DropRoom(Entry& entry);
  void RestIdleRooms();
  void PutToRest(Entry& entry);
  void NoteChange(const CaseId& case_id, Entry& entry, bool state_changed);
  void Forget(const CaseId& case_id);
  void GaugeCases();

  RoomParts parts_;
  const std::function<void()> wake_;
  absl::flat_hash_map<CaseId, Entry> cases_;
  // Of cases_, those in memory. By id: a hash's order is another at each run.
  std::map<CaseId, Room*> rooms_;
  // Each case once in each, by its newest version.
  std::map<uint64_t, CaseId> by_state_version_;
  std::map<uint64_t, CaseId> by_head_version_;
  ArrivalSet<Room> dirty_;
  uint64_t version_ = 0;
  uint64_t removed_version_ = 0;
  const OnDamaged on_damaged_;
  // In the order of their turns, the newest record first; some were asked for meanwhile.
  std::deque<CaseId> unread_;
  std::deque<CaseId> to_refold_;
  std::deque<Room*> asked_for_;
  size_t unread_left_ = 0;
  size_t asked_under_way_ = 0;
  size_t restores_under_way_ = 0;
  size_t refolds_under_way_ = 0;
  // Cases whose opening failed, with the epoch that the journal gave them; the oldest in front.
  std::deque<std::pair<CaseId, uint32_t>> voided_;
  size_t damaged_ = 0;
  // Cases that cannot be read at present, and when each is tried again.
  std::map<CaseId, DeviceTime> unreadable_;
  TheatreClaims claims_;
  OriginBindings origins_;
};

}  // namespace remora::hub
