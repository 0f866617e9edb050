#pragma once

// One session over gRPC on a connection of its own, as bytes. Writes queue, and records that queue
// up behind a write leave together. Thread-safe; messages down are handed to one call at a time,
// on gRPC's threads. Lives as long as its process.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/mutex.h"

namespace remora::bench {

class SessionStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  struct Handlers {
    // A message in the pieces in which it came.
    std::function<void(absl::Span<const absl::string_view>)> on_down;
    std::function<void(const std::string& why)> on_end;
  };
  // `tls_roots`: a PEM text; empty: without TLS.
  SessionStream(const std::string& address, const std::string& tls_roots, const std::string& token,
                Handlers handlers);

  void Open();
  // A message that is no batch of records.
  void Send(std::string up);
  // Records, as frames.
  void SendRecords(absl::string_view frames);
  // Ends the session; on_end comes.
  void Cancel() { context_.TryCancel(); }
  // While paused, no further message is read: what comes fills the transport.
  void PauseReading();
  void ResumeReading();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  struct Waiting {
    std::string bytes;
    bool records;
  };
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Handlers handlers_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer read_buffer_;
  std::vector<absl::string_view> down_;  // the message that is being handled
  Mutex mutex_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer write_buffer_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool paused_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace remora::bench
