#pragma once

// Limits of the command line.

#include <cstddef>

#include "common/time.h"

namespace remora::reader {

// Records that wait to be printed: a minute of a busy theatre's records, so that a terminal that
// scrolls is not held for one; beyond, the follow is let go and taken up again.
inline constexpr size_t kMaxWaitingRecords = 1024;
// A follow that was let go is taken up again when so few wait: not for each record.
inline constexpr size_t kFewWaitingRecords = kMaxWaitingRecords / 4;
// Changes of the link that wait to be told; of more, the newest are told.
inline constexpr size_t kMaxLinkChanges = 16;
// How long a quiet case keeps a command from looking whether its time is over or its reader gone.
inline constexpr Duration kLook = Duration::Milliseconds(100);
// Whether a view that was seen is to be put on record is looked at this often: it is due each 2 s
// at most.
inline constexpr Duration kLookAtSeen = Duration::Milliseconds(500);

// Gaps that a table lists: two screens; beyond, somebody looks with a program. And in the one line
// of a certificate.
inline constexpr size_t kMaxListedGaps = 40;
inline constexpr size_t kMaxGapsInALine = 3;
// Open electrodes that a line names.
inline constexpr size_t kMaxOpenInALine = 8;

static_assert(kFewWaitingRecords < kMaxWaitingRecords);

// A COMPLETE follow is said to be behind from here on: less is what a busy case writes in some
// seconds, and comes and goes.
inline constexpr uint64_t kBehindRecords = 100;

}  // namespace remora::reader
