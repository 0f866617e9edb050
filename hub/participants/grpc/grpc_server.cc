#include "hub/participants/grpc/grpc_server.h"

#include <unistd.h>

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/check.h"
#include "hub/participants/grpc/grpc_connection.h"
#include "hub/participants/grpc/health.h"
#include "hub/participants/grpc/reflection.h"
#include "hub/participants/grpc/session_call.h"
#include "hub/participants/limits.h"
#include "hub/participants/loop/listener.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {
namespace {

constexpr char kSessionService[] = "remora.v1.SessionService";
constexpr char kHealthService[] = "grpc.health.v1.Health";
constexpr char kSessionMethod[] = "/remora.v1.SessionService/Session";
constexpr char kHealthMethods[] = "/grpc.health.v1.Health/";
constexpr char kReflectionMethod[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

constexpr Duration kTickOfConnections = Duration::Seconds(1);

}  // namespace

class GrpcServer::Impl final : public GrpcConnectionHost, public SessionCallHost {
 public:
  Impl(ListenAddress address, SocketLoop& loop, Clock& clock, TransportObserver& observer)
      : address_(std::move(address)),
        loop_(loop),
        clock_(clock),
        observer_(observer),
        listener_(loop, [this](int socket) { Take(socket); }) {}
  ~Impl() override { REMORA_CHECK(connections_.empty(), "stop the server before its loop"); }

  absl::Status Start(Authenticator& authenticator, SessionHost& host) {
    authenticator_ = &authenticator;
    host_ = &host;
    v1::Up::descriptor();  // links the contract's descriptors, which reflection shows
    if (absl::Status listens = listener_.Listen(address_); !listens.ok()) return listens;
    loop_.PostAfter(kTickOfConnections, [this] { Tick(); });
    return absl::OkStatus();
  }

  void Drain() {
    loop_.Post([this] {
      if (draining_) return;
      draining_ = true;
      health_.SetServing(false);
      for (const auto& connection : Connections()) connection->Drain();
    });
  }

  void Stop(std::function<void()> then) {
    Drain();
    loop_.Post([this, then = std::move(then)]() mutable {
      stop_deadline_ = clock_.Now() + kDrainTimeout;
      for (const auto& connection : Connections()) connection->GoAway();
      StopWhenDrained(std::move(then));
    });
  }

  int port() const { return listener_.port(); }

  // GrpcConnectionHost:
  absl::StatusOr<std::unique_ptr<GrpcCall>> NewCall(const CallHead& head,
                                                    CallOutput& output) override {
    if (head.path == kSessionMethod) return NewSession(head, output);
    if (head.path == kReflectionMethod) {
      if (reflections_ >= kMaxReflectionCalls) {
        return absl::ResourceExhaustedError("too many ask what this hub speaks; try again later");
      }
      return NewReflectionCall({kSessionService, kHealthService}, &reflections_, output);
    }
    absl::string_view method = head.path;
    std::unique_ptr<GrpcCall> call;
    if (absl::ConsumePrefix(&method, kHealthMethods)) call = health_.NewCall(method, output);
    if (call == nullptr) return absl::UnimplementedError("this hub has no such method");
    return call;
  }
  void OnConnectionClosed(GrpcConnection* connection) override {
    connections_.erase(connection->shared_from_this());
  }

  // SessionCallHost:
  std::unique_ptr<Session> OpenSession(const Identity& identity, Peer* peer) override {
    ++session_count_;
    observer_.OnSessionOpened(Transport::kGrpc, identity.role);
    return host_->Open(identity, peer);
  }
  void OnSessionGone(const Identity& identity, const absl::Status& status) override {
    --session_count_;
    observer_.OnSessionClosed(Transport::kGrpc, identity.role, status);
  }
  void OnMessage(size_t bytes) override { observer_.OnMessageReceived(Transport::kGrpc, bytes); }
  void OnBatch(size_t slices, size_t bytes) override {
    observer_.OnBatchWritten(Transport::kGrpc, slices, bytes);
  }

 private:
  void Take(int socket) {
    if (connections_.size() >= kMaxGrpcConnections) {
      observer_.OnRefused(Transport::kGrpc, TransportRefusal::kTooManySessions);
      close(socket);
      return;
    }
    const auto connection = std::make_shared<GrpcConnection>(loop_, clock_, *this, socket);
    connections_.insert(connection);
    connection->Start();
  }

  absl::StatusOr<std::unique_ptr<GrpcCall>> NewSession(const CallHead& head, CallOutput& output) {
    if (draining_) {
      observer_.OnRefused(Transport::kGrpc, TransportRefusal::kDraining);
      return absl::UnavailableError(kGoingDown);
    }
    if (session_count_ >= kMaxSessionsOfTransport) {
      observer_.OnRefused(Transport::kGrpc, TransportRefusal::kTooManySessions);
      return absl::ResourceExhaustedError("too many sessions on this hub; try again later");
    }
    const absl::StatusOr<absl::string_view> token = TokenOf(head);
    absl::StatusOr<Identity> identity =
        token.ok() ? authenticator_->Authenticate(*token) : token.status();
    if (!identity.ok()) {
      observer_.OnRefused(Transport::kGrpc, TransportRefusal::kUnauthenticated);
      return absl::UnauthenticatedError(identity.status().message());
    }
    return std::make_unique<SessionCall>(*this, output, *std::move(identity));
  }

  // A copy: a connection may close while it is told something.
  std::vector<std::shared_ptr<GrpcConnection>> Connections() const {
    return {connections_.begin(), connections_.end()};
  }

  void Tick() {
    if (!listener_.is_open()) return;
    for (const auto& connection : Connections()) connection->Tick();
    loop_.PostAfter(kTickOfConnections, [this] { Tick(); });
  }

  void StopWhenDrained(std::function<void()> then) {
    bool writing = false;
    for (const auto& connection : connections_) writing |= connection->has_output();
    if ((session_count_ > 0 || writing) && clock_.Now() < stop_deadline_) {
      loop_.PostAfter(kDrainPoll, [this, then = std::move(then)]() mutable {
        StopWhenDrained(std::move(then));
      });
      return;
    }
    CloseAll();
    then();
  }

  void CloseAll() {
    listener_.Close();
    for (const auto& connection : Connections()) connection->Close();
  }

  const ListenAddress address_;
  SocketLoop& loop_;
  Clock& clock_;
  TransportObserver& observer_;
  Authenticator* authenticator_ = nullptr;
  SessionHost* host_ = nullptr;
  Listener listener_;
  Health health_{kSessionService};
  std::set<std::shared_ptr<GrpcConnection>> connections_;
  size_t session_count_ = 0;
  int reflections_ = 0;
  bool draining_ = false;
  DeviceTime stop_deadline_;
};

GrpcServer::GrpcServer(ListenAddress address, SocketLoop& loop, Clock& clock,
                       TransportObserver& observer)
    : impl_(std::make_unique<Impl>(std::move(address), loop, clock, observer)) {}
GrpcServer::~GrpcServer() = default;
absl::Status GrpcServer::Start(Authenticator& authenticator, SessionHost& host) {
  return impl_->Start(authenticator, host);
}
int GrpcServer::port() const { return impl_->port(); }
void GrpcServer::Drain() { impl_->Drain(); }
void GrpcServer::Stop(std::function<void()> then) { impl_->Stop(std::move(then)); }

}  // namespace remora::hub
