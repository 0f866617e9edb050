#pragma once

// One WebSocket without its socket, after the handshake: frames by wslay, one binary message a
// batch. Messages that are sent keep their shared bytes down to the socket.
//
//   socket                       FrameSession                    stream (FrameHandler)
//     | Receive(bytes) ------------->| OnMessage, OnControlFrame ------>|
//     |<-------- output() -----------|<------ SendMessage, Close -------|
//     | OnSent(n) ------------------>| returns: the message is away     |
//
// Pings are answered, a close is answered with a close; what breaks the protocol is closed with
// 1002 or without a code, a message that is too large with 1009, text with 1003. Sequence-bound.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hub/participants/loop/output_queue.h"
#include "hub/participants/session.h"

struct wslay_event_context;

namespace remora::hub {

// What comes in. It may send and close the session, not destroy it.
class FrameHandler {
 public:
  virtual void OnMessage(absl::string_view message_untrusted) = 0;
  // A ping or a pong. False: nothing more is taken from this peer.
  virtual bool OnControlFrame() = 0;

 protected:
  ~FrameHandler() = default;
};

class FrameSession {
 public:
  // Close codes of RFC 6455, 7.4.1, and of its registry.
  enum CloseCode : uint16_t {
    kNormal = 1000,
    kProtocolError = 1002,
    kUnsupportedData = 1003,
    kPolicyViolation = 1008,
    kMessageTooBig = 1009,
    kInternalError = 1011,
    kServiceRestart = 1012,
    kTryAgainLater = 1013,
  };

  explicit FrameSession(FrameHandler& handler);
  ~FrameSession();
  FrameSession(const FrameSession&) = delete;
  FrameSession& operator=(const FrameSession&) = delete;

  void Receive(absl::string_view bytes_untrusted);
  // As one binary frame. One at a time; none after Close.
  void SendMessage(WriteBatch batch);
  // Behind what was sent; at most 122 bytes of `reason`. The first one counts.
  void Close(CloseCode code, absl::string_view reason);
  void Ping();

  OutputQueue& output() { return output_; }
  // True: the last byte of a message was among them.
  bool OnSent(size_t bytes);

  // The peer said close, or what it said ends the stream: nothing more is taken from it.
  bool is_input_over() const;
  bool peer_has_closed() const;
  // What was said last, when a close was said; 0 before.
  int close_code_sent() const;

 private:
  struct Callbacks;
  // Control frames and a close, into output().
  void FillOutput();

  FrameHandler& handler_;
  wslay_event_context* context_ = nullptr;
  absl::string_view incoming_;
  // Of a message of which not all has come: in pieces of any number it costs its bytes alone.
  std::string message_;
  bool in_message_ = false;  // its frame, not a control frame between
  OutputQueue output_;
  std::vector<int32_t> ended_;
};

}  // namespace remora::hub
