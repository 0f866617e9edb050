#include "hub/fanout/cursor_check.h"

#include <utility>

#include "common/record_codec.h"

namespace remora::hub {

CursorCheck::CursorCheck(CaseFeed& feed, const v1::Cursor& cursor, Done done)
    : feed_(feed), cursor_(cursor), done_(std::move(done)) {}

void CursorCheck::Start() {
  if (cursor_.epoch() != feed_.epoch()) return done_(absl::FailedPreconditionError(kEpochChanged));
  if (cursor_.complete_seq() != 0) {
    // One order for all lanes: one record says it.
    after_.fill(cursor_.complete_seq());
    if (!Expect(cursor_.complete_seq(), cursor_.complete_digest(), true, true)) {
      return done_(absl::FailedPreconditionError(kCursorNotKnown));
    }
  } else if (!ReadLanes()) {
    return done_(absl::FailedPreconditionError(kCursorNotKnown));
  }
  Next();
}

bool CursorCheck::ReadLanes() {
  const FeedHead head = feed_.head();
  for (const v1::LaneCursor& lane : cursor_.lanes()) {
    if (lane.lane() >= kLaneCount || lane.seq() > head.lane_seq[lane.lane()]) return false;
    after_[lane.lane()] = lane.seq();
    const bool control = lane.lane() < kControlLaneCount;
    if (!Expect(lane.seq(), lane.digest(), control, !control)) return false;
  }
  return true;
}

// False: there is no such record.
bool CursorCheck::Expect(uint64_t seq, uint64_t digest, bool control, bool bulk) {
  if (seq > feed_.head().seq) return false;
  if (seq != 0 && digest != 0 && expected_.size() < kLaneCount) {
    expected_.push_back({seq, digest, control, bulk});
  }
  return true;
}

CursorCheck::~CursorCheck() { *alive_ = false; }

void CursorCheck::Next() {
  if (expected_.empty()) return done_(absl::OkStatus());
  const Expected wanted = expected_.back();
  if (feed_.CoversRecent(wanted.seq, wanted.control, wanted.bulk)) {
    std::string bytes;
    feed_.VisitRecent(wanted.seq, wanted.control, wanted.bulk, [&](const RecordFrame& frame) {
      if (frame.seq == wanted.seq) bytes = std::string(frame.record());
      return false;
    });
    return Compare(bytes);
  }
  feed_.ReadJournal(wanted.seq, wanted.seq, wanted.control, wanted.bulk, 1,
                    [this, alive = alive_](const absl::StatusOr<FeedPage>& page) {
                      if (*alive) OnRead(page);
                    });
}

void CursorCheck::OnRead(const absl::StatusOr<FeedPage>& page) {
  if (!page.ok()) return done_(page.status());
  absl::string_view rest = page->frames.view();
  const absl::StatusOr<absl::string_view> record = TakeFrame(&rest);
  Compare(record.ok() ? *record : "");
}

void CursorCheck::Compare(absl::string_view record_bytes) {
  if (record_bytes.empty() || RecordDigest(record_bytes) != expected_.back().digest) {
    return done_(absl::FailedPreconditionError(kCursorNotKnown));
  }
  expected_.pop_back();
  Next();
}

}  // namespace remora::hub
