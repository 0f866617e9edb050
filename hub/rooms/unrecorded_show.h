#pragma once

// What a room does for its readers while the journal fails: decides when it is UNRECORDED, and what
// is shown with that mark.
//
//   RECORDING --a commit fails; a record of lanes 0-1 has waited 250 ms, any for 2 s--> UNRECORDED
//       ^----------------nothing of that for kUnrecordedHold------------------------------'
//
// While the trouble lasts, what waits for the disk and what is offered is shown at once, each
// record once an interval, stamped unrecorded. In an interval without present trouble records take
// their way through the journal as ever, and come with their `seq`: so a disk that stalls each
// second makes one interval of marks on some records, not one interval a second.
//
// Shown is not accepted: it moves no number, no state, no cursor. Sequence-bound to its room, which
// owns it; the commit queue and the ledger are the room's.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/executor.h"
#include "common/hub_time.h"
#include "common/record_codec.h"
#include "hub/metrics.h"
#include "hub/record_frame.h"
#include "hub/rooms/commit_queue.h"
#include "hub/rooms/origin_ledger.h"
#include "hub/rooms/unrecorded_numbers.h"
#include "hub/rooms/unrecorded_ring.h"
#include "remora/v1/link.pb.h"

namespace remora::hub {

class UnrecordedShow {
 public:
  // All outlive it.
  struct Parts {
    Executor* executor = nullptr;
    const Clock* clock = nullptr;
    HubTimeSource* hub_time = nullptr;
    HubMetrics* metrics = nullptr;
    CommitQueue* commits = nullptr;
    OriginLedger* ledger = nullptr;
  };
  struct Host {
    // To the live followers.
    std::function<void(const RecordFrame&)> show;
    // An interval has begun, or its cause is another.
    std::function<void(bool begins)> on_unrecorded;
    std::function<void(const v1::UnrecordedInterval&)> on_over;
  };
  UnrecordedShow(const Parts& parts, Host host);
  ~UnrecordedShow();
  UnrecordedShow(const UnrecordedShow&) = delete;
  UnrecordedShow& operator=(const UnrecordedShow&) = delete;

  bool active() const { return active_; }
  HubTime since() const { return since_; }
  // For a person; empty: recording.
  const std::string& cause() const { return cause_; }
  const UnrecordedRing& ring() const { return ring_; }

  // Looks whether the condition changes, and shows what waits: after a failure, and each tick.
  void Watch();
  // The commit queue has taken `frame`.
  void OnTaken(const RecordFrame& frame);
  // It is on disk.
  void OnCommitted(const RecordFrame& frame) {
    if (!ring_.empty()) ring_.Remove(frame);
  }
  // A record that is well formed and permitted, and was not taken. True: shown now, and not before.
  bool Show(const RecordHeader& header, absl::string_view bytes, const CommitQueue::Marks& marks);
  // One that would be refused, if that could be recorded: those behind it may be shown.
  void PassOver(const RecordKey& key);
  // It was shown in this interval (or passed over).
  bool WasShown(const RecordFrame& frame) const {
    return active_ && numbers_.WasShown(frame.origin_index, frame.lane, frame.origin_seq);
  }
  // The next number of a control lane, shown ones counted.
  uint64_t Next(const OriginId& origin, uint32_t lane) const;

 private:
  bool IsTroubled(DeviceTime now) const;
  void Begin(DeviceTime now);
  void NameCause();
  void End();
  void WatchLater(Duration delay);
  void ShowAccepted(const RecordFrame& frame);
  // Once in each trouble: what was taken and waits for the disk, in order.
  void ShowWaiting();
  void ShowFrame(RecordFrame frame, absl::string_view origin_bytes);
  bool TakeNumber(const RecordKey& key);

  const Parts parts_;
  const Host host_;
  bool active_ = false;
  bool troubled_ = false;  // as last looked at: what waits is shown
  bool failed_ = false;    // the cause is a failure, not slowness
  DeviceTime troubled_at_;
  HubTime since_;
  HubTime shown_at_;
  std::string cause_;
  uint32_t shown_count_ = 0;
  uint64_t first_seq_ = 0;  // behind what was on disk when it began
  bool watching_ = false;
  UnrecordedNumbers numbers_;
  UnrecordedRing ring_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
