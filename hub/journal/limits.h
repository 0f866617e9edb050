#pragma once

// The journal's limits, each with its reason.

#include <cstddef>
#include <cstdint>

#include "common/limits.h"
#include "common/time.h"

namespace remora::hub {

// Payload of one stored row, before sealing. A longer run is cut into several rows, so that a read
// of one page never opens much more than it returns. Equals ReadRequest's default page.
inline constexpr size_t kMaxRowBytes = 256 * 1024;
static_assert(kMaxRowBytes >= kMaxRecordBytes + 64, "a row holds at least one stamped frame");

// Frames in one transaction: about 20 ms of writing on a slow disk (200 MB/s), so that a backlog
// that floods in delays an alert of another room by no more than that. One append is never cut.
inline constexpr size_t kMaxTransactionBytes = 4 * 1024 * 1024;

// A commit of bulk alone begins no sooner after the one before: many theatres share one sync, and a
// record waits no longer for it than this. Lanes 0-2 wait for nothing.
inline constexpr Duration kCommitGather = Duration::Microseconds(500);

// Frames waiting for the writer: 15 s of 100 theatres (4.5 MB/s), longer than a disk stalls that is
// not broken. What comes on top is refused with ResourceExhausted, and tried again.
inline constexpr size_t kMaxQueuedAppendBytes = 64 * 1024 * 1024;

// Reads waiting for the reader: 256 followers of history with a few pages each.
inline constexpr size_t kMaxQueuedReads = 1024;
// Restores waiting for it: rooms ask for 16 at a time, and for those that somebody waits for.
inline constexpr size_t kMaxQueuedRestores = 1024;

// Tombstones waiting to be read, a row each; they go before pages. As many as agents and browsers
// come back with records of purged cases at a time; what is beyond is told that the case was
// purged, without where it went.
inline constexpr size_t kMaxQueuedLookups = 1024;

// A room's folded state; measured in tens of KiB for an 8 h case. A larger one is not kept.
inline constexpr size_t kMaxCheckpointBytes = 16 * 1024 * 1024;

// What a checkpoint notes for the list of cases: some 1 KiB, and 40 bytes an origin. A larger one
// is not kept.
inline constexpr size_t kMaxCheckpointNoteBytes = 256 * 1024;

// A page of frames that one read may ask for.
inline constexpr size_t kMaxReadBytes = 4 * 1024 * 1024;
static_assert(kMaxReadBytes <= kMaxMessageBytes, "a page of history fits into a message");

// `seq` of a case in a row's key: 40 bits are 34 years at 1,000 records/s.
inline constexpr uint64_t kMaxSeq = (uint64_t{1} << 40) - 1;
// Cases in one file, ever: 22 bits are 4 million. Of those that were purged id and key alone stay
// in memory, 24 bytes and a hash table's room: 5 MB a year of 100 theatres, and 200 MB at the most.
inline constexpr int64_t kMaxCaseKey = (int64_t{1} << 22) - 1;

}  // namespace remora::hub
