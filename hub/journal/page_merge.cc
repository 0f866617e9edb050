#include "hub/journal/page_merge.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::hub {
namespace {

constexpr uint64_t kNoSeq = std::numeric_limits<uint64_t>::max();

// The frames of one class within the range, one after the other.
class FrameCursor {
 public:
  FrameCursor(RunSource* source, const ReadRequest& request) : source_(source), request_(request) {}

  // Loads what comes next; afterwards seq() says where it is. Skips what lies before the range.
  absl::Status Settle() {
    while (source_ != nullptr) {
      if (rest_.empty()) {
        RETURN_IF_ERROR(NextRun());
        continue;
      }
      if (seq_ == kNoSeq) RETURN_IF_ERROR(WalkFront());
      if (seq_ > request_.to_seq) {
        source_ = nullptr;
      } else if (seq_ < request_.from_seq) {
        RETURN_IF_ERROR(DropFront());
      } else {
        return absl::OkStatus();
      }
    }
    seq_ = kNoSeq;
    return absl::OkStatus();
  }

  // The next frame's number; kNoSeq at the end. After Settle.
  uint64_t seq() const { return seq_; }
  // The last number of the run if none of it is taken yet and all of it is in the range; else 0.
  uint64_t whole_run_last() const {
    return rest_.size() == run_.frames.size() && run_.last_seq <= request_.to_seq ? run_.last_seq
                                                                                  : 0;
  }
  size_t run_bytes() const { return run_.frames.size(); }
  const SharedBytes& TakeRun() {
    rest_ = absl::string_view();
    seq_ = kNoSeq;
    return run_.frames;
  }

  absl::StatusOr<size_t> FrontBytes() {
    if (front_bytes_ == 0) RETURN_IF_ERROR(WalkFront());
    return front_bytes_;
  }
  // After FrontBytes.
  absl::string_view TakeFront() {
    const absl::string_view frame = rest_.substr(0, front_bytes_);
    rest_.remove_prefix(front_bytes_);
    front_bytes_ = 0;
    seq_ = kNoSeq;
    return frame;
  }

 private:
  absl::Status NextRun() {
    ASSIGN_OR_RETURN(std::optional<StoredRun> run, source_->Next());
    if (!run.has_value() || run->first_seq > request_.to_seq) {
      source_ = nullptr;
      return absl::OkStatus();
    }
    run_ = *std::move(run);
    rest_ = run_.frames.view();
    seq_ = run_.first_seq;
    front_bytes_ = 0;
    if (rest_.empty()) return Damaged("no frames");
    return absl::OkStatus();
  }

  absl::Status WalkFront() {
    absl::string_view after = rest_;
    absl::StatusOr<absl::string_view> bytes = TakeFrame(&after);
    if (!bytes.ok()) return Damaged(bytes.status().message());
    absl::StatusOr<StampedRecord> record = WalkStamped(*bytes);
    if (!record.ok()) return Damaged(record.status().message());
    seq_ = record->stamp.seq;
    front_bytes_ = rest_.size() - after.size();
    return absl::OkStatus();
  }

  absl::Status DropFront() {
    ASSIGN_OR_RETURN(const size_t unused, FrontBytes());
    static_cast<void>(unused);
    TakeFront();
    return absl::OkStatus();
  }

  absl::Status Damaged(absl::string_view what) const {
    return absl::DataLossError(absl::StrCat(
        "case ", request_.case_id.Hex(), ": the run of seq ", run_.first_seq, "-", run_.last_seq,
        " holds no frame at byte ", run_.frames.size() - rest_.size(), ": ", what));
  }

  RunSource* source_;
  const ReadRequest& request_;
  StoredRun run_;
  absl::string_view rest_;
  uint64_t seq_ = kNoSeq;
  size_t front_bytes_ = 0;
};

}  // namespace

absl::StatusOr<ReadResult> MergePage(const ReadRequest& request, RunSource* control,
                                     RunSource* bulk) {
  FrameCursor cursors[] = {FrameCursor(control, request), FrameCursor(bulk, request)};
  ReadResult page;
  std::string frames;
  while (true) {
    for (FrameCursor& cursor : cursors) {
      if (cursor.seq() == kNoSeq) RETURN_IF_ERROR(cursor.Settle());
    }
    const int which = cursors[0].seq() <= cursors[1].seq() ? 0 : 1;
    FrameCursor& next = cursors[which];
    const uint64_t other_seq = cursors[1 - which].seq();
    if (next.seq() == kNoSeq) break;
    const uint64_t seq = next.seq();
    const uint64_t run_last = next.whole_run_last();
    if (run_last != 0 && run_last < other_seq &&
        frames.size() + next.run_bytes() <= request.max_bytes) {
      frames.append(next.TakeRun().view().data(), next.run_bytes());
      page.last_seq = run_last;
    } else {
      ASSIGN_OR_RETURN(const size_t bytes, next.FrontBytes());
      if (!frames.empty() && frames.size() + bytes > request.max_bytes) {
        page.next_seq = seq;
        break;
      }
      frames.append(next.TakeFront().data(), bytes);
      page.last_seq = seq;
    }
    if (page.first_seq == 0) page.first_seq = seq;
  }
  page.frames = SharedBytes(std::move(frames));
  return page;
}

}  // namespace remora::hub
