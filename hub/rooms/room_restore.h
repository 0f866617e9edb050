#pragma once

// Brings a room back: its head, origins and checkpoint, then the control records behind it, then
// the newest bulk for snapshots: the last kRestoreBulkRecords, and what the checkpoint knows to be
// the newest of its trace before them; and the last record of each lane, which cursors name. Page
// by page, beside whatever else the hub does. A page that the journal cannot give at present is
// asked for again, with growing delay. Damage ends it; after kUnreadableAfter, so does a page of
// this case alone: Unavailable. Owned by its room; sequence-bound.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "hub/journal/journal.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/room.h"

namespace remora::hub {

class RoomRestore {
 public:
  explicit RoomRestore(Room& room);
  ~RoomRestore();
  // Ends with Room::OnRestored.
  void Start();

 private:
  void GoOnFrom(CaseRestore restore);
  enum class Step { kControl, kLastBulk, kSingle };
  void Read(Step step, uint64_t from_seq);
  // Whether the journal could not, at present; `again` is then called later.
  bool IsLater(const absl::Status& status, std::function<void()> again);
  void AskLater(std::function<void()> again);
  // Whether the journal reads: then it is this case that cannot be read.
  void EndIfAlone(const absl::Status& why, std::function<void()> again);
  void Next(Step done);
  uint64_t FirstOfLastBulk() const;
  absl::Status Take(const ReadResult& page);

  void AddLastOfLanes();

  Room& room_;
  // Numbers still to be read one by one: of slow traces, the newest last, then of lanes.
  std::vector<uint64_t> singles_;
  Duration retry_delay_ = kRestoreRetryDelay;
  std::optional<DeviceTime> failing_since_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
