// One WebSocket: the transport's side of a participant. On the hub's sequence.
//
//   accepted --> open --(CloseAfterWrites)--> closing --all written--> closed
//      '-----------'--(the socket breaks)----------------------------> gone

#include <unistd.h>

#include <boost/beast/websocket.hpp>
#include <utility>
#include <vector>

#include "hub/participants/limits.h"
#include "hub/participants/websocket/web_streams.h"

namespace remora::hub {
namespace {

namespace http = beast::http;
namespace websocket = beast::websocket;

websocket::close_reason ReasonFor(const absl::Status& status) {
  websocket::close_code code = websocket::close_code::internal_error;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      code = websocket::close_code::normal;
      break;
    case absl::StatusCode::kUnavailable:
      code = websocket::close_code::service_restart;
      break;
    case absl::StatusCode::kResourceExhausted:
      code = websocket::close_code::try_again_later;
      break;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnknown:
      break;
    default:
      code = websocket::close_code::policy_error;
  }
  // The text of a close frame holds 123 bytes.
  return websocket::close_reason(code, std::string(status.message().substr(0, 120)));
}

}  // namespace

class StreamConnection final : public Peer,
                               public TurnWriter,
                               public std::enable_shared_from_this<StreamConnection> {
 public:
  StreamConnection(std::shared_ptr<WebStreams> streams, tcp::socket socket, StreamRequest request)
      : streams_(std::move(streams)),
        socket_(std::move(socket)),
        request_(std::move(request.request)),
        identity_(std::move(request.identity)) {
    streams_->members_.insert(this);
  }
  ~StreamConnection() override {
    streams_->members_.erase(this);
    --streams_->size_;
  }

  void Accept();
  void Drain() { CloseAfterWrites(absl::UnavailableError("the hub is going down")); }
  // At once; what is pending on the socket fails.
  void Abort() { Gone(absl::CancelledError("the connection was cut")); }

  void WantWrite() override;
  void CloseAfterWrites(absl::Status status) override;
  void WriteNow() override;

 private:
  void OnAccepted(error_code error);
  void Read();
  void OnRead(error_code error);
  void OnWritten(error_code error);
  void OnControlFrame();
  void Close();
  // Closes the socket and lets go of the session. The object may end with it.
  void Gone(const absl::Status& status);

  const std::shared_ptr<WebStreams> streams_;
  // Without permessage-deflate: records are packed already, and a window a reader is memory.
  websocket::stream<beast::tcp_stream, false> socket_;
  http::request<http::string_body> request_;
  const Identity identity_;
  std::unique_ptr<Session> session_;
  // While the stream is open: between two messages nothing else may hold it.
  std::shared_ptr<StreamConnection> self_;
  beast::flat_buffer incoming_;
  WriteBatch outgoing_;
  std::vector<net::const_buffer> outgoing_buffers_;
  absl::Status final_status_;
  DeviceTime control_frames_since_;
  int control_frames_ = 0;
  bool writing_ = false;
  // Something waits behind the write that is under way.
  bool write_again_ = false;
  bool write_scheduled_ = false;
  bool closing_ = false;
  bool gone_ = false;
};

void StreamConnection::Accept() {
  beast::get_lowest_layer(socket_).expires_never();  // the WebSocket has timeouts of its own
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = ToChrono(kHandshakeTimeout);
  timeout.idle_timeout = ToChrono(kKeepaliveInterval + kKeepaliveTimeout);
  timeout.keep_alive_pings = true;
  socket_.set_option(timeout);
  socket_.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.set(http::field::server, "remora-hub"); }));
  socket_.read_message_max(kMaxMessageBytes);
  socket_.auto_fragment(false);  // one message is one frame, written in one gather write
  socket_.binary(true);
  socket_.control_callback([this](websocket::frame_type, beast::string_view) { OnControlFrame(); });
  socket_.async_accept(request_,
                       [self = shared_from_this()](error_code error) { self->OnAccepted(error); });
}

void StreamConnection::OnAccepted(error_code error) {
  request_ = {};
  if (error || gone_) {
    gone_ = true;
    return;
  }
  self_ = shared_from_this();
  streams_->observer_.OnSessionOpened(Transport::kWebSocket, identity_.role);
  session_ = streams_->host_.Open(identity_, this);
  if (streams_->draining_) Drain();
  Read();
}

void StreamConnection::Read() {
  socket_.async_read(
      incoming_, [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
}

void StreamConnection::OnRead(error_code error) {
  if (gone_) return;
  if (error) {
    if (error == websocket::error::message_too_big) {
      streams_->observer_.OnRefused(Transport::kWebSocket, TransportRefusal::kTooLarge);
    }
    Gone(error == websocket::error::closed ? absl::OkStatus()
                                           : absl::CancelledError(error.message()));
    return;
  }
  if (!socket_.got_binary()) {
    socket_.async_close(websocket::close_code::unknown_data,
                        [self = shared_from_this()](error_code) {
                          self->Gone(absl::InvalidArgumentError("a text message"));
                        });
    return;
  }
  const size_t size = incoming_.size();
  streams_->observer_.OnMessageReceived(Transport::kWebSocket, size);
  if (!closing_) {
    session_->OnMessage(absl::string_view(static_cast<const char*>(incoming_.data().data()), size));
  }
  incoming_.consume(size);
  if (incoming_.capacity() > kMaxBatchBytes) incoming_.shrink_to_fit();
  Read();
}

void StreamConnection::WantWrite() {
  write_again_ |= writing_;
  if (write_scheduled_ || writing_ || session_ == nullptr) return;
  write_scheduled_ = true;
  streams_->loop_.WriteLater(shared_from_this());
}

void StreamConnection::WriteNow() {
  write_scheduled_ = false;
  if (writing_ || session_ == nullptr) return;
  outgoing_ = session_->TakeBatch(kMaxBatchBytes);
  if (outgoing_.empty()) {
    if (closing_) Close();
    return;
  }
  streams_->observer_.OnBatchWritten(Transport::kWebSocket, outgoing_.slices.size(),
                                     outgoing_.bytes);
  writing_ = true;
  write_again_ = outgoing_.more || closing_;
  outgoing_buffers_.clear();
  for (const SharedBytes& slice : outgoing_.slices) {
    outgoing_buffers_.emplace_back(slice.view().data(), slice.size());
  }
  socket_.async_write(outgoing_buffers_, [self = shared_from_this()](error_code error, size_t) {
    self->OnWritten(error);
  });
}

void StreamConnection::OnWritten(error_code error) {
  outgoing_ = WriteBatch();
  writing_ = false;
  if (error) {
    Gone(absl::CancelledError(error.message()));
  } else if (write_again_) {
    WantWrite();
  }
}

void StreamConnection::CloseAfterWrites(absl::Status status) {
  if (closing_ || session_ == nullptr) return;
  closing_ = true;
  final_status_ = std::move(status);
  WantWrite();
  streams_->loop_.PostAfter(kCloseTimeout, [weak = weak_from_this()] {
    if (const std::shared_ptr<StreamConnection> self = weak.lock()) self->Abort();
  });
}

// All is written.
void StreamConnection::Close() {
  session_.reset();
  socket_.async_close(ReasonFor(final_status_),
                      [self = shared_from_this()](error_code) { self->Gone(self->final_status_); });
}

void StreamConnection::OnControlFrame() {
  const DeviceTime now = streams_->clock_.Now();
  if (now - control_frames_since_ > Duration::Seconds(1)) {
    control_frames_since_ = now;
    control_frames_ = 0;
  }
  if (++control_frames_ != kMaxControlFramesPerSecond) return;
  streams_->observer_.OnRefused(Transport::kWebSocket, TransportRefusal::kFlood);
  streams_->loop_.Post([self = shared_from_this()] { self->Abort(); });
}

void StreamConnection::Gone(const absl::Status& status) {
  if (gone_) return;
  gone_ = true;
  const std::shared_ptr<StreamConnection> until_return = std::move(self_);
  beast::get_lowest_layer(socket_).close();
  if (until_return == nullptr) return;  // it never opened
  session_.reset();
  streams_->observer_.OnSessionClosed(Transport::kWebSocket, identity_.role, status);
}

void WebStreams::Take(StreamRequest request) {
  ++size_;
  loop_.Post([self = shared_from_this(), request = std::move(request)]() mutable {
    error_code error;
    tcp::socket socket(self->loop_.io());
    if (!self->draining_) socket.assign(request.protocol, request.socket, error);
    if (error || self->draining_) {
      ::close(request.socket);
      --self->size_;
      return;
    }
    std::make_shared<StreamConnection>(self, std::move(socket), std::move(request))->Accept();
  });
}

void WebStreams::Drain() {
  if (draining_) return;
  draining_ = true;
  const std::set<StreamConnection*> members = members_;
  for (StreamConnection* member : members) member->Drain();
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
  std::vector<std::shared_ptr<StreamConnection>> left;
  for (StreamConnection* member : members_) left.push_back(member->shared_from_this());
  for (const std::shared_ptr<StreamConnection>& member : left) member->Abort();
  then();
}

}  // namespace remora::hub
