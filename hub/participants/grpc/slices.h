#pragma once

// Between the hub's shared bytes and gRPC's, without copying. Thread-safe functions.

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "absl/strings/string_view.h"
#include "hub/participants/session.h"

namespace remora::hub {

// One gRPC message made of the batch's slices, which stay alive until gRPC has written them.
::grpc::ByteBuffer ToByteBuffer(WriteBatch batch);

// The message's bytes in one piece, valid as long as `storage`; copies only where the message came
// in several pieces.
absl::string_view Contiguous(::grpc::ByteBuffer& message, ::grpc::Slice* storage);

}  // namespace remora::hub
