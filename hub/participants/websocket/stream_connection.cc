// One WebSocket: the socket's side of a StreamBridge. On the web server's thread.

#include <boost/beast/websocket.hpp>
#include <utility>
#include <vector>

#include "hub/participants/limits.h"
#include "hub/participants/websocket/stream_bridge.h"
#include "hub/participants/websocket/web_context.h"

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

class StreamConnection final : public WebMember,
                               public std::enable_shared_from_this<StreamConnection> {
 public:
  StreamConnection(std::shared_ptr<WebContext> context, beast::tcp_stream socket,
                   http::request<http::string_body> request)
      : context_(std::move(context)), socket_(std::move(socket)), request_(std::move(request)) {
    context_->members.insert(this);
    ++context_->streams;
  }
  ~StreamConnection() override {
    context_->members.erase(this);
    --context_->streams;
    if (context_->on_stream_gone) context_->on_stream_gone();
  }

  void Accept(Identity identity);
  // What the sink asks for.
  void Read();
  void Write(WriteBatch batch);
  void Close(const absl::Status& status);

  void Drain() override {
    if (bridge_ != nullptr) bridge_->Drain(absl::UnavailableError("the hub is going down"));
  }
  void Abort() override { Gone(absl::CancelledError("the connection was cut")); }

 private:
  void OnAccepted(error_code error, Identity identity);
  void OnRead(error_code error);
  void OnControlFrame();
  // Closes the socket and lets go of the session. The object may end with it.
  void Gone(const absl::Status& status);

  std::shared_ptr<WebContext> context_;
  // Without permessage-deflate: records are packed already, and a window a reader is memory.
  websocket::stream<beast::tcp_stream, false> socket_;
  http::request<http::string_body> request_;
  std::shared_ptr<StreamBridge> bridge_;
  // While the stream is open: between two messages nothing else may hold it.
  std::shared_ptr<StreamConnection> self_;
  v1::Role role_ = v1::ROLE_UNSPECIFIED;
  beast::flat_buffer incoming_;
  WriteBatch outgoing_;
  std::vector<net::const_buffer> outgoing_buffers_;
  DeviceTime control_frames_since_;
  int control_frames_ = 0;
  bool gone_ = false;
};

// Posts to the connection, wherever that is by then.
class ConnectionSink final : public StreamSink {
 public:
  ConnectionSink(std::shared_ptr<WebContext> context, std::weak_ptr<StreamConnection> connection)
      : context_(std::move(context)), connection_(std::move(connection)) {}

  void Write(WriteBatch batch) override {
    Post([batch = std::move(batch)](StreamConnection& c) mutable { c.Write(std::move(batch)); });
  }
  void ReadNext() override {
    Post([](StreamConnection& c) { c.Read(); });
  }
  void Close(absl::Status status) override {
    Post([status = std::move(status)](StreamConnection& c) { c.Close(status); });
  }
  void Abort() override {
    Post([](StreamConnection& c) { c.Abort(); });
  }

 private:
  template <typename Action>
  void Post(Action action) {
    net::post(context_->io, [weak = connection_, action = std::move(action)]() mutable {
      const std::shared_ptr<StreamConnection> connection = weak.lock();
      if (connection != nullptr) action(*connection);
    });
  }

  std::shared_ptr<WebContext> context_;
  std::weak_ptr<StreamConnection> connection_;
};

void StreamConnection::Accept(Identity identity) {
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
  socket_.async_accept(
      request_, [self = shared_from_this(), identity = std::move(identity)](
                    error_code error) mutable { self->OnAccepted(error, std::move(identity)); });
}

void StreamConnection::OnAccepted(error_code error, Identity identity) {
  request_ = {};
  if (error || gone_) {
    gone_ = true;
    return;
  }
  self_ = shared_from_this();
  role_ = identity.role;
  context_->parts.observer->OnSessionOpened(Transport::kWebSocket, role_);
  bridge_ = std::make_shared<StreamBridge>(
      *context_->parts.hub_sequence, *context_->parts.host, std::move(identity),
      std::make_unique<ConnectionSink>(context_, weak_from_this()));
  bridge_->Start();
  if (context_->draining) Drain();
}

void StreamConnection::Read() {
  if (gone_) return;
  socket_.async_read(
      incoming_, [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
}

void StreamConnection::OnRead(error_code error) {
  if (gone_) return;
  if (error) {
    if (error == websocket::error::message_too_big) {
      context_->parts.observer->OnRefused(Transport::kWebSocket, TransportRefusal::kTooLarge);
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
  context_->parts.observer->OnMessageReceived(Transport::kWebSocket, size);
  bridge_->OnMessage(std::string(static_cast<const char*>(incoming_.data().data()), size));
  incoming_.consume(size);
  if (incoming_.capacity() > kMaxBatchBytes) incoming_.shrink_to_fit();
}

void StreamConnection::Write(WriteBatch batch) {
  if (gone_) return;
  context_->parts.observer->OnBatchWritten(Transport::kWebSocket, batch.slices.size(), batch.bytes);
  outgoing_ = std::move(batch);
  outgoing_buffers_.clear();
  for (const SharedBytes& slice : outgoing_.slices) {
    outgoing_buffers_.emplace_back(slice.view().data(), slice.size());
  }
  socket_.async_write(outgoing_buffers_, [self = shared_from_this()](error_code error, size_t) {
    self->outgoing_ = WriteBatch();
    if (error) {
      self->Gone(absl::CancelledError(error.message()));
    } else if (!self->gone_) {
      self->bridge_->OnWritten();
    }
  });
}

void StreamConnection::Close(const absl::Status& status) {
  if (gone_) return;
  socket_.async_close(ReasonFor(status),
                      [self = shared_from_this(), status](error_code) { self->Gone(status); });
}

void StreamConnection::OnControlFrame() {
  const DeviceTime now = context_->parts.clock->Now();
  if (now - control_frames_since_ > Duration::Seconds(1)) {
    control_frames_since_ = now;
    control_frames_ = 0;
  }
  if (++control_frames_ != kMaxControlFramesPerSecond) return;
  context_->parts.observer->OnRefused(Transport::kWebSocket, TransportRefusal::kFlood);
  net::post(context_->io, [self = shared_from_this()] { self->Abort(); });
}

void StreamConnection::Gone(const absl::Status& status) {
  if (gone_) return;
  gone_ = true;
  const std::shared_ptr<StreamConnection> until_return = std::move(self_);
  beast::get_lowest_layer(socket_).close();
  if (bridge_ == nullptr) return;
  context_->parts.observer->OnSessionClosed(Transport::kWebSocket, role_, status);
  bridge_->OnGone();
}

}  // namespace

void StartStream(std::shared_ptr<WebContext> context, beast::tcp_stream socket,
                 http::request<http::string_body> request, Identity identity) {
  std::make_shared<StreamConnection>(std::move(context), std::move(socket), std::move(request))
      ->Accept(std::move(identity));
}

}  // namespace remora::hub
