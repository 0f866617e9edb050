#pragma once

// The page that the two load processes of a run share: how far the run is, and how far each
// follower has come, so that the publisher never is more than its window ahead of the slowest.

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>

namespace remora::bench {

inline constexpr int kMaxFollowers = 4096;
// Sessions that are being opened at a time: hundreds of handshakes at once would run into each
// other's timeouts, which is not what is measured.
inline constexpr int kMaxOpening = 16;

enum class Phase : uint32_t {
  kStarting,  // the publisher opens its cases
  kOpen,      // followers may come
  kRunning,   // records are counted from `measured_from_ns` on
  kResumed,   // followers that stalled read again
  kDone,
};

struct ControlPage {
  std::atomic<Phase> phase;
  // Followers that have had a block.
  std::atomic<int32_t> followers_ready;
  // Records sent at or after this are measured.
  std::atomic<int64_t> measured_from_ns;
  // Records sent at or after this are not any more.
  std::atomic<int64_t> measured_to_ns;
  // The first theatre's last block.
  std::atomic<uint64_t> last_sent;
  // True while those that stall do not read.
  std::atomic<bool> stalling;
  alignas(64) std::atomic<uint64_t> measured;  // measured deliveries
  alignas(64) std::atomic<int64_t> last_ns;    // when the latest of them came
  // By follower: the last origin_seq of its case's blocks that it has.
  alignas(64) std::atomic<uint64_t> newest[kMaxFollowers];
};

// Maps the file, which is made where there is none. Ends the process when that cannot be.
ControlPage* MapControlPage(const std::string& path);

// CLOCK_MONOTONIC, the same in all processes.
int64_t NowNs();
void SleepUntilNs(int64_t when_ns);

// Seconds of CPU that a process has used, all threads; 0 for no process.
double CpuSeconds(int pid);
// A line of /proc/PID/status in MiB ("VmRSS:", "VmHWM:", "RssAnon:").
double StatusMib(int pid, const char* key);

}  // namespace remora::bench
