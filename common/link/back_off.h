#pragma once

// How long to wait before the next attempt. Thread-compatible value.

#include <algorithm>

#include "common/link/limits.h"
#include "common/random.h"
#include "common/time.h"

namespace remora {

class BackOff {
 public:
  BackOff(Duration first, Duration longest) : first_(first), longest_(longest), next_(first) {}

  // Doubles with each call, up to the longest; times 0.5 to 1.
  Duration Next(Random& random) {
    const Duration whole = next_;
    next_ = std::min(next_ * 2, longest_);
    return Jittered(whole, random);
  }
  Duration Longest(Random& random) const { return Jittered(longest_, random); }
  void Reset() { next_ = first_; }

 private:
  static Duration Jittered(Duration whole, Random& random) {
    return Duration::FromSeconds(whole.seconds() * (0.5 + 0.5 * random.Uniform()));
  }

  Duration first_;
  Duration longest_;
  Duration next_;
};

}  // namespace remora
