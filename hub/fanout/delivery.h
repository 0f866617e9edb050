#pragma once

// Everything that one session is sent because it follows, by priority over all its follows:
//
//   1  lanes 0-1 of live follows          an alert of one case overtakes the bulk of every other
//   2  follows that ended, snapshots
//   3  lanes 2, 3, 4, 5 of live follows   while the credit lasts; a lane's gaps before its records
//   4  complete follows                   in `seq` order, pulled; by what is left of the credit
//   5  history                            the same
//
// Where 3 takes all of a link, 4 and 5 have a write before it each kMissedInterval.
// Of what it is sent, a follower reports lanes 2-5 of its follows. The rest of 4 and 5 counts as
// shown when a question behind it is answered (unreported_bytes.h).
//
// The session asks for one Down message at a time, when its stream can take it. Nothing is copied
// or parsed for a live follower. Sequence-bound to the hub; owned by its session.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "common/hub_time.h"
#include "hub/fanout/complete_follow.h"
#include "hub/fanout/credit_window.h"
#include "hub/fanout/history.h"
#include "hub/fanout/live_follow.h"
#include "hub/fanout/slow_link.h"
#include "hub/fanout/unreported_bytes.h"
#include "hub/metrics.h"

namespace remora::hub {

// One Down message, as slices: records (frames) or one encoded control message.
struct DownSlices {
  std::vector<SharedBytes> slices;
  size_t bytes = 0;
  bool empty() const { return slices.empty(); }
};

class Delivery {
 public:
  // `asks`: the follower answers a heartbeat with what it has shown, and knows all causes of gaps
  // (version 2).
  Delivery(const Clock& clock, HubTimeSource& hub_time, HubMetrics& metrics, bool asks,
           std::function<void()> wake);
  ~Delivery();

  // The feed tells its follow what is committed through the returned pointer's OnCommitted.
  LiveFollow* AddLive(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow, LaneSet lanes);
  void AddComplete(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow, LaneSet lanes);
  void AddHistory(std::unique_ptr<CaseFeed> feed, const v1::HistoryRequest& request, LaneSet lanes);
  // False: no such follow of a case.
  bool Cancel(uint32_t follow_id);
  void OnShown(const v1::Shown& shown_untrusted);

  // The session is sent a heartbeat: what it asks. 0: nothing.
  uint32_t OnHeartbeat();

  // Lanes 0-1 only: before the session's own messages of less weight.
  void TakeEvents(size_t max_bytes, DownSlices* down);
  // The rest; at most `max_bytes`, or what the link carries in kBulkWriteTime, unless it is one
  // larger message.
  void TakeOther(size_t max_bytes, DownSlices* down);
  // Whether there may be something to take: it may turn out that the credit is used up.
  bool HasSomething() const;

  size_t history_count() const { return histories_.size(); }
  size_t queued_bytes() const;
  const CreditWindow& credit() const { return credit_; }
  const std::vector<std::unique_ptr<LiveFollow>>& live() const { return live_; }
  // Says in a heartbeat where the cases end: for complete follows that are behind.
  void set_fill_heads(std::function<void(v1::HubHeartbeat*)> fill) {
    fill_heads_ = std::move(fill);
  }
  // Called with the id of a follow that ended by itself, so that its owner lets go of it.
  void set_on_ended(std::function<void(uint32_t)> on_ended) { on_ended_ = std::move(on_ended); }

 private:
  void TakeEnded(DownSlices* down);
  void TakeSnapshot(DownSlices* down);
  bool TakeGapOf(LiveFollow& follow, uint32_t lane, DownSlices* down);
  bool IsQuestionDue(bool blocked) const;
  // A heartbeat: what has been shown?
  void TakeQuestion(bool blocked, DownSlices* down);
  // Both true: something waits for credit.
  bool TakeBulk(DownSlices* down);
  bool TakeComplete(size_t max_bytes, DownSlices* down);
  void TakeCompleteBatch(size_t max_bytes, DeviceTime now, DownSlices* down);
  void OnMissedSent(size_t bytes, DeviceTime now);
  // So much is on its way.
  void Charge(uint64_t bulk_bytes, uint64_t unreported_bytes, DeviceTime now);
  // What was missed, where it has waited for long; before what is live.
  void TakeMissed(size_t max_bytes, DownSlices* down);
  struct Taking;
  // The lane's next record goes now.
  bool MayGo(LiveFollow& follow, uint32_t lane, Taking* taking);
  bool TakeLane(LiveFollow& follow, uint32_t lane, Taking* taking);
  bool MayCompleteGo(DeviceTime now) const;
  bool IsCompleteBehind() const;
  size_t HistoryPageBytes() const;
  bool HasHistoryPage() const;
  // True: a page waits for credit.
  bool TakeHistory(DownSlices* down);
  void TakePage(DeviceTime now, DownSlices* down);
  void AddControl(uint32_t field, absl::string_view message, DownSlices* down);

  const Clock& clock_;
  HubTimeSource& hub_time_;
  HubMetrics& metrics_;
  const std::function<void()> wake_;
  std::function<void(uint32_t)> on_ended_;
  std::function<void(v1::HubHeartbeat*)> fill_heads_;
  std::vector<std::unique_ptr<LiveFollow>> live_;
  std::vector<std::unique_ptr<CompleteFollow>> complete_;
  std::vector<std::unique_ptr<History>> histories_;
  const bool asks_;
  CreditWindow credit_;
  SlowLink slow_link_;
  UnreportedBytes unreported_;
  // The follower has said what it has shown, and when last; and when that was more than before.
  std::optional<DeviceTime> reported_at_;
  DeviceTime shown_more_at_;
  uint64_t reported_bytes_ = 0;
  // Of complete follows; the first time: since the first of them is there.
  DeviceTime complete_sent_at_;
  DeviceTime heads_said_at_;
  // When something of complete follows or history was last sent, and which comes first next.
  DeviceTime missed_sent_at_;
  // When it may go before what is live again.
  DeviceTime missed_due_at_;
  bool history_first_ = false;
  // Where the next round begins, so that no follow is always first.
  size_t turn_ = 0;
};

}  // namespace remora::hub
