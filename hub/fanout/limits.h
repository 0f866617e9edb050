#pragma once

// The fan-out's limits, each with its reason.

#include <cstddef>
#include <cstdint>

#include "common/limits.h"
#include "common/time.h"

namespace remora::hub {

// Bulk on its way to one follower (credit_window.h). At first two sweeps: a slow link shows itself
// before it is filled, a fast one after one round trip.
inline constexpr size_t kFirstBulkWindowBytes = 2 * kMaxSweepBytes;
// The least: one block; a larger record goes alone.
inline constexpr size_t kMinBulkWindowBytes = kMaxBlockBytes;
// The most: 30 ms of 70 MB/s. What a follower that stopped keeps alive beside its queues.
inline constexpr size_t kMaxBulkWindowBytes = 2 * 1024 * 1024;
// What may be on its way beyond a round trip: an alert waits behind no more than this.
inline constexpr Duration kBulkWindowSlack = Duration::Milliseconds(30);
// The same for a follower of version 1, which is not asked and reports each 50 ms.
inline constexpr Duration kBulkWindowSlackVersion1 = Duration::Milliseconds(80);
// One write, and at the most: less than the slack, so that reports keep the window moving.
inline constexpr Duration kBulkWriteTime = Duration::Milliseconds(20);
inline constexpr size_t kMaxBulkWriteBytes = 256 * 1024;
static_assert(kBulkWriteTime < kBulkWindowSlack);
// Two reports that came closer together say nothing of a rate.
inline constexpr Duration kLeastSampleTime = Duration::Milliseconds(1);

// A link that carries less than this gets lanes 0-2 alone (96 kbit/s: a theatre's sweeps would take
// all of it), and lanes 3-5 again from 160 kbit/s on.
inline constexpr double kSlowLinkBytesPerSecond = 12'000;
inline constexpr double kBulkLinkBytesPerSecond = 20'000;
// Before a link is called slow: one sample may have met a stall.
inline constexpr size_t kSlowLinkSamples = 3;
// One record of lanes 3-5 goes then, to see whether the link carries more by now: half a second of
// 64 kbit/s. Doubled each time that it does not.
inline constexpr Duration kFirstLinkProbe = Duration::Seconds(5);
inline constexpr Duration kLongestLinkProbe = Duration::Seconds(60);
// A lane that is left out so tells its gap at most this often.
inline constexpr Duration kSlowLinkGapInterval = Duration::Seconds(2);

// Queued for one follow, by lane. Frames are shared: this is what a follower that reads nothing
// keeps alive.
inline constexpr size_t kMaxQueuedMeasurementBytes = 64 * 1024;
inline constexpr size_t kMaxQueuedSweepBytes = 1024 * 1024;
inline constexpr size_t kMaxQueuedEnvelopeBytes = 256 * 1024;
// About 2 s of one theatre's EMG and EEG (45 kB/s): what is older is the past.
inline constexpr size_t kMaxQueuedBlockBytes = 512 * 1024;
// Lanes 4 and 5 that waited for longer are not shown as live: with what is on its way beside them,
// a follower on 256 kbit/s sees nothing that is a second old.
inline constexpr Duration kMaxQueuedBulkAge = Duration::Milliseconds(600);
// Measurements that wait before the newest of a trace replaces the others: discrete findings (EMG
// activities) of one moment are all shown to a reader that keeps up.
inline constexpr size_t kMeasurementSlack = 64;

// A lane of which nothing else is sent tells its gap at most this often.
inline constexpr Duration kGapInterval = Duration::Milliseconds(250);

// What a complete follow waits for a report of what was shown. A follower that has never said
// anything needs no credit, and is not held up from then on; of one that has, one batch goes each
// time.
inline constexpr Duration kReportPatience = Duration::Seconds(1);
// How far a complete follow is behind is said at most this often while it is sent what it lacks.
inline constexpr Duration kBehindInterval = Duration::Seconds(1);

// Beside live follows that fill the link, what was missed (complete follows, history) gets one
// write this often, and no more than this part of the link: next to nothing of a fast one.
inline constexpr Duration kMissedInterval = Duration::Milliseconds(500);
inline constexpr double kMissedShare = 0.25;

// Questions on their way that are told apart; beyond that the newest stands for all, and what came
// is known a little later.
inline constexpr size_t kMaxQuestions = 256;
// So much that nobody reports is sent before a question goes behind it, unless something waits for
// credit: an alert now and then asks nothing.
inline constexpr size_t kUnaskedBytes = kMaxBlockBytes;

// A page of a follow that is behind the recent frames.
inline constexpr size_t kCatchUpPageBytes = 256 * 1024;
static_assert(kCatchUpPageBytes >= kMaxBatchBytes, "a page fills at least one batch");
// One HistoryPage: small, since it is served after everything else but never interrupted. Beside a
// live follow no more than one write. Read from the journal in parts of the same size.
inline constexpr size_t kHistoryPageBytes = 32 * 1024;
// HistoryRequests of a session that wait.
inline constexpr size_t kMaxHistoryRequests = 16;
// A wall follows some dozen cases.
inline constexpr size_t kMaxFollows = 64;
inline constexpr size_t kMaxTraceFilter = 256;

// A budget may be spent at once up to this part of a second, but at least one sweep.
inline constexpr int kBudgetBurstParts = 4;

}  // namespace remora::hub
