#pragma once

// One HTTP/2 connection that carries gRPC calls, without its socket: frames by nghttp2, and gRPC's
// own framing (a flag, four bytes of length, the message) on top. Messages that are sent keep their
// shared bytes down to the socket: nothing is copied for a follower.
//
//   socket                       Http2Session                      calls (Http2Handler)
//     | Receive(bytes) ------------->| OnCall, OnMessage, OnInputEnd --->|
//     |<-------- output() -----------|<------ SendMessage, Finish -------|
//     | OnSent(n) ------------------>| OnWritten, later OnClosed ------->|
//
// Windows: a peer may have kPublisherWindowBytes of a call on its way; what it is sent keeps to its
// windows, and the rest waits here. Sequence-bound.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/shared_bytes.h"
#include "hub/participants/loop/output_queue.h"
#include "hub/participants/session.h"

struct nghttp2_session;

namespace remora::hub {

// What of a request matters to a call.
struct CallHead {
  std::string path;
  std::string content_type;
  // Each value of "authorization".
  std::vector<std::string> authorizations;
};

// What comes in. None of these destroys the session; a call may be answered inside them.
class Http2Handler {
 public:
  // Returns the size of the largest message that the call takes.
  virtual size_t OnCall(int32_t stream, const CallHead& head_untrusted) = 0;
  virtual void OnMessage(int32_t stream, absl::string_view message_untrusted) = 0;
  // The peer's input is of no more use: a message that is larger than it may be, or compressed.
  virtual void OnBadInput(int32_t stream, absl::Status why) = 0;
  // The peer sends no more.
  virtual void OnInputEnd(int32_t stream) = 0;
  // All of the last message is with the socket.
  virtual void OnWritten(int32_t stream) = 0;
  // Ended both ways, or broken: the call is gone. Not after OnSent or Receive told the end of the
  // connection.
  virtual void OnClosed(int32_t stream) = 0;

 protected:
  ~Http2Handler() = default;
};

class Http2Session {
 public:
  explicit Http2Session(Http2Handler& handler);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // False: this is no HTTP/2, or the peer misbehaves: the connection is to be closed once output()
  // is written.
  bool Receive(absl::string_view bytes_untrusted);

  // One message at a time: the next after OnWritten. None after Finish.
  void SendMessage(int32_t stream, WriteBatch batch);
  // Ends the call behind what was sent.
  void Finish(int32_t stream, const absl::Status& status);
  // Breaks the call off.
  void Reset(int32_t stream);
  void Ping();
  // No new calls; those that are there go on.
  void GoAway();

  // Moves into output() what may be sent by now.
  void FillOutput();
  OutputQueue& output() { return output_; }
  void OnSent(size_t bytes);

  // The peer has greeted.
  bool greeted() const { return greeted_; }
  // An answer to Ping is missing.
  bool ping_under_way() const { return ping_under_way_; }
  // Everything has been said: the connection is to be closed.
  bool IsDone() const;

 private:
  struct Stream;
  struct Callbacks;

  Stream* Find(int32_t id);
  void TakeData(Stream& stream, absl::string_view chunk);
  bool TakeWhole(Stream& stream, absl::string_view* chunk);
  void Refuse(Stream& stream, absl::Status why);
  void RefuseType(Stream& stream);
  void DropPartial(Stream& stream);
  void Answer(Stream& stream);

  Http2Handler& handler_;
  nghttp2_session* session_ = nullptr;
  absl::flat_hash_map<int32_t, std::unique_ptr<Stream>> streams_;
  OutputQueue output_;
  // Of messages that have not all come.
  size_t partial_bytes_ = 0;
  bool broken_ = false;
  bool greeted_ = false;
  bool ping_under_way_ = false;
};

}  // namespace remora::hub
