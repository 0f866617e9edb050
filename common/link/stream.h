#pragma once

// One session's pair of message streams, without its transport. The link opens one with a Dialer;
// gRPC (grpc_dialer.h), an in-process hub and the tests' fake make them. Everything here is called,
// and calls back, on one Executor's sequence; never from within Dial or Write.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/shared_bytes.h"

namespace remora {

class Stream {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // One message down, exactly as it came. The next is read when this returns.
    virtual void OnMessage(SharedBytes down) = 0;
    // The stream is open, or the last write is done: writable() is true.
    virtual void OnWritable() = 0;
    // The stream ended, from the hub's side or by a failure; once, and the last call. OK: the hub
    // ended it in order.
    virtual void OnClosed(absl::Status status) = 0;
  };

  // Ends the stream without further calls to the listener.
  virtual ~Stream() = default;
  // One write is outstanding at a time: only while writable().
  virtual void Write(std::string up) = 0;
  virtual bool writable() const = 0;
  // Gives up: no more calls to the listener but OnClosed.
  virtual void Close() = 0;
};

class Dialer {
 public:
  virtual ~Dialer() = default;
  // Starts to open a stream; `listener` outlives it. Never null: a failure comes as OnClosed.
  virtual std::unique_ptr<Stream> Dial(Stream::Listener& listener) = 0;
};

}  // namespace remora
