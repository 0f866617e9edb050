#include "hub/participants/room_feed.h"

#include <algorithm>
#include <utility>

#include "hub/participants/session_limits.h"

namespace remora::hub {

RoomFeed::RoomFeed(Room& room, Journal& journal, Executor& executor, bool shows_unrecorded,
                   std::function<void()> wake)
    : room_(room),
      journal_(journal),
      executor_(executor),
      shows_unrecorded_(shows_unrecorded),
      wake_(std::move(wake)) {
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
  Read(request, std::move(done), Duration(), kReadRetryDelay);
}

void RoomFeed::Read(const ReadRequest& request, std::function<void(absl::StatusOr<FeedPage>)> done,
                    Duration waited, Duration retry_delay) {
  journal_.Read(request, [this, request, waited, retry_delay, alive = alive_,
                          done = std::move(done)](absl::StatusOr<ReadResult> read) mutable {
    if (!*alive) return;
    if (read.ok()) return done(FeedPage{read->frames, read->next_seq});
    if (!absl::IsResourceExhausted(read.status()) && !absl::IsUnavailable(read.status())) {
      return done(read.status());
    }
    if (shows_unrecorded_ && waited >= kReadPatience &&
        room_.recording() == v1::RECORDING_CONDITION_UNRECORDED) {
      return done(absl::UnavailableError(read.status().message()));
    }
    executor_.PostAfter(retry_delay, [this, request, waited, retry_delay, alive, done]() mutable {
      if (!*alive) return;
      Read(request, std::move(done), waited + retry_delay,
           std::min(retry_delay * 2, kMaxReadRetryDelay));
    });
  });
}

void RoomFeed::OnCommitted(std::span<const RecordFrame> frames) {
  if (live_ != nullptr) live_->OnCommitted(frames);
  wake_();
}

void RoomFeed::OnUnrecorded(const RecordFrame& frame) {
  if (!shows_unrecorded_ || live_ == nullptr) return;
  live_->OnUnrecorded(frame);
  wake_();
}

}  // namespace remora::hub
