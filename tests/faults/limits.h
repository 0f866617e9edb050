#pragma once

// Limits of the fault proxy, each with its reason.

#include <cstddef>

#include "common/time.h"

namespace remora::testing {

// The queue before a bottleneck: what a small router holds. At 2 Mbit/s these are 262 ms, at
// 64 kbit/s 8 s.
inline constexpr size_t kDefaultBufferBytes = 64 * 1024;
// What may leave at once after an idle time: one packet.
inline constexpr size_t kDefaultBucketBytes = 1'500;
// A limited rate is kept in steps of this size.
inline constexpr size_t kPacketBytes = 1'500;
// One read, so that no connection takes the whole buffer of its link.
inline constexpr size_t kReadBytes = 64 * 1024;
inline constexpr size_t kReadBytesLimited = 4 * 1024;
// What has arrived for a receiver that does not read; beyond it, its sender is not read from.
inline constexpr size_t kMaxUnwrittenBytes = 64 * 1024;
// What is on its way where the rate has no limit: 1 Gbit/s with 128 ms.
inline constexpr size_t kMaxFlyingBytes = 16 * 1024 * 1024;
// Kernel buffers on the proxy's sockets, which the kernel doubles: small, so that the queue is the
// proxy's own, large enough for a whole page of loopback traffic.
inline constexpr int kSocketBufferBytes = 32 * 1024;
// Each costs two descriptors; tests of descriptor floods use some hundreds.
inline constexpr size_t kMaxConnectionsOfLink = 4'000;
inline constexpr int kListenBacklog = 512;
// A connection that is held back for a later one goes on alone after this.
inline constexpr Duration kMaxHold = Duration::Seconds(30);
// An ended connection's last bytes are taken from both sides for so long, then it is closed.
inline constexpr Duration kLingerAfterEnd = Duration::Seconds(2);
// Statements of a script; a line on the control socket.
inline constexpr size_t kMaxStatements = 10'000;
inline constexpr size_t kMaxControlLineBytes = 4 * 1024;
inline constexpr size_t kMaxControlConnections = 16;

static_assert(kPacketBytes <= kReadBytesLimited && kReadBytesLimited <= kDefaultBufferBytes,
              "a read fits into the buffer, a packet into a read");

}  // namespace remora::testing
