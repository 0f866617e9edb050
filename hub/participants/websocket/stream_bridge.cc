#include "hub/participants/websocket/stream_bridge.h"

#include <utility>

#include "hub/participants/limits.h"

namespace remora::hub {

StreamBridge::StreamBridge(Executor& hub, SessionHost& host, Identity identity,
                           std::unique_ptr<StreamSink> sink)
    : hub_(hub), host_(host), identity_(std::move(identity)), sink_(std::move(sink)) {}

StreamBridge::~StreamBridge() = default;

void StreamBridge::Start() {
  hub_.Post([self = shared_from_this()] {
    self->session_ = self->host_.Open(self->identity_, self.get());
    if (!self->closing_) self->sink_->ReadNext();
  });
}

void StreamBridge::OnMessage(std::string up_untrusted) {
  hub_.Post([self = shared_from_this(), message = std::move(up_untrusted)] {
    if (self->ended_ || self->closing_) return;
    self->session_->OnMessage(message);
    if (!self->closing_) self->sink_->ReadNext();
  });
}

void StreamBridge::OnWritten() {
  hub_.Post([self = shared_from_this()] {
    self->writing_ = false;
    self->Flush();
  });
}

void StreamBridge::OnGone() {
  hub_.Post([self = shared_from_this()] {
    self->ended_ = true;
    self->session_.reset();
    self->sink_.reset();
  });
}

void StreamBridge::Drain(absl::Status status) {
  hub_.Post(
      [self = shared_from_this(), status = std::move(status)] { self->CloseAfterWrites(status); });
}

void StreamBridge::WantWrite() { ScheduleFlush(); }

void StreamBridge::CloseAfterWrites(absl::Status status) {
  if (closing_ || ended_) return;
  closing_ = true;
  final_status_ = std::move(status);
  ScheduleFlush();
  AbortAfterTimeout();
}

void StreamBridge::AbortAfterTimeout() {
  hub_.PostAfter(kCloseTimeout, [weak = weak_from_this()] {
    const std::shared_ptr<StreamBridge> self = weak.lock();
    if (self != nullptr && self->sink_ != nullptr) self->sink_->Abort();
  });
}

void StreamBridge::ScheduleFlush() {
  if (flush_scheduled_ || writing_ || ended_) return;
  flush_scheduled_ = true;
  hub_.Post([self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->Flush();
  });
}

void StreamBridge::Flush() {
  if (writing_ || ended_) return;
  WriteBatch batch = session_->TakeBatch(kMaxBatchBytes);
  if (!batch.empty()) {
    writing_ = true;
    sink_->Write(std::move(batch));
    return;
  }
  if (!closing_) return;
  ended_ = true;
  session_.reset();
  sink_->Close(final_status_);
}

}  // namespace remora::hub
