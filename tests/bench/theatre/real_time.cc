#include "tests/bench/theatre/real_time.h"

#include <algorithm>

namespace remora::agent {

void RealTime::Begin(int64_t end_ns, int64_t now_ns) {
  if (ends_ns_.size() >= kRemembered) {
    forgotten_until_ns_ = ends_ns_.front();
    ends_ns_.pop_front();
  }
  ends_ns_.push_back(end_ns);
  began_ns_ = std::max(end_ns, free_at_ns_);
  began_at_ns_ = now_ns;
}

void RealTime::End(int64_t now_ns) { free_at_ns_ = At(now_ns); }

std::optional<Lateness> RealTime::Of(int64_t last_sample_ns, int64_t now_ns) const {
  if (last_sample_ns < forgotten_until_ns_) return std::nullopt;
  const auto holds = std::upper_bound(ends_ns_.begin(), ends_ns_.end(), last_sample_ns);
  if (holds == ends_ns_.end()) return std::nullopt;
  return Lateness{*holds - last_sample_ns, At(now_ns) - *holds};
}

}  // namespace remora::agent
