#pragma once

// Whether a session's link carries bulk beside lanes 0-2. One that does not is left to those, and
// tried again with a single record from time to time.
//
//   open --rate under kSlowLinkBytesPerSecond--> slow --rate of a probe from
//     ^                                            |    kBulkLinkBytesPerSecond on
//     '--------------------------------------------'
//
// Thread-compatible value; sequence-bound to its session.

#include <algorithm>

#include "common/time.h"
#include "hub/fanout/credit_window.h"
#include "hub/fanout/limits.h"

namespace remora::hub {

class SlowLink {
 public:
  void Update(const CreditWindow& credit, DeviceTime now) {
    if (slow_) {
      slow_ = credit.rate() < kBulkLinkBytesPerSecond;
    } else if (credit.judged() >= kSlowLinkSamples && credit.rate() < kSlowLinkBytesPerSecond) {
      slow_ = true;
      wait_ = kFirstLinkProbe;
      probe_at_ = now + wait_;
    }
  }
  bool is_slow() const { return slow_; }
  // One record of lanes 3-5 may go.
  bool IsProbeDue(DeviceTime now) const { return slow_ && now >= probe_at_; }
  void OnProbe(DeviceTime now) {
    wait_ = std::min(wait_ * 2, kLongestLinkProbe);
    probe_at_ = now + wait_;
  }

 private:
  bool slow_ = false;
  Duration wait_;
  DeviceTime probe_at_;
};

}  // namespace remora::hub
