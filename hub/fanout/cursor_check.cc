#include "hub/fanout/cursor_check.h"

#include <utility>

#include "common/record_codec.h"

namespace remora::hub {

CursorCheck::CursorCheck(CaseFeed& feed, const v1::Cursor& cursor,
                         std::function<void(std::string)> done)
    : feed_(feed), cursor_(cursor), done_(std::move(done)) {}

void CursorCheck::Start() {
  if (cursor_.epoch() != feed_.epoch()) return done_(kEpochChanged);
  const FeedHead head = feed_.head();
  for (const v1::LaneCursor& lane : cursor_.lanes()) {
    if (lane.lane() >= kLaneCount || lane.seq() > head.lane_seq[lane.lane()]) {
      return done_(kCursorNotKnown);
    }
    after_[lane.lane()] = lane.seq();
    if (lane.seq() != 0 && lane.digest() != 0 && expected_.size() < kLaneCount) {
      expected_.push_back({lane.seq(), lane.digest(), lane.lane() < kControlLaneCount});
    }
  }
  Next();
}

CursorCheck::~CursorCheck() { *alive_ = false; }

void CursorCheck::Next() {
  if (expected_.empty()) return done_("");
  const Expected wanted = expected_.back();
  if (feed_.CoversRecent(wanted.seq, wanted.control, !wanted.control)) {
    std::string bytes;
    feed_.VisitRecent(wanted.seq, wanted.control, !wanted.control, [&](const RecordFrame& frame) {
      if (frame.seq == wanted.seq) bytes = std::string(frame.record());
      return false;
    });
    return Compare(bytes);
  }
  feed_.ReadJournal(wanted.seq, wanted.seq, wanted.control, !wanted.control, 1,
                    [this, alive = alive_](absl::StatusOr<FeedPage> page) {
                      if (!*alive) return;
                      absl::string_view rest = page.ok() ? page->frames.view() : "";
                      absl::StatusOr<absl::string_view> record = TakeFrame(&rest);
                      Compare(record.ok() ? *record : "");
                    });
}

void CursorCheck::Compare(absl::string_view record_bytes) {
  if (record_bytes.empty() || RecordDigest(record_bytes) != expected_.back().digest) {
    return done_(kCursorNotKnown);
  }
  expected_.pop_back();
  Next();
}

}  // namespace remora::hub
