#pragma once

// xoshiro256 of Blackman and Vigna (2018), seeded by SplitMix64 as its authors advise: the same
// numbers from the same seed on every machine and standard library. Not for secrets.
// Thread-compatible.

#include <array>
#include <bit>
#include <cstdint>

namespace remora {

// Steps `state`.
inline uint64_t SplitMix64(uint64_t* state) {
  *state += 0x9e3779b97f4a7c15u;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Xoshiro256 {
 public:
  explicit Xoshiro256(uint64_t seed) {
    for (uint64_t& word : state_) word = SplitMix64(&seed);
  }

  // The next number of one of the two sequences that the state has: xoshiro256++ or xoshiro256**.
  uint64_t NextPlusPlus() {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    Step();
    return result;
  }
  uint64_t NextStarStar() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    Step();
    return result;
  }

 private:
  void Step() {
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
  }

  std::array<uint64_t, 4> state_;
};

}  // namespace remora
