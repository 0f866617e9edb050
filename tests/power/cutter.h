#pragma once

// When the power goes, and how often it went where.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/mutex.h"
#include "common/random.h"
#include "common/testing/crash_disk.h"

namespace remora::power {

// Cuts by kind of boundary, and what was looked at, by name.
using Counters = std::map<std::string, uint64_t>;

// What a history is made from. A plant is a defect on purpose: see CrashDisk.
struct HistoryOptions {
  uint64_t seed = 0;
  // Power cuts of one disk, one after the other.
  int cuts = 8;
  // Disks that are looked at after each cut: with the last of them the history goes on.
  int images = 3;
  // Of so many lives one has a sync that fails.
  int lives_a_failing_sync = 10;
  CrashDisk::Plant plant = CrashDisk::Plant::kNone;
  std::string plant_part = {};
};

// Cuts the power at the nth call of one kind of boundary. Thread-safe but for Arm.
class Cutter {
 public:
  // The kind of boundary that a call is, and whether it is a cut after the call or before it.
  using Classify = std::function<std::string(const CrashDisk::Call&, bool after)>;

  explicit Cutter(Classify classify) : classify_(std::move(classify)) {}

  // `kind` empty: any. The first call is 1.
  void Arm(std::string kind, uint64_t nth, bool after) {
    kind_ = std::move(kind);
    countdown_ = nth;
    after_ = after;
    fail_sync_ = 0;
    where_.clear();
  }
  // That the nth sync of a file fails; 0: none.
  void FailSync(uint64_t nth) { fail_sync_ = nth; }

  CrashDisk::Watcher watcher() {
    return [this](const CrashDisk::Call& call) { return OnCall(call); };
  }
  // The kind at which the power went; empty: it has not. To be read when nothing runs any more.
  const std::string& where() const { return where_; }

 private:
  CrashDisk::Verdict OnCall(const CrashDisk::Call& call) {
    if (call.op == CrashDisk::Op::kSync && fail_sync_ > 0 && --fail_sync_ == 0) {
      return CrashDisk::Verdict::kFail;
    }
    // A write is cut in the middle of it, which is a state after it.
    const bool after = after_ || call.op == CrashDisk::Op::kWrite;
    const std::string kind = classify_(call, after);
    if (countdown_ == 0 || (!kind_.empty() && kind != kind_) || --countdown_ > 0) {
      return CrashDisk::Verdict::kGoOn;
    }
    where_ = kind;
    return after ? CrashDisk::Verdict::kCutAfter : CrashDisk::Verdict::kCutBefore;
  }

  const Classify classify_;
  std::string kind_;
  uint64_t countdown_ = 0;
  uint64_t fail_sync_ = 0;
  bool after_ = false;
  std::string where_;
};

inline CrashDisk::Remains DrawRemains(Random& random) {
  switch (random.Below(8)) {
    case 0:
      return CrashDisk::Remains::kNothing;
    case 1:
      return CrashDisk::Remains::kEverything;
    case 2:
    case 3:
      return CrashDisk::Remains::kTorn;
    default:
      return CrashDisk::Remains::kAny;
  }
}

}  // namespace remora::power
