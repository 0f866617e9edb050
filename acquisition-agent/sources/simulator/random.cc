#include "acquisition-agent/sources/simulator/random.h"

#include <cmath>

namespace remora::agent::sim {

SimRandom::SimRandom(uint64_t seed, uint64_t stream) : numbers_(seed ^ SplitMix64(&stream)) {}

uint64_t SimRandom::NextBits() { return numbers_.NextPlusPlus(); }

double SimRandom::Uniform() { return static_cast<double>(NextBits() >> 11) * 0x1.0p-53; }

// Marsaglia's polar method: two at a time.
double SimRandom::Gaussian() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  double u = 0;
  double v = 0;
  double s = 0;
  do {
    u = 2 * Uniform() - 1;
    v = 2 * Uniform() - 1;
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  const double scale = std::sqrt(-2 * std::log(s) / s);
  spare_ = v * scale;
  has_spare_ = true;
  return u * scale;
}

}  // namespace remora::agent::sim
