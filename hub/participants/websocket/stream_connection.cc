// One WebSocket: the transport's side of a participant. On the hub's sequence.
//
//   open --(CloseAfterWrites)--> closing --all written--> closed by us --the peer closes--> gone
//    |--(the peer closes, or breaks the protocol)-------> closed by us -------'
//    '--(the socket breaks, the peer is silent, a flood)------------------------------------> gone

#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "hub/participants/limits.h"
#include "hub/participants/loop/loop_socket.h"
#include "hub/participants/websocket/frame_session.h"
#include "hub/participants/websocket/web_streams.h"

namespace remora::hub {
namespace {

constexpr Duration kTickOfStreams = Duration::Seconds(1);

FrameSession::CloseCode CodeFor(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return FrameSession::kNormal;
    case absl::StatusCode::kUnavailable:
      return FrameSession::kServiceRestart;
    case absl::StatusCode::kResourceExhausted:
      return FrameSession::kTryAgainLater;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnknown:
      return FrameSession::kInternalError;
    default:
      return FrameSession::kPolicyViolation;
  }
}

}  // namespace

class StreamConnection final : public Peer,
                               public TurnWriter,
                               public SocketEvents,
                               public FrameHandler,
                               public std::enable_shared_from_this<StreamConnection> {
 public:
  StreamConnection(std::shared_ptr<WebStreams> streams, StreamRequest request)
      : streams_(std::move(streams)),
        socket_(streams_->loop_, request.socket),
        identity_(std::move(request.identity)),
        frames_(*this),
        heard_at_(streams_->clock_.Now()) {
    streams_->members_.insert(this);
  }
  ~StreamConnection() override {
    streams_->members_.erase(this);
    --streams_->size_;
  }

  void Open();
  void Tick();
  void Drain() { CloseAfterWrites(absl::UnavailableError("the hub is going down")); }
  // At once.
  void Abort() { Gone(absl::CancelledError("the connection was cut")); }

  // Peer:
  void WantWrite() override;
  void CloseAfterWrites(absl::Status status) override;

 private:
  void WriteNow() override;
  void OnReadable() override;
  void OnWritable() override;
  void OnMessage(absl::string_view message) override;
  bool OnControlFrame() override;

  void WriteLater();
  void WriteOut();
  // The peer's input is over, or the session's output: says so, and waits for the peer's end.
  void EndSession(const absl::Status& status);
  void CutOffLater();
  // Closes the socket and lets go of the session. The object ends when nobody runs in it.
  void Gone(const absl::Status& status);

  const std::shared_ptr<WebStreams> streams_;
  LoopSocket socket_;
  const Identity identity_;
  FrameSession frames_;
  std::unique_ptr<Session> session_;
  // While the stream is open nothing else may hold it.
  std::shared_ptr<StreamConnection> self_;
  absl::Status final_status_;
  DeviceTime heard_at_;
  DeviceTime control_frames_since_;
  int control_frames_ = 0;
  int unread_answers_ = 0;
  bool pinged_ = false;
  // A message is on its way to the socket.
  bool writing_ = false;
  // Something waits behind it.
  bool write_again_ = false;
  bool write_scheduled_ = false;
  bool closing_ = false;
  bool flooded_ = false;
  // The peer has said close after us.
  bool answered_ = false;
  bool gone_ = false;
};

void StreamConnection::Open() {
  self_ = shared_from_this();
  if (!socket_.Watch(this)) return Gone(absl::ResourceExhaustedError("the system is full"));
  socket_.SetDeferred(!identity_.is_publisher());
  streams_->observer_.OnSessionOpened(Transport::kWebSocket, identity_.role);
  session_ = streams_->host_.Open(identity_, this);
  if (streams_->draining_) Drain();
}

void StreamConnection::OnReadable() {
  const std::shared_ptr<StreamConnection> until_return = shared_from_this();
  const std::optional<absl::string_view> bytes = socket_.Read();
  if (!bytes.has_value()) {
    return Gone(session_ == nullptr ? final_status_
                                    : absl::CancelledError("the peer hung up without a close"));
  }
  heard_at_ = streams_->clock_.Now();
  pinged_ = false;
  const bool had_ended = session_ == nullptr;
  frames_.Receive(*bytes);
  if (flooded_) return Abort();
  // The peer's close behind ours, in whatever form.
  answered_ |= had_ended && frames_.is_input_over();
  if (frames_.is_input_over() && session_ != nullptr) {
    if (!frames_.peer_has_closed() && frames_.close_code_sent() == FrameSession::kMessageTooBig) {
      streams_->observer_.OnRefused(Transport::kWebSocket, TransportRefusal::kTooLarge);
    }
    EndSession(frames_.peer_has_closed()
                   ? absl::OkStatus()
                   : absl::InvalidArgumentError("the peer broke WebSocket's rules"));
  }
  if (!frames_.output().empty() || answered_) WriteLater();
}

void StreamConnection::OnMessage(absl::string_view message) {
  streams_->observer_.OnMessageReceived(Transport::kWebSocket, message.size());
  if (!closing_ && session_ != nullptr) session_->OnMessage(message);
}

bool StreamConnection::OnControlFrame() {
  const DeviceTime now = streams_->clock_.Now();
  if (now - control_frames_since_ > Duration::Seconds(1)) {
    control_frames_since_ = now;
    control_frames_ = 0;
  }
  // Answers that the peer does not read wait here.
  if (socket_.blocked()) ++unread_answers_;
  if (++control_frames_ < kMaxControlFramesPerSecond &&
      unread_answers_ < kMaxControlFramesPerSecond) {
    return true;
  }
  streams_->observer_.OnRefused(Transport::kWebSocket, TransportRefusal::kFlood);
  flooded_ = true;
  return false;
}

void StreamConnection::WantWrite() {
  write_again_ |= writing_;
  if (!writing_ && session_ != nullptr) WriteLater();
}

void StreamConnection::WriteLater() {
  if (write_scheduled_ || gone_) return;
  write_scheduled_ = true;
  streams_->loop_.WriteLater(shared_from_this());
}

void StreamConnection::OnWritable() {
  socket_.Unblock();
  unread_answers_ = 0;
  WriteLater();
}

void StreamConnection::WriteNow() {
  write_scheduled_ = false;
  if (gone_) return;
  if (!writing_ && session_ != nullptr) {
    WriteBatch batch = session_->TakeBatch(kMaxBatchBytes);
    if (!batch.empty()) {
      streams_->observer_.OnBatchWritten(Transport::kWebSocket, batch.slices.size(), batch.bytes);
      writing_ = true;
      write_again_ = batch.more || closing_;
      frames_.SendMessage(std::move(batch));
    } else if (closing_) {
      EndSession(final_status_);
    }
  }
  if (!socket_.blocked()) WriteOut();
}

void StreamConnection::WriteOut() {
  while (!frames_.output().empty()) {
    const std::optional<size_t> sent = socket_.Send(frames_.output());
    if (!sent.has_value()) return Gone(absl::CancelledError("the connection broke"));
    if (*sent == 0) return;
    if (frames_.OnSent(*sent)) {
      writing_ = false;
      if (write_again_) WantWrite();
    }
  }
  if (session_ != nullptr) return;
  // Both have said close: what the peer still sends is nobody's.
  if (answered_ || frames_.peer_has_closed()) return Gone(final_status_);
  socket_.EndOutput();
}

void StreamConnection::CloseAfterWrites(absl::Status status) {
  if (closing_ || session_ == nullptr) return;
  closing_ = true;
  final_status_ = std::move(status);
  WantWrite();
  CutOffLater();
}

void StreamConnection::EndSession(const absl::Status& status) {
  if (!closing_) {
    final_status_ = status;
    CutOffLater();
  }
  closing_ = true;
  session_.reset();
  streams_->observer_.OnSessionClosed(Transport::kWebSocket, identity_.role, final_status_);
  frames_.Close(CodeFor(final_status_), final_status_.message());
}

void StreamConnection::CutOffLater() {
  streams_->loop_.PostAfter(kCloseTimeout, [weak = weak_from_this()] {
    if (const std::shared_ptr<StreamConnection> self = weak.lock()) self->Abort();
  });
}

void StreamConnection::Tick() {
  const Duration silent = streams_->clock_.Now() - heard_at_;
  if (silent >= kKeepaliveInterval + kKeepaliveTimeout) return Abort();
  if (silent < kKeepaliveInterval || pinged_ || session_ == nullptr) return;
  pinged_ = true;
  frames_.Ping();
  WriteLater();
}

void StreamConnection::Gone(const absl::Status& status) {
  if (gone_) return;
  gone_ = true;
  socket_.Close();
  if (session_ != nullptr) {
    session_.reset();
    streams_->observer_.OnSessionClosed(Transport::kWebSocket, identity_.role, status);
  }
  // Whoever is in the middle of it returns first.
  streams_->loop_.Post([until_return = std::move(self_)] {});
}

bool WebStreams::Reserve() {
  if (size_ >= kMaxSessionsOfTransport) return false;
  ++size_;
  return true;
}

void WebStreams::Take(StreamRequest request) {
  loop_.Post([self = shared_from_this(), request = std::move(request)]() mutable {
    if (self->draining_) {
      close(request.socket);
      --self->size_;
      return;
    }
    std::make_shared<StreamConnection>(self, std::move(request))->Open();
    if (!self->ticking_) self->TickLater();
  });
}

std::vector<std::shared_ptr<StreamConnection>> WebStreams::Members() const {
  std::vector<std::shared_ptr<StreamConnection>> members;
  for (StreamConnection* member : members_) members.push_back(member->shared_from_this());
  return members;
}

void WebStreams::TickLater() {
  ticking_ = true;
  loop_.PostAfter(kTickOfStreams, [weak = weak_from_this()] {
    const std::shared_ptr<WebStreams> self = weak.lock();
    if (self == nullptr) return;
    self->ticking_ = false;
    if (self->members_.empty()) return;
    for (const auto& member : self->Members()) member->Tick();
    self->TickLater();
  });
}

void WebStreams::Drain() {
  if (draining_) return;
  draining_ = true;
  for (const auto& member : Members()) member->Drain();
}

void WebStreams::Stop(std::function<void()> then) {
  Drain();
  StopWhenDrained(clock_.Now() + kDrainTimeout, std::move(then));
}

void WebStreams::StopWhenDrained(DeviceTime deadline, std::function<void()> then) {
  if (size_ > 0 && clock_.Now() < deadline) {
    loop_.PostAfter(kDrainPoll,
                    [self = shared_from_this(), deadline, then = std::move(then)]() mutable {
                      self->StopWhenDrained(deadline, std::move(then));
                    });
    return;
  }
  for (const auto& member : Members()) member->Abort();
  then();
}

}  // namespace remora::hub
