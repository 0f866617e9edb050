// The one file that speaks ZeroMQ: a SUB socket a device, connected to where the device's PUB is
// bound, with CURVE where keys are given, and a monitor that says why nothing comes.
//
// ZeroMQ reconnects by itself. It keeps at most kReceiveQueueMessages a device; what it drops
// beyond is missing in the sequence, and so a known gap. Thread-compatible. A thread of its own
// takes messages from ZeroMQ and notes when they arrived: that must not wait for whoever asks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/sources/feed/keys.h"
#include "acquisition-agent/sources/feed/transport.h"
#include "common/clock.h"

namespace remora::agent::feed {

struct FeedAddress {
  std::string endpoint;    // as CheckEndpoint lets through
  std::string server_key;  // the device's public key; empty: plain
};

// `own`: this agent's keys; both parts, or neither where no address has a server key.
//   kInvalidArgument  a device that is not on this machine, without keys; an endpoint that ZeroMQ
//                     does not take
//   kUnavailable      no sockets, or a ZeroMQ without CURVE
absl::StatusOr<std::unique_ptr<Transport>> OpenZmqTransport(
    const std::vector<FeedAddress>& addresses, const CurveKey& own,
    std::shared_ptr<const Clock> clock);

// A new pair, drawn by ZeroMQ (libsodium).
absl::StatusOr<CurveKey> MakeCurveKey();

}  // namespace remora::agent::feed
