#include "hub/fanout/record_tail.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/record_codec.h"
#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

// As Shown.bulk_bytes_total counts.
bool IsReported(uint32_t lane) { return lane >= 2; }

}  // namespace

RecordTail::RecordTail(CaseFeed& feed, LaneSet lanes, const std::array<uint64_t, kLaneCount>& after,
                       std::function<void()> wake)
    : feed_(feed), lanes_(lanes), after_(after), wake_(std::move(wake)) {
  uint64_t least = ~uint64_t{0};
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (lanes_.wanted[lane]) least = std::min(least, after_[lane]);
  }
  next_seq_ = least == ~uint64_t{0} ? 1 : least + 1;
}

RecordTail::~RecordTail() { *alive_ = false; }

bool RecordTail::IsBehind() const {
  if (!status_.ok()) return false;
  const FeedHead head = feed_.head();
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (lanes_.wanted[lane] && head.lane_seq[lane] >= next_seq_ &&
        head.lane_seq[lane] > after_[lane]) {
      return true;
    }
  }
  return false;
}

size_t RecordTail::Take(size_t max_bytes, bool first, std::vector<SharedBytes>* slices,
                        size_t* count) {
  size_t bytes = 0;
  while (IsBehind() && !reading_) {
    size_t taken = 0;
    if (has_page_) {
      taken = TakePage(max_bytes - bytes, first && bytes == 0, slices, count);
      if (has_page_) return bytes + taken;  // full
    } else if (feed_.CoversRecent(next_seq_, lanes_.control(), lanes_.bulk())) {
      return bytes + TakeRecent(max_bytes - bytes, first && bytes == 0, slices, count);
    } else {
      RequestPage();
    }
    bytes += taken;
  }
  return bytes;
}

size_t RecordTail::TakeRecent(size_t max_bytes, bool first, std::vector<SharedBytes>* slices,
                              size_t* count) {
  size_t bytes = 0;
  bool full = false;
  const uint64_t from_seq = next_seq_;
  feed_.VisitRecent(from_seq, lanes_.control(), lanes_.bulk(), [&](const RecordFrame& frame) {
    if (Wants(frame.lane, frame.seq)) {
      const size_t size = frame.bytes.size();
      if (bytes + size > max_bytes && !(first && bytes == 0)) {
        full = true;
        return false;
      }
      slices->push_back(frame.bytes);
      bytes += size;
      (IsReported(frame.lane) ? bulk_bytes_ : unreported_bytes_) += frame.record_bytes();
      ++*count;
    }
    next_seq_ = frame.seq + 1;
    return true;
  });
  // Records of other classes may lie behind the last one visited: they are not wanted.
  if (!full) next_seq_ = std::max(next_seq_, feed_.head().seq + 1);
  return bytes;
}

size_t RecordTail::TakePage(size_t max_bytes, bool first, std::vector<SharedBytes>* slices,
                            size_t* count) {
  std::string taken;
  absl::string_view rest = page_.view().substr(page_offset_);
  while (!rest.empty()) {
    const absl::string_view before = rest;
    absl::StatusOr<absl::string_view> record = TakeFrame(&rest);
    absl::StatusOr<StampedRecord> stamped =
        record.ok() ? WalkStamped(*record) : absl::StatusOr<StampedRecord>(record.status());
    if (!stamped.ok()) {
      status_ = stamped.status();
      break;
    }
    const size_t size = before.size() - rest.size();
    const uint64_t seq = stamped->stamp.seq;
    if (seq >= next_seq_ && Wants(stamped->header.lane, seq)) {
      if (taken.size() + size > max_bytes && !(first && taken.empty())) {
        rest = before;
        break;
      }
      taken.append(before.data(), size);
      (IsReported(stamped->header.lane) ? bulk_bytes_ : unreported_bytes_) += record->size();
      ++*count;
    }
    next_seq_ = std::max(next_seq_, seq + 1);
  }
  page_offset_ = page_.size() - rest.size();
  if (rest.empty() || !status_.ok()) {
    next_seq_ = std::max(next_seq_, after_page_seq_);
    has_page_ = false;
    page_ = SharedBytes();
  }
  const size_t bytes = taken.size();
  if (bytes > 0) slices->emplace_back(std::move(taken));
  return bytes;
}

void RecordTail::RequestPage() {
  reading_ = true;
  const uint64_t to_seq = feed_.head().seq;
  feed_.ReadJournal(next_seq_, to_seq, lanes_.control(), lanes_.bulk(), kCatchUpPageBytes,
                    [this, to_seq, alive = alive_](absl::StatusOr<FeedPage> page) {
                      if (!*alive) return;
                      if (page.ok() && page->next_seq == 0) page->next_seq = to_seq + 1;
                      OnPage(std::move(page));
                    });
}

void RecordTail::OnPage(absl::StatusOr<FeedPage> page) {
  reading_ = false;
  if (!page.ok()) {
    status_ = page.status();
  } else {
    page_ = std::move(page->frames);
    page_offset_ = 0;
    after_page_seq_ = page->next_seq;
    has_page_ = true;
  }
  wake_();
}

}  // namespace remora::hub
