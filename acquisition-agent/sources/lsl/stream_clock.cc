#include "acquisition-agent/sources/lsl/stream_clock.h"

#include <algorithm>
#include <cmath>

namespace remora::agent::lsl {

StreamClock::StreamClock(double nominal_rate_hz)
    : rate_hz_(nominal_rate_hz), keep_(std::exp2(-1.0 / (kHalfLifeS * nominal_rate_hz))) {}

void StreamClock::Restart(double index, double time_s) {
  weight_ = 1;
  mean_index_ = first_index_ = last_index_ = index;
  mean_time_ = time_s;
  index_index_ = 0;
  index_time_ = 0;
}

void StreamClock::Add(double index, double time_s) {
  if (!started()) return Restart(index, time_s);
  const double steps = std::max(index - last_index_, 0.0);
  const double kept = steps == 1 ? keep_ : std::pow(keep_, steps);
  last_index_ = index;
  weight_ = weight_ * kept + 1;
  const double from_mean_index = index - mean_index_;
  const double from_mean_time = time_s - mean_time_;
  mean_index_ += from_mean_index / weight_;
  mean_time_ += from_mean_time / weight_;
  index_index_ = index_index_ * kept + from_mean_index * (index - mean_index_);
  index_time_ = index_time_ * kept + from_mean_index * (time_s - mean_time_);
}

double StreamClock::slope() const {
  const double nominal = 1 / rate_hz_;
  if (!settled() || index_index_ <= 0) return nominal;
  return std::clamp(index_time_ / index_index_, nominal * (1 - kMostDeviation),
                    nominal * (1 + kMostDeviation));
}

}  // namespace remora::agent::lsl
