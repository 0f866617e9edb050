#include "hub/participants/websocket/web_server.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hub/participants/limits.h"
#include "hub/participants/websocket/web_context.h"

namespace remora::hub {
namespace {

// When the process has no file descriptors left, accepting is tried again after this.
constexpr Duration kAcceptRetry = Duration::Milliseconds(100);

}  // namespace

class WebServer::Impl {
 public:
  Impl(Options options, WebServerParts parts)
      : address_(options.address),
        context_(std::make_shared<WebContext>(parts, options)),
        acceptor_(context_->io),
        timer_(context_->io) {}

  absl::Status Start() {
    error_code error;
    const tcp::endpoint endpoint(net::ip::make_address(address_.host, error), address_.port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", address_.ToString(), " for HTTP: ", error.message()));
    }
    port_ = acceptor_.local_endpoint(error).port();
    context_->on_stream_gone = [this] {
      if (stopping_ && context_->streams == 0) ShutDown();
    };
    Accept();
    thread_ = std::thread([this] { context_->io.run(); });
    return absl::OkStatus();
  }

  uint16_t port() const { return port_; }

  void Drain() {
    net::post(context_->io, [this] { DrainStreams(); });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    net::post(context_->io, [this] {
      stopping_ = true;
      DrainStreams();
      if (context_->streams == 0) {
        ShutDown();
        return;
      }
      timer_.expires_after(ToChrono(kDrainTimeout));
      timer_.async_wait([this](error_code error) {
        if (!error) ShutDown();
      });
    });
    thread_.join();
    context_->on_stream_gone = nullptr;
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == net::error::operation_aborted || !acceptor_.is_open()) return;
      if (error) {
        timer_.expires_after(ToChrono(kAcceptRetry));
        timer_.async_wait([this](error_code aborted) {
          if (!aborted) Accept();
        });
        return;
      }
      if (context_->members.size() < kMaxWebConnections) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        StartConnection(context_, std::move(socket));
      }
      Accept();
    });
  }

  void DrainStreams() {
    if (context_->draining) return;
    context_->draining = true;
    for (WebMember* member : context_->members) member->Drain();
  }

  void ShutDown() {
    if (shut_down_) return;
    shut_down_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    const std::set<WebMember*> members = context_->members;
    for (WebMember* member : members) member->Abort();
  }

  const ListenAddress address_;
  std::shared_ptr<WebContext> context_;
  tcp::acceptor acceptor_;
  net::steady_timer timer_;
  uint16_t port_ = 0;
  std::thread thread_;
  // Of the web server's thread.
  bool stopping_ = false;
  bool shut_down_ = false;
};

WebServer::WebServer(Options options, WebServerParts parts)
    : impl_(std::make_unique<Impl>(std::move(options), parts)) {}
WebServer::~WebServer() { Stop(); }
absl::Status WebServer::Start() { return impl_->Start(); }
uint16_t WebServer::port() const { return impl_->port(); }
void WebServer::Drain() { impl_->Drain(); }
void WebServer::Stop() { impl_->Stop(); }

}  // namespace remora::hub
