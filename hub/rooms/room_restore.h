#pragma once

// Brings a room back after a start: its checkpoint, then the control records behind it, then the
// newest bulk for snapshots (kRestoreBulkRecords), page by page beside whatever else the hub does.
// Owned by its room; sequence-bound.

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "hub/journal/journal.h"
#include "hub/rooms/room.h"

namespace remora::hub {

class RoomRestore {
 public:
  RoomRestore(Room& room, Checkpoint checkpoint);
  ~RoomRestore();
  // Ends with Room::OnRestored.
  void Start();

 private:
  void Read(uint64_t from_seq, bool control);
  absl::Status Take(const ReadResult& page);

  Room& room_;
  Checkpoint checkpoint_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
