#pragma once

// The publishing side of a session: cases joined, and every record on its way into a room.
//
//   walk --> case joined? --> origin ours? --> permitted? --> valid? --> author, theatre --> room
//
// A record that fails is refused with its reason, counted, and harms nobody else. Sequence-bound to
// the hub; owned by its session.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "hub/participants/session_context.h"
#include "hub/rooms/room.h"

namespace remora::hub {

class RecordIntake final : public RoomPublisher {
 public:
  explicit RecordIntake(SessionContext& session);
  // Leaves all cases.
  ~RecordIntake() override;

  void OnJoin(const v1::Join& join);
  void OnLeave(const v1::Leave& leave);
  // `backlog`: its sender says that it waited there.
  void OnRecord(absl::string_view bytes_untrusted, bool backlog);
  // Any message came.
  void OnSignOfLife();
  // At least each 100 ms: enters cases that were joined before they were there.
  void Tick();

  // The next Joined or Acknowledge that is due; false: none.
  bool TakeNext(v1::Down* down);
  bool HasNext() const;

  const OriginId& origin() const override { return session_.origin; }
  const std::string& participant() const override { return session_.identity.name; }
  void OnDurable(Room& room, uint32_t lane, std::span<const SeqRanges::Range> ranges) override;
  void OnRefused(Room& room, uint32_t lane, std::span<const SeqRanges::Range> ranges) override;
  void OnOfferAgain(Room& room) override;
  void OnRecordingChanged(Room& room) override { session_.TellRecording(room); }
  // Leaves cases that have moved to where this identity may not enter.
  void EndForbidden();

 private:
  // A record of a case that is not there yet.
  struct Waiting {
    std::string bytes;
    bool backlog = false;
  };
  // A case that was joined.
  struct Place {
    Room* room = nullptr;  // null: not there yet, or still being restored
    // Tells it from a later place in the same case.
    uint64_t generation = 0;
    // As the join said.
    std::string theatre;
    bool restoring = false;
    bool joined_due = false;
    bool told_not_now = false;
    // On disk since the last Acknowledge, as records and as refused numbers.
    std::array<SeqRanges, kLaneCount> fresh;
    std::array<SeqRanges, kLaneCount> fresh_refused;
    bool acknowledge_due = false;
    // Records of a case that is not there yet, in the order of their arrival.
    std::deque<Waiting> before_open;
    size_t before_open_bytes = 0;
    bool dropped_before_open = false;
  };
  using Places = std::map<CaseId, Place>;

  void JoinWhenReady(const CaseId& case_id, Room* room, const std::string& theatre);
  // False: refused, and the place is gone. `room` null: the case is not there yet.
  bool CompleteJoin(const CaseId& case_id, Room* room, const std::string& theatre);
  void Drop(Places::iterator place);
  void DropForbidden(Places::iterator place);
  bool IsForbidden(const Place& place) const;
  bool Claim(const CaseId& case_id, Room* room, const std::string& theatre);
  // The one who stands in the theatre learns that somebody else claimed it.
  void TellHolder(const std::string& theatre);
  void Enter(Place* place, Room* room);

  void Offer(Place* place, const RecordHeader& header, absl::string_view bytes);
  void BeforeOpen(Place* place, const RecordHeader& header, absl::string_view bytes);
  void KeepBeforeOpen(Place* place, absl::string_view bytes);
  std::deque<Waiting> TakeWaiting(Place* place);
  void OfferWaiting(Place* place, const Waiting& waiting);
  void OpenCase(Place* place, const RecordHeader& header, absl::string_view bytes);
  Room::Answer CheckOpening(const RecordHeader& header, absl::string_view bytes);
  // Empty text: the record may go on to the room.
  Room::Answer Check(const RecordHeader& header, absl::string_view bytes, v1::Record* record);
  Room::Answer CheckLifecycle(const RecordHeader& header, const v1::CaseLifecycle& step);
  // After a step was accepted.
  void UpdateClaims(const Room& room, const v1::CaseLifecycle& step);
  void Report(const Room::Answer& answer, const RecordHeader& header, Place* place);
  void TellRefused(const CaseId& case_id, uint32_t lane, uint64_t origin_seq,
                   const Refusal& refusal);
  void RefuseUnreadable(absl::string_view bytes, absl::string_view why);

  SessionContext& session_;
  Places places_;
  uint64_t last_generation_ = 0;
  // The record under way is of its sender's backlog.
  bool backlog_ = false;
  size_t before_open_bytes_ = 0;
  double record_tokens_;
  DeviceTime refilled_at_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
