#pragma once

// Limits of a session, each with its reason. Those of the transports are in limits.h.

#include <cstddef>
#include <cstdint>

#include "common/limits.h"
#include "common/time.h"

namespace remora::hub {

// Versions of the protocol (room.proto) that this hub speaks.
inline constexpr uint32_t kOldestProtocolVersion = 1;
inline constexpr uint32_t kProtocolVersion = 2;
// Whoever speaks less could not tell what is UNRECORDED from what is recorded.
inline constexpr uint32_t kFirstVersionWithUnrecorded = 2;
// From this one on a follower answers each heartbeat with what it has shown, and knows gaps of slow
// links and of late bulk.
inline constexpr uint32_t kVersionThatAnswersHeartbeats = 2;

// A participant that has not said hello by then has nothing to say.
inline constexpr Duration kHelloDeadline = Duration::Seconds(10);
inline constexpr size_t kMaxHelloFeatures = 64;
// Cases that one participant publishes in: a centre's.
inline constexpr size_t kMaxJoins = 64;
// Records a second of one session: a backlog over a fast link is 20,000; more is no device.
inline constexpr double kMaxRecordsPerSecond = 100'000;
// Records that a session keeps of cases that their maker has not opened yet: lane 0 comes before
// the step that opens the case. What is beyond is offered again.
inline constexpr size_t kMaxBytesBeforeOpen = 512 * 1024;
// The same of all sessions: every theatre of a centre of 100 comes back at once.
inline constexpr size_t kMaxBytesBeforeOpenOfHub = 64 * 1024 * 1024;
static_assert(kMaxBytesBeforeOpen >= 2 * kMaxControlBytes, "an alert and the opening step fit");
static_assert(kMaxBytesBeforeOpenOfHub >= 100 * kMaxBytesBeforeOpen);
// Control messages that wait for a participant that does not read. One that is refused so much and
// does not listen is cut.
inline constexpr size_t kMaxWaitingControl = 1'024;
// Refusals that became durable at one time and are told one by one, with their reason; all are told
// as ranges, so that a sender of nonsense that does read is not cut.
inline constexpr size_t kMaxRefusalsToldSingly = 256;
static_assert(kMaxRefusalsToldSingly < kMaxWaitingControl);

// How long a follow or history request waits before it asks a journal again that is busy or closed
// for a time; doubled up to the second.
inline constexpr Duration kReadRetryDelay = Duration::Milliseconds(100);
inline constexpr Duration kMaxReadRetryDelay = Duration::Seconds(5);
// A screen that resumes while the journal can neither be written nor read is not kept waiting for
// longer than a link is live: it starts from a snapshot, which is in memory.
inline constexpr Duration kReadPatience = Duration::Seconds(2);

inline constexpr Duration kHeartbeatInterval = Duration::Seconds(1);
// A reader that was silent for so long is asked each kHeartbeatInterval, whatever else is written
// to it: well before its link would be told lost (10 s).
inline constexpr Duration kSilenceAskedAfter = Duration::Seconds(2);
// Signs of life, budgets and heartbeats are looked at this often.
inline constexpr Duration kTickInterval = Duration::Milliseconds(100);

// A wall is told at most this often of a case whose state changed, and of one whose head alone
// moved.
inline constexpr Duration kDirectoryInterval = Duration::Milliseconds(200);
inline constexpr Duration kDirectoryHeadInterval = Duration::Seconds(2);
// Cases that were purged are off the list after this: it is told anew for that, as a whole.
inline constexpr Duration kDirectoryWholeInterval = Duration::Seconds(60);
}  // namespace remora::hub
