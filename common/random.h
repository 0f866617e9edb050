#pragma once

// Random numbers, handed in. Thread-safe.

#include <cstdint>
#include <memory>
#include <span>

namespace remora {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<uint8_t> bytes) = 0;
  uint64_t Uint64();
  // In [0, bound); bound > 0.
  uint64_t Below(uint64_t bound);
  // In [0, 1).
  double Uniform();
};

// From the operating system; fit for ids and keys.
std::unique_ptr<Random> MakeSystemRandom();
// Reproducible, for tests and simulation.
std::unique_ptr<Random> MakeSeededRandom(uint64_t seed);

}  // namespace remora
