#pragma once

// The fan-out's limits, each with its reason.

#include <cstddef>
#include <cstdint>

#include "common/limits.h"
#include "common/time.h"

namespace remora::hub {

// Bulk in flight to one follower without a `Shown`: the most that the credit may grow to. At 25
// Mbit/s it lasts 40 ms; slower links get less (credit_window.h).
inline constexpr size_t kBulkWindowBytes = 128 * 1024;
// The least: two sweeps, so that a slow link still carries the newest of something.
inline constexpr size_t kMinBulkWindowBytes = 2 * kMaxSweepBytes;
// What may be under way beyond a round trip: 30 ms, and the 50 ms between two `Shown` reports. An
// alert waits behind no more than this.
inline constexpr Duration kBulkWindowSlack = Duration::Milliseconds(80);

// Queued for one follow, by lane. Frames are shared: this is what a follower that reads nothing
// keeps alive.
inline constexpr size_t kMaxQueuedMeasurementBytes = 64 * 1024;
inline constexpr size_t kMaxQueuedSweepBytes = 1024 * 1024;
inline constexpr size_t kMaxQueuedEnvelopeBytes = 256 * 1024;
// About 2 s of one theatre's EMG and EEG (45 kB/s): what is older is the past.
inline constexpr size_t kMaxQueuedBlockBytes = 512 * 1024;
// Lanes 4 and 5 older than this are not shown as live.
inline constexpr Duration kMaxQueuedBulkAge = Duration::Seconds(2);
// Measurements that wait before the newest of a trace replaces the others: discrete findings (EMG
// activities) of one moment are all shown to a reader that keeps up.
inline constexpr size_t kMeasurementSlack = 64;

// A lane of which nothing else is sent tells its gap at most this often.
inline constexpr Duration kGapInterval = Duration::Milliseconds(250);

// A page of a follow that is behind the recent frames.
inline constexpr size_t kCatchUpPageBytes = 256 * 1024;
static_assert(kCatchUpPageBytes >= kMaxBatchBytes, "a page fills at least one batch");
// One HistoryPage: small, since it is served after everything else but never interrupted.
inline constexpr size_t kHistoryPageBytes = 32 * 1024;
// HistoryRequests of a session that wait.
inline constexpr size_t kMaxHistoryRequests = 16;
// A wall follows some dozen cases.
inline constexpr size_t kMaxFollows = 64;
inline constexpr size_t kMaxTraceFilter = 256;

// A budget may be spent at once up to this part of a second, but at least one sweep.
inline constexpr int kBudgetBurstParts = 4;

}  // namespace remora::hub
