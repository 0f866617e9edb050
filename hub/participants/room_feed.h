#pragma once

// Puts a room before a follow: fan-out knows no rooms, rooms know no fan-out. Sequence-bound to the
// hub; owned by its follow, outlived by its room.

#include <functional>
#include <memory>
#include <string>

#include "common/executor.h"
#include "hub/fanout/case_feed.h"
#include "hub/fanout/live_follow.h"
#include "hub/rooms/room.h"

namespace remora::hub {

class RoomFeed final : public CaseFeed, public RoomFollower {
 public:
  // `wake`: something can be written. `shows_unrecorded`: the follower can show that mark.
  RoomFeed(Room& room, Journal& journal, Executor& executor, bool shows_unrecorded,
           std::function<void()> wake);
  ~RoomFeed() override;

  // Gets every committed record from now on.
  void set_live(LiveFollow* live) { live_ = live; }
  // Called when it has changed whether the case is recorded.
  void set_on_recording(std::function<void()> on_recording) {
    on_recording_ = std::move(on_recording);
  }

  const CaseId& case_id() const override { return room_.case_id(); }
  uint32_t epoch() const override { return room_.epoch(); }
  FeedHead head() const override {
    return {room_.committed().last_seq, room_.committed().lane_seq};
  }
  bool CoversRecent(uint64_t from_seq, bool control, bool bulk) const override {
    return room_.recent().Covers(from_seq, control, bulk);
  }
  void VisitRecent(uint64_t from_seq, bool control, bool bulk,
                   const std::function<bool(const RecordFrame&)>& visit) const override {
    room_.recent().Visit(from_seq, control, bulk, visit);
  }
  // A journal that is busy or closed for a time is asked again until it answers; for a follower
  // that is shown what is unrecorded for kReadPatience, when the case is. Unavailable then.
  void ReadJournal(uint64_t from_seq, uint64_t to_seq, bool control, bool bulk, size_t max_bytes,
                   std::function<void(absl::StatusOr<FeedPage>)> done) override;
  uint64_t VisitUnrecorded(uint64_t position,
                           const std::function<bool(const RecordFrame&)>& visit) const override {
    return room_.unrecorded().Visit(position, visit);
  }
  uint64_t unrecorded_end() const override {
    return shows_unrecorded_ ? room_.unrecorded().end() : 0;
  }
  std::string EncodeSnapshot(uint32_t follow_id, absl::string_view cause) override {
    return room_.EncodeSnapshot(follow_id, cause);
  }

  void OnCommitted(std::span<const RecordFrame> frames) override;
  void OnUnrecorded(const RecordFrame& frame) override;
  void OnRecordingChanged() override {
    if (on_recording_) on_recording_();
  }

 private:
  void Read(const ReadRequest& request, std::function<void(absl::StatusOr<FeedPage>)> done,
            Duration waited, Duration retry_delay);

  Room& room_;
  Journal& journal_;
  Executor& executor_;
  const bool shows_unrecorded_;
  const std::function<void()> wake_;
  std::function<void()> on_recording_;
  LiveFollow* live_ = nullptr;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
