#include "common/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "common/check.h"
#include "common/mutex.h"
#include "common/xoshiro.h"

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

// xoshiro256**.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : numbers_(seed) {}

  void Fill(std::span<uint8_t> bytes) override {
    MutexLock lock(&mutex_);
    while (!bytes.empty()) {
      const uint64_t word = numbers_.NextStarStar();
      const size_t take = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
      for (size_t i = 0; i < take; ++i) bytes[i] = static_cast<uint8_t>(word >> (8 * i));
      bytes = bytes.subspan(take);
    }
  }

 private:
  Mutex mutex_;
  Xoshiro256 numbers_ ABSL_GUARDED_BY(mutex_);
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
