#pragma once

// grpc.reflection.v1alpha.ServerReflection: what the hub speaks, for tools (grpcurl, buf curl). It
// tells the contract and nothing of a case. Sequence-bound.

#include <memory>
#include <string>
#include <vector>

#include "hub/participants/grpc/grpc_call.h"

namespace remora::hub {

// A call of ServerReflectionInfo that lists `services`, by full names. `calls` counts those that
// there are; it and `output` outlive the call.
std::unique_ptr<GrpcCall> NewReflectionCall(std::vector<std::string> services, int* calls,
                                            CallOutput& output);

}  // namespace remora::hub
