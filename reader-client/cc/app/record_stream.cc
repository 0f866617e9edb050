#include "reader-client/cc/app/record_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "reader-client/cc/sdk/refusal.h"

namespace remora::reader {
namespace {

// The only request of a stream's client.
constexpr uint32_t kAnswer = 1;

std::string Words(v1::LinkCondition condition, Duration previous) {
  switch (condition) {
    case v1::LINK_CONDITION_STALE:
      return "STALE: no sign of life from the hub for 2 s; what is shown may be old";
    case v1::LINK_CONDITION_LOST:
      return "LOST: no sign of life from the hub for 10 s; trying to connect";
    case v1::LINK_CONDITION_UNSUPERVISED:
      return "LOST: no sign of life from the hub for 60 s";
    default:
      return absl::StrFormat("back after %.1f s more; going on where it was", previous.seconds());
  }
}

}  // namespace

void RecordStream::Follow(v1::Follow follow, OnLink on_link) {
  on_link_ = std::move(on_link);
  on_link_([this, follow = std::move(follow)](ParticipantLink& link) {
    follow_ = follow;
    follow_.set_follow_id(1);
    const absl::Status status = link.AddFollow(follow_);
    if (!status.ok()) return End(status);
    MutexLock lock(&mutex_);
    state_ = State::kFollowing;
  });
}

std::optional<DeliveredRecord> RecordStream::Next(Duration timeout) {
  bool post = false;
  std::optional<DeliveredRecord> next;
  {
    MutexLock lock(&mutex_);
    if (waiting_.empty() && ended_.ok()) {
      arrived_.WaitFor(&mutex_, std::chrono::nanoseconds(timeout.nanoseconds()));
    }
    if (waiting_.empty()) return std::nullopt;
    next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next->record.header.lane >= 2) {
      if (next->session != shown_session_) shown_bytes_ = 0;
      shown_session_ = next->session;
      shown_bytes_ += next->bytes.size();
    }
    const bool due =
        shown_bytes_ > 0 || (state_ == State::kLettingGo && answered_ && waiting_.size() <= few_);
    post = due && !std::exchange(posted_, posted_ || due);
  }
  if (post) on_link_([this](ParticipantLink& link) { Run(link); });
  return next;
}

void RecordStream::Run(ParticipantLink& link) {
  uint64_t session = 0, bytes = 0;
  bool take_up = false;
  {
    MutexLock lock(&mutex_);
    posted_ = false;
    session = shown_session_;
    bytes = std::exchange(shown_bytes_, 0);
    take_up = state_ == State::kLettingGo && answered_ && waiting_.size() <= few_;
    if (take_up) state_ = State::kFollowing;
  }
  if (bytes > 0) link.MarkShown(session, bytes);
  if (!take_up) return;
  follow_.set_follow_id(follow_.follow_id() + 1);
  const absl::Status status = link.AddFollow(follow_);
  if (!status.ok()) End(status);
}

void RecordStream::OnRecord(const DeliveredRecord& delivered) {
  bool full = false;
  {
    MutexLock lock(&mutex_);
    waiting_.push_back(delivered);
    last_seq_ = std::max(last_seq_, delivered.record.stamp.seq);
    if (behind_until_ > 0 && last_seq_ >= behind_until_) {
      behind_until_ = behind_told_ = 0;
      AddChange("caught up with the record");
    }
    arrived_.NotifyOne();
    full = state_ == State::kFollowing && waiting_.size() >= most_;
    if (full) {
      state_ = State::kLettingGo;
      answered_ = false;
    }
  }
  if (full) on_link_([this](ParticipantLink& link) { LetGo(link); });
}

void RecordStream::LetGo(ParticipantLink& link) {
  const uint32_t id = follow_.follow_id();
  *follow_.mutable_cursor() = link.CursorOf(id);
  link.CancelFollow(id);
  v1::HistoryRequest ask;
  ask.set_request_id(kAnswer);
  ask.set_case_id(follow_.case_id());
  ask.add_lanes(0);
  ask.set_from_seq(1);
  ask.set_to_seq(1);
  // Without a session there is nothing under way, and the next one's welcome is the answer.
  link.RequestHistory(ask).IgnoreError();
}

void RecordStream::Answered() {
  bool post = false;
  {
    MutexLock lock(&mutex_);
    if (state_ != State::kLettingGo) return;
    answered_ = true;
    post = waiting_.size() <= few_ && !std::exchange(posted_, true);
  }
  if (post) on_link_([this](ParticipantLink& link) { Run(link); });
}

void RecordStream::OnHistoryPage(const v1::HistoryPage& page) {
  if (page.last()) Answered();
}

// Who is not told otherwise in a session is recorded: the hub may have been started again.
void RecordStream::OnWelcome(const v1::Welcome&) {
  {
    MutexLock lock(&mutex_);
    if (std::exchange(unrecorded_, false)) {
      AddChange("a new session with the hub: the case is recorded, unless it says otherwise");
    }
  }
  Answered();
}

void RecordStream::OnGap(const v1::Gap& gap) {
  MutexLock lock(&mutex_);
  left_out_ += gap.count();
}

void RecordStream::OnLinkCondition(v1::LinkCondition condition, Duration previous) {
  MutexLock lock(&mutex_);
  const v1::LinkCondition before = std::exchange(condition_, condition);
  if (before == v1::LINK_CONDITION_UNSPECIFIED && condition == v1::LINK_CONDITION_LIVE) return;
  AddChange(absl::StrCat("link to the hub ", Words(condition, previous)));
}

void RecordStream::OnRecording(const v1::Recording& recording) {
  MutexLock lock(&mutex_);
  unrecorded_ = recording.condition() == v1::RECORDING_CONDITION_UNRECORDED;
  if (unrecorded_) {
    AddChange(absl::StrCat("UNRECORDED: what is shown is not on record: ", recording.cause()));
  } else {
    AddChange("the case is recorded again");
  }
}

// Heads come in heartbeats: while nothing else is sent, and each second to who is behind.
void RecordStream::OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) {
  if (follow_.delivery() != v1::DELIVERY_COMPLETE) return;
  for (const v1::CaseHead& head : heartbeat.heads()) {
    if (head.case_id() != follow_.case_id()) continue;
    uint64_t last = 0;
    for (int lane = 0; lane < head.lane_seq_size(); ++lane) {
      const auto& lanes = follow_.lanes();
      const bool wanted =
          lanes.empty() || std::find(lanes.begin(), lanes.end(), lane) != lanes.end();
      if (wanted) last = std::max<uint64_t>(last, head.lane_seq(lane));
    }
    MutexLock lock(&mutex_);
    if (last <= last_seq_) continue;
    const uint64_t records = last - last_seq_;
    if (behind_until_ == 0 && records < kBehindRecords) continue;
    behind_until_ = last;
    TellBehind(records);
  }
}

// When it has doubled or halved since: not each second.
void RecordStream::TellBehind(uint64_t records) {
  if (behind_told_ > 0 && records < 2 * behind_told_ && records > behind_told_ / 2) return;
  behind_told_ = records;
  AddChange(absl::StrCat("behind the record by ", records,
                         " records; they come as the link, and "
                         "who takes them, carry them"));
}

void RecordStream::AddChange(std::string words) {
  link_changes_.push_back(std::move(words));
  if (link_changes_.size() > kMaxLinkChanges) link_changes_.pop_front();
  arrived_.NotifyOne();
}

void RecordStream::OnFollowEnded(const v1::FollowEnded& ended) {
  // The directory's, or one that was let go, is not this stream's.
  {
    MutexLock lock(&mutex_);
    if (state_ != State::kFollowing) return;
  }
  if (ended.follow_id() == follow_.follow_id()) End(FollowEndedStatus(ended));
}

void RecordStream::OnRefused(const v1::Refused& refused) {
  if (refused.follow_id() != 0) {
    if (refused.follow_id() == follow_.follow_id()) End(RefusalStatus(refused));
  } else if (refused.request_id() != 0 || refused.case_id() == follow_.case_id()) {
    Answered();
  }
}

void RecordStream::OnEnded(const absl::Status& status) { End(status); }

void RecordStream::End(const absl::Status& status) {
  MutexLock lock(&mutex_);
  if (ended_.ok()) ended_ = status;
  arrived_.NotifyOne();
}

absl::Status RecordStream::ended() const {
  MutexLock lock(&mutex_);
  return ended_;
}

uint64_t RecordStream::left_out() const {
  MutexLock lock(&mutex_);
  return left_out_;
}

std::vector<std::string> RecordStream::TakeLinkChanges() {
  MutexLock lock(&mutex_);
  std::vector<std::string> changes(link_changes_.begin(), link_changes_.end());
  link_changes_.clear();
  return changes;
}

}  // namespace remora::reader
