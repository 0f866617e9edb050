#pragma once

// One follower of a case, without its transport: greets, follows, reports what it has shown, and
// counts what comes. What arrives counts as shown at once, as in the readers' own client, and is
// reported when it would be there (kShownInterval). Thread-compatible: one thread at a time.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/link/follow_cursor.h"
#include "remora/v1/room.pb.h"
#include "tests/bench/load/block_maker.h"
#include "tests/bench/load/control_page.h"
#include "tests/bench/load/latency_histogram.h"
#include "tests/bench/load/load_options.h"

namespace remora::bench {

// What all followers of a process counted. Thread-safe.
struct Tally {
  // Of blocks at followers that read all the time: while it is measured, and after that.
  LatencyHistogram latency;
  LatencyHistogram latency_after;
  LatencyHistogram alert_latency;         // likewise, while it is measured
  std::atomic<uint64_t> holes{0};         // blocks that a follower never had, by origin_seq
  std::atomic<uint64_t> reader_holes{0};  // those of followers that read all the time
  std::atomic<uint64_t> told{0};          // blocks that gaps told of
  std::atomic<uint64_t> duplicates{0};    // blocks that came again, or out of order
  std::atomic<uint64_t> others{0};        // records that are no blocks
  std::atomic<uint64_t> batches{0};       // messages with records
  std::atomic<uint64_t> unreadable{0};
  std::atomic<int> welcomed{0};
  std::atomic<uint64_t> ended{0};  // sessions that ended before the run did
  // Of followers that stalled and read again: the age of the first block that they got then, and of
  // the first one behind a gap, the largest of all; -1: none came.
  std::atomic<int64_t> first_age_ns{-1};
  std::atomic<int64_t> first_age_after_gap_ns{-1};
  // Of followers that left: from the dial until they had all that there was then, the longest.
  std::atomic<int64_t> whole_ns{-1};

  void Print() const;
};

class Follower {
 public:
  Follower(const LoadOptions& options, int index, ControlPage* page, Tally* tally);

  // The message that opens the session.
  std::string Hello() const;
  // A message down, in pieces as it came: of a batch, only what lies across two is copied.
  void OnDown(absl::Span<const absl::string_view> pieces);
  void OnDown(absl::string_view down) { OnDown(absl::MakeConstSpan(&down, 1)); }
  // A record with its stamp, however it came. OnBatchEnd after the last one of a message.
  void OnRecord(absl::string_view record);
  void OnBatchEnd();
  void OnGap(const v1::Gap& gap);
  v1::Follow FollowRequest() const;
  // A session begins again, where the last one ended.
  void ComeBack();
  // What is due to be sent; "" when nothing is. `shown_due_ns` of the next call that may have
  // something is never more than kShownInterval away.
  std::string NextUp(int64_t now_ns);

  bool stalls() const { return options_.stalls(index_); }
  bool leaves() const { return options_.leaves(index_); }
  int index() const { return index_; }

 private:
  void OnControl(absl::string_view down);
  bool IsMeasured(int64_t captured_ns) const;
  // What is measured on a block that is new.
  void Measure(const BlockSeen& block);

  const LoadOptions& options_;
  const int index_;
  ControlPage* const page_;
  Tally* const tally_;
  std::string waiting_up_;
  bool answer_due_ = false;  // a heartbeat came
  uint32_t question_ = 0;
  uint64_t newest_ = 0;  // origin_seq
  uint64_t measured_in_batch_ = 0;
  uint64_t shown_bytes_ = 0;
  uint64_t reported_bytes_ = 0;
  int64_t reported_at_ns_ = 0;
  // Of one that leaves: where it is, when it came back, and what there was then.
  std::optional<FollowCursor> cursor_;
  int64_t came_back_ns_ = 0;
  uint64_t to_catch_up_ = 0;
  bool first_after_resume_ = true;
  bool first_after_gap_ = true;
  bool gap_told_since_resume_ = false;
};

}  // namespace remora::bench
