#pragma once

// Whether a cursor is of this journal: its epoch, its numbers, and the digests of the records that
// it names. A journal that has gone back and grown again has other records under the same numbers.
// Sequence-bound to the hub.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hub/fanout/case_feed.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {

// Why a follow cannot go on from its cursor: the causes of room.proto's Snapshot.
inline constexpr char kEpochChanged[] = "epoch changed";
inline constexpr char kCursorNotKnown[] = "cursor not known";
inline constexpr char kJournalUnreadable[] = "journal cannot be read";

class CursorCheck {
 public:
  // FailedPrecondition: the cursor is not of this journal; the text is a cause of room.proto. Else
  // why the journal could not be read, which says nothing about the cursor.
  using Done = std::function<void(const absl::Status&)>;

  // Outlived by `feed`.
  CursorCheck(CaseFeed& feed, const v1::Cursor& cursor, Done done);
  ~CursorCheck();

  // Calls `done`, OK when the cursor is good: within this call when no record has to be read, else
  // later, unless the check is destroyed before.
  void Start();

  // Last seq of each lane; valid when the cursor is good.
  const std::array<uint64_t, kLaneCount>& after() const { return after_; }

 private:
  struct Expected {
    uint64_t seq = 0;
    uint64_t digest = 0;
    bool control = true;
    bool bulk = false;
  };
  bool Expect(uint64_t seq, uint64_t digest, bool control, bool bulk);
  bool ReadLanes();
  void Next();
  void OnRead(const absl::StatusOr<FeedPage>& page);
  void Compare(absl::string_view record_bytes);

  CaseFeed& feed_;
  const v1::Cursor cursor_;
  const Done done_;
  std::array<uint64_t, kLaneCount> after_{};
  std::vector<Expected> expected_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
