// What people are told of a device: each kind of remark at most once in kRemarkIntervalNs, and then
// with how often it was kept back. Thread-compatible value; pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace remora::agent::feed {

enum class RemarkKind {
  kRefused,    // a message against the protocol
  kSentTimes,  // sent_ns is out of order
  kClock,      // it stepped
  kBound,      // it is uncertain by more than before
  kSession,    // numbers or counts that begin anew
  kRepeated,   // what came before came again
  kFuture,     // blocks that end after they were sent
  kToldUntil,  // heartbeats of a stimulator that hold the others up
  kIdentity,   // another device, or another firmware
  kSignals,    // other channels or rates
  kLate,       // samples that come after those of others
  kUnknown,    // of a later version of the protocol
  kFull,       // more than can wait
};

class Remarks {
 public:
  // The text to tell now. Nothing: one of this kind was told shortly before; it is counted.
  std::optional<std::string> Tell(RemarkKind kind, absl::string_view text, int64_t now_ns);

 private:
  struct Told {
    int64_t at_ns = 0;
    uint64_t kept_back = 0;
  };
  std::map<RemarkKind, Told> told_;
};

}  // namespace remora::agent::feed
