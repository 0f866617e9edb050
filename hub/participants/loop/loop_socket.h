#pragma once

// A connected socket on the hub's sequence: reads into the loop's shared buffer, writes an
// OutputQueue with as few system calls as that takes. Sequence-bound.

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "hub/participants/loop/output_queue.h"
#include "hub/participants/loop/socket_loop.h"

namespace remora::hub {

class LoopSocket {
 public:
  // Owns the socket, which it makes non-blocking. The loop outlives it.
  LoopSocket(SocketLoop& loop, int socket);
  ~LoopSocket() { Close(); }
  LoopSocket(const LoopSocket&) = delete;
  LoopSocket& operator=(const LoopSocket&) = delete;

  // `events` hears of it until Close. False: it cannot be watched.
  bool Watch(SocketEvents* events);
  // Whether its input may be told a little later (SocketLoop).
  void SetDeferred(bool deferred);
  // What one read brings, until the next read of any socket; empty: nothing for now. None: the peer
  // has ended it, or it is broken.
  std::optional<absl::string_view> Read();
  // How much of the queue's front the socket took; 0: it takes no more, and OnWritable comes. None:
  // it is broken.
  std::optional<size_t> Send(const OutputQueue& output);
  bool blocked() const { return blocked_; }
  // To be called by OnWritable.
  void Unblock();
  // What was sent still arrives; nothing more will be sent.
  void EndOutput();
  void Close();

 private:
  SocketLoop& loop_;
  int socket_;
  std::optional<uint32_t> watch_;
  bool blocked_ = false;
};

}  // namespace remora::hub
