#pragma once

// Reads a case's records of some lanes in `seq` order from a position on, for ever: from the room's
// recent frames, or from the journal in pages when it is behind them, and on into live without a
// seam. It holds a position and at most one page, never a queue: however slow its reader is, it
// costs no more. Pulled when there is room to write; nothing is skipped, nothing comes twice.
//
// Sequence-bound to the hub. `wake` is called when a page has come.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "hub/fanout/case_feed.h"

namespace remora::hub {

class RecordTail {
 public:
  // `after[lane]`: the last record of the lane that the reader has.
  RecordTail(CaseFeed& feed, LaneSet lanes, const std::array<uint64_t, kLaneCount>& after,
             std::function<void()> wake);
  ~RecordTail();
  RecordTail(const RecordTail&) = delete;
  RecordTail& operator=(const RecordTail&) = delete;

  // Something is on disk that the reader does not have.
  bool IsBehind() const;
  // Appends frames up to `max_bytes` in all and returns their bytes; `count` counts them. 0 when
  // there are none or a page is still on its way. A frame larger than `max_bytes` is only given
  // when `first`: the batch is empty yet.
  size_t Take(size_t max_bytes, bool first, std::vector<SharedBytes>* slices, size_t* count);
  // Not OK: the journal could not be read; the follow is to end.
  const absl::Status& status() const { return status_; }
  // Of lanes 2-5, given so far: what a follower reports when it has shown it.
  uint64_t bulk_bytes() const { return bulk_bytes_; }
  // Of lanes 0-1, given so far: nobody reports them.
  uint64_t unreported_bytes() const { return unreported_bytes_; }
  // The last record given, over all lanes; at least what `after` said.
  uint64_t position() const { return next_seq_ - 1; }

 private:
  bool Wants(uint32_t lane, uint64_t seq) const {
    return lanes_.wanted[lane] && seq > after_[lane];
  }
  size_t TakeRecent(size_t max_bytes, bool first, std::vector<SharedBytes>* slices, size_t* count);
  size_t TakePage(size_t max_bytes, bool first, std::vector<SharedBytes>* slices, size_t* count);
  void RequestPage();
  void OnPage(absl::StatusOr<FeedPage> page);

  CaseFeed& feed_;
  const LaneSet lanes_;
  std::array<uint64_t, kLaneCount> after_;
  // Everything wanted before this has been given.
  uint64_t next_seq_ = 1;
  uint64_t bulk_bytes_ = 0;
  uint64_t unreported_bytes_ = 0;
  std::function<void()> wake_;
  absl::Status status_;

  bool reading_ = false;
  SharedBytes page_;
  size_t page_offset_ = 0;
  bool has_page_ = false;
  // Where to go on after the page.
  uint64_t after_page_seq_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
