#pragma once

// What a room needs of others, and what it sees of those who publish and follow in it. All on the
// hub's sequence.

#include <cstdint>
#include <span>
#include <string>

#include "common/clock.h"
#include "common/executor.h"
#include "common/hub_time.h"
#include "common/ids.h"
#include "common/record_seal.h"
#include "common/seq_ranges.h"
#include "hub/journal/journal.h"
#include "hub/metrics.h"
#include "hub/record_frame.h"
#include "hub/rooms/hub_pen.h"
#include "hub/rooms/signing_turns.h"

namespace remora::hub {

class Room;

// What a room sees of a session that publishes in it.
class RoomPublisher {
 public:
  virtual ~RoomPublisher() = default;
  virtual const OriginId& origin() const = 0;
  // For alerts that tell people who it was.
  virtual const std::string& participant() const = 0;
  // These numbers of its origin are on disk (again: a duplicate came).
  virtual void OnDurable(Room& room, uint32_t lane, std::span<const SeqRanges::Range> ranges) = 0;
  // These are refused for good, and that is on disk. RefusalOf says why.
  virtual void OnRefused(Room& room, uint32_t lane, std::span<const SeqRanges::Range> ranges) = 0;
  // Something was not taken, and can be now.
  virtual void OnOfferAgain(Room& room) = 0;
  // What RecordingMessage says has changed.
  virtual void OnRecordingChanged(Room& room) = 0;
};

// What a room sees of a follow.
class RoomFollower {
 public:
  virtual ~RoomFollower() = default;
  // On disk, in `seq` order.
  virtual void OnCommitted(std::span<const RecordFrame> frames) = 0;
  // Shown though it is not on disk: stamped so, without a `seq`.
  virtual void OnUnrecorded(const RecordFrame& frame) = 0;
  // What RecordingMessage says has changed.
  virtual void OnRecordingChanged() = 0;
};

// Who keeps the rooms.
class RoomOwner {
 public:
  virtual ~RoomOwner() = default;
  // Something was committed; `state_changed`: more than the head of the case.
  virtual void OnRoomChanged(Room& room, bool state_changed) = 0;
  // Something waits to be handed to the journal.
  virtual void OnRoomDirty(Room& room) = 0;
};

// What every room is given; all outlive it.
struct RoomParts {
  Journal* journal = nullptr;
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  HubTimeSource* hub_time = nullptr;
  HubMetrics* metrics = nullptr;
  RoomOwner* owner = nullptr;
  HubOrigin hub;
  // Null: nothing is signed, and no case gets a certificate.
  const RecordSigner* signer = nullptr;
  // Whose turn it is to sign; null: each room's, always.
  SigningTurns* turns = nullptr;
};

}  // namespace remora::hub
