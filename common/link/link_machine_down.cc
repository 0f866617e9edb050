// What comes from the hub. The observer may stop the link, or cancel a follow, in any of its calls:
// nothing is held across one.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/link/link_machine.h"

namespace remora {

namespace {

constexpr char kRecordsTag = 0x0a;

// A refusal that concerns the whole session and will be the same next time; OK for the others.
absl::Status StatusOfRefusal(const v1::Refused& refused) {
  const std::string text = absl::StrCat("the hub refuses the session: ", refused.text());
  switch (refused.reason()) {
    case v1::REFUSAL_REASON_VERSION:
      return absl::FailedPreconditionError(text);
    case v1::REFUSAL_REASON_NOT_PERMITTED:
    case v1::REFUSAL_REASON_ORIGIN_BOUND:
      return absl::PermissionDeniedError(text);
    case v1::REFUSAL_REASON_MALFORMED:
    case v1::REFUSAL_REASON_TOO_LARGE:
      return absl::InvalidArgumentError(text);
    default:
      return absl::OkStatus();
  }
}

// What is refused for one of these may be granted later; for any other, never.
bool IsForNow(v1::RefusalReason reason) {
  return reason == v1::REFUSAL_REASON_TOO_MANY || reason == v1::REFUSAL_REASON_NO_SUCH_CASE ||
         reason == v1::REFUSAL_REASON_DRAINING;
}

bool IsBulk(const StampedRecord& record) { return record.header.lane >= 2; }

}  // namespace

LinkMachine::FollowState* LinkMachine::FindFollow(absl::string_view case_id) {
  // By number of follows: a wall has tens, a reader one.
  for (auto& [id, follow] : follows_) {
    if (follow.follow.has_case_id() && follow.follow.case_id() == case_id) return &follow;
  }
  return nullptr;
}

void LinkMachine::OnMessage(SharedBytes message) {
  last_sign_ = clock_.Now();
  const absl::string_view bytes = message.view();
  if (bytes.size() > kMaxMessageBytes) {
    OnUnreadable();
  } else if (!bytes.empty() && bytes.front() == kRecordsTag) {
    OnRecords(message);
  } else {
    SilenceProtobufLog();
    v1::Down down;
    if (down.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      OnControl(down);
    } else {
      OnUnreadable();
    }
  }
  Pump();
  Reschedule();
}

void LinkMachine::OnUnreadable() {
  ++counters_.unreadable;
  Redial();
}

void LinkMachine::OnRecords(const SharedBytes& message) {
  const uint64_t session = session_number_;
  if (state_ != LinkState::kLive) return OnUnreadable();
  absl::string_view frames = message.view();
  while (!frames.empty()) {
    const absl::StatusOr<absl::string_view> bytes = TakeFrame(&frames);
    if (!bytes.ok()) return OnUnreadable();
    const absl::StatusOr<StampedRecord> record = WalkStamped(*bytes);
    if (!record.ok()) return OnUnreadable();
    OnRecord(*bytes, *record, message);
    if (!IsCurrentSession(session)) return;
  }
}

void LinkMachine::OnRecord(absl::string_view bytes, const StampedRecord& record,
                           const SharedBytes& message) {
  ++counters_.records_received;
  if (IsBulk(record)) bulk_bytes_ += bytes.size();
  const uint64_t session = session_number_;
  FollowState* follow = FindFollow(record.header.case_id.bytes());
  bool shown = true;  // what the application never sees must not use up the window
  if (follow == nullptr) {
    ++counters_.not_followed;
  } else {
    const FollowCursor::Verdict verdict = follow->cursor.Take(record, bytes, message);
    if (verdict == FollowCursor::Verdict::kDuplicate) {
      ++counters_.duplicates_dropped;
    } else {
      if (verdict == FollowCursor::Verdict::kNewAfterHole) ++counters_.sequence_holes;
      shown = options_.shown_at_once;
      observer_.OnRecord({follow->follow.follow_id(), session, record, bytes, message});
    }
  }
  if (shown && IsBulk(record) && IsCurrentSession(session)) shown_bytes_ += bytes.size();
}

void LinkMachine::OnControl(const v1::Down& down) {
  const bool is_greeting =
      down.control_case() == v1::Down::kWelcome || down.control_case() == v1::Down::kRefused;
  if (state_ != LinkState::kLive && !is_greeting) return OnUnreadable();
  switch (down.control_case()) {
    case v1::Down::kWelcome:
      return OnWelcome(down.welcome());
    case v1::Down::kRefused:
      return OnRefused(down.refused());
    case v1::Down::kJoined:
      return OnJoined(down.joined());
    case v1::Down::kSnapshot:
      return OnSnapshot(down.snapshot());
    case v1::Down::kAcknowledge:
      return OnAcknowledge(down.acknowledge());
    case v1::Down::kRecordRefused:
      return OnRecordRefused(down.record_refused());
    case v1::Down::kGap:
      return observer_.OnGap(down.gap());
    case v1::Down::kClockReply:
      prober_.OnReply(down.clock_reply(), last_sign_);
      counters_.clock_steps = clock_model_.steps_seen();
      return;
    case v1::Down::kHeartbeat:
      if (hub_version_ >= kFirstVersionThatAsks) OnAsked(down.heartbeat().question_id());
      return observer_.OnHubHeartbeat(down.heartbeat());
    case v1::Down::kDirectory:
      return observer_.OnDirectory(down.directory());
    case v1::Down::kFollowEnded:
      follows_.erase(down.follow_ended().follow_id());
      return observer_.OnFollowEnded(down.follow_ended());
    case v1::Down::kHistoryPage:
      return observer_.OnHistoryPage(down.history_page());
    case v1::Down::kRecording:
      return observer_.OnRecording(down.recording());
    case v1::Down::CONTROL_NOT_SET:
      return;  // of a later version: a sign of life
  }
}

void LinkMachine::OnAsked(uint32_t question) {
  // Who follows no case has nothing to show.
  answer_due_ |= question != 0 ||
                 std::any_of(follows_.begin(), follows_.end(),
                             [](const auto& follow) { return follow.second.follow.has_case_id(); });
  if (question != 0) question_ = question;
  asked_bytes_ = bulk_bytes_;
}

void LinkMachine::OnWelcome(const v1::Welcome& welcome) {
  if (state_ != LinkState::kGreeting) return OnUnreadable();
  if (welcome.version() < kMinimumVersion || welcome.version() > kMaximumVersion) {
    return EndForGood(absl::FailedPreconditionError(
        absl::StrCat("the hub speaks version ", welcome.version(),
                     " of the protocol, this program ", kMinimumVersion, " to ", kMaximumVersion)));
  }
  if (welcome.hub_boot_id() != hub_boot_id_) clock_model_.Reset(clock_.boot_id());
  hub_boot_id_ = welcome.hub_boot_id();
  hub_version_ = welcome.version();
  ++counters_.sessions;
  live_since_ = last_write_ = clock_.Now();
  shown_reported_at_ = live_since_ - kShownIntervalVersion1;
  prober_.Start(live_since_);
  EnterState(LinkState::kLive);
  observer_.OnWelcome(welcome);
}

void LinkMachine::OnRefused(const v1::Refused& refused) {
  if (refused.request_id() != 0) return observer_.OnRefused(refused);
  if (refused.follow_id() != 0) return OnFollowRefused(refused);
  if (!refused.case_id().empty()) return OnJoinRefused(refused);
  OnSessionRefused(refused);
}

void LinkMachine::OnFollowRefused(const v1::Refused& refused) {
  const auto it = follows_.find(refused.follow_id());
  if (it == follows_.end()) return;  // cancelled while it was on its way
  if (IsForNow(refused.reason())) {
    it->second.sent = false;
    it->second.due = clock_.Now() + it->second.retry.Next(random_);
    return observer_.OnRefused(refused);
  }
  follows_.erase(it);
  observer_.OnRefused(refused);
  if (follows_.count(refused.follow_id()) != 0) return;  // asked for anew
  v1::FollowEnded ended;
  ended.set_follow_id(refused.follow_id());
  ended.set_cause(refused.text());
  observer_.OnFollowEnded(ended);
}

void LinkMachine::OnJoinRefused(const v1::Refused& refused) {
  if (OutboxState* outbox = FindOutbox(refused.case_id())) {
    // Who is joined and then told TOO_MANY stays joined: the hub cannot record for a while, and
    // says Joined when it can.
    const bool waits =
        refused.reason() == v1::REFUSAL_REASON_TOO_MANY && outbox->join == JoinState::kJoined;
    const bool again =
        IsForNow(refused.reason()) || refused.reason() == v1::REFUSAL_REASON_THEATRE_CLAIMED;
    if (again && !waits) {
      outbox->join = JoinState::kDue;
      outbox->join_due = clock_.Now() + kJoinRetryInterval;
    } else if (!again) {
      outbox->join = JoinState::kRefused;
      outbox->join_due.reset();
    }
  }
  observer_.OnRefused(refused);
}

void LinkMachine::OnSessionRefused(const v1::Refused& refused) {
  const uint64_t session = session_number_;
  observer_.OnRefused(refused);
  if (!IsCurrentSession(session)) return;
  const absl::Status status = StatusOfRefusal(refused);
  if (status.ok()) {
    Redial();
  } else {
    EndForGood(status);
  }
}

void LinkMachine::OnAcknowledge(const v1::Acknowledge& acknowledge) {
  if (OutboxState* outbox = FindOutbox(acknowledge.case_id())) {
    if (!acknowledge.held().empty()) outbox->retry.Reset();
    outbox->outbox->OnAcknowledged(acknowledge);
  }
  observer_.OnAcknowledged(acknowledge);
}

void LinkMachine::OnRecordRefused(const v1::RecordRefused& refused) {
  if (OutboxState* outbox = FindOutbox(refused.case_id())) {
    outbox->outbox->OnRefused(refused);
    // It is offered again after the next Joined: where the hub does not send one by itself, the
    // link asks for it.
    if (!IsPermanentRefusal(refused.reason()) && outbox->join == JoinState::kJoined &&
        !outbox->join_due) {
      outbox->join_due = clock_.Now() + outbox->retry.Next(random_);
    }
  }
  observer_.OnRecordRefused(refused);
}

void LinkMachine::OnSnapshot(const v1::Snapshot& snapshot) {
  const auto it = follows_.find(snapshot.follow_id());
  if (it == follows_.end()) return;  // cancelled while it was on its way
  it->second.cursor.Reset(snapshot.cursor());
  observer_.OnSnapshot(snapshot);
}

void LinkMachine::OnJoined(const v1::Joined& joined) {
  OutboxState* outbox = FindOutbox(joined.case_id());
  if (outbox == nullptr || outbox->join == JoinState::kRefused) return;
  outbox->join = JoinState::kJoined;
  outbox->join_due.reset();
  outbox->outbox->OnJoined(joined);
  observer_.OnJoined(joined);
}

}  // namespace remora
