#include "reader-client/cc/sdk/delivery_latency.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace remora::reader {
namespace {

constexpr double kFirstBinMs = 0.01;
constexpr double kBinGrowth = 1.05;
// An hour: who knows a clock no better knows nothing of it.
constexpr uint64_t kMostBoundNs = 3'600'000'000'000;

}  // namespace

void DeliveryLatency::OnClockEstimate(const OriginId& origin, const v1::ClockEstimate& estimate) {
  estimates_[{origin, estimate.boot_id()}] = estimate;
}

int DeliveryLatency::BinOf(double ms) {
  if (ms <= kFirstBinMs) return 0;
  return std::min(kBins - 1,
                  static_cast<int>(std::log(ms / kFirstBinMs) / std::log(kBinGrowth)) + 1);
}

std::optional<Duration> DeliveryLatency::OnRecord(const OriginId& origin,
                                                  const v1::CapturedAt& captured,
                                                  const BoundedHubTime& now) {
  const auto it = estimates_.find({origin, captured.boot_id()});
  if (it == estimates_.end()) return std::nullopt;
  const v1::ClockEstimate& estimate = it->second;
  const double since_s =
      static_cast<double>(captured.monotonic_ns() - estimate.at_monotonic_ns()) / 1e9;
  const auto drift_ns = static_cast<int64_t>(since_s * estimate.drift_ppb());
  const HubTime captured_at =
      HubTime::FromNanoseconds(captured.monotonic_ns() + estimate.offset_ns() + drift_ns);
  const Duration bound = now.bound + Duration::Nanoseconds(static_cast<int64_t>(std::min<uint64_t>(
                                         estimate.error_bound_ns(), kMostBoundNs)));
  Duration latency = now.time - captured_at;
  if (latency < Duration() - bound) {
    ++contradictions_;
    return std::nullopt;
  }
  if (latency < Duration()) latency = bound;
  ++bins_[BinOf(latency.milliseconds())];
  ++count_;
  largest_bound_ms_ = std::max(largest_bound_ms_, bound.milliseconds());
  return latency;
}

std::string DeliveryLatency::QuantileText(double quantile) const {
  const double ms = QuantileMs(quantile);
  // A quantile is the upper end of its bin.
  return ms <= largest_bound_ms_ * kBinGrowth ? absl::StrFormat("< %.1f", largest_bound_ms_)
                                              : absl::StrFormat("%.1f", ms);
}

double DeliveryLatency::QuantileMs(double quantile) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    seen += bins_[bin];
    if (seen >= std::max<uint64_t>(wanted, 1)) return kFirstBinMs * std::pow(kBinGrowth, bin);
  }
  return kFirstBinMs * std::pow(kBinGrowth, kBins);
}

}  // namespace remora::reader
