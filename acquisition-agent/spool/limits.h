// Limits of the spool, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/limits.h"
#include "common/time.h"

namespace remora::agent {

// A segment is what is shed at once, and what a recovery reads into memory at once: 8 MiB are three
// minutes of eight EMG channels.
inline constexpr uint64_t kSegmentBytes = 8 * 1024 * 1024;
// Kept free for lanes 0-2: a day of alerts, messages, plans and measurements many times over.
inline constexpr uint64_t kControlReserveBytes = uint64_t{256} * 1024 * 1024;
// Records that wait for the next commit. The commit is due each 50 ms; this much is a disk that has
// stood still for about a minute.
inline constexpr size_t kMaxUncommittedBytes = 16 * 1024 * 1024;
// One entry: the largest record, or what is remembered of acknowledgements.
inline constexpr size_t kMaxEntryPayloadBytes = kMaxRecordBytes + 1024;
// Live bulk that waits for the link before it becomes backlog, in records a lane: 2 s of sweeps,
// envelopes and blocks of eight channels. Later than that it would be the past shown as the
// present.
inline constexpr uint64_t kMaxLiveRecords = 160;
// The free space of the disk is asked for after so many bytes written.
inline constexpr uint64_t kSpaceCheckBytes = 1024 * 1024;
// What was acknowledged is written down after so many more records: a crash asks the hub again for
// the rest anyway.
inline constexpr uint64_t kHeldNoteRecords = 512;

// How long the disk lasts is told from the last minutes: longer than the averages of evoked
// responses are apart, short enough that a modality that begins is seen before its first hour.
inline constexpr Duration kForecastWindow = Duration::Seconds(300);
inline constexpr Duration kForecastSample = Duration::Seconds(10);
// Before that the plan says what will be written.
inline constexpr Duration kMinMeasured = Duration::Seconds(60);
// What lasts longer than any operation is not told more exactly.
inline constexpr Duration kLongestForecast = Duration::Seconds(100 * 3600);
static_assert(kMinMeasured < kForecastWindow && kForecastSample < kMinMeasured);

static_assert(kMaxEntryPayloadBytes < kSegmentBytes, "a segment holds at least one entry");

}  // namespace remora::agent
