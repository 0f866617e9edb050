#pragma once

// A status with text of its own, for handing to another thread. Copies of a status share their text
// and count who holds it; Debian's Abseil does that where ThreadSanitizer does not see it, and a
// count shared by two threads looks like a race.

#include "absl/status/status.h"

namespace remora::hub::sqlite {

inline absl::Status OwnStatus(const absl::Status& status) {
  return absl::Status(status.code(), status.message());
}

}  // namespace remora::hub::sqlite
