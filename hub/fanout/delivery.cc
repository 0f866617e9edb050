#include "hub/fanout/delivery.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/wire_writer.h"
#include "hub/fanout/limits.h"

namespace remora::hub {

Delivery::Delivery(const Clock& clock, HubTimeSource& hub_time, HubMetrics& metrics, bool asks,
                   std::function<void()> wake)
    : clock_(clock),
      hub_time_(hub_time),
      metrics_(metrics),
      wake_(std::move(wake)),
      asks_(asks),
      credit_(asks ? kBulkWindowSlack : kBulkWindowSlackVersion1) {}

Delivery::~Delivery() = default;

LiveFollow* Delivery::AddLive(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow,
                              LaneSet lanes) {
  live_.push_back(std::make_unique<LiveFollow>(std::move(feed), follow, lanes, asks_, wake_));
  wake_();
  return live_.back().get();
}

void Delivery::AddComplete(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow,
                           LaneSet lanes) {
  complete_.push_back(std::make_unique<CompleteFollow>(std::move(feed), follow, lanes, wake_));
  wake_();
}

void Delivery::AddHistory(std::unique_ptr<CaseFeed> feed, const v1::HistoryRequest& request,
                          LaneSet lanes) {
  histories_.push_back(std::make_unique<History>(std::move(feed), request, lanes, wake_));
}

bool Delivery::Cancel(uint32_t follow_id) {
  const auto is_it = [follow_id](const auto& follow) { return follow->follow_id() == follow_id; };
  return std::erase_if(live_, is_it) + std::erase_if(complete_, is_it) > 0;
}

void Delivery::OnShown(uint64_t bulk_bytes_total_untrusted) {
  credit_.OnShown(bulk_bytes_total_untrusted, clock_.Now());
  wake_();
}

void Delivery::TakeEvents(size_t max_bytes, DownSlices* down) {
  size_t count = 0;
  for (size_t i = 0; i < live_.size() && down->bytes < max_bytes; ++i) {
    LiveFollow& follow = *live_[(turn_ + i) % live_.size()];
    if (!follow.HasEvents()) continue;
    down->bytes += follow.TakeEvents(max_bytes - down->bytes, down->empty(), &down->slices, &count);
  }
  if (count == 0) return;
  ++turn_;
  metrics_.Count(metric::kDeliveries, "", count);
  metrics_.Count(metric::kDeliveredBytes, "", down->bytes);
}

void Delivery::TakeOther(size_t max_bytes, DownSlices* down) {
  TakeEnded(down);
  if (!down->empty()) return;
  TakeSnapshot(down);
  if (!down->empty()) return;
  TakeQuestion(/*blocked=*/false, down);
  if (!down->empty()) return;
  const bool blocked = TakeBulk(down);
  if (!down->empty()) return;
  if (blocked) TakeQuestion(/*blocked=*/true, down);
  if (!down->empty()) return;
  TakeComplete(max_bytes, down);
  if (!down->empty()) return;
  TakeHistory(down);
}

void Delivery::TakeEnded(DownSlices* down) {
  const auto end = [&](auto& follows) {
    for (auto it = follows.begin(); it != follows.end(); ++it) {
      const absl::Status status = (*it)->status();
      if (status.ok()) continue;
      v1::FollowEnded ended;
      ended.set_follow_id((*it)->follow_id());
      ended.set_cause(std::string(status.message()));
      follows.erase(it);
      if (on_ended_) on_ended_(ended.follow_id());
      AddControl(v1::Down::kFollowEndedFieldNumber, ended.SerializeAsString(), down);
      return;
    }
  };
  end(live_);
  if (down->empty()) end(complete_);
}

void Delivery::TakeSnapshot(DownSlices* down) {
  for (const auto& follow : live_) {
    if (follow->HasAwayGap()) {
      AddControl(v1::Down::kGapFieldNumber, follow->TakeAwayGap().SerializeAsString(), down);
      return;
    }
    if (!follow->HasSnapshot()) continue;
    std::string cause;
    const std::string snapshot = follow->TakeSnapshot(&cause);
    metrics_.Count(metric::kSnapshots, absl::StrCat("cause=", cause), 1);
    AddControl(v1::Down::kSnapshotFieldNumber, snapshot, down);
    return;
  }
}

bool Delivery::TakeGapOf(LiveFollow& follow, uint32_t lane, DownSlices* down) {
  if (!down->empty()) return false;
  const v1::Gap gap = follow.TakeGap(lane, clock_.Now());
  metrics_.Count(metric::kGapRecords, absl::StrCat("cause=", v1::GapCause_Name(gap.cause())),
                 gap.count());
  AddControl(v1::Down::kGapFieldNumber, gap.SerializeAsString(), down);
  return true;
}

void Delivery::OnHeartbeatSent() { credit_.OnAsked(clock_.Now()); }

bool Delivery::IsQuestionDue(bool blocked) const {
  return asks_ && !live_.empty() && credit_.IsQuestionDue(blocked, clock_.Now());
}

void Delivery::TakeQuestion(bool blocked, DownSlices* down) {
  if (!IsQuestionDue(blocked)) return;
  credit_.OnAsked(clock_.Now());
  v1::HubHeartbeat heartbeat;
  heartbeat.set_hub_unix_ns(hub_time_.Now().nanoseconds());
  AddControl(v1::Down::kHeartbeatFieldNumber, heartbeat.SerializeAsString(), down);
}

// One batch of bulk in the making.
struct Delivery::Taking {
  DownSlices* down;
  DeviceTime now;
  size_t max_bytes;
  size_t shown_bytes = 0;
  size_t count = 0;
  bool blocked = false;
};

// One answer for a gap, which is told before the record that it makes room for, and for the record.
bool Delivery::MayGo(LiveFollow& follow, uint32_t lane, Taking* taking) {
  if (!follow.HasBulk(lane)) return false;
  const bool left_out = lane >= kControlLaneCount && slow_link_.is_slow();
  if (left_out && !slow_link_.IsProbeDue(taking->now)) return false;
  const size_t record_bytes = follow.FrontOf(lane).record_bytes();
  if (!credit_.Allows(record_bytes, taking->shown_bytes)) {
    taking->blocked = true;
    return false;
  }
  return follow.budget().Allows(record_bytes, taking->now);
}

// False: the batch is full.
bool Delivery::TakeLane(LiveFollow& follow, uint32_t lane, Taking* taking) {
  while (MayGo(follow, lane, taking)) {
    const RecordFrame& front = follow.FrontOf(lane);
    const size_t record_bytes = front.record_bytes();
    DownSlices& down = *taking->down;
    if (down.bytes + front.bytes.size() > taking->max_bytes && !down.empty()) return false;
    if (down.empty() || !down.slices.back().ExtendBy(front.bytes)) {
      down.slices.push_back(front.bytes);
    }
    down.bytes += front.bytes.size();
    taking->shown_bytes += record_bytes;
    ++taking->count;
    follow.budget().Spend(record_bytes);
    follow.DropFront(lane);
    if (lane >= kControlLaneCount && slow_link_.is_slow()) slow_link_.OnProbe(taking->now);
  }
  return true;
}

bool Delivery::TakeBulk(DownSlices* down) {
  Taking taking{down, clock_.Now(), credit_.write_bytes()};
  const HubTime oldest = hub_time_.Now() - kMaxQueuedBulkAge;
  slow_link_.Update(credit_, taking.now);
  for (const auto& follow : live_) {
    follow->SetSlowLink(slow_link_.is_slow());
    follow->DropOlderThan(oldest);
  }
  bool full = false;
  for (uint32_t lane = FollowerLanes::kFirstLane; lane < kLaneCount && !full; ++lane) {
    for (size_t i = 0; i < live_.size() && !full; ++i) {
      LiveFollow& follow = *live_[(turn_ + i) % live_.size()];
      const bool may_go = MayGo(follow, lane, &taking);
      if (follow.IsGapDue(lane, may_go, taking.now) && credit_.Allows(1, taking.shown_bytes)) {
        if (TakeGapOf(follow, lane, down)) return false;
        full = true;  // the gap comes first in the next message
        break;
      }
      full = !TakeLane(follow, lane, &taking);
    }
  }
  if (slow_link_.is_slow()) {
    for (const auto& follow : live_) follow->DropUncarried();
  }
  if (taking.count == 0) return taking.blocked;
  ++turn_;
  credit_.OnSent(taking.shown_bytes, taking.now);
  metrics_.Count(metric::kDeliveries, "", taking.count);
  metrics_.Count(metric::kDeliveredBytes, "", down->bytes);
  return taking.blocked;
}

void Delivery::TakeComplete(size_t max_bytes, DownSlices* down) {
  size_t count = 0;
  for (size_t i = 0; i < complete_.size() && down->bytes < max_bytes; ++i) {
    CompleteFollow& follow = *complete_[(turn_ + i) % complete_.size()];
    down->bytes += follow.Take(max_bytes - down->bytes, down->empty(), &down->slices, &count);
  }
  if (count == 0) return;
  ++turn_;
  metrics_.Count(metric::kDeliveries, "", count);
  metrics_.Count(metric::kDeliveredBytes, "", down->bytes);
}

void Delivery::TakeHistory(DownSlices* down) {
  for (auto it = histories_.begin(); it != histories_.end(); ++it) {
    if (!(*it)->HasPage()) continue;
    AddControl(v1::Down::kHistoryPageFieldNumber, (*it)->TakePage(), down);
    if ((*it)->done()) histories_.erase(it);
    return;
  }
}

void Delivery::AddControl(uint32_t field, absl::string_view message, DownSlices* down) {
  std::string bytes;
  bytes.reserve(message.size() + 8);
  AppendBytesField(field, message, &bytes);
  down->bytes += bytes.size();
  down->slices.emplace_back(std::move(bytes));
}

bool Delivery::HasSomething() const {
  if (IsQuestionDue(/*blocked=*/false)) return true;
  for (const auto& follow : live_) {
    if (follow->HasEvents() || follow->HasSnapshot() || follow->HasAwayGap() ||
        !follow->status().ok()) {
      return true;
    }
    for (uint32_t lane = FollowerLanes::kFirstLane; lane < kLaneCount; ++lane) {
      if (follow->HasBulk(lane) || follow->HasGap(lane)) return true;
    }
  }
  for (const auto& follow : complete_) {
    if (follow->IsBehind() || !follow->status().ok()) return true;
  }
  return std::any_of(histories_.begin(), histories_.end(),
                     [](const auto& history) { return history->HasPage(); });
}

size_t Delivery::queued_bytes() const {
  size_t bytes = 0;
  for (const auto& follow : live_) bytes += follow->queued_bytes();
  return bytes;
}

}  // namespace remora::hub
