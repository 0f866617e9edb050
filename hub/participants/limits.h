#pragma once

// Limits of the transports, each with its reason. What both ends share is in common/limits.h.

#include <cstddef>

#include "common/limits.h"
#include "common/time.h"

namespace remora::hub {

// Sessions of one transport: a centre of 100 theatres with three readers and an agent each needs
// 400; each costs about 100 KiB of buffers when its reader is slow.
inline constexpr size_t kMaxSessionsOfTransport = 2'000;
// Open HTTP connections, those of WebSockets included; more are closed at once.
inline constexpr size_t kMaxWebConnections = 2'500;

// Events that the hub's sequence handles, and for how long, before it writes: without a bound a
// flood of input would keep writes from starting.
inline constexpr int kMaxEventsPerDrain = 256;
// So many, then the clock is read: each may bring kReadBufferBytes.
inline constexpr int kEventsPerLook = 8;
inline constexpr Duration kMaxInputOfTurn = Duration::Milliseconds(1);
// How long what a reader sends may wait for a turn that begins anyway, while readers have much to
// say: gRPC's clients answer each message with two frames of bookkeeping (docs/performance.md).
inline constexpr Duration kDeferral = Duration::Milliseconds(1);
// The sequence wakes at least this often: timers stay right after the machine slept, and a stuck
// sequence is seen.
inline constexpr Duration kMaxSequenceWait = Duration::Seconds(1);
// The sequence counts as stuck after this.
inline constexpr Duration kSequenceStuckAfter = Duration::Seconds(5);

// What a publisher may have on its way: a backlog runs at 20 MB/s over a round trip of 200 ms, and
// where nothing comes back from the hub, a theatre's record (150 kB/s) still reaches it for half a
// minute. The hub itself holds no more of it than one message.
inline constexpr size_t kPublisherWindowBytes = 4 * 1024 * 1024;
// The same of one HTTP/2 connection, on which a proxy may carry several participants.
inline constexpr size_t kConnectionWindowBytes = 4 * kPublisherWindowBytes;
// Messages of one connection that have not all come: a proxy's participants seldom send a large one
// at a time.
inline constexpr size_t kMaxPartialBytes = 2 * kMaxMessageBytes;
// A message of a call that needs no token: health, reflection.
inline constexpr size_t kMaxSmallMessageBytes = 1024;
// Frames that wait for a peer which makes the hub answer and does not read.
inline constexpr size_t kMaxQueuedFrames = 1'000;
// What is taken from the sessions of a connection before its socket takes it; a batch that is
// larger goes alone. Its bytes are shared.
inline constexpr size_t kMaxOutputBytes = 512 * 1024;
// One read of a socket; room that all connections share.
inline constexpr size_t kReadBufferBytes = 256 * 1024;
// Requests of one reflection call that wait for their answers, and such calls of the hub.
inline constexpr size_t kMaxReflectionRequests = 16;
inline constexpr int kMaxReflectionCalls = 8;
// A connection without a call goes after this; whoever wants another one connects again.
inline constexpr Duration kIdleConnection = Duration::Seconds(60);
// Open HTTP/2 connections; more are closed at once.
inline constexpr size_t kMaxGrpcConnections = 2'500;
// HTTP/2 streams of one connection; a participant needs one, a proxy multiplexes few.
inline constexpr int kMaxStreamsOfConnection = 100;
// Balancers and operators that watch the hub's health at a time; each holds a call open.
inline constexpr size_t kMaxHealthWatches = 64;
// Metadata of a call, header of an HTTP request.
inline constexpr size_t kMaxHeaderBytes = 16 * 1024;
// Body of an HTTP request: a token in JSON.
inline constexpr size_t kMaxHttpBodyBytes = 4 * 1024;
// A bearer token as it comes in; a longer one is refused before anybody hashes it.
inline constexpr size_t kMaxBearerBytes = 512;
// A page or asset of the workstation; larger files are not served.
inline constexpr size_t kMaxStaticFileBytes = 16 * 1024 * 1024;

// From the connection to the whole request (HTTP, WebSocket, HTTP/2 settings): a slow sender of
// headers holds a place no longer.
inline constexpr Duration kHandshakeTimeout = Duration::Seconds(5);
// An idle kept-alive HTTP connection.
inline constexpr Duration kHttpIdleTimeout = Duration::Seconds(15);
// A dead peer is found within keepalive + timeout; proxies drop idle connections after 30-60 s.
inline constexpr Duration kKeepaliveInterval = Duration::Seconds(10);
inline constexpr Duration kKeepaliveTimeout = Duration::Seconds(5);
// A stream that ends may take this long to write what waits; then it is cut.
inline constexpr Duration kCloseTimeout = Duration::Seconds(5);
// Longest wait for open streams when the hub goes down; whoever is cut offers its records again.
inline constexpr Duration kDrainTimeout = Duration::Milliseconds(500);
// How often it is looked whether they have ended.
inline constexpr Duration kDrainPoll = Duration::Milliseconds(5);

// WebSocket pings and pongs of one peer in a second; browsers send none, a flood is cut.
inline constexpr int kMaxControlFramesPerSecond = 20;

// How long a browser stays known: a long case and its handover.
inline constexpr Duration kWebSessionLifetime = Duration::Seconds(16 * 3600);

static_assert(kMaxSessionsOfTransport < kMaxWebConnections,
              "pages can still be loaded when every WebSocket place is taken");
static_assert(kDrainTimeout < kCloseTimeout, "a hub that goes down waits for no slow reader");

}  // namespace remora::hub
