// One HTTP connection: reads a request, answers it, and so on; or becomes a WebSocket.

#include <boost/beast/websocket.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/participants/limits.h"
#include "hub/participants/websocket/web_context.h"

namespace remora::hub {
namespace {

namespace http = beast::http;
namespace websocket = beast::websocket;

// A client that takes an asset of 16 MiB more slowly than 2 Mbit/s can ask again.
constexpr Duration kResponseTimeout = Duration::Seconds(60);

HttpRequest ToRequest(const http::request<http::string_body>& in) {
  const auto field = [&in](auto name) {
    const auto value = in[name];
    return std::string(value.data(), value.size());
  };
  HttpRequest out;
  out.method = std::string(in.method_string().data(), in.method_string().size());
  out.target = std::string(in.target().data(), in.target().size());
  out.host = field(http::field::host);
  out.origin = field(http::field::origin);
  out.cookie = field(http::field::cookie);
  out.authorization = field(http::field::authorization);
  out.content_type = field(http::field::content_type);
  out.if_none_match = field(http::field::if_none_match);
  out.forwarded_proto = field("X-Forwarded-Proto");
  out.body = in.body();
  return out;
}

class WebConnection final : public WebMember, public std::enable_shared_from_this<WebConnection> {
 public:
  WebConnection(std::shared_ptr<WebContext> context, tcp::socket socket)
      : context_(std::move(context)), stream_(std::move(socket)) {
    context_->members.insert(this);
  }
  ~WebConnection() override { context_->members.erase(this); }

  void Read(Duration timeout) {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(kMaxHttpBodyBytes);
    stream_.expires_after(ToChrono(timeout));
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

  void Abort() override {
    beast::tcp_stream& open =
        handshake_.has_value() ? beast::get_lowest_layer(handshake_->stream) : stream_;
    open.close();
  }

 private:
  void OnRead(error_code error) {
    if (error) {
      OnReadError(error);
      return;
    }
    http::request<http::string_body> in = parser_->release();
    const HttpRequest request = ToRequest(in);
    if (!IsStreamRequest(in)) {
      Respond(context_->api.Handle(request), request, in.version(), in.keep_alive());
      return;
    }
    if (buffer_.size() > 0) {
      Respond(PlainResponse(400, "Wait for the answer before you speak."), request, in.version(),
              false);
      return;
    }
    absl::StatusOr<Identity> identity = Admit(request);
    if (!identity.ok()) {
      Respond(ResponseFor(identity.status()), request, in.version(), false);
      return;
    }
    ShakeHands(std::move(in), *std::move(identity));
  }

  void ShakeHands(http::request<http::string_body> request, Identity identity) {
    handshake_.emplace(std::move(request), std::move(identity), std::move(stream_));
    auto& stream = handshake_->stream;
    beast::get_lowest_layer(stream).expires_after(ToChrono(kHandshakeTimeout));
    stream.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::server, "remora-hub");
    }));
    stream.async_accept(handshake_->request, [self = shared_from_this()](error_code error) {
      self->OnHandshake(error);
    });
  }

  // The hub's sequence takes the socket over.
  void OnHandshake(error_code error) {
    tcp::socket socket = beast::get_lowest_layer(handshake_->stream).release_socket();
    const tcp::socket::native_handle_type handle = error ? -1 : socket.release(error);
    if (error) return context_->streams->Release();
    context_->streams->Take({handle, std::move(handshake_->identity)});
  }

  void OnReadError(error_code error) {
    if (error == beast::error::timeout && buffer_.size() > 0) {
      context_->parts.observer->OnRefused(Transport::kWebSocket, TransportRefusal::kTimeout);
    }
    int status = 0;
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      status = 431;
    else if (error == http::error::body_limit)
      status = 413;
    else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message) {
      status = 400;
    }
    if (status == 0) {
      stream_.close();
      return;
    }
    HttpRequest nothing;
    Respond(PlainResponse(
                status, status == 400 ? "This is no HTTP request." : "This request is too large."),
            nothing, 11, false);
  }

  static bool IsStreamRequest(const http::request<http::string_body>& in) {
    return in.method() == http::verb::get &&
           http::token_list(in[http::field::connection]).exists("upgrade") &&
           http::token_list(in[http::field::upgrade]).exists("websocket");
  }

  absl::StatusOr<Identity> Admit(const HttpRequest& request) {
    TransportObserver& observer = *context_->parts.observer;
    absl::StatusOr<Identity> identity = context_->api.AdmitStream(request);
    if (absl::IsUnauthenticated(identity.status())) {
      observer.OnRefused(Transport::kWebSocket, TransportRefusal::kUnauthenticated);
    } else if (absl::IsPermissionDenied(identity.status())) {
      observer.OnRefused(Transport::kWebSocket, TransportRefusal::kOrigin);
    }
    if (!identity.ok()) return identity;
    if (context_->draining) {
      observer.OnRefused(Transport::kWebSocket, TransportRefusal::kDraining);
      return absl::UnavailableError("the hub is going down; connect again");
    }
    if (!context_->streams->Reserve()) {
      observer.OnRefused(Transport::kWebSocket, TransportRefusal::kTooManySessions);
      return absl::ResourceExhaustedError("too many sessions on this hub; try again later");
    }
    return identity;
  }

  void Respond(HttpResponse answer, const HttpRequest& request, unsigned version, bool keep_alive) {
    context_->parts.observer->OnHttpResponse(answer.status);
    response_.emplace(static_cast<http::status>(answer.status), version);
    response_->set(http::field::server, "remora-hub");
    for (const auto& [name, value] : SecurityHeaders(request.host)) response_->set(name, value);
    for (const auto& [name, value] : answer.headers) response_->insert(name, value);
    response_->keep_alive(keep_alive);
    if (answer.status != 304 && answer.status != 204) {
      response_->set(http::field::content_type, answer.content_type);
      response_->content_length(answer.body.size());
      if (request.method != "HEAD") response_->body() = std::move(answer.body);
    }
    stream_.expires_after(ToChrono(kResponseTimeout));
    http::async_write(stream_, *response_,
                      [self = shared_from_this(), keep_alive](error_code error, size_t) {
                        if (error || !keep_alive) {
                          self->HangUp();
                        } else {
                          self->Read(kHttpIdleTimeout);
                        }
                      });
  }

  void HangUp() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.close();
  }

  struct Handshake {
    Handshake(http::request<http::string_body> asked, Identity who, beast::tcp_stream socket)
        : request(std::move(asked)), identity(std::move(who)), stream(std::move(socket)) {}
    http::request<http::string_body> request;
    Identity identity;
    websocket::stream<beast::tcp_stream, false> stream;
  };

  std::shared_ptr<WebContext> context_;
  beast::tcp_stream stream_;
  std::optional<Handshake> handshake_;
  beast::flat_buffer buffer_{kMaxHeaderBytes + kMaxHttpBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
};

}  // namespace

void StartConnection(std::shared_ptr<WebContext> context, tcp::socket socket) {
  std::make_shared<WebConnection>(std::move(context), std::move(socket))->Read(kHandshakeTimeout);
}

}  // namespace remora::hub
