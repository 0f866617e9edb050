#include "common/link/link_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace remora {

LinkMachine::LinkMachine(LinkOptions options, Executor& executor, const Clock& clock,
                         Random& random, Dialer& dialer, LinkObserver& observer)
    : options_(std::move(options)),
      executor_(executor),
      clock_(clock),
      random_(random),
      dialer_(dialer),
      observer_(observer),
      clock_model_(clock.boot_id()),
      prober_(clock_model_),
      alive_(std::make_shared<LinkMachine*>(this)) {}

LinkMachine::~LinkMachine() {
  if (session_) session_->CutOff();
}

void LinkMachine::Start() {
  REMORA_CHECK(executor_.IsCurrent(), "the link is used on its sequence");
  if (state_ != LinkState::kStopped) return;
  back_off_.Reset();
  condition_ = v1::LINK_CONDITION_UNSPECIFIED;
  last_sign_ = condition_since_ = clock_.Now();
  Dial();
  Reschedule();
}

void LinkMachine::Stop() {
  REMORA_CHECK(executor_.IsCurrent(), "the link is used on its sequence");
  if (state_ == LinkState::kStopped) return;
  DropSession();
  EnterState(LinkState::kStopped);
}

void LinkMachine::Dial() {
  ++counters_.dials;
  ++session_number_;
  dialled_at_ = clock_.Now();
  hello_sent_ = false;
  session_ = std::make_unique<Session>(this);
  session_->stream = dialer_.Dial(*session_);
  EnterState(LinkState::kDialing);
}

void LinkMachine::OnWritable() {
  if (state_ == LinkState::kDialing) EnterState(LinkState::kGreeting);
  Pump();
  Reschedule();
}

void LinkMachine::OnClosed(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:  // something answers, but it is no hub
      EndForGood(status);
      break;
    default:
      Redial();
  }
  Reschedule();
}

void LinkMachine::DropSession() {
  if (!session_) return;
  session_->CutOff();
  if (session_->stream != nullptr) session_->stream->Close();
  executor_.Post([ended = std::shared_ptr<Session>(std::move(session_))] {});
  history_.clear();
  cancels_.clear();
  leaves_.clear();
  bulk_bytes_ = shown_bytes_ = reported_bytes_ = asked_bytes_ = 0;
  answer_due_ = false;
  question_ = 0;
  for (auto& [id, follow] : follows_) {
    follow.sent = false;
    follow.due = DeviceTime();
    follow.retry.Reset();
  }
  for (OutboxState& outbox : outboxes_) {
    outbox.join = JoinState::kDue;
    outbox.join_due = DeviceTime();
    outbox.retry.Reset();
  }
}

void LinkMachine::Redial(bool slowly) {
  const DeviceTime now = clock_.Now();
  if (state_ == LinkState::kLive && now - live_since_ >= kGoodSession) back_off_.Reset();
  DropSession();
  redial_at_ = now + (slowly ? back_off_.Longest(random_) : back_off_.Next(random_));
  EnterState(LinkState::kWaiting);
}

void LinkMachine::EndForGood(const absl::Status& status) {
  if (!options_.end_when_refused) return Redial(/*slowly=*/true);
  DropSession();
  EnterState(LinkState::kStopped);
  observer_.OnEnded(status);
}

void LinkMachine::EnterState(LinkState state) {
  if (state == state_) return;
  state_ = state;
  observer_.OnState(state);
}

void LinkMachine::UpdateCondition() {
  if (state_ == LinkState::kStopped) return;
  const DeviceTime now = clock_.Now();
  const Duration age = now - last_sign_;
  v1::LinkCondition condition = condition_;
  if (age >= kUnsupervisedAge) {
    condition = v1::LINK_CONDITION_UNSUPERVISED;
  } else if (age >= kLostAge) {
    condition = v1::LINK_CONDITION_LOST;
  } else if (age >= kStaleAge) {
    condition = v1::LINK_CONDITION_STALE;
  } else if (state_ == LinkState::kLive) {
    condition = v1::LINK_CONDITION_LIVE;
  }
  if (condition == condition_) return;
  condition_ = condition;
  const Duration previous = now - std::exchange(condition_since_, now);
  observer_.OnLinkCondition(condition, previous);
}

void LinkMachine::OnTimer() {
  const DeviceTime now = clock_.Now();
  switch (state_) {
    case LinkState::kStopped:
      return;
    case LinkState::kWaiting:
      if (now >= redial_at_) Dial();
      break;
    case LinkState::kDialing:
    case LinkState::kGreeting:
      if (now - dialled_at_ >= kGreetingTimeout) Redial();
      break;
    case LinkState::kLive:
      if (now - last_sign_ >= kHalfOpenAge) Redial();
      break;
  }
  Pump();
  Reschedule();
}

std::optional<DeviceTime> LinkMachine::NextDue() const {
  std::optional<DeviceTime> next;
  const auto add = [&next](DeviceTime due) { next = next ? std::min(*next, due) : due; };
  for (Duration age : {kStaleAge, kLostAge, kUnsupervisedAge}) {
    if (clock_.Now() - last_sign_ < age) add(last_sign_ + age);
  }
  switch (state_) {
    case LinkState::kStopped:
      return std::nullopt;
    case LinkState::kWaiting:
      add(redial_at_);
      break;
    case LinkState::kDialing:
    case LinkState::kGreeting:
      add(dialled_at_ + kGreetingTimeout);
      break;
    case LinkState::kLive:
      add(last_sign_ + kHalfOpenAge);
      // While a write is outstanding its end wakes the link: what is to be written then need not.
      if (!session_->stream->writable()) break;
      add(last_write_ + kHeartbeatInterval);
      add(prober_.next_due());
      if (const auto shown_due = ShownDue()) add(*shown_due);
      for (const OutboxState& outbox : outboxes_) {
        if (outbox.join_due) add(*outbox.join_due);
      }
      for (const auto& [id, follow] : follows_) {
        if (!follow.sent) add(follow.due);
      }
      break;
  }
  return next;
}

void LinkMachine::Reschedule() {
  UpdateCondition();
  const std::optional<DeviceTime> due = NextDue();
  if (!due || (wake_at_ && *wake_at_ <= *due)) return;
  wake_at_ = due;
  executor_.PostAfter(*due - clock_.Now(),
                      [alive = std::weak_ptr<LinkMachine*>(alive_), due = *due] {
                        const std::shared_ptr<LinkMachine*> machine = alive.lock();
                        // An earlier wake-up has taken this one's place.
                        if (machine == nullptr || (*machine)->wake_at_ != due) return;
                        (*machine)->wake_at_.reset();
                        (*machine)->OnTimer();
                      });
}

}  // namespace remora
