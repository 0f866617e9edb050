#pragma once

// One follow for a record: every record of the lanes asked for, in `seq` order, from the cursor on,
// however long it takes (DELIVERY_COMPLETE of room.proto). A position in the case, no queue.
// Sequence-bound to the hub; owned by its session's Delivery.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hub/fanout/case_feed.h"
#include "hub/fanout/cursor_check.h"
#include "hub/fanout/record_tail.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

class CompleteFollow {
 public:
  CompleteFollow(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow, LaneSet lanes,
                 std::function<void()> wake);
  ~CompleteFollow();

  size_t Take(size_t max_bytes, bool first, std::vector<SharedBytes>* slices, size_t* count);
  // Of lanes 2-5, given so far.
  uint64_t bulk_bytes() const { return tail_ == nullptr ? 0 : tail_->bulk_bytes(); }
  // Of lanes 0-1.
  uint64_t unreported_bytes() const { return tail_ == nullptr ? 0 : tail_->unreported_bytes(); }
  bool IsBehind() const { return tail_ != nullptr && tail_->IsBehind(); }

  uint32_t follow_id() const { return follow_id_; }
  const CaseFeed& feed() const { return *feed_; }
  // Not OK: the follow ends. FailedPrecondition: the cursor is not of this journal (the text is a
  // cause of room.proto); else why the journal could not be read.
  absl::Status status() const;

 private:
  void OnChecked(const absl::Status& status);

  std::unique_ptr<CaseFeed> feed_;
  const uint32_t follow_id_;
  const LaneSet lanes_;
  const std::function<void()> wake_;
  absl::Status status_;
  std::unique_ptr<RecordTail> tail_;
  std::unique_ptr<CursorCheck> check_;
};

}  // namespace remora::hub
