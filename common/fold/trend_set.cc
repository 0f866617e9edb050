#include "common/fold/trend_set.h"

#include <algorithm>
#include <array>
#include <limits>

#include "common/fold/limits.h"

namespace remora {
namespace {

constexpr int64_t kMinuteNs = 60'000'000'000;

// 0 says that there is no baseline, so a lost response of which nothing is left stands just above.
float PercentOf(const v1::Measurement& measurement) {
  const auto percent = static_cast<float>(measurement.amplitude_percent_of_baseline());
  const bool lost = measurement.state() == v1::MEASUREMENT_STATE_NO_RESPONSE;
  if (lost && measurement.has_baseline() && percent == 0) return std::numeric_limits<float>::min();
  return percent;
}

// Whether a baseline has a part in it: without one, a missing response is a finding and no fall.
bool IsCompared(const TrendSet::Point& point) {
  switch (point.state) {
    case v1::MEASUREMENT_STATE_WITHIN_LIMITS:
    case v1::MEASUREMENT_STATE_AMBER:
    case v1::MEASUREMENT_STATE_RED:
      return true;
    case v1::MEASUREMENT_STATE_NO_RESPONSE:
      return point.amplitude_percent_of_baseline != 0;
    default:
      return false;
  }
}

}  // namespace

void TrendSet::Add(const v1::Measurement& measurement, uint64_t seq, int64_t made_unix_ns) {
  const TrendKey key{measurement.trace_id(), measurement.component()};
  auto it = trends_.find(key);
  if (it == trends_.end()) {
    if (trends_.size() >= kMaxTrends) return;
    it = trends_.emplace(key, std::vector<Point>()).first;
  }
  it->second.push_back({made_unix_ns, static_cast<float>(measurement.amplitude_uv()),
                        static_cast<float>(measurement.latency_ms()), PercentOf(measurement),
                        static_cast<float>(measurement.latency_change_percent()),
                        measurement.state(), seq, measurement.confidence()});
  // One trend more lowers the limit of all.
  const size_t limit = PointLimit();
  if (it->second.size() > 1) {
    Thin(&it->second, limit);
  } else {
    for (auto& [other, points] : trends_) Thin(&points, limit);
  }
}

size_t TrendSet::PointLimit() const {
  return std::clamp(kMaxTrendPointsOfCase / std::max<size_t>(trends_.size(), 1), kMinTrendPoints,
                    kMaxTrendPoints);
}

void TrendSet::Thin(std::vector<Point>* points, size_t limit) {
  if (points->size() <= limit) return;
  std::vector<Point> kept;
  kept.reserve(points->size());
  bool drop = true;
  for (size_t i = 0; i < points->size(); ++i) {
    const Point& point = (*points)[i];
    const bool at_end = i == 0 || i + 1 == points->size();
    const bool crossing =
        at_end || point.state != (*points)[i - 1].state || point.state != (*points)[i + 1].state;
    if (!crossing) drop = !drop;
    if (crossing || !drop) kept.push_back(point);
  }
  if (kept.size() > limit) kept.erase(kept.begin(), kept.end() - static_cast<ptrdiff_t>(limit));
  *points = std::move(kept);
}

void TrendSet::Restore(const v1::Trend& trend) {
  if (trends_.size() >= kMaxTrends) return;
  std::vector<Point>& points = trends_[{trend.trace_id(), trend.component()}];
  points.clear();
  for (const v1::TrendPoint& p : trend.points()) {
    points.push_back({p.recorded_unix_ns(), p.amplitude_uv(), p.latency_ms(),
                      p.amplitude_percent_of_baseline(), p.latency_change_percent(),
                      static_cast<v1::MeasurementState>(p.state()), p.seq(),
                      static_cast<v1::MarkConfidence>(p.confidence())});
  }
}

void TrendSet::FillProto(v1::CaseState* state) const {
  for (const auto& [key, points] : trends_) {
    v1::Trend* trend = state->add_trends();
    trend->set_trace_id(key.first);
    trend->set_component(key.second);
    for (const Point& point : points) {
      v1::TrendPoint* p = trend->add_points();
      p->set_recorded_unix_ns(point.made_unix_ns);
      p->set_amplitude_uv(point.amplitude_uv);
      p->set_latency_ms(point.latency_ms);
      p->set_amplitude_percent_of_baseline(point.amplitude_percent_of_baseline);
      p->set_latency_change_percent(point.latency_change_percent);
      p->set_state(static_cast<uint32_t>(point.state));
      p->set_seq(point.seq);
      p->set_confidence(static_cast<uint32_t>(point.confidence));
    }
  }
}

std::vector<float> TrendSet::WorstOfLastHour(int64_t until_unix_ns) const {
  std::array<float, kSparklinePoints> worst;
  worst.fill(-1.0F);
  for (const auto& [key, points] : trends_) {
    for (auto it = points.rbegin(); it != points.rend(); ++it) {
      // Times of a damaged file lie anywhere: unsigned, since their difference may be.
      const uint64_t age_ns =
          it->made_unix_ns >= until_unix_ns
              ? 0
              : static_cast<uint64_t>(until_unix_ns) - static_cast<uint64_t>(it->made_unix_ns);
      if (age_ns >= uint64_t{kSparklinePoints} * uint64_t{kMinuteNs}) break;
      if (!IsCompared(*it)) continue;
      const size_t minute = kSparklinePoints - 1 - age_ns / uint64_t{kMinuteNs};
      float& value = worst[minute];
      const float percent = it->amplitude_percent_of_baseline;
      if (value < 0 || percent < value) value = percent;
    }
  }
  std::vector<float> compact;
  for (float value : worst) {
    if (value >= 0) compact.push_back(value);
  }
  return compact;
}

}  // namespace remora
