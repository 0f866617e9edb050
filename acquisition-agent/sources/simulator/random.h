// Random numbers of the simulator: the same sequence from the same seed on every machine and
// standard library (the distributions of <random> are not). xoshiro256++.
//
// Thread-compatible. Not for secrets.
#pragma once

#include <cstdint>

#include "common/xoshiro.h"

namespace remora::agent::sim {

class SimRandom {
 public:
  // `stream` gives independent sequences of one seed: one for each channel and purpose.
  SimRandom(uint64_t seed, uint64_t stream);

  uint64_t NextBits();
  double Uniform();   // [0, 1)
  double Gaussian();  // mean 0, standard deviation 1

 private:
  Xoshiro256 numbers_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace remora::agent::sim
