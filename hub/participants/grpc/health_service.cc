#include "hub/participants/grpc/health_service.h"

#include <grpcpp/impl/codegen/rpc_service_method.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <utility>

#include "common/wire_reader.h"
#include "hub/participants/grpc/completion_loop.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

constexpr int kCheckMethod = 0;
constexpr int kWatchMethod = 1;

// grpc.health.v1.HealthCheckResponse.ServingStatus.
constexpr int kServing = 1;
constexpr int kNotServing = 2;
constexpr int kServiceUnknown = 3;

::grpc::ByteBuffer Response(int status) {
  const char bytes[] = {0x08, static_cast<char>(status)};
  const ::grpc::Slice slice(bytes, sizeof(bytes));
  return ::grpc::ByteBuffer(&slice, 1);
}

}  // namespace

// One call: waiting --(comes)--> answered --(sent)--> gone.
class HealthService::Check final : public CompletionLoop::Tag {
 public:
  explicit Check(HealthService* service) : service_(service) {}

  ::grpc::ServerContext* context() { return &context_; }
  ::grpc::ByteBuffer* request() { return &request_; }
  ::grpc::ServerAsyncResponseWriter<::grpc::ByteBuffer>* writer() { return &writer_; }

  void OnCompleted(bool ok) override {
    if (!ok || answered_) {
      service_->checks_.erase(this);
      return;
    }
    service_->WaitForCheck();
    answered_ = true;
    const int status = service_->StatusFor(request_);
    if (status == kServiceUnknown) {
      writer_.FinishWithError(
          ::grpc::Status(::grpc::StatusCode::NOT_FOUND, "this hub has no such service"), this);
    } else {
      writer_.Finish(Response(status), ::grpc::Status::OK, this);
    }
  }

 private:
  HealthService* service_;
  ::grpc::ServerContext context_;
  ::grpc::ByteBuffer request_;
  ::grpc::ServerAsyncResponseWriter<::grpc::ByteBuffer> writer_{&context_};
  bool answered_ = false;
};

// One call: its status at once and at each change, until the caller goes. One write at a time.
class HealthService::Watch final {
 public:
  explicit Watch(HealthService* service) : service_(service) {
    context_.AsyncNotifyWhenDone(&done_);
  }

  ::grpc::ServerContext* context() { return &context_; }
  ::grpc::ByteBuffer* request() { return &request_; }
  ::grpc::ServerAsyncWriter<::grpc::ByteBuffer>* writer() { return &writer_; }
  CompletionLoop::Tag* requested_tag() { return &requested_; }

  void Tell() {
    const int status = service_->StatusFor(request_);
    if (!open_ || busy_ || status == told_) return;
    busy_ = true;
    told_ = status;
    writer_.Write(Response(status), &written_);
  }

 private:
  class Operation final : public CompletionLoop::Tag {
   public:
    using Method = void (Watch::*)(bool ok);
    Operation(Watch* watch, Method method) : watch_(watch), method_(method) {}
    void OnCompleted(bool ok) override { (watch_->*method_)(ok); }

   private:
    Watch* watch_;
    Method method_;
  };

  void OnRequested(bool ok) {
    if (!ok) {  // the server is shut down: no call ever came, and the done tag never does
      service_->watches_.erase(this);
      return;
    }
    service_->WaitForWatch();
    if (service_->watches_.size() > kMaxHealthWatches) {
      busy_ = finishing_ = true;
      writer_.Finish(::grpc::Status(::grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watch"),
                     &written_);
      return;
    }
    open_ = true;
    Tell();
  }
  void OnWritten(bool ok) {
    busy_ = false;
    if (gone_) {
      Finish();
    } else if (ok) {
      Tell();
    }
  }
  void OnDone(bool) {
    gone_ = true;
    open_ = false;
    if (!busy_) Finish();
  }
  // The caller is gone; nothing of the call is in flight but, at first, its end.
  void Finish() {
    if (finishing_) {
      service_->watches_.erase(this);
      return;
    }
    busy_ = finishing_ = true;
    writer_.Finish(::grpc::Status::CANCELLED, &written_);
  }

  HealthService* service_;
  ::grpc::ServerContext context_;
  ::grpc::ByteBuffer request_;
  ::grpc::ServerAsyncWriter<::grpc::ByteBuffer> writer_{&context_};
  Operation requested_{this, &Watch::OnRequested};
  Operation written_{this, &Watch::OnWritten};
  Operation done_{this, &Watch::OnDone};
  int told_ = 0;
  bool open_ = false;
  bool busy_ = false;
  bool gone_ = false;
  bool finishing_ = false;
};

HealthService::HealthService(std::string service_name) : service_name_(std::move(service_name)) {
  using ::grpc::internal::RpcMethod;
  using ::grpc::internal::RpcServiceMethod;
  AddMethod(new RpcServiceMethod("/grpc.health.v1.Health/Check", RpcMethod::NORMAL_RPC, nullptr));
  AddMethod(
      new RpcServiceMethod("/grpc.health.v1.Health/Watch", RpcMethod::SERVER_STREAMING, nullptr));
  MarkMethodRaw(kCheckMethod);
  MarkMethodRaw(kWatchMethod);
}

HealthService::~HealthService() = default;

void HealthService::Start(::grpc::ServerCompletionQueue* queue) {
  queue_ = queue;
  WaitForCheck();
  WaitForWatch();
}

void HealthService::SetServing(bool serving) {
  serving_ = serving;
  for (const auto& [key, watch] : watches_) watch->Tell();
}

void HealthService::WaitForCheck() {
  auto owned = std::make_unique<Check>(this);
  Check* check = owned.get();
  checks_[check] = std::move(owned);
  RequestAsyncUnary(kCheckMethod, check->context(), check->request(), check->writer(), queue_,
                    queue_, static_cast<CompletionLoop::Tag*>(check));
}

void HealthService::WaitForWatch() {
  auto owned = std::make_unique<Watch>(this);
  Watch* watch = owned.get();
  watches_[watch] = std::move(owned);
  RequestAsyncServerStreaming(kWatchMethod, watch->context(), watch->request(), watch->writer(),
                              queue_, queue_, watch->requested_tag());
}

int HealthService::StatusFor(const ::grpc::ByteBuffer& request_untrusted) const {
  ::grpc::Slice slice;
  if (request_untrusted.Length() > 0 && !request_untrusted.DumpToSingleSlice(&slice).ok()) {
    return kServiceUnknown;
  }
  WireReader reader(absl::string_view(reinterpret_cast<const char*>(slice.begin()), slice.size()));
  absl::string_view service;
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    if (!reader.ReadTag(&field, &type) || field != 1 || type != WireType::kBytes ||
        !reader.ReadBytes(&service)) {
      return kServiceUnknown;
    }
  }
  if (!service.empty() && service != service_name_) return kServiceUnknown;
  return serving_ ? kServing : kNotServing;
}

}  // namespace remora::hub
