// What goes to the hub, one write at a time: what was asked for, then what was shown, the clock's
// probe, records, and a heartbeat when there is nothing else.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/link/link_machine.h"

namespace remora {
namespace {

// Up.backlog, behind records.
constexpr absl::string_view kBacklog("\x58\x01", 2);

}  // namespace

absl::Status LinkMachine::AddFollow(const v1::Follow& follow) {
  REMORA_CHECK(executor_.IsCurrent(), "the link is used on its sequence");
  const bool of_case = follow.target_case() == v1::Follow::kCaseId;
  if (follow.follow_id() == 0 || follows_.count(follow.follow_id()) != 0) {
    return absl::InvalidArgumentError("follow_id must be a new one, and not 0");
  }
  if (of_case ? follow.case_id().size() != CaseId::kBytes : !follow.directory()) {
    return absl::InvalidArgumentError("a follow needs a case_id of 16 bytes, or the directory");
  }
  if (follows_.size() >= kMaxFollows) return absl::ResourceExhaustedError("too many follows");
  for (const auto& [id, other] : follows_) {
    const bool same = of_case ? other.follow.case_id() == follow.case_id()
                              : other.follow.target_case() == v1::Follow::kDirectory;
    if (same) return absl::AlreadyExistsError(absl::StrCat("follow ", id, " is of the same"));
  }
  FollowState state{follow, FollowCursor(follow)};
  state.follow.clear_cursor();
  follows_.emplace(follow.follow_id(), std::move(state));
  Pump();
  Reschedule();
  return absl::OkStatus();
}

void LinkMachine::CancelFollow(uint32_t follow_id) {
  const auto it = follows_.find(follow_id);
  if (it == follows_.end()) return;
  if (it->second.sent) cancels_.push_back(follow_id);
  follows_.erase(it);
  Pump();
  Reschedule();
}

v1::Cursor LinkMachine::CursorOf(uint32_t follow_id) const {
  const auto it = follows_.find(follow_id);
  return it == follows_.end() ? v1::Cursor() : it->second.cursor.ToProto();
}

LinkMachine::OutboxState* LinkMachine::FindOutbox(absl::string_view case_id) {
  for (OutboxState& outbox : outboxes_) {
    if (outbox.case_id.bytes() == case_id) return &outbox;
  }
  return nullptr;
}

absl::Status LinkMachine::AddOutbox(const CaseId& case_id, const std::string& theatre,
                                    Outbox* outbox) {
  REMORA_CHECK(executor_.IsCurrent(), "the link is used on its sequence");
  if (FindOutbox(case_id.bytes()) != nullptr) {
    return absl::AlreadyExistsError("this case has an outbox");
  }
  if (outboxes_.size() >= kMaxOutboxes) return absl::ResourceExhaustedError("too many outboxes");
  outboxes_.push_back({case_id, theatre, outbox});
  Pump();
  Reschedule();
  return absl::OkStatus();
}

void LinkMachine::RemoveOutbox(const CaseId& case_id) {
  const OutboxState* outbox = FindOutbox(case_id.bytes());
  if (outbox == nullptr) return;
  if (outbox->join == JoinState::kSent || outbox->join == JoinState::kJoined) {
    leaves_.push_back(case_id);
  }
  outboxes_.erase(outboxes_.begin() + (outbox - outboxes_.data()));
  Pump();
  Reschedule();
}

void LinkMachine::NotifyPending() {
  Pump();
  Reschedule();
}

void LinkMachine::MarkShown(uint64_t session, uint64_t bulk_bytes) {
  if (!IsCurrentSession(session)) return;  // an ended session's window is of no matter
  shown_bytes_ += bulk_bytes;
  Pump();
  Reschedule();
}

absl::Status LinkMachine::RequestHistory(const v1::HistoryRequest& request) {
  if (request.request_id() == 0) {
    return absl::InvalidArgumentError("request_id must not be 0: the answers carry it");
  }
  if (state_ != LinkState::kLive) return absl::UnavailableError("no session with the hub");
  if (history_.size() >= kMaxWaitingRequests) {
    return absl::ResourceExhaustedError("too many requests wait to be sent");
  }
  history_.push_back(request);
  Pump();
  Reschedule();
  return absl::OkStatus();
}

std::optional<DeviceTime> LinkMachine::ShownDue() const {
  if (answer_due_) return shown_reported_at_;
  if (shown_bytes_ == reported_bytes_) return std::nullopt;
  if (hub_version_ < kFirstVersionThatAsks) return shown_reported_at_ + kShownIntervalVersion1;
  const bool soon = reported_bytes_ < asked_bytes_ || shown_bytes_ - reported_bytes_ >= kShownBytes;
  return shown_reported_at_ + (soon ? kShownInterval : kLatestShown);
}

void LinkMachine::Pump() {
  // An outbox or a transport may call back while it is asked.
  if (pumping_) return;
  pumping_ = true;
  while (session_ && session_->stream != nullptr && session_->stream->writable()) {
    const DeviceTime now = clock_.Now();
    std::string up = NextUp(now);
    if (up.empty()) break;
    last_write_ = now;
    session_->stream->Write(std::move(up));
  }
  pumping_ = false;
}

std::string LinkMachine::NextUp(DeviceTime now) {
  v1::Up up;
  if (state_ == LinkState::kGreeting && !hello_sent_) {
    hello_sent_ = true;
    v1::Hello* hello = up.mutable_hello();
    hello->set_minimum_version(kMinimumVersion);
    hello->set_maximum_version(kMaximumVersion);
    hello->set_origin(options_.origin.ToString());
    hello->set_software(options_.software);
    for (const std::string& feature : options_.features) hello->add_features(feature);
    return up.SerializeAsString();
  }
  if (state_ != LinkState::kLive) return "";
  if (NextControl(now, &up)) return up.SerializeAsString();
  std::string records = NextRecords();
  if (!records.empty()) return records;
  if (now - last_write_ < kHeartbeatInterval) return "";
  up.mutable_heartbeat();
  return up.SerializeAsString();
}

bool LinkMachine::NextControl(DeviceTime now, v1::Up* up) {
  if (!cancels_.empty()) {
    up->mutable_cancel_follow()->set_follow_id(cancels_.back());
    cancels_.pop_back();
    return true;
  }
  if (!leaves_.empty()) {
    up->mutable_leave()->set_case_id(leaves_.back().ToString());
    leaves_.pop_back();
    return true;
  }
  for (OutboxState& outbox : outboxes_) {
    if (!outbox.join_due || now < *outbox.join_due) continue;
    outbox.join_due.reset();
    if (outbox.join == JoinState::kDue) outbox.join = JoinState::kSent;
    up->mutable_join()->set_case_id(outbox.case_id.ToString());
    up->mutable_join()->set_theatre(outbox.theatre);
    return true;
  }
  for (auto& [id, state] : follows_) {
    if (state.sent || now < state.due) continue;
    state.sent = true;
    *up->mutable_follow() = state.follow;
    if (state.cursor.has_place() && state.follow.has_case_id()) {
      *up->mutable_follow()->mutable_cursor() = state.cursor.ToProto();
    }
    return true;
  }
  if (!history_.empty()) {
    *up->mutable_history_request() = std::move(history_.front());
    history_.pop_front();
    return true;
  }
  if (IsShownDue(now)) {
    shown_reported_at_ = now;
    answer_due_ = false;
    reported_bytes_ = shown_bytes_;
    up->mutable_shown()->set_bulk_bytes_total(shown_bytes_);
    up->mutable_shown()->set_answered_question_id(question_);
    return true;
  }
  if (now >= prober_.next_due()) {
    *up->mutable_clock_probe() = prober_.Make(now);
    return true;
  }
  return false;
}

std::string LinkMachine::NextRecords() {
  std::string frames;
  bool backlog = false;
  // In turn, so that no case keeps another waiting for longer than one batch.
  for (size_t i = 0; i < outboxes_.size() && frames.empty(); ++i) {
    OutboxState& outbox = outboxes_[next_outbox_++ % outboxes_.size()];
    if (outbox.join == JoinState::kJoined && outbox.outbox->HasPending()) {
      backlog = outbox.outbox->NextBatch(kMaxUplinkBatchBytes, &frames);
    }
  }
  if (!frames.empty()) ++counters_.record_batches_sent;
  if (backlog && !frames.empty() && hub_version_ >= kFirstVersionWithBacklog) {
    frames.append(kBacklog.data(), kBacklog.size());
  }
  return frames;
}

}  // namespace remora
