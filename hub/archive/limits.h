#pragma once

// The archive's limits, each with its reason.

#include <cstddef>
#include <cstdint>

#include "common/time.h"

namespace remora::hub {

// What is read at once, of the journal and of the file that is proved, and the pause before the
// next: 25 MB/s, a case of 8 h in two minutes, and those who are live come in between.
inline constexpr size_t kArchivePageBytes = 256 * 1024;
inline constexpr Duration kArchivePause = Duration::Milliseconds(10);
// Synced at once. A journal on the same disk may have to wait for all that is not written yet
// before its own sync ends: 8 MiB are some 20 ms of a SATA SSD and under 100 ms of a hard disk,
// both below kUnrecordedAfter.
inline constexpr size_t kArchiveSyncBytes = 8 * 1024 * 1024;

// --- The disk. What stays free there whatever is to be archived: the journal may stand on the same
// disk, and the last byte is its own. A day of a busy hub's journal; a disk that is nearly full is
// slow; no more than a person would mind; and a small disk is of some use too.
inline constexpr uint64_t kArchiveReserveBytes = uint64_t{2} << 30;
inline constexpr uint64_t kArchiveReservePart = 20;  // of the disk: 5 %
inline constexpr uint64_t kMaxArchiveReserveBytes = uint64_t{64} << 30;
inline constexpr uint64_t kMaxArchiveReservePart = 4;
// Looked at again each time so much was written: others write there too. Or half the reserve.
inline constexpr uint64_t kArchiveSpaceBytes = 64 * 1024 * 1024;

// How often it is looked whether the folder is there, and what is free: a disk that is mounted
// again is seen within a minute.
inline constexpr Duration kArchiveLookInterval = Duration::Seconds(60);
// Not looked for so long: the disk hangs in a call.
inline constexpr Duration kArchiveHangsAfter = Duration::Seconds(180);
static_assert(kArchiveHangsAfter >= kArchiveLookInterval * 2);
// A step is a page, a sync of kArchiveSyncBytes, a look: no disk that works takes so long for it.
inline constexpr Duration kArchiveStepHangsAfter = Duration::Seconds(10);
inline constexpr Duration kArchiveProbeInterval = Duration::Seconds(1);
// So long the hub's end waits for what is under way there; it takes a page otherwise. The hub is to
// be gone within a second.
inline constexpr Duration kArchiveStopLimit = Duration::Milliseconds(500);
// The mark is two short lines.
inline constexpr uint64_t kMaxArchiveMarkBytes = 256;
// Cases of which it is remembered how they came out, 100 bytes each. Of one that is forgotten, the
// file is written once more.
inline constexpr size_t kMaxRememberedOutcomes = 10'000;

}  // namespace remora::hub
