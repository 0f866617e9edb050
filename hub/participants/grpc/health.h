#pragma once

// grpc.health.v1.Health: Check answers once, Watch at once and at each change. Sequence-bound.

#include <memory>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "hub/participants/grpc/grpc_call.h"

namespace remora::hub {

class Health {
 public:
  // Knows "" and `service_name`; both serve until SetServing says otherwise.
  explicit Health(std::string service_name) : service_name_(std::move(service_name)) {}

  void SetServing(bool serving);
  // A call of /grpc.health.v1.Health/`method`; null: there is none. Both it and `output` outlive
  // the call.
  std::unique_ptr<GrpcCall> NewCall(absl::string_view method, CallOutput& output);

 private:
  class Check;
  class Watch;
  // One of grpc.health.v1's ServingStatus for an encoded HealthCheckRequest.
  int StatusFor(absl::string_view request_untrusted) const;

  const std::string service_name_;
  bool serving_ = true;
  std::set<Watch*> watches_;
};

}  // namespace remora::hub
