#pragma once

// Limits of the SQLite engine, each with its reason. Those of all engines: hub/journal/limits.h.

#include <cstddef>
#include <cstdint>

namespace remora::hub::sqlite {

// How long a statement waits for another process (an administrator's sqlite3 shell) to let go of
// the file. The hub's own threads never wait for each other so. Short, since alerts wait with it.
inline constexpr int kBusyTimeoutMs = 200;

// Pages (of 4 KiB) in the write-ahead log at which the checkpointer begins: 16 MiB are 3 s of 100
// theatres, and are read back in less than 50 ms after a crash. Fewer would sync the main file more
// often; more would lengthen the start.
inline constexpr int kCheckpointPages = 4096;
// The log's file is cut back to this when it starts anew after a burst, in bytes.
inline constexpr int64_t kKeptLogBytes = int64_t{64} * 1024 * 1024;
// A log that is written anew is copied in parts of this: a few calls a log, and little memory.
inline constexpr size_t kCopiedLogBytes = size_t{1} << 20;

// Of a purged case, what one transaction frees: a quarter of a millisecond of work, and what the
// disk takes to read so much, by which a commit that comes meanwhile is late. It is not synced by
// itself.
inline constexpr int64_t kPurgeStepRows = 64;
inline constexpr int64_t kPurgeStepBytes = 64 * 1024;
// From one step to the next: some 10 MB/s, a case of 8 h in two minutes, for a few percent of the
// writer's time.
inline constexpr int64_t kPurgePauseMs = 6;
// A case of which a step fails is tried again after the first, then after twice as long, up to the
// second: the failed transaction may have the file opened anew, which holds up whoever records.
// Checkpoints of all cases the same after one that failed, until one succeeds.
inline constexpr int64_t kFirstRetryMs = 1'000;
inline constexpr int64_t kLongestRetryMs = 10 * 60 * 1'000;
// Those of the case that failed: a room has a new one each minute, so one is passed over at least.
inline constexpr int64_t kFirstCheckpointRetryMs = 2 * 60 * 1'000;

// A file that cannot be opened anew is tried after kFirstRetryMs, then after twice as long, up to
// this, though nobody appends: history waits for it.
inline constexpr int64_t kLongestReopenMs = 30 * 1'000;

// Of cases that came to rest while none could be written: beyond it they are restored at the next
// start, as one is whose note fails so often.
inline constexpr size_t kMaxHeldBytes = 64 * 1024 * 1024;
inline constexpr int kMaxNoteTries = 8;

// Notes of cases at rest that could not be read, after which a start gives up the others: a disk
// takes up to seconds for each.
inline constexpr size_t kMaxUnreadNotes = 64;

// Page cache of each connection, in KiB: the writer's holds the tails of 100 cases several times
// over, the reader's a few pages of history.
inline constexpr int kWriterCacheKib = 16 * 1024;
inline constexpr int kReaderCacheKib = 4 * 1024;

}  // namespace remora::hub::sqlite
