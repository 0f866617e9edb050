#pragma once

// One gRPC call of SessionService.Session: the transport's side of one participant. Sequence-bound.
//
//   waiting --(call)--> open --(CloseAfterWrites)--> closing --> finishing --> released
//      |                  '--(input ends, stream breaks)----------^   ^
//      '--(not authenticated, draining, too many)---------------------'
//
// waiting: gRPC may hand a call to it. open: one read in flight, a write when asked. closing: input
// is ignored, what waits is written. finishing: the session is gone, gRPC sends the status.
// The owner may destroy it once nothing of it is in flight: GrpcCallHost::Release tells when.

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>

#include "absl/status/status.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/grpc/completion_loop.h"
#include "hub/participants/session.h"

namespace remora::hub {

class SessionCall;

// What a call needs of the server; all on the sequence.
class GrpcCallHost {
 public:
  virtual ~GrpcCallHost() = default;
  // The call that waited has come (or never will): another one must wait.
  virtual void OnCallTaken() = 0;
  // OK, or why no session can be opened now.
  virtual absl::Status Admit() = 0;
  // Whose token it is; a status says why there is none. Unauthenticated.
  virtual absl::StatusOr<Identity> Authenticate(
      absl::StatusOr<absl::string_view> token_untrusted) = 0;
  virtual std::unique_ptr<Session> OpenSession(const Identity& identity, Peer* peer) = 0;
  virtual void OnSessionGone(const Identity& identity, const absl::Status& status) = 0;
  virtual void OnMessage(size_t bytes) = 0;
  virtual void OnBatch(size_t slices, size_t bytes) = 0;
  // Flush is called at the end of the turn.
  virtual void FlushLater(SessionCall* call) = 0;
  // CutOff is called when the call is still there after kCloseTimeout.
  virtual void CutOffLater(SessionCall* call) = 0;
  // Nothing is in flight: the call may be destroyed, though not inside this call.
  virtual void Release(SessionCall* call) = 0;
};

class SessionCall final : public Peer {
 public:
  using Stream = ::grpc::ServerAsyncReaderWriter<::grpc::ByteBuffer, ::grpc::ByteBuffer>;

  explicit SessionCall(GrpcCallHost& host) : host_(host) {}
  ~SessionCall() override = default;

  ::grpc::ServerContext* context() { return &context_; }
  Stream* stream() { return &stream_; }
  // The completion of the request for a call.
  CompletionLoop::Tag* requested_tag() { return &requested_; }

  void WantWrite() override;
  void CloseAfterWrites(absl::Status status) override;

  // Starts a write, or ends the call where nothing is left to write and it is closing.
  void Flush();
  // The peer does not take what waits: the stream is cancelled.
  void CutOff();
  bool is_open() const { return session_ != nullptr; }

 private:
  class Operation final : public CompletionLoop::Tag {
   public:
    using Method = void (SessionCall::*)(bool ok);
    Operation(SessionCall* call, Method method) : call_(call), method_(method) {}
    void OnCompleted(bool ok) override { (call_->*method_)(ok); }

   private:
    SessionCall* call_;
    Method method_;
  };

  void OnRequested(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void StartRead();
  void ScheduleFlush();
  // The stream is of no more use: the session goes now, the call when its operations are back.
  void EndSession(const absl::Status& status);
  void FinishWhenIdle();
  void ReleaseWhenIdle();

  GrpcCallHost& host_;
  ::grpc::ServerContext context_;
  Stream stream_{&context_};
  Operation requested_{this, &SessionCall::OnRequested};
  Operation read_{this, &SessionCall::OnRead};
  Operation written_{this, &SessionCall::OnWritten};
  Operation finished_{this, &SessionCall::OnFinished};

  Identity identity_;
  std::unique_ptr<Session> session_;
  ::grpc::ByteBuffer incoming_;
  absl::Status final_status_;
  bool reading_ = false;
  bool writing_ = false;
  bool flush_scheduled_ = false;
  bool closing_ = false;
  bool ended_ = false;
  bool finish_started_ = false;
  bool finish_done_ = false;
};

}  // namespace remora::hub
