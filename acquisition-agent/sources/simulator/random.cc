#include "acquisition-agent/sources/simulator/random.h"

#include <bit>
#include <cmath>

namespace remora::agent::sim {
namespace {

uint64_t SplitMix(uint64_t* state) {
  *state += 0x9E3779B97F4A7C15u;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

SimRandom::SimRandom(uint64_t seed, uint64_t stream) {
  uint64_t mixed_stream = stream;
  uint64_t state = seed ^ SplitMix(&mixed_stream);
  for (uint64_t& word : state_) word = SplitMix(&state);
}

uint64_t SimRandom::NextBits() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

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
