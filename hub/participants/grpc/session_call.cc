#include "hub/participants/grpc/session_call.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "hub/participants/grpc/slices.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

::grpc::Status ToGrpc(const absl::Status& status) {
  return ::grpc::Status(static_cast<::grpc::StatusCode>(status.code()),
                        std::string(status.message()));
}

// The token of exactly one "authorization: Bearer TOKEN".
absl::StatusOr<absl::string_view> TokenOf(const ::grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto range = metadata.equal_range("authorization");
  if (range.first == range.second || std::next(range.first) != range.second) {
    return absl::UnauthenticatedError(
        "exactly one metadata entry 'authorization: Bearer TOKEN' is needed");
  }
  absl::string_view value(range.first->second.data(), range.first->second.size());
  if (!absl::StartsWithIgnoreCase(value, "bearer ")) {
    return absl::UnauthenticatedError("metadata 'authorization' must be 'Bearer TOKEN'");
  }
  value.remove_prefix(7);
  if (value.empty() || value.size() > kMaxBearerBytes) {
    return absl::UnauthenticatedError("the token in metadata 'authorization' is empty or too long");
  }
  return value;
}

}  // namespace

void SessionCall::OnRequested(bool ok) {
  if (!ok) {  // the server is shut down; no call ever came
    ended_ = finish_done_ = true;
    host_.OnCallTaken();
    ReleaseWhenIdle();
    return;
  }
  host_.OnCallTaken();
  final_status_ = host_.Admit();
  if (final_status_.ok()) {
    absl::StatusOr<Identity> identity = host_.Authenticate(TokenOf(context_));
    final_status_ = identity.status();
    if (identity.ok()) identity_ = *std::move(identity);
  }
  if (final_status_.ok()) session_ = host_.OpenSession(identity_, this);
  if (session_ == nullptr) {
    ended_ = true;
    FinishWhenIdle();
    return;
  }
  StartRead();
}

void SessionCall::StartRead() {
  reading_ = true;
  stream_.Read(&incoming_, &read_);
}

void SessionCall::OnRead(bool ok) {
  reading_ = false;
  if (ended_) {
    ReleaseWhenIdle();
    return;
  }
  if (!ok) {  // the peer is done, or gone
    EndSession(closing_ ? final_status_ : absl::OkStatus());
    return;
  }
  if (closing_) return;
  {
    ::grpc::Slice storage;
    const absl::string_view message = Contiguous(incoming_, &storage);
    host_.OnMessage(message.size());
    session_->OnMessage(message);
  }
  incoming_.Clear();
  if (!closing_) StartRead();
}

void SessionCall::WantWrite() { ScheduleFlush(); }

void SessionCall::CloseAfterWrites(absl::Status status) {
  if (closing_ || ended_) return;
  closing_ = true;
  final_status_ = std::move(status);
  ScheduleFlush();
  host_.CutOffLater(this);
}

void SessionCall::ScheduleFlush() {
  if (flush_scheduled_ || writing_ || ended_) return;
  flush_scheduled_ = true;
  host_.FlushLater(this);
}

void SessionCall::Flush() {
  flush_scheduled_ = false;
  if (ended_) {
    ReleaseWhenIdle();
    return;
  }
  if (writing_) return;
  WriteBatch batch = session_->TakeBatch(kMaxBatchBytes);
  if (batch.empty()) {
    if (closing_) EndSession(final_status_);
    return;
  }
  host_.OnBatch(batch.slices.size(), batch.bytes);
  writing_ = true;
  stream_.Write(ToByteBuffer(std::move(batch)), &written_);
}

void SessionCall::OnWritten(bool ok) {
  writing_ = false;
  if (ended_) {
    FinishWhenIdle();
    return;
  }
  if (!ok) {
    EndSession(closing_ ? final_status_ : absl::CancelledError("the stream broke"));
    return;
  }
  ScheduleFlush();
}

void SessionCall::EndSession(const absl::Status& status) {
  ended_ = true;
  final_status_ = status;
  session_.reset();
  host_.OnSessionGone(identity_, status);
  // A write that the peer never takes must not hold the call.
  if (writing_ && !closing_) host_.CutOffLater(this);
  FinishWhenIdle();
}

void SessionCall::FinishWhenIdle() {
  if (writing_) return;
  if (!finish_started_) {
    finish_started_ = true;
    stream_.Finish(ToGrpc(final_status_), &finished_);
    return;
  }
  ReleaseWhenIdle();
}

void SessionCall::OnFinished(bool) {
  finish_done_ = true;
  ReleaseWhenIdle();
}

void SessionCall::ReleaseWhenIdle() {
  if (finish_done_ && !reading_ && !writing_ && !flush_scheduled_) host_.Release(this);
}

void SessionCall::CutOff() {
  if (!finish_done_) context_.TryCancel();
}

}  // namespace remora::hub
