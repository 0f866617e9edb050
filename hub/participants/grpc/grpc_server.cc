#include "hub/participants/grpc/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "hub/participants/grpc/completion_loop.h"
#include "hub/participants/grpc/health_service.h"
#include "hub/participants/grpc/session_call.h"
#include "hub/participants/limits.h"
#include "remora/v1/room.grpc.pb.h"

namespace remora::hub {
namespace {

constexpr char kGoingDown[] = "the hub is going down; connect again";

void ConfigureConnections(::grpc::ServerBuilder& builder) {
  const auto milliseconds = [](Duration d) { return static_cast<int>(d.milliseconds()); };
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  builder.SetMaxSendMessageSize(-1);  // the core bounds what it sends
  // Otherwise two hubs would share a port, each with half of the participants.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(kMaxHeaderBytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsOfConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(kHandshakeTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(kKeepaliveInterval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(kKeepaliveTimeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A participant may ping as often as the hub does; without this gRPC answers "too_many_pings".
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             milliseconds(kKeepaliveInterval) / 2);
  // A batch of a publisher arrives in one piece.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, static_cast<int>(kMaxBatchBytes));
}

}  // namespace

void PrepareGrpcProcess() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

class GrpcServer::Impl final : public GrpcCallHost {
 public:
  Impl(Options options, Clock& clock, TransportObserver& observer)
      : options_(std::move(options)), clock_(clock), observer_(observer), loop_(clock) {}

  ~Impl() override {
    if (shutdown_thread_.joinable()) shutdown_thread_.join();
    if (server_ != nullptr && !ran_) {  // started, never run
      server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
      queue_->Shutdown();
      void* tag = nullptr;
      bool ok = false;
      while (queue_->Next(&tag, &ok)) {
      }
    }
  }

  absl::Status Start(Authenticator& authenticator, SessionHost& host) {
    authenticator_ = &authenticator;
    host_ = &host;
    // It would bring threads of its own that poll our sockets: health_service.h.
    ::grpc::EnableDefaultHealthCheckService(false);
    ::grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    v1::Up::descriptor();  // links the contract's descriptors, which reflection shows
    ::grpc::ServerBuilder builder;
    ConfigureConnections(builder);
    builder.AddListeningPort(options_.address, ::grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    builder.RegisterService(&health_);
    queue_ = builder.AddCompletionQueue();
    errno = 0;
    server_ = builder.BuildAndStart();
    const bool is_unix = absl::StartsWith(options_.address, "unix:");
    if (server_ == nullptr || (port_ == 0 && !is_unix)) {
      server_.reset();
      queue_->Shutdown();
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.address,
                       " for gRPC: the address is in use, or is none of this machine"));
    }
    if (is_unix) port_ = 0;
    return absl::OkStatus();
  }

  void Run() {
    ran_ = true;
    loop_.Post([this] {  // after what the core prepared
      WaitForCall();
      health_.Start(queue_.get());
    });
    loop_.Run(queue_.get(), [this](int events, DeviceTime started) {
      host_->EndOfDrain();
      FlushCalls();
      if (events > 0) observer_.OnDrain(events, clock_.Now() - started);
    });
    DestroyReleased();
  }

  void Drain() {
    loop_.Post([this] {
      if (draining_) return;
      draining_ = true;
      health_.SetServing(false);
      std::vector<SessionCall*> open;
      for (auto& [call, id] : call_ids_) {
        if (call->is_open()) open.push_back(call);
      }
      for (SessionCall* call : open) call->CloseAfterWrites(absl::UnavailableError(kGoingDown));
    });
  }

  void Stop() {
    Drain();
    loop_.Post([this] {
      if (stopping_) return;
      stopping_ = true;
      stop_deadline_ = clock_.Now() + kDrainTimeout;
      ShutDownWhenDrained();
    });
  }

  CompletionLoop& loop() { return loop_; }
  int port() const { return port_; }

  // GrpcCallHost:
  void OnCallTaken() override {
    waiting_ = nullptr;
    if (!shut_down_) WaitForCall();
  }
  absl::Status Admit() override {
    if (draining_) {
      observer_.OnRefused(Transport::kGrpc, TransportRefusal::kDraining);
      return absl::UnavailableError(kGoingDown);
    }
    if (session_count_ >= kMaxSessionsOfTransport) {
      observer_.OnRefused(Transport::kGrpc, TransportRefusal::kTooManySessions);
      return absl::ResourceExhaustedError("too many sessions on this hub; try again later");
    }
    return absl::OkStatus();
  }
  absl::StatusOr<Identity> Authenticate(
      absl::StatusOr<absl::string_view> token_untrusted) override {
    absl::StatusOr<Identity> identity = token_untrusted.ok()
                                            ? authenticator_->Authenticate(*token_untrusted)
                                            : token_untrusted.status();
    if (identity.ok()) return identity;
    observer_.OnRefused(Transport::kGrpc, TransportRefusal::kUnauthenticated);
    return absl::UnauthenticatedError(identity.status().message());
  }
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
  void FlushLater(SessionCall* call) override { to_flush_.push_back(call); }
  void CutOffLater(SessionCall* call) override {
    const uint64_t id = call_ids_.at(call);
    loop_.PostAfter(kCloseTimeout, [this, id] {
      const auto it = calls_.find(id);
      if (it != calls_.end()) it->second->CutOff();
    });
  }
  void Release(SessionCall* call) override {
    const auto it = call_ids_.find(call);
    if (it == call_ids_.end()) return;
    const auto owned = calls_.find(it->second);
    released_.push_back(std::move(owned->second));
    calls_.erase(owned);
    call_ids_.erase(it);
  }

 private:
  void WaitForCall() {
    auto call = std::make_unique<SessionCall>(*this);
    waiting_ = call.get();
    const uint64_t id = ++last_call_id_;
    call_ids_[waiting_] = id;
    calls_[id] = std::move(call);
    service_.RequestSession(waiting_->context(), waiting_->stream(), queue_.get(), queue_.get(),
                            waiting_->requested_tag());
  }

  void FlushCalls() {
    flushing_.swap(to_flush_);
    for (SessionCall* call : flushing_) call->Flush();
    flushing_.clear();
    DestroyReleased();
    // Asked for while others were served: the loop must not wait before them.
    if (!to_flush_.empty()) loop_.Post([] {});
  }

  void DestroyReleased() { released_.clear(); }

  // Only the call that waits for a participant is left, or time is up.
  void ShutDownWhenDrained() {
    if (calls_.size() > 1 && clock_.Now() < stop_deadline_) {
      loop_.PostAfter(Duration::Milliseconds(5), [this] { ShutDownWhenDrained(); });
      return;
    }
    shut_down_ = true;
    // Shutdown waits for the calls that it cancels, and those end on this sequence.
    shutdown_thread_ = std::thread([this] {
      server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
      loop_.Post([this] { loop_.ShutDownQueue(); });
    });
  }

  const Options options_;
  Clock& clock_;
  TransportObserver& observer_;
  Authenticator* authenticator_ = nullptr;
  SessionHost* host_ = nullptr;
  int port_ = 0;

  CompletionLoop loop_;
  v1::SessionService::WithRawMethod_Session<v1::SessionService::Service> service_;
  HealthService health_{v1::SessionService::service_full_name()};
  std::unique_ptr<::grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<::grpc::Server> server_;
  std::thread shutdown_thread_;
  bool ran_ = false;

  // Of the sequence alone.
  absl::flat_hash_map<uint64_t, std::unique_ptr<SessionCall>> calls_;
  absl::flat_hash_map<SessionCall*, uint64_t> call_ids_;
  uint64_t last_call_id_ = 0;
  SessionCall* waiting_ = nullptr;
  std::vector<SessionCall*> to_flush_;
  std::vector<SessionCall*> flushing_;
  std::vector<std::unique_ptr<SessionCall>> released_;
  size_t session_count_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  bool shut_down_ = false;
  DeviceTime stop_deadline_;
};

GrpcServer::GrpcServer(Options options, Clock& clock, TransportObserver& observer)
    : impl_(std::make_unique<Impl>(std::move(options), clock, observer)) {}
GrpcServer::~GrpcServer() = default;
Executor& GrpcServer::executor() { return impl_->loop(); }
absl::Status GrpcServer::Start(Authenticator& authenticator, SessionHost& host) {
  return impl_->Start(authenticator, host);
}
int GrpcServer::port() const { return impl_->port(); }
void GrpcServer::Run() { impl_->Run(); }
void GrpcServer::Drain() { impl_->Drain(); }
void GrpcServer::Stop() { impl_->Stop(); }
DeviceTime GrpcServer::last_turn() const { return impl_->loop().last_turn(); }

}  // namespace remora::hub
