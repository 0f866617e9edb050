#include "hub/participants/websocket/web_server.h"

#include <atomic>
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
    Accept();
    thread_ = std::thread([this] { context_->io.run(); });
    return absl::OkStatus();
  }

  uint16_t port() const { return port_; }

  void Drain() {
    net::post(context_->io, [context = context_] { context->draining = true; });
    context_->parts.loop->Post([streams = context_->streams] { streams->Drain(); });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    Drain();
    std::atomic<bool> drained{false};
    context_->parts.loop->Post([&] {
      context_->streams->Stop([&] {
        drained = true;
        drained.notify_all();
      });
    });
    drained.wait(false);
    net::post(context_->io, [this] { ShutDown(); });
    thread_.join();
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
      if (context_->members.size() + context_->streams->size() < kMaxWebConnections) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        StartConnection(context_, std::move(socket));
      }
      Accept();
    });
  }

  void ShutDown() {
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
};

WebServer::WebServer(Options options, WebServerParts parts)
    : impl_(std::make_unique<Impl>(std::move(options), parts)) {}
WebServer::~WebServer() { Stop(); }
absl::Status WebServer::Start() { return impl_->Start(); }
uint16_t WebServer::port() const { return impl_->port(); }
void WebServer::Drain() { impl_->Drain(); }
void WebServer::Stop() { impl_->Stop(); }

}  // namespace remora::hub
