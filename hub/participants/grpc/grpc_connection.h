#pragma once

// One socket that speaks HTTP/2, and the calls on it. Reads what has come, and writes at the end of
// a turn what the calls have for it, with as few system calls as that takes. Sequence-bound; kept
// alive by the server until it is closed.
//
//   reading: in each turn in which something came, what one read brings
//   writing: at the end of a turn; where the socket takes no more, again when it does

#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "hub/participants/grpc/grpc_call.h"
#include "hub/participants/grpc/http2_session.h"
#include "hub/participants/loop/loop_socket.h"
#include "hub/participants/loop/socket_loop.h"

namespace remora::hub {

// What a connection needs of the server; all on the sequence.
class GrpcConnectionHost {
 public:
  virtual ~GrpcConnectionHost() = default;
  // The call that was asked for, or why there is none.
  virtual absl::StatusOr<std::unique_ptr<GrpcCall>> NewCall(const CallHead& head_untrusted,
                                                            CallOutput& output) = 0;
  // Closed, with nothing left of its calls.
  virtual void OnConnectionClosed(class GrpcConnection* connection) = 0;
};

class GrpcConnection final : public TurnWriter,
                             public SocketEvents,
                             public Http2Handler,
                             public std::enable_shared_from_this<GrpcConnection> {
 public:
  // Owns the socket. All else outlives it.
  GrpcConnection(SocketLoop& loop, Clock& clock, GrpcConnectionHost& host, int socket);
  ~GrpcConnection();

  void Start();
  // Each kTickOfConnections: closes a peer that does not greet or answer, asks one that is silent.
  void Tick();
  // Every call is told that the hub goes down.
  void Drain();
  // No new calls; closes when those that are there have ended.
  void GoAway();
  // At once.
  void Close();
  bool closed() const { return closed_; }
  bool has_output() { return !http2_.output().empty(); }

 private:
  class Call;

  void WriteLater();
  void WriteOut();
  // False: the socket takes no more, or is broken.
  bool SendSome();
  void CutOff(int32_t stream);
  void Defer();

  // TurnWriter:
  void WriteNow() override;
  // SocketEvents:
  void OnReadable() override;
  void OnWritable() override;

  // Http2Handler:
  size_t OnCall(int32_t stream, const CallHead& head) override;
  void OnMessage(int32_t stream, absl::string_view message) override;
  void OnBadInput(int32_t stream, absl::Status why) override;
  void OnInputEnd(int32_t stream) override;
  void OnWritten(int32_t stream) override;
  void OnClosed(int32_t stream) override;

  SocketLoop& loop_;
  Clock& clock_;
  GrpcConnectionHost& host_;
  LoopSocket socket_;
  Http2Session http2_;
  absl::flat_hash_map<int32_t, std::unique_ptr<Call>> calls_;
  // Calls that have something to write at the end of the turn.
  std::vector<int32_t> to_write_;
  // Destroyed at the end of the turn: they may be in the middle of something.
  std::vector<std::unique_ptr<Call>> gone_;
  const DeviceTime opened_at_;
  DeviceTime heard_at_;
  DeviceTime asked_at_;
  // When bytes last left, and when there was last a call.
  DeviceTime sent_at_;
  DeviceTime called_at_;
  bool write_scheduled_ = false;
  bool closed_ = false;
};

}  // namespace remora::hub
