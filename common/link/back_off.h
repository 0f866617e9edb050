#pragma once

// How long to wait before the next dial. Thread-compatible value.

#include <algorithm>

#include "common/link/limits.h"
#include "common/random.h"
#include "common/time.h"

namespace remora {

class BackOff {
 public:
  // Doubles with each call, up to kLongestBackOff; times 0.5 to 1.
  Duration Next(Random& random) {
    const Duration whole = next_;
    next_ = std::min(next_ * 2, kLongestBackOff);
    return Jittered(whole, random);
  }
  Duration Longest(Random& random) const { return Jittered(kLongestBackOff, random); }
  void Reset() { next_ = kFirstBackOff; }

 private:
  static Duration Jittered(Duration whole, Random& random) {
    return Duration::FromSeconds(whole.seconds() * (0.5 + 0.5 * random.Uniform()));
  }

  Duration next_ = kFirstBackOff;
};

}  // namespace remora
