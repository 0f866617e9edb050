#include "hub/fanout/delivery.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/wire_writer.h"
#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

// What a report can say at the most: beyond it, sums are no numbers any more.
constexpr uint64_t kMostShownBytes = uint64_t{1} << 62;

}  // namespace

Delivery::Delivery(const Clock& clock, HubTimeSource& hub_time, HubMetrics& metrics, bool asks,
                   std::function<void()> wake)
    : clock_(clock),
      hub_time_(hub_time),
      metrics_(metrics),
      wake_(std::move(wake)),
      asks_(asks),
      credit_(asks ? kBulkWindowSlack : kBulkWindowSlackVersion1),
      unreported_(asks) {}

Delivery::~Delivery() = default;

LiveFollow* Delivery::AddLive(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow,
                              LaneSet lanes) {
  live_.push_back(std::make_unique<LiveFollow>(std::move(feed), follow, lanes, asks_, wake_));
  wake_();
  return live_.back().get();
}

void Delivery::AddComplete(std::unique_ptr<CaseFeed> feed, const v1::Follow& follow,
                           LaneSet lanes) {
  if (complete_.empty()) complete_sent_at_ = heads_said_at_ = clock_.Now();
  complete_.push_back(std::make_unique<CompleteFollow>(std::move(feed), follow, lanes, wake_));
  wake_();
}

void Delivery::AddHistory(std::unique_ptr<CaseFeed> feed, const v1::HistoryRequest& request,
                          LaneSet lanes) {
  histories_.push_back(std::make_unique<History>(
      std::move(feed), request, lanes, [this] { return HistoryPageBytes(); }, wake_));
}

bool Delivery::Cancel(uint32_t follow_id) {
  const auto is_it = [follow_id](const auto& follow) { return follow->follow_id() == follow_id; };
  return std::erase_if(live_, is_it) + std::erase_if(complete_, is_it) > 0;
}

void Delivery::OnShown(const v1::Shown& shown_untrusted) {
  const DeviceTime now = clock_.Now();
  const size_t before = credit_.in_flight();
  unreported_.OnAnswered(shown_untrusted.answered_question_id());
  reported_bytes_ = std::min(shown_untrusted.bulk_bytes_total(), kMostShownBytes);
  credit_.OnShown(reported_bytes_ + unreported_.came(), now);
  if (!reported_at_ || credit_.in_flight() < before) shown_more_at_ = now;
  reported_at_ = now;
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
  const DeviceTime now = clock_.Now();
  if (unreported_.GiveUp(now)) credit_.OnShown(reported_bytes_ + unreported_.came(), now);
  TakeMissed(max_bytes, down);
  if (!down->empty()) return;
  bool blocked = TakeBulk(down);
  if (!down->empty()) return;
  // What waits live comes first: nothing takes the credit that it gathers.
  if (!blocked || !credit_.Allows(kMaxBlockBytes, 0)) blocked |= TakeComplete(max_bytes, down);
  if (!down->empty()) return;
  if (!blocked) blocked = TakeHistory(down);
  if (!down->empty()) return;
  if (blocked) TakeQuestion(/*blocked=*/true, down);
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

uint32_t Delivery::OnHeartbeat() {
  credit_.OnAsked(clock_.Now());
  heads_said_at_ = clock_.Now();
  return asks_ ? unreported_.Ask() : 0;
}

bool Delivery::IsQuestionDue(bool blocked) const {
  if (!asks_) return false;
  if (unreported_.unasked() >= (blocked ? 1 : kUnaskedBytes)) return true;
  return (!live_.empty() || !complete_.empty()) && credit_.IsQuestionDue(blocked, clock_.Now());
}

void Delivery::TakeQuestion(bool blocked, DownSlices* down) {
  if (!IsQuestionDue(blocked)) return;
  const DeviceTime now = clock_.Now();
  credit_.OnAsked(now);
  v1::HubHeartbeat heartbeat;
  heartbeat.set_hub_unix_ns(hub_time_.Now().nanoseconds());
  heartbeat.set_question_id(unreported_.Ask());
  if (fill_heads_ && now - heads_said_at_ >= kBehindInterval && IsCompleteBehind()) {
    heads_said_at_ = now;
    fill_heads_(&heartbeat);
  }
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

bool Delivery::IsCompleteBehind() const {
  return std::any_of(complete_.begin(), complete_.end(),
                     [](const auto& follow) { return follow->IsBehind(); });
}

// What a session is to be told next must not wait behind megabytes of what it lacks.
bool Delivery::MayCompleteGo(DeviceTime now) const {
  if (credit_.Allows(kMaxBlockBytes, 0)) return true;
  return now - std::max(shown_more_at_, complete_sent_at_) >= kReportPatience;
}

bool Delivery::TakeComplete(size_t max_bytes, DownSlices* down) {
  if (complete_.empty()) return false;
  const DeviceTime now = clock_.Now();
  if (!MayCompleteGo(now)) return IsCompleteBehind();
  if (credit_.rate() > 0) {
    max_bytes = std::min(max_bytes, credit_.write_bytes());
  } else if (credit_.Allows(kMaxBlockBytes, 0)) {
    max_bytes = std::min(max_bytes, kFirstBulkWindowBytes - credit_.in_flight());
  }
  TakeCompleteBatch(max_bytes, now, down);
  return false;
}

void Delivery::TakeCompleteBatch(size_t max_bytes, DeviceTime now, DownSlices* down) {
  size_t count = 0;
  uint64_t bulk_bytes = 0;
  uint64_t unreported_bytes = 0;
  for (size_t i = 0; i < complete_.size() && down->bytes < max_bytes; ++i) {
    CompleteFollow& follow = *complete_[(turn_ + i) % complete_.size()];
    bulk_bytes -= follow.bulk_bytes();
    unreported_bytes -= follow.unreported_bytes();
    down->bytes += follow.Take(max_bytes - down->bytes, down->empty(), &down->slices, &count);
    bulk_bytes += follow.bulk_bytes();
    unreported_bytes += follow.unreported_bytes();
  }
  if (count == 0) return;
  ++turn_;
  OnMissedSent(down->bytes, now);
  Charge(bulk_bytes, unreported_bytes, now);
  if (reported_at_) complete_sent_at_ = now;
  metrics_.Count(metric::kDeliveries, "", count);
  metrics_.Count(metric::kDeliveredBytes, "", down->bytes);
}

void Delivery::OnMissedSent(size_t bytes, DeviceTime now) {
  missed_sent_at_ = now;
  const double seconds =
      credit_.rate() == 0 ? 0 : static_cast<double>(bytes) / (credit_.rate() * kMissedShare);
  missed_due_at_ = now + std::max(kMissedInterval, Duration::FromSeconds(seconds));
}

// Only what is taken is followed by more: on a dead link, and before a stuck follower, nothing
// gathers so.
void Delivery::TakeMissed(size_t max_bytes, DownSlices* down) {
  const DeviceTime now = clock_.Now();
  if (live_.empty() && complete_.empty()) return;
  if (credit_.rate() == 0 || now < missed_due_at_ || !unreported_.all_came()) return;
  if (credit_.in_flight() > 0 && shown_more_at_ <= missed_sent_at_) return;
  history_first_ = !history_first_;
  if (history_first_) TakePage(now, down);
  if (down->empty() && IsCompleteBehind()) {
    TakeCompleteBatch(std::min(max_bytes, credit_.write_bytes()), now, down);
  }
  if (down->empty()) TakePage(now, down);
}

void Delivery::Charge(uint64_t bulk_bytes, uint64_t unreported_bytes, DeviceTime now) {
  if (!unreported_.counts()) unreported_bytes = 0;
  unreported_.OnSent(unreported_bytes, now);
  if (bulk_bytes + unreported_bytes > 0) credit_.OnSent(bulk_bytes + unreported_bytes, now);
}

size_t Delivery::HistoryPageBytes() const {
  if (live_.empty()) return kHistoryPageBytes;
  if (credit_.rate() == 0) return kMaxBlockBytes;
  return std::min(credit_.write_bytes(), kHistoryPageBytes);
}

bool Delivery::HasHistoryPage() const {
  return std::any_of(histories_.begin(), histories_.end(),
                     [](const auto& history) { return history->HasPage(); });
}

bool Delivery::TakeHistory(DownSlices* down) {
  if (!HasHistoryPage()) return false;
  const DeviceTime now = clock_.Now();
  if (unreported_.counts()) {
    const bool patient = now - std::max(shown_more_at_, missed_sent_at_) < kReportPatience;
    if (patient && !credit_.Allows(kMaxBlockBytes, 0)) return true;
  } else if (!live_.empty() && credit_.rate() > 0) {
    return false;  // nobody will say that it came: TakeMissed
  }
  TakePage(now, down);
  return false;
}

void Delivery::TakePage(DeviceTime now, DownSlices* down) {
  for (auto it = histories_.begin(); it != histories_.end(); ++it) {
    if (!(*it)->HasPage()) continue;
    AddControl(v1::Down::kHistoryPageFieldNumber, (*it)->TakePage(), down);
    OnMissedSent(down->bytes, now);
    Charge(0, down->bytes, now);
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
  if (IsCompleteBehind()) return true;
  for (const auto& follow : complete_) {
    if (!follow->status().ok()) return true;
  }
  return HasHistoryPage();
}

size_t Delivery::queued_bytes() const {
  size_t bytes = 0;
  for (const auto& follow : live_) bytes += follow->queued_bytes();
  return bytes;
}

}  // namespace remora::hub
