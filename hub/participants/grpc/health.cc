#include "hub/participants/grpc/health.h"

#include <utility>

#include "common/wire_reader.h"
#include "common/wire_writer.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

// grpc.health.v1.HealthCheckResponse.ServingStatus.
constexpr int kServing = 1;
constexpr int kNotServing = 2;
constexpr int kServiceUnknown = 3;

WriteBatch Response(int status) {
  std::string bytes;
  AppendVarintField(1, static_cast<uint64_t>(status), &bytes);
  WriteBatch batch;
  batch.bytes = bytes.size();
  batch.slices.emplace_back(std::move(bytes));
  return batch;
}

}  // namespace

class Health::Check final : public GrpcCall {
 public:
  Check(Health& health, CallOutput& output) : health_(health), output_(output) {}
  void OnMessage(absl::string_view request) override {
    const int status = health_.StatusFor(request);
    if (status != kServiceUnknown) {
      output_.Send(Response(status));
      output_.Finish(absl::OkStatus());
    } else {
      output_.Finish(absl::NotFoundError("this hub has no such service"));
    }
  }
  void OnInputEnd(const absl::Status& status) override { output_.Finish(status); }
  // Once it has asked it is answered, and over.
  bool is_waiting_for_request() const override { return true; }

 private:
  Health& health_;
  CallOutput& output_;
};

class Health::Watch final : public GrpcCall {
 public:
  Watch(Health& health, CallOutput& output) : health_(health), output_(output) {
    health_.watches_.insert(this);
  }
  ~Watch() override { health_.watches_.erase(this); }

  void OnMessage(absl::string_view request) override {
    request_ = std::string(request);
    asked_ = true;
    Tell();
  }
  void OnInputEnd(const absl::Status& status) override {
    if (!asked_ || !status.ok()) output_.Finish(status);
  }
  bool is_waiting_for_request() const override { return !asked_; }
  void OnWritten() override {
    writing_ = false;
    Tell();
  }
  void Tell() {
    const int status = health_.StatusFor(request_);
    if (!asked_ || writing_ || status == told_) return;
    writing_ = true;
    told_ = status;
    output_.Send(Response(status));
  }

 private:
  Health& health_;
  CallOutput& output_;
  std::string request_;
  int told_ = 0;
  bool asked_ = false;
  bool writing_ = false;
};

void Health::SetServing(bool serving) {
  serving_ = serving;
  for (Watch* watch : watches_) watch->Tell();
}

std::unique_ptr<GrpcCall> Health::NewCall(absl::string_view method, CallOutput& output) {
  if (method == "Check") return std::make_unique<Check>(*this, output);
  if (method == "Watch" && watches_.size() < kMaxHealthWatches) {
    return std::make_unique<Watch>(*this, output);
  }
  return nullptr;
}

int Health::StatusFor(absl::string_view request) const {
  WireReader reader(request);
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
