#pragma once

// grpc.health.v1.Health on the hub's own completion queue. gRPC's own one is served by threads that
// poll the same sockets as the hub's sequence and hand it what they find: measured, a third of the
// hub's CPU a delivery. Sequence-bound but for the constructor and Start.

#include <grpcpp/completion_queue.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace remora::hub {

class HealthService final : public ::grpc::Service {
 public:
  // Knows "" and `service_name`; both serve until SetServing says otherwise.
  explicit HealthService(std::string service_name);
  ~HealthService() override;

  // Before the queue is served; it outlives the calls that it is given.
  void Start(::grpc::ServerCompletionQueue* queue);
  void SetServing(bool serving);

 private:
  class Check;
  class Watch;

  void WaitForCheck();
  void WaitForWatch();
  // One of grpc.health.v1's ServingStatus for an encoded HealthCheckRequest.
  int StatusFor(const ::grpc::ByteBuffer& request_untrusted) const;

  const std::string service_name_;
  ::grpc::ServerCompletionQueue* queue_ = nullptr;
  bool serving_ = true;
  std::map<const void*, std::unique_ptr<Check>> checks_;
  std::map<const void*, std::unique_ptr<Watch>> watches_;
};

}  // namespace remora::hub
