#include "acquisition-agent/spool/space_forecast.h"

#include <algorithm>

#include "acquisition-agent/spool/limits.h"

namespace remora::agent {

void SpaceForecast::Measure(DeviceTime now, const LaneBytes& written) {
  if (!samples_.empty() && now - samples_.back().at < kForecastSample) return;
  samples_.push_back({now, written});
  while (samples_.size() > 2 && now - samples_[1].at >= kForecastWindow) samples_.pop_front();
}

bool SpaceForecast::is_measured() const {
  return samples_.size() > 1 && samples_.back().at - samples_.front().at >= kMinMeasured;
}

double SpaceForecast::BytesPerSecond(uint32_t lane) const {
  if (!is_measured() || samples_.back().written[lane] == 0) return planned_[lane];
  const uint64_t bytes = samples_.back().written[lane] - samples_.front().written[lane];
  return static_cast<double>(bytes) / (samples_.back().at - samples_.front().at).seconds();
}

double SpaceForecast::BytesPerSecond() const {
  double total = 0;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) total += BytesPerSecond(lane);
  return total;
}

Duration SpaceForecast::TimeLeft(uint64_t free_bytes) const {
  const double rate = BytesPerSecond();
  const double longest_s = kLongestForecast.seconds();
  if (rate <= 0) return kLongestForecast;
  return Duration::FromSeconds(std::min(static_cast<double>(free_bytes) / rate, longest_s));
}

}  // namespace remora::agent
