#pragma once

// Bytes a second that a follow's bulk may take: a token bucket. Thread-compatible value.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/limits.h"
#include "common/time.h"
#include "hub/fanout/limits.h"

namespace remora::hub {

class ByteBudget {
 public:
  // 0: no limit.
  explicit ByteBudget(uint32_t bytes_per_second) : rate_(bytes_per_second), tokens_(burst()) {}

  bool Allows(size_t bytes, DeviceTime now) {
    if (rate_ == 0) return true;
    Refill(now);
    return tokens_ >= std::min(static_cast<double>(bytes), burst());
  }
  // After Allows; may go below zero by one record.
  void Spend(size_t bytes) { tokens_ -= rate_ == 0 ? 0.0 : static_cast<double>(bytes); }
  bool limited() const { return rate_ != 0; }

 private:
  double burst() const {
    return std::max(static_cast<double>(rate_) / kBudgetBurstParts,
                    static_cast<double>(kMaxSweepBytes));
  }
  void Refill(DeviceTime now) {
    if (started_) tokens_ += static_cast<double>(rate_) * (now - refilled_at_).seconds();
    tokens_ = std::min(tokens_, burst());
    refilled_at_ = now;
    started_ = true;
  }

  uint32_t rate_;
  double tokens_;
  DeviceTime refilled_at_;
  bool started_ = false;
};

}  // namespace remora::hub
