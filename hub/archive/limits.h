#pragma once

// The archive's limits, each with its reason.

#include <cstddef>

#include "common/time.h"

namespace remora::hub {

// What is read of the journal at once, and the pause before the next: 25 MB/s, a case of 8 h in a
// minute, and those who read history come in between.
inline constexpr size_t kArchivePageBytes = 256 * 1024;
inline constexpr Duration kArchivePause = Duration::Milliseconds(10);
// Of a file that is hashed.
inline constexpr size_t kHashedBytes = 1024 * 1024;

}  // namespace remora::hub
