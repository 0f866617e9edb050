#pragma once

// The following side of a session: follows of cases and of the directory, history, credit. Each
// follow of a case is a LiveFollow or CompleteFollow in the session's Delivery.
//
// A case is followed once a session: a batch of records does not say which follow it is of.
// Sequence-bound to the hub; owned by its session.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "hub/fanout/delivery.h"
#include "hub/journal/journal.h"
#include "hub/participants/session_context.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

class FollowDesk {
 public:
  FollowDesk(SessionContext& session, Journal& journal);
  ~FollowDesk();

  void OnFollow(const v1::Follow& follow);
  void OnCancel(const v1::CancelFollow& cancel);
  void OnHistory(const v1::HistoryRequest& request);
  void OnShown(const v1::Shown& shown) { delivery_.OnShown(shown); }
  // Any message of the session.
  void OnSignOfLife();
  // A reader that answers heartbeats follows a case: its silence is told.
  bool is_watched() const { return answers_ && !cases_.empty(); }

  Delivery& delivery() { return delivery_; }
  // The next DirectoryUpdate, when one is due; false: none.
  bool TakeDirectory(DeviceTime now, v1::Down* down);
  bool HasDirectory(DeviceTime now) const;
  // Heads of the cases followed.
  void FillHeads(v1::HubHeartbeat* heartbeat);
  // Ends follows of cases that have moved to where this identity may not enter.
  void EndForbidden();
  size_t follow_count() const { return cases_.size() + (directory_id_ != 0 ? 1 : 0); }

 private:
  void EndBlind(uint32_t follow_id);
  void FollowDirectory(uint32_t follow_id);
  void BeginHistory(Room* room, const v1::HistoryRequest& request, LaneSet lanes);
  void FollowCase(Room* room, const v1::Follow& follow, LaneSet lanes);
  // Empty: all is well.
  std::string CheckFollow(const v1::Follow& follow, LaneSet* lanes) const;
  void Forget(uint32_t follow_id);
  bool IsDirectoryDue(DeviceTime now) const;
  // Cases have left the list, and it is time to say so.
  bool IsListShorter(DeviceTime now) const;
  // Which cases are to be told, and up to which version.
  void BeginDirectoryUpdate(DeviceTime now);

  SessionContext& session_;
  Journal& journal_;
  const bool answers_;
  // Rooms by follow id; null while a room is still being restored.
  struct Case {
    CaseId case_id;
    Room* room = nullptr;
    // Tells it from a later follow of the same id.
    uint64_t generation = 0;
    // `seq` of the last signed head that was told.
    uint64_t signed_head_told = 0;
  };
  std::map<uint32_t, Case> cases_;
  uint64_t last_generation_ = 0;
  // Requests for history whose case is still being restored.
  size_t history_waiting_ = 0;
  Delivery delivery_;

  uint32_t directory_id_ = 0;
  bool directory_complete_ = false;
  // What is left of an update that takes several messages.
  std::deque<CaseId> directory_rest_;
  bool directory_more_said_ = false;
  // Cases that were told to an identity that may enter certain theatres alone.
  std::set<CaseId> directory_shown_;
  // Changes up to these versions were told.
  uint64_t told_state_version_ = 0;
  uint64_t told_head_version_ = 0;
  DeviceTime told_state_at_;
  DeviceTime told_head_at_;
  // Which cases had left the list when its beginning was last told.
  uint64_t told_removed_version_ = 0;
  DeviceTime told_whole_at_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
