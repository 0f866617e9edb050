#pragma once

// What the transports tell operations: counted, and logged where a person would ask. Never who a
// participant is, nor any token. Thread-safe; called on the hub's sequence and on the web server's
// thread, so implementations must not block.

#include <cstddef>

#include "absl/status/status.h"
#include "common/time.h"
#include "remora/v1/case.pb.h"

namespace remora::hub {

enum class Transport { kGrpc = 0, kWebSocket = 1 };

// Why a participant was turned away or cut by a transport.
enum class TransportRefusal {
  kUnauthenticated = 0,
  kOrigin = 1,
  kTooManySessions = 2,
  kDraining = 3,
  kTooLarge = 4,
  kFlood = 5,
  kTimeout = 6,
};
inline constexpr int kTransportRefusalCount = 7;

class TransportObserver {
 public:
  virtual ~TransportObserver() = default;
  virtual void OnSessionOpened(Transport transport, v1::Role role) = 0;
  virtual void OnSessionClosed(Transport transport, v1::Role role, const absl::Status& status) = 0;
  virtual void OnRefused(Transport transport, TransportRefusal refusal) = 0;
  virtual void OnMessageReceived(Transport transport, size_t bytes) = 0;
  virtual void OnBatchWritten(Transport transport, size_t slices, size_t bytes) = 0;
  virtual void OnHttpResponse(int status_code) = 0;
  // One turn of the hub's sequence: how many events, and how long until its writes were started.
  virtual void OnDrain(int events, Duration busy) = 0;
};

}  // namespace remora::hub
