#pragma once

// One gRPC call of SessionService.Session: the transport's side of one participant. Sequence-bound.
//
//   open --(CloseAfterWrites)--> closing --all written--> ended: the session is gone
//     '--(input ends, stream is gone)---------------------^
//
// open: messages go to the session, a write when it asks. closing: input is ignored, what waits is
// written.

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/grpc/grpc_call.h"
#include "hub/participants/grpc/http2_session.h"
#include "hub/participants/session.h"

namespace remora::hub {

// The token of exactly one "authorization: Bearer TOKEN". Unauthenticated.
absl::StatusOr<absl::string_view> TokenOf(const CallHead& head_untrusted);

// What a call needs of the server; all on the sequence.
class SessionCallHost {
 public:
  virtual ~SessionCallHost() = default;
  virtual std::unique_ptr<Session> OpenSession(const Identity& identity, Peer* peer) = 0;
  virtual void OnSessionGone(const Identity& identity, const absl::Status& status) = 0;
  virtual void OnMessage(size_t bytes) = 0;
  virtual void OnBatch(size_t slices, size_t bytes) = 0;
};

class SessionCall final : public GrpcCall, public Peer {
 public:
  // `output` outlives it.
  SessionCall(SessionCallHost& host, CallOutput& output, Identity identity);
  ~SessionCall() override = default;

  bool is_anonymous() const override { return false; }
  bool is_deferrable() const override { return !identity_.is_publisher(); }
  size_t max_message_bytes() const override { return kMaxMessageBytes; }
  void OnMessage(absl::string_view message_untrusted) override;
  void OnInputEnd(const absl::Status& status) override;
  void OnWritten() override;
  void WriteNow() override;
  void Drain() override;
  void OnGone() override;

  void WantWrite() override;
  void CloseAfterWrites(absl::Status status) override;

 private:
  void ScheduleWrite();
  void EndSession(const absl::Status& status);

  SessionCallHost& host_;
  CallOutput& output_;
  const Identity identity_;
  std::unique_ptr<Session> session_;
  absl::Status final_status_;
  bool writing_ = false;
  // Something waits behind the write that is under way.
  bool write_again_ = false;
  bool write_scheduled_ = false;
  bool closing_ = false;
};

}  // namespace remora::hub
