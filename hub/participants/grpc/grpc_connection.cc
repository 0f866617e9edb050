#include "hub/participants/grpc/grpc_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

constexpr size_t kPiecesPerWrite = 64;

}  // namespace

// A call with its way out.
class GrpcConnection::Call final : public CallOutput {
 public:
  Call(GrpcConnection* connection, int32_t stream) : connection_(connection), stream_(stream) {}

  void set_call(std::unique_ptr<GrpcCall> call) { call_ = std::move(call); }
  GrpcCall* call() { return call_.get(); }

  void Send(WriteBatch batch) override {
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
  std::unique_ptr<GrpcCall> call_;
};

GrpcConnection::GrpcConnection(SocketLoop& loop, Clock& clock, GrpcConnectionHost& host,
                               Socket socket)
    : loop_(loop),
      clock_(clock),
      host_(host),
      socket_(std::move(socket)),
      http2_(*this),
      opened_at_(clock.Now()),
      heard_at_(opened_at_),
      asked_at_(opened_at_),
      sent_at_(opened_at_),
      called_at_(opened_at_) {}

GrpcConnection::~GrpcConnection() = default;

void GrpcConnection::Start() {
  error_code error;
  socket_.native_non_blocking(true, error);
  if (error) return Close();
  WriteLater();
  WaitReadable();
}

void GrpcConnection::WaitReadable() {
  socket_.async_wait(Socket::wait_read,
                     [self = shared_from_this()](error_code error) { self->OnReadable(error); });
}

void GrpcConnection::OnReadable(error_code error) {
  if (closed_) return;
  if (error) return Close();
  std::string& buffer = host_.read_buffer();
  const ssize_t size = recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return Close();
  if (size > 0) {
    heard_at_ = clock_.Now();
    if (!http2_.Receive(absl::string_view(buffer.data(), static_cast<size_t>(size)))) {
      if (!blocked_) WriteOut();  // what is wrong with it
      return Close();
    }
  }
  WriteLater();
  WaitReadable();
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
  if (!blocked_) WriteOut();
  gone_.clear();
}

void GrpcConnection::WriteOut() {
  do {
    http2_.FillOutput();
  } while (!http2_.output().empty() && SendSome());
  if (!closed_ && http2_.IsDone()) Close();
}

bool GrpcConnection::SendSome() {
  std::array<iovec, kPiecesPerWrite> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = http2_.output().Fill(pieces.data(), pieces.size());
  const ssize_t sent = sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (sent >= 0) {
    sent_at_ = clock_.Now();
    http2_.OnSent(static_cast<size_t>(sent));
    return true;
  }
  if (errno == EINTR) return true;
  if (errno != EAGAIN) {
    Close();
    return false;
  }
  blocked_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code error) {
    if (self->closed_) return;
    if (error) return self->Close();
    self->blocked_ = false;
    self->WriteLater();
  });
  return false;
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
  return max_message;
}

void GrpcConnection::OnMessage(int32_t stream, absl::string_view message) {
  const auto it = calls_.find(stream);
  if (it != calls_.end()) it->second->call()->OnMessage(message);
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
  if (it != calls_.end()) it->second->call()->OnWritten();
}

void GrpcConnection::OnClosed(int32_t stream) {
  const auto it = calls_.find(stream);
  if (it == calls_.end()) return;
  gone_.push_back(std::move(it->second));
  calls_.erase(it);
  gone_.back()->call()->OnGone();
  WriteLater();
}

void GrpcConnection::CutOff(int32_t stream) {
  if (closed_ || !calls_.contains(stream)) return;
  // Others on the same connection go on, unless nothing leaves it.
  if (blocked_ && clock_.Now() - sent_at_ >= kCloseTimeout) return Close();
  OnClosed(stream);
  http2_.Reset(stream);
}

void GrpcConnection::Tick() {
  const DeviceTime now = clock_.Now();
  if (!http2_.greeted() && now - opened_at_ >= kHandshakeTimeout) return Close();
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
  error_code ignored;
  socket_.close(ignored);
  auto calls = std::exchange(calls_, {});
  for (const auto& [stream, call] : calls) call->call()->OnGone();
  host_.OnConnectionClosed(this);
  // Whoever is in the middle of one of them returns first.
  for (auto& [stream, call] : calls) gone_.push_back(std::move(call));
  loop_.Post([until_return] { until_return->gone_.clear(); });
}

}  // namespace remora::hub
