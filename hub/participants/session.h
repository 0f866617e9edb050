#pragma once

// One participant's conversation with the hub, without any transport.
//
// A transport (participants/grpc, participants/websocket) authenticates, makes a Session through
// SessionHost::Open, feeds it the messages that arrive, and asks it for bytes whenever its stream
// is idle. All of it on the hub's sequence (sequence-bound). The transport owns the Session and
// destroys it when its stream is gone.
//
//   transport                         session
//      | OnMessage(bytes) ------------->|   walks, validates, publishes, follows
//      |<------------- Peer::WantWrite()|   something waits (at most once until TakeBatch)
//      | TakeBatch(max) --------------->|   slices; their concatenation is one Down message
//      | (write done) TakeBatch(max) -->|   again, where the last said `more` or WantWrite came
//
// WantWrite is only called from the end of a drain (SessionHost::EndOfDrain) or from OnMessage's
// own sequence; a transport starts its writes after the drain, so that one write carries many
// records.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/shared_bytes.h"
#include "remora/v1/case.pb.h"

namespace remora::hub {

// Who the transport says that it is.
struct Identity {
  std::string name;
  std::string display_name;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::vector<std::string> theatres;  // empty: all

  // Sends what others wait for, all the time.
  bool is_publisher() const { return role == v1::ROLE_AGENT; }
};

// The transport's side of a session.
class Peer {
 public:
  virtual ~Peer() = default;
  // Something waits to be written.
  virtual void WantWrite() = 0;
  // Ends the stream with this status after what TakeBatch still gives has been written.
  virtual void CloseAfterWrites(absl::Status status) = 0;
};

// What to write next: the concatenation of the slices is exactly one Down message.
struct WriteBatch {
  std::vector<SharedBytes> slices;
  size_t bytes = 0;
  // Something may wait behind it: it is to be asked for. Else WantWrite tells when something does.
  bool more = false;
  bool empty() const { return slices.empty(); }
};

class Session {
 public:
  virtual ~Session() = default;
  // One whole Up message as it arrived. What is wrong with it ends as a refusal, never as a crash.
  virtual void OnMessage(absl::string_view up_untrusted) = 0;
  // Serves lanes in strict priority; at most `max_bytes`, except a single larger message
  // (snapshot).
  virtual WriteBatch TakeBatch(size_t max_bytes) = 0;
};

// Makes sessions. Implemented by the hub's core; used by transports.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual std::unique_ptr<Session> Open(const Identity& identity, Peer* peer) = 0;
  // Called by the loop when all input that was pending has been processed: hands what rooms have
  // accepted to the journal, and marks followers that have something to write.
  virtual void EndOfDrain() = 0;
};

}  // namespace remora::hub
