#pragma once

// Limits of the participant link, each with its reason.

#include <cstddef>

#include "common/limits.h"
#include "common/time.h"

namespace remora {

// The protocol versions that this source speaks.
inline constexpr unsigned kMinimumVersion = 1;
inline constexpr unsigned kMaximumVersion = 2;
// A hub of an earlier version takes Up.backlog for a fault.
inline constexpr unsigned kFirstVersionWithBacklog = 2;
// One of an earlier version asks for no report of what was shown.
inline constexpr unsigned kFirstVersionThatAsks = 2;

// Redial after this, doubled each time, times a random 0.5 to 1: a hub that restarts is met at
// once, and a hundred theatres do not meet it in the same instant.
inline constexpr Duration kFirstBackOff = Duration::Milliseconds(50);
inline constexpr Duration kLongestBackOff = Duration::Seconds(5);
// A session that lived this long counts as good: the back-off starts anew.
inline constexpr Duration kGoodSession = Duration::Seconds(5);
// From dialing to welcome. A WAN round trip is under 1 s; TLS takes three.
inline constexpr Duration kGreetingTimeout = Duration::Seconds(10);

// A sign of life each second when idle, so that 2 s without one means something.
inline constexpr Duration kHeartbeatInterval = Duration::Seconds(1);
// The ages of a link (clinical.md 3.3 gives the reasons): from local time alone.
inline constexpr Duration kStaleAge = Duration::Seconds(2);
inline constexpr Duration kLostAge = Duration::Seconds(10);
inline constexpr Duration kUnsupervisedAge = Duration::Seconds(60);
// A link without a sign of life for so long is half open: closed and dialled again.
inline constexpr Duration kHalfOpenAge = kLostAge;

// Clock probes: a burst, to have a bound soon after the start; then so often that drift adds at
// most 2 ms to the bound.
inline constexpr int kProbeBurst = 5;
inline constexpr Duration kProbeBurstInterval = Duration::Milliseconds(50);
inline constexpr Duration kProbeInterval = Duration::Seconds(2);

// Reports of what was shown (docs/backpressure.md, "Credit"): at once when the hub asks; else each
// 20 ms where so much came that the hub's window of 30 ms needs it; else twice a second, since a
// report costs the hub as much as a record.
inline constexpr Duration kShownInterval = Duration::Milliseconds(20);
inline constexpr size_t kShownBytes = 16 * 1024;
inline constexpr Duration kLatestShown = Duration::Milliseconds(500);
// To a hub that does not ask: its window counts on one each 50 ms.
inline constexpr Duration kShownIntervalVersion1 = Duration::Milliseconds(50);
// A join that was refused because the theatre is claimed is tried again: the claim of an agent that
// crashed ends when the hub has noticed (kHalfOpenAge).
inline constexpr Duration kJoinRetryInterval = Duration::Seconds(2);
// A follow or a record that is refused for now (no such case yet, too many, draining) is asked for
// or offered again after this, doubled each time, times a random 0.5 to 1: a case that opens is
// seen within half a minute, and what stays refused costs next to nothing.
inline constexpr Duration kFirstRetry = kJoinRetryInterval;
inline constexpr Duration kLongestRetry = Duration::Seconds(30);

// One write of records upwards: at 2 Mbit/s, 16 KiB are 66 ms that an alert may have to wait.
// A single larger record goes alone.
inline constexpr size_t kMaxUplinkBatchBytes = 16 * 1024;
static_assert(kMaxUplinkBatchBytes <= kMaxBatchBytes, "a batch upwards is a batch");

// Cases followed, and cases published in, over one session: a centre's wall shows up to 64
// theatres.
inline constexpr size_t kMaxFollows = 256;
inline constexpr size_t kMaxOutboxes = 64;
// Requests of history that wait to be sent: a person scrolls; more is a fault of the caller's.
inline constexpr size_t kMaxWaitingRequests = 64;
// Ids of records shown UNRECORDED, kept to recognise a repetition: ten minutes at 16 records/s.
inline constexpr size_t kMaxUnrecordedKeys = 10'000;

// What a MemoryOutbox holds until it is acknowledged: an hour of a reader's messages many times
// over.
inline constexpr size_t kMaxMemoryOutboxRecords = 10'000;
inline constexpr size_t kMaxMemoryOutboxBytes = 16 * 1024 * 1024;

}  // namespace remora
