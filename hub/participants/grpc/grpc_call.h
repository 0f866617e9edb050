#pragma once

// One gRPC call on a connection: its side of Http2Session. Sequence-bound; owned by its connection,
// which destroys it when its stream is closed.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hub/participants/limits.h"
#include "hub/participants/session.h"

namespace remora::hub {

inline constexpr char kGoingDown[] = "the hub is going down; connect again";

class GrpcCall {
 public:
  virtual ~GrpcCall() = default;
  // Of the largest message that it takes.
  virtual size_t max_message_bytes() const { return kMaxSmallMessageBytes; }
  // What comes for it may be told a little later (loop/socket_loop.h).
  virtual bool is_deferrable() const { return true; }
  virtual void OnMessage(absl::string_view message_untrusted) = 0;
  // Nothing more comes from the peer that is of use: OK, it said so; else what is wrong with it.
  virtual void OnInputEnd(const absl::Status& status) = 0;
  // The last message is with the socket.
  virtual void OnWritten() {}
  // At the end of a turn, where it asked for it.
  virtual void WriteNow() {}
  // Needs no token: it holds its place only while it asks and reads what it is answered.
  virtual bool is_anonymous() const { return true; }
  // Asks for nothing at present: such a call is ended after kHandshakeTimeout.
  virtual bool is_waiting_for_request() const { return false; }
  // The hub goes down, or stops answering.
  virtual void Drain() {}
  // Its stream is gone; last call.
  virtual void OnGone() {}
};

// A call's way out.
class CallOutput {
 public:
  virtual ~CallOutput() = default;
  // One message at a time: the next after OnWritten.
  virtual void Send(WriteBatch batch) = 0;
  // Ends the call behind what was sent. Nothing is sent after it.
  virtual void Finish(const absl::Status& status) = 0;
  // WriteNow is called at the end of the turn.
  virtual void WriteLater() = 0;
  // Whatever still waits after kCloseTimeout is broken off.
  virtual void CutOffLater() = 0;
};

}  // namespace remora::hub
