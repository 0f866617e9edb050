#pragma once

// Rooms sign one after another: each head costs the encoding of a case's state, and what is due at
// the same moment, as after a start, is not to be done in the same one. Sequence-bound to the hub's
// sequence.

#include <optional>

#include "common/time.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

class SigningTurns {
 public:
  // True: it is this room's turn. False: try again with the next tick.
  bool Take(DeviceTime now) {
    if (last_ && now - *last_ < kSigningSpacing) return false;
    last_ = now;
    return true;
  }

 private:
  std::optional<DeviceTime> last_;
};

}  // namespace remora::hub
