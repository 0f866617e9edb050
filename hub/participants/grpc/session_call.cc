#include "hub/participants/grpc/session_call.h"

#include <utility>

#include "absl/strings/match.h"
#include "hub/participants/limits.h"

namespace remora::hub {

absl::StatusOr<absl::string_view> TokenOf(const CallHead& head) {
  if (head.authorizations.size() != 1) {
    return absl::UnauthenticatedError(
        "exactly one metadata entry 'authorization: Bearer TOKEN' is needed");
  }
  absl::string_view value = head.authorizations[0];
  if (!absl::StartsWithIgnoreCase(value, "bearer ")) {
    return absl::UnauthenticatedError("metadata 'authorization' must be 'Bearer TOKEN'");
  }
  value.remove_prefix(7);
  if (value.empty() || value.size() > kMaxBearerBytes) {
    return absl::UnauthenticatedError("the token in metadata 'authorization' is empty or too long");
  }
  return value;
}

SessionCall::SessionCall(SessionCallHost& host, CallOutput& output, Identity identity)
    : host_(host), output_(output), identity_(std::move(identity)) {
  session_ = host_.OpenSession(identity_, this);
}

void SessionCall::OnMessage(absl::string_view message) {
  if (closing_ || session_ == nullptr) return;
  host_.OnMessage(message.size());
  session_->OnMessage(message);
}

void SessionCall::OnInputEnd(const absl::Status& status) {
  EndSession(closing_ ? final_status_ : status);
}

void SessionCall::WantWrite() { ScheduleWrite(); }

void SessionCall::Drain() { CloseAfterWrites(absl::UnavailableError(kGoingDown)); }

void SessionCall::CloseAfterWrites(absl::Status status) {
  if (closing_ || session_ == nullptr) return;
  closing_ = true;
  final_status_ = std::move(status);
  ScheduleWrite();
  output_.CutOffLater();
}

void SessionCall::ScheduleWrite() {
  write_again_ |= writing_;
  if (write_scheduled_ || writing_ || session_ == nullptr) return;
  write_scheduled_ = true;
  output_.WriteLater();
}

void SessionCall::WriteNow() {
  write_scheduled_ = false;
  if (writing_ || session_ == nullptr) return;
  WriteBatch batch = session_->TakeBatch(kMaxBatchBytes);
  if (batch.empty()) {
    if (closing_) EndSession(final_status_);
    return;
  }
  host_.OnBatch(batch.slices.size(), batch.bytes);
  writing_ = true;
  write_again_ = batch.more || closing_;
  output_.Send(std::move(batch));
}

void SessionCall::OnWritten() {
  writing_ = false;
  if (write_again_) ScheduleWrite();
}

void SessionCall::OnGone() { EndSession(absl::CancelledError("the stream broke")); }

void SessionCall::EndSession(const absl::Status& status) {
  if (session_ == nullptr) return;
  session_.reset();
  host_.OnSessionGone(identity_, status);
  // A write that the peer never takes must not hold the call.
  if (writing_ && !closing_) output_.CutOffLater();
  output_.Finish(status);
}

}  // namespace remora::hub
