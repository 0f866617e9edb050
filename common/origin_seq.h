#pragma once

// How far the numbers of an origin's lane may go.

#include <cstdint>

namespace remora {

// The largest number that a browser can tell from its neighbours (Number.MAX_SAFE_INTEGER): at
// 1,000 records a second of one lane, 285,000 years. What lies above was made up, and the sums of
// ranges and totals stay far from the end of 64 bits.
inline constexpr uint64_t kMaxOriginSeq = (uint64_t{1} << 53) - 1;

}  // namespace remora
