#include "acquisition-agent/pipelines/cadence.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {
namespace {

constexpr size_t kIntervals = 9;
constexpr double kMissingPeriods = 3;
constexpr int64_t kMissingNs = 2'000'000'000;
// A stimulus is late when its interval is this many periods; stimulators jitter by less.
constexpr double kLatePeriods = 1.5;

}  // namespace

double Cadence::rate_hz() const {
  if (stated_rate_hz_) return *stated_rate_hz_;
  if (intervals_ns_.size() >= 3) {
    std::vector<int64_t> sorted(intervals_ns_.begin(), intervals_ns_.end());
    std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
    return 1e9 / static_cast<double>(sorted[sorted.size() / 2]);
  }
  return planned_rate_hz_;
}

void Cadence::Start(int64_t now_ns) {
  if (!start_ns_) start_ns_ = now_ns;
}

int Cadence::OnStimulus(int64_t time_ns, std::optional<double> stated_rate_hz) {
  if (stated_rate_hz && *stated_rate_hz > 0) stated_rate_hz_ = stated_rate_hz;
  int missed = 0;
  if (any_ && time_ns > last_ns_) {
    const double rate = rate_hz();
    const double periods = static_cast<double>(time_ns - last_ns_) * rate / 1e9;
    if (rate > 0 && periods > kLatePeriods) {
      missed = static_cast<int>(std::min(periods + 0.5, 1e6)) - 1;
      in_a_row_ = 0;
    } else {
      intervals_ns_.push_back(time_ns - last_ns_);
      if (intervals_ns_.size() > kIntervals) intervals_ns_.pop_front();
    }
  }
  any_ = true;
  last_ns_ = std::max(last_ns_, time_ns);
  ++in_a_row_;
  return missed;
}

bool Cadence::IsMissing(int64_t now_ns) const {
  if (!any_) return start_ns_ && now_ns - *start_ns_ > kNoStimuliYetNs;
  return IsPause(last_ns_, now_ns);
}

bool Cadence::IsPause(int64_t from_ns, int64_t to_ns) const {
  const double rate = rate_hz();
  if (rate <= 0) return false;
  const int64_t allowed_ns =
      std::max(kMissingNs, static_cast<int64_t>(kMissingPeriods * 1e9 / rate));
  return to_ns - from_ns > allowed_ns;
}

}  // namespace remora::agent
