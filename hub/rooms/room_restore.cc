#include "hub/rooms/room_restore.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

RoomRestore::RoomRestore(Room& room, Checkpoint checkpoint)
    : room_(room), checkpoint_(std::move(checkpoint)) {}

RoomRestore::~RoomRestore() { *alive_ = false; }

void RoomRestore::Start() {
  uint64_t from_seq = 1;
  if (checkpoint_.seq > 0 && checkpoint_.seq <= room_.committed().last_seq) {
    if (room_.fold_.Restore(checkpoint_.state).ok()) {
      from_seq = checkpoint_.seq + 1;
    } else {
      // A checkpoint is a cache: without it everything is folded.
      room_.fold_ = CaseFold(room_.case_id());
    }
  }
  checkpoint_.state = std::string();
  room_.checkpoint_seq_ = from_seq - 1;
  Read(from_seq, /*control=*/true);
}

void RoomRestore::Read(uint64_t from_seq, bool control) {
  ReadRequest request;
  request.case_id = room_.case_id();
  request.from_seq = from_seq;
  request.to_seq = room_.committed().last_seq;
  request.control = control;
  request.bulk = !control;
  request.max_bytes = kRestorePageBytes;
  room_.parts_.journal->Read(
      request, [this, control, alive = alive_](absl::StatusOr<ReadResult> page) {
        if (!*alive) return;
        absl::Status status = page.ok() ? Take(*page) : page.status();
        if (!status.ok()) {
          room_.OnRestored(status);
        } else if (page->next_seq != 0) {
          Read(page->next_seq, control);
        } else if (control) {
          const uint64_t last = room_.committed().last_seq;
          Read(last > kRestoreBulkRecords ? last - kRestoreBulkRecords : 1, false);
        } else {
          room_.OnRestored(absl::OkStatus());
        }
      });
}

absl::Status RoomRestore::Take(const ReadResult& page) {
  absl::string_view rest = page.frames.view();
  while (!rest.empty()) {
    absl::StatusOr<absl::string_view> bytes = TakeFrame(&rest);
    if (!bytes.ok()) return bytes.status();
    absl::StatusOr<StampedRecord> stamped = WalkStamped(*bytes);
    if (!stamped.ok()) return stamped.status();
    const RecordFrame frame = room_.MakeFrame(*stamped, *bytes);
    room_.ledger_.Remember(stamped->header.key(), OriginDigest(stamped->origin_bytes));
    room_.fold_.Apply(frame);
    room_.traces_.Keep(frame);
    if (frame.seq > room_.last_of_lane_[frame.lane].seq) room_.last_of_lane_[frame.lane] = frame;
  }
  return absl::OkStatus();
}

}  // namespace remora::hub
