#include "common/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "common/check.h"
#include "common/mutex.h"

namespace remora {
namespace {

class SystemRandom : public Random {
 public:
  void Fill(std::span<uint8_t> bytes) override {
    while (!bytes.empty()) {
      const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      REMORA_CHECK(got > 0, "the kernel gives random numbers");
      bytes = bytes.subspan(static_cast<size_t>(got));
    }
  }
};

// xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded by SplitMix64 as its authors advise.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15u;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      word = z ^ (z >> 31);
    }
  }

  void Fill(std::span<uint8_t> bytes) override {
    MutexLock lock(&mutex_);
    while (!bytes.empty()) {
      const uint64_t word = Next();
      const size_t take = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
      for (size_t i = 0; i < take; ++i) bytes[i] = static_cast<uint8_t>(word >> (8 * i));
      bytes = bytes.subspan(take);
    }
  }

 private:
  uint64_t Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  Mutex mutex_;
  uint64_t state_[4] ABSL_GUARDED_BY(mutex_);
};

}  // namespace

uint64_t Random::Uint64() {
  uint8_t bytes[8];
  Fill(bytes);
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

uint64_t Random::Below(uint64_t bound) {
  REMORA_CHECK(bound > 0, "there is a number below the bound");
  // The largest multiple of `bound` that fits: above it, low numbers would come too often.
  const uint64_t rest = (UINT64_MAX % bound + 1) % bound;
  uint64_t value = Uint64();
  while (value > UINT64_MAX - rest) value = Uint64();
  return value % bound;
}

double Random::Uniform() { return static_cast<double>(Uint64() >> 11) * 0x1.0p-53; }

std::unique_ptr<Random> MakeSystemRandom() { return std::make_unique<SystemRandom>(); }

std::unique_ptr<Random> MakeSeededRandom(uint64_t seed) {
  return std::make_unique<SeededRandom>(seed);
}

}  // namespace remora
