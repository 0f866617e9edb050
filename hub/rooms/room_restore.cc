#include "hub/rooms/room_restore.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "hub/rooms/checkpoint_notes.h"
#include "hub/rooms/folded_frame.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

// Whether this build's fold made it.
bool IsUsable(const Checkpoint& checkpoint) {
  return CheckpointVersion(checkpoint.state) == kFoldVersion;
}

// A checkpoint holds the newest gaps that agents told. The books need all: where some may have been
// pushed out, the record is read from its beginning.
bool HasLostGaps(const CaseFold& fold) {
  return fold.gaps().size() >= kMaxListed ||
         fold.gaps().bytes() + 2 * kMaxNamesBodyBytes > kMaxListedBytes;
}

}  // namespace

RoomRestore::RoomRestore(Room& room) : room_(room) {}

RoomRestore::~RoomRestore() { *alive_ = false; }

void RoomRestore::Start() {
  room_.parts_.journal->BeginRestore(
      room_.case_id(), [this, alive = alive_](absl::StatusOr<CaseRestore> restore) {
        if (!*alive || IsLater(restore.status(), [this] { Start(); })) return;
        if (restore.ok()) return GoOnFrom(*std::move(restore));
        room_.OnRestored(restore.status());
      });
}

void RoomRestore::GoOnFrom(CaseRestore restore) {
  room_.GoOnFrom(restore);
  const Checkpoint& checkpoint = restore.checkpoint;
  uint64_t from_seq = 1;
  if (checkpoint.seq > 0 && checkpoint.seq <= room_.committed().last_seq) {
    if (IsUsable(checkpoint) && room_.fold_.Restore(checkpoint.state).ok() &&
        !HasLostGaps(room_.fold_)) {
      from_seq = checkpoint.seq + 1;
    } else {
      // A checkpoint is a cache: without it everything is folded.
      room_.fold_ = CaseFold(room_.case_id());
    }
  }
  const std::optional<RestNote> note = DecodeRestNote(checkpoint.note);
  room_.checkpoint_rests_ = from_seq > 1 && note && note->is_current();
  if (from_seq > 1) singles_ = NewestBulkOf(checkpoint.state);
  std::erase_if(singles_, [this](uint64_t seq) { return seq >= FirstOfLastBulk(); });
  if (singles_.size() > kMaxRestoredSlowTraces) {
    singles_.erase(singles_.begin(),
                   singles_.end() - static_cast<ptrdiff_t>(kMaxRestoredSlowTraces));
  }
  room_.checkpoint_seq_ = from_seq - 1;
  Read(Step::kControl, from_seq);
}

uint64_t RoomRestore::FirstOfLastBulk() const {
  const uint64_t last = room_.committed().last_seq;
  return last > kRestoreBulkRecords ? last - kRestoreBulkRecords : 1;
}

void RoomRestore::Read(Step step, uint64_t from_seq) {
  ReadRequest request;
  request.case_id = room_.case_id();
  request.from_seq = from_seq;
  request.to_seq = step == Step::kSingle ? from_seq : room_.committed().last_seq;
  request.control = step != Step::kLastBulk;
  request.bulk = step != Step::kControl;
  request.max_bytes = kRestorePageBytes;
  room_.parts_.journal->Read(
      request, [this, step, from_seq, alive = alive_](absl::StatusOr<ReadResult> page) {
        if (!*alive || IsLater(page.status(), [this, step, from_seq] { Read(step, from_seq); })) {
          return;
        }
        absl::Status status = page.ok() ? Take(*page) : page.status();
        if (!status.ok()) {
          room_.OnRestored(status);
        } else if (page->next_seq != 0 && step != Step::kSingle) {
          Read(step, page->next_seq);
        } else {
          Next(step);
        }
      });
}

void RoomRestore::Next(Step done) {
  if (done == Step::kControl) return Read(Step::kLastBulk, FirstOfLastBulk());
  if (done == Step::kLastBulk) AddLastOfLanes();
  if (singles_.empty()) return room_.OnRestored(absl::OkStatus());
  const uint64_t seq = singles_.back();
  singles_.pop_back();
  Read(Step::kSingle, seq);
}

void RoomRestore::AddLastOfLanes() {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t seq = room_.committed().lane_seq[lane];
    if (seq != room_.last_of_lane_[lane].seq) singles_.push_back(seq);
  }
}

bool RoomRestore::IsLater(const absl::Status& status, std::function<void()> again) {
  if (!absl::IsResourceExhausted(status) && !absl::IsUnavailable(status)) {
    retry_delay_ = kRestoreRetryDelay;
    failing_since_.reset();
    return false;
  }
  const DeviceTime now = room_.parts_.clock->Now();
  if (!failing_since_) failing_since_ = now;
  if (absl::IsUnavailable(status) && now - *failing_since_ >= kUnreadableAfter) {
    EndIfAlone(status, std::move(again));
  } else {
    AskLater(std::move(again));
  }
  return true;
}

void RoomRestore::AskLater(std::function<void()> again) {
  room_.parts_.executor->PostAfter(retry_delay_, [alive = alive_, again = std::move(again)] {
    if (*alive) again();
  });
  retry_delay_ = std::min(retry_delay_ * 2, kMaxRestoreRetryDelay);
}

void RoomRestore::EndIfAlone(const absl::Status& why, std::function<void()> again) {
  ReadRequest of_no_case;
  room_.parts_.journal->Read(of_no_case, [this, why, again = std::move(again), alive = alive_](
                                             const absl::StatusOr<ReadResult>& page) mutable {
    if (!*alive) return;
    if (!absl::IsNotFound(page.status())) return AskLater(std::move(again));
    room_.OnRestored(
        absl::UnavailableError(absl::StrCat("it cannot be read at present: ", why.message())));
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
    if (frame.seq > room_.last_of_lane_[frame.lane].seq) room_.last_of_lane_[frame.lane] = frame;
    room_.traces_.Keep(frame);
    // What the checkpoint covers is folded.
    if (frame.lane < kControlLaneCount && frame.seq <= room_.checkpoint_seq_) continue;
    room_.fold_.Apply(ToFolded(frame));
    if (frame.kind == v1::Record::kDataGap) {
      v1::Record record;
      if (record.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
        room_.seal_->Note(stamped->header.key(), record);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace remora::hub
