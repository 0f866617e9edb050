#pragma once

// A blocking gRPC client for tests: sends and reads the bytes of messages as they are.

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace remora::hub {

// Each with a connection of its own.
inline std::shared_ptr<::grpc::Channel> RawChannel(int port) {
  ::grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return ::grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                     ::grpc::InsecureChannelCredentials(), arguments);
}

class RawClient {
 public:
  static constexpr char kSessionMethod[] = "/remora.v1.SessionService/Session";

  // Without a token, no authorization is sent.
  RawClient(std::shared_ptr<::grpc::Channel> channel, const std::string& token)
      : channel_(std::move(channel)) {
    if (!token.empty()) context_.AddMetadata("authorization", "Bearer " + token);
    Open();
  }
  // With this metadata; any method that is a stream, or takes and gives one message.
  RawClient(std::shared_ptr<::grpc::Channel> channel,
            const std::vector<std::pair<std::string, std::string>>& metadata,
            const char* method = kSessionMethod)
      : channel_(std::move(channel)), method_(method, ::grpc::internal::RpcMethod::BIDI_STREAMING) {
    for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
    Open();
  }
  ~RawClient() {
    if (stream_ != nullptr) {
      context_.TryCancel();
      Finish();
    }
  }

  bool Send(const std::string& bytes) {
    ::grpc::Slice slice(bytes);
    return stream_->Write(::grpc::ByteBuffer(&slice, 1));
  }
  // The next message; nothing when the stream has ended.
  std::optional<std::string> Read() {
    ::grpc::ByteBuffer buffer;
    if (!stream_->Read(&buffer)) return std::nullopt;
    ::grpc::Slice slice;
    (void)buffer.DumpToSingleSlice(&slice);
    return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  void WritesDone() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  // Reads to the end and gives the status.
  ::grpc::Status Finish() {
    while (Read().has_value()) {
    }
    const ::grpc::Status status = stream_->Finish();
    stream_.reset();
    return status;
  }

 private:
  using Factory =
      ::grpc::internal::ClientReaderWriterFactory<::grpc::ByteBuffer, ::grpc::ByteBuffer>;
  void Open() { stream_.reset(Factory::Create(channel_.get(), method_, &context_)); }

  std::shared_ptr<::grpc::Channel> channel_;
  ::grpc::internal::RpcMethod method_{kSessionMethod, ::grpc::internal::RpcMethod::BIDI_STREAMING};
  ::grpc::ClientContext context_;
  std::unique_ptr<::grpc::ClientReaderWriter<::grpc::ByteBuffer, ::grpc::ByteBuffer>> stream_;
};

}  // namespace remora::hub
