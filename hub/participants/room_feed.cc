#include "hub/participants/room_feed.h"

#include <utility>

namespace remora::hub {

RoomFeed::RoomFeed(Room& room, Journal& journal, std::function<void()> wake)
    : room_(room), journal_(journal), wake_(std::move(wake)) {
  room_.AddFollower(this);
}

RoomFeed::~RoomFeed() {
  *alive_ = false;
  room_.RemoveFollower(this);
}

void RoomFeed::ReadJournal(uint64_t from_seq, uint64_t to_seq, bool control, bool bulk,
                           size_t max_bytes, std::function<void(absl::StatusOr<FeedPage>)> done) {
  ReadRequest request;
  request.case_id = room_.case_id();
  request.from_seq = from_seq;
  request.to_seq = to_seq;
  request.control = control;
  request.bulk = bulk;
  request.max_bytes = max_bytes;
  journal_.Read(request, [alive = alive_, done = std::move(done)](absl::StatusOr<ReadResult> read) {
    if (!*alive) return;
    if (!read.ok()) return done(read.status());
    done(FeedPage{read->frames, read->next_seq});
  });
}

void RoomFeed::OnCommitted(std::span<const RecordFrame> frames) {
  if (live_ != nullptr) live_->OnCommitted(frames);
  wake_();
}

}  // namespace remora::hub
