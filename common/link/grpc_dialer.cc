#include "common/link/grpc_dialer.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "common/mutex.h"

namespace remora {
namespace {

constexpr char kMethod[] = "/remora.v1.SessionService/Session";

// What a follower's transport may hold back: with gRPC's own window of megabytes, a slow screen was
// shown data 10 s old.
constexpr int kLookaheadBytes = 16 * 1024;
// A peer that is gone without a word is noticed after 10 s, as the link's own age has it.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
// The link has a back-off of its own; the channel's must not hold it up.
constexpr int kFirstReconnectMs = 50;
constexpr int kLongestReconnectMs = 1'000;
constexpr int kConnectTimeoutMs = 5'000;

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

grpc::ByteBuffer ToBuffer(std::string bytes) {
  auto* owned = new std::string(std::move(bytes));
  grpc::Slice slice(
      owned->data(), owned->size(), [](void* string) { delete static_cast<std::string*>(string); },
      owned);
  return grpc::ByteBuffer(&slice, 1);
}

std::string FromBuffer(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Counts calls that gRPC may still call back, so that the executor is not gone before them.
class CallCount {
 public:
  void Add() {
    MutexLock lock(&mutex_);
    ++count_;
  }
  void Remove() {
    MutexLock lock(&mutex_);
    if (--count_ == 0) none_.NotifyAll();
  }
  void WaitForNone() {
    MutexLock lock(&mutex_);
    while (count_ > 0) none_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  ConditionVariable none_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// One call. gRPC's threads call the On... functions, which only post; all else is called on the
// executor's sequence. It holds itself until gRPC is done with it.
//
// Reads and writes are started from the sequence, outside gRPC's callbacks, so the call keeps a
// hold on itself. It goes when the last read is done: the first that fails, or the one that is
// outstanding, or was, when the stream is given up. Nothing is started after that.
class Call : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
             public std::enable_shared_from_this<Call> {
 public:
  Call(Executor& executor, std::shared_ptr<grpc::Channel> channel,
       std::shared_ptr<CallCount> live_calls, Stream::Listener* listener)
      : executor_(executor),
        channel_(std::move(channel)),
        stub_(channel_),
        live_calls_(std::move(live_calls)),
        listener_(listener) {}

  void Start(const std::string& token) {
    // A copy of its own: a call that fails at once is done, and lets go of itself, before this
    // ends.
    const std::shared_ptr<Call> self = shared_from_this();
    self_ = self;
    live_calls_->Add();
    if (!token.empty()) context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    stub_.PrepareBidiStreamingCall(&context_, kMethod, grpc::StubOptions(), this);
    AddHold();
    StartRead(&read_buffer_);
    StartCall();
    // The hub answers only once it has been greeted, so nothing tells when the call is open: a
    // failure comes as OnClosed.
    executor_.Post([self] { self->BecomeWritable(); });
  }

  // On the sequence.
  bool writable() const { return writable_; }
  void Write(std::string up) {
    writable_ = false;
    MutexLock lock(&mutex_);
    if (released_) return;
    write_buffer_ = ToBuffer(std::move(up));
    StartWrite(&write_buffer_);
  }
  void GiveUp() {
    writable_ = false;
    context_.TryCancel();
    {
      MutexLock lock(&mutex_);
      given_up_ = true;
      if (read_outstanding_ || std::exchange(released_, true)) return;
    }
    RemoveHold();
  }
  void Detach() { listener_ = nullptr; }

  void OnReadDone(bool ok) override {
    bool last;
    {
      MutexLock lock(&mutex_);
      read_outstanding_ = false;
      last = !ok || given_up_;
      if (last) released_ = true;  // it was not: that needs a read that is not outstanding
    }
    if (last) return RemoveHold();
    executor_.Post([call = shared_from_this(), down = SharedBytes(FromBuffer(read_buffer_))] {
      if (call->listener_ != nullptr) call->listener_->OnMessage(down);
      call->ReadNext();
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return;  // the call ends; OnDone says why
    executor_.Post([call = shared_from_this()] { call->BecomeWritable(); });
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<CallCount> live_calls = live_calls_;
    executor_.Post([call = std::move(self_), status] {
      call->writable_ = false;
      Stream::Listener* listener = std::exchange(call->listener_, nullptr);
      if (listener != nullptr) listener->OnClosed(FromGrpc(status));
    });
    live_calls->Remove();  // *this may be gone already, and the executor from now on
  }

 private:
  void BecomeWritable() {
    {
      MutexLock lock(&mutex_);
      if (released_) return;
    }
    writable_ = true;
    if (listener_ != nullptr) listener_->OnWritable();
  }

  // One message at a time: while the sequence is busy, the transport's window fills, not a queue.
  void ReadNext() {
    MutexLock lock(&mutex_);
    if (released_) return;
    read_outstanding_ = true;
    StartRead(&read_buffer_);
  }

  Executor& executor_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  const std::shared_ptr<CallCount> live_calls_;
  Stream::Listener* listener_;  // on the sequence
  bool writable_ = false;       // on the sequence
  grpc::ByteBuffer read_buffer_;
  grpc::ByteBuffer write_buffer_;
  Mutex mutex_;
  bool read_outstanding_ ABSL_GUARDED_BY(mutex_) = true;  // the first, from Start
  bool given_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;  // the hold is gone: nothing may be started
  std::shared_ptr<Call> self_;
};

class GrpcStream : public Stream {
 public:
  explicit GrpcStream(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  ~GrpcStream() override {
    call_->Detach();
    call_->GiveUp();
  }
  void Write(std::string up) override { call_->Write(std::move(up)); }
  bool writable() const override { return call_->writable(); }
  void Close() override { call_->GiveUp(); }

 private:
  const std::shared_ptr<Call> call_;
};

class GrpcDialer : public Dialer {
 public:
  GrpcDialer(Executor& executor, std::shared_ptr<grpc::Channel> channel, std::string token)
      : executor_(executor), channel_(std::move(channel)), token_(std::move(token)) {}
  // Waits for gRPC to let go of all calls: a matter of microseconds, and nothing of the executor's.
  ~GrpcDialer() override {
    for (const std::weak_ptr<Call>& weak : calls_) {
      const std::shared_ptr<Call> call = weak.lock();
      if (call == nullptr) continue;
      call->Detach();
      call->GiveUp();
    }
    live_calls_->WaitForNone();
  }

  std::unique_ptr<Stream> Dial(Stream::Listener& listener) override {
    calls_.erase(std::remove_if(calls_.begin(), calls_.end(),
                                [](const std::weak_ptr<Call>& call) { return call.expired(); }),
                 calls_.end());
    auto call = std::make_shared<Call>(executor_, channel_, live_calls_, &listener);
    calls_.push_back(call);
    call->Start(token_);
    return std::make_unique<GrpcStream>(std::move(call));
  }

 private:
  Executor& executor_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::string token_;
  const std::shared_ptr<CallCount> live_calls_ = std::make_shared<CallCount>();
  std::vector<std::weak_ptr<Call>> calls_;
};

bool IsOnThisMachine(const std::string& address) {
  for (const char* prefix : {"unix:", "127.", "[::1]:", "localhost:"}) {
    if (absl::StartsWith(address, prefix)) return true;
  }
  return false;
}

grpc::ChannelArguments ChannelArgumentsFor(const GrpcDialerOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  // Two dialers of one process must not share a connection, nor its windows.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (IsOnThisMachine(options.address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (options.reads_live) {
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // or it would grow the window again
  }
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsFor(const GrpcDialerOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.root_certificates_pem;
  ssl.pem_cert_chain = options.client_certificate_pem;
  ssl.pem_private_key = options.client_key_pem;
  return grpc::SslCredentials(ssl);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dialer>> MakeGrpcDialer(const GrpcDialerOptions& options,
                                                       Executor& executor) {
  if (options.address.empty()) {
    return absl::InvalidArgumentError("no address of a hub; give one as 127.0.0.1:7443");
  }
  if (!options.token.empty() && !options.tls && !options.plaintext_beyond_loopback &&
      !IsOnThisMachine(options.address)) {
    return absl::InvalidArgumentError(absl::StrCat("a token would travel in the clear to ",
                                                   options.address,
                                                   ": use TLS, or an address of this machine"));
  }
  return std::make_unique<GrpcDialer>(
      executor,
      grpc::CreateCustomChannel(options.address, CredentialsFor(options),
                                ChannelArgumentsFor(options)),
      options.token);
}

}  // namespace remora
