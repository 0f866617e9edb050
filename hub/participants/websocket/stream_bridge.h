#pragma once

// Carries one WebSocket session between two threads: the web server's, which owns the socket, and
// the hub's sequence, which owns the Session.
//
//   web server's thread                     hub's sequence
//      Start, OnMessage, OnWritten, OnGone -->  (posted) session
//      StreamSink::Write, Close, ReadNext  <--  (posted by the sink)
//
// Bounded by shape: at most one message on its way in and one batch on its way out. The session's
// writes start in the turn after the drain that asked for them.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/executor.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/session.h"

namespace remora::hub {

// The socket's side. Called on the hub's sequence; returns at once and acts on its own thread.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // Writes one message; StreamBridge::OnWritten answers.
  virtual void Write(WriteBatch batch) = 0;
  // The last message has been handled: the next may be read.
  virtual void ReadNext() = 0;
  // Ends the stream with this status. Nothing is written after it.
  virtual void Close(absl::Status status) = 0;
  // Cuts the connection: the peer does not take what was written.
  virtual void Abort() = 0;
};

class StreamBridge final : public Peer, public std::enable_shared_from_this<StreamBridge> {
 public:
  // `hub` and `host` outlive it.
  StreamBridge(Executor& hub, SessionHost& host, Identity identity,
               std::unique_ptr<StreamSink> sink);
  ~StreamBridge() override;

  // From the web server's thread.
  void Start();
  // One whole message; the next only after StreamSink::ReadNext.
  void OnMessage(std::string up_untrusted);
  void OnWritten();
  // The socket is gone; last call.
  void OnGone();
  // The hub goes down.
  void Drain(absl::Status status);

  // Peer, on the hub's sequence.
  void WantWrite() override;
  void CloseAfterWrites(absl::Status status) override;

 private:
  void ScheduleFlush();
  void Flush();
  void AbortAfterTimeout();

  Executor& hub_;
  SessionHost& host_;
  const Identity identity_;
  // Of the hub's sequence alone.
  std::unique_ptr<StreamSink> sink_;
  std::unique_ptr<Session> session_;
  absl::Status final_status_;
  bool writing_ = false;
  bool flush_scheduled_ = false;
  bool closing_ = false;
  // The socket is closed, or is told to.
  bool ended_ = false;
};

}  // namespace remora::hub
