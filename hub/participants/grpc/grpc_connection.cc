#include "hub/participants/grpc/grpc_connection.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "hub/participants/limits.h"

namespace remora::hub {

// A call with its way out.
class GrpcConnection::Call final : public CallOutput {
 public:
  Call(GrpcConnection* connection, int32_t stream)
      : connection_(connection), stream_(stream), moved_at_(connection->clock_.Now()) {}

  void set_call(std::unique_ptr<GrpcCall> call) { call_ = std::move(call); }
  GrpcCall* call() { return call_.get(); }
  // A message came, or left.
  void OnMoved() { moved_at_ = connection_->clock_.Now(); }
  void OnWritten() {
    OnMoved();
    unwritten_since_.reset();
    call_->OnWritten();
  }
  // Who needs no token holds no place for nothing.
  void EndIfSilent(DeviceTime now) {
    if (!call_->is_waiting_for_request() || now - moved_at_ < kHandshakeTimeout) return;
    Finish(absl::DeadlineExceededError("nothing was asked in this call"));
  }
  // Nor for an answer that it does not take.
  bool IsStuck(DeviceTime now) const {
    return call_->is_anonymous() && unwritten_since_ && now - *unwritten_since_ >= kCloseTimeout;
  }

  void Send(WriteBatch batch) override {
    unwritten_since_ = connection_->clock_.Now();
    connection_->http2_.SendMessage(stream_, std::move(batch));
    connection_->WriteLater();
  }
  void Finish(const absl::Status& status) override {
    connection_->http2_.Finish(stream_, status);
    connection_->WriteLater();
  }
  void WriteLater() override {
    connection_->to_write_.push_back(stream_);
    connection_->WriteLater();
  }
  void CutOffLater() override {
    connection_->loop_.PostAfter(
        kCloseTimeout, [weak = connection_->weak_from_this(), stream = stream_] {
          if (const std::shared_ptr<GrpcConnection> connection = weak.lock()) {
            connection->CutOff(stream);
          }
        });
  }

 private:
  GrpcConnection* const connection_;
  const int32_t stream_;
  DeviceTime moved_at_;
  std::optional<DeviceTime> unwritten_since_;
  std::unique_ptr<GrpcCall> call_;
};

GrpcConnection::GrpcConnection(SocketLoop& loop, Clock& clock, GrpcConnectionHost& host, int socket)
    : loop_(loop),
      clock_(clock),
      host_(host),
      socket_(loop, socket),
      http2_(*this),
      opened_at_(clock.Now()),
      heard_at_(opened_at_),
      asked_at_(opened_at_),
      sent_at_(opened_at_),
      called_at_(opened_at_) {}

GrpcConnection::~GrpcConnection() = default;

void GrpcConnection::Start() {
  if (!socket_.Watch(this)) return Close();
  WriteLater();
}

void GrpcConnection::OnReadable() {
  const std::optional<absl::string_view> bytes = socket_.Read();
  if (!bytes.has_value()) return Close();
  if (bytes->empty()) return;
  heard_at_ = clock_.Now();
  if (!http2_.Receive(*bytes)) {
    if (!closed_ && !socket_.blocked()) WriteOut();  // what is wrong with it
    return Close();
  }
  WriteLater();
}

void GrpcConnection::OnWritable() {
  socket_.Unblock();
  WriteLater();
}

void GrpcConnection::WriteLater() {
  if (write_scheduled_ || closed_) return;
  write_scheduled_ = true;
  loop_.WriteLater(shared_from_this());
}

void GrpcConnection::WriteNow() {
  write_scheduled_ = false;
  if (closed_) return;
  const std::vector<int32_t> streams = std::exchange(to_write_, {});
  for (const int32_t stream : streams) {
    const auto it = calls_.find(stream);
    if (it != calls_.end()) it->second->call()->WriteNow();
  }
  if (!socket_.blocked()) WriteOut();
  gone_.clear();
}

void GrpcConnection::WriteOut() {
  do {
    http2_.FillOutput();
  } while (!http2_.output().empty() && SendSome());
  if (!closed_ && http2_.IsDone()) Close();
}

bool GrpcConnection::SendSome() {
  const std::optional<size_t> sent = socket_.Send(http2_.output());
  if (!sent.has_value()) {
    Close();
    return false;
  }
  if (*sent == 0) return false;
  sent_at_ = clock_.Now();
  http2_.OnSent(*sent);
  return true;
}

size_t GrpcConnection::OnCall(int32_t stream, const CallHead& head) {
  auto call = std::make_unique<Call>(this, stream);
  absl::StatusOr<std::unique_ptr<GrpcCall>> made = host_.NewCall(head, *call);
  if (!made.ok()) {
    http2_.Finish(stream, made.status());
    return 0;
  }
  const size_t max_message = (*made)->max_message_bytes();
  call->set_call(*std::move(made));
  calls_[stream] = std::move(call);
  Defer();
  return max_message;
}

// Its input may wait where that is so for every call.
void GrpcConnection::Defer() {
  const auto is_deferrable = [](const auto& other) {
    return other.second->call()->is_deferrable();
  };
  socket_.SetDeferred(std::all_of(calls_.begin(), calls_.end(), is_deferrable));
}

void GrpcConnection::OnMessage(int32_t stream, absl::string_view message) {
  const auto it = calls_.find(stream);
  if (it == calls_.end()) return;
  it->second->OnMoved();
  it->second->call()->OnMessage(message);
}

void GrpcConnection::OnBadInput(int32_t stream, absl::Status why) {
  const auto it = calls_.find(stream);
  if (it != calls_.end()) it->second->call()->OnInputEnd(why);
}

void GrpcConnection::OnInputEnd(int32_t stream) {
  const auto it = calls_.find(stream);
  if (it != calls_.end()) it->second->call()->OnInputEnd(absl::OkStatus());
}

void GrpcConnection::OnWritten(int32_t stream) {
  const auto it = calls_.find(stream);
  if (it != calls_.end()) it->second->OnWritten();
}

void GrpcConnection::OnClosed(int32_t stream) {
  const auto it = calls_.find(stream);
  if (it == calls_.end()) return;
  gone_.push_back(std::move(it->second));
  calls_.erase(it);
  gone_.back()->call()->OnGone();
  Defer();
  WriteLater();
}

void GrpcConnection::CutOff(int32_t stream) {
  if (closed_ || !calls_.contains(stream)) return;
  // Others on the same connection go on, unless nothing leaves it.
  if (socket_.blocked() && clock_.Now() - sent_at_ >= kCloseTimeout) return Close();
  OnClosed(stream);
  http2_.Reset(stream);
}

void GrpcConnection::Tick() {
  const DeviceTime now = clock_.Now();
  if (!http2_.greeted() && now - opened_at_ >= kHandshakeTimeout) return Close();
  std::vector<int32_t> stuck;
  for (const auto& [stream, call] : calls_) {
    call->EndIfSilent(now);
    if (call->IsStuck(now)) stuck.push_back(stream);
  }
  // That call alone: whether the connection is dead is the ping's to say.
  for (const int32_t stream : stuck) {
    OnClosed(stream);
    http2_.Reset(stream);
  }
  if (!calls_.empty()) called_at_ = now;
  if (now - called_at_ >= kIdleConnection) return GoAway();
  const Duration silent = now - std::max(heard_at_, asked_at_);
  if (http2_.ping_under_way()) {
    const bool heard = heard_at_ >= asked_at_;
    if (silent >= (heard ? kKeepaliveInterval + kKeepaliveTimeout : kKeepaliveTimeout)) Close();
    return;
  }
  if (silent < kKeepaliveInterval) return;
  asked_at_ = now;
  http2_.Ping();
  WriteLater();
}

void GrpcConnection::Drain() {
  for (const auto& [stream, call] : calls_) call->call()->Drain();
}

void GrpcConnection::GoAway() {
  http2_.GoAway();
  WriteLater();
}

void GrpcConnection::Close() {
  if (closed_) return;
  closed_ = true;
  const std::shared_ptr<GrpcConnection> until_return = shared_from_this();
  socket_.Close();
  auto calls = std::exchange(calls_, {});
  for (const auto& [stream, call] : calls) call->call()->OnGone();
  host_.OnConnectionClosed(this);
  // Whoever is in the middle of one of them returns first.
  for (auto& [stream, call] : calls) gone_.push_back(std::move(call));
  loop_.Post([until_return] { until_return->gone_.clear(); });
}

}  // namespace remora::hub
