#include "common/clock.h"

#include <cstdio>
#include <ctime>

#include "common/check.h"

namespace remora {
namespace {

int64_t ReadNanoseconds(clockid_t id) {
  timespec now;
  REMORA_CHECK(clock_gettime(id, &now) == 0, "the kernel has this clock");
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// FNV-1a over the kernel's boot id. Where that cannot be read (a container without /proc), the time
// of boot on the wall clock, in s: the same for one boot, unless the wall clock is set.
uint64_t ReadBootId() {
  char text[64] = {};
  size_t size = 0;
  if (std::FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "r")) {
    size = std::fread(text, 1, sizeof(text), file);
    std::fclose(file);
  }
  uint64_t hash = 0xcbf29ce484222325u;
  if (size == 0) {
    return hash ^
           static_cast<uint64_t>(
               (ReadNanoseconds(CLOCK_REALTIME) - ReadNanoseconds(CLOCK_BOOTTIME)) / 1'000'000'000);
  }
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<uint8_t>(text[i])) * 0x100000001b3u;
  }
  return hash;
}

class SystemClock : public Clock {
 public:
  SystemClock() : boot_id_(ReadBootId()) {}
  DeviceTime Now() const override {
    return DeviceTime::FromNanoseconds(ReadNanoseconds(CLOCK_BOOTTIME));
  }
  WallTime WallNow() const override {
    return WallTime::FromNanoseconds(ReadNanoseconds(CLOCK_REALTIME));
  }
  uint64_t boot_id() const override { return boot_id_; }

 private:
  const uint64_t boot_id_;
};

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }

}  // namespace remora
