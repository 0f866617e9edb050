#include "common/clock_model.h"

#include <algorithm>
#include <cstdlib>

namespace remora {
namespace {

// Until so many probes agree, a better estimate is taken at once: nothing rests on the first ones.
constexpr size_t kSettlingProbes = 5;
// Times beyond this (146 years from 1970) are no times; differences of lesser ones cannot overflow.
constexpr int64_t kLargestTimeNs = int64_t{1} << 62;

bool IsPlausible(int64_t ns) { return ns > -kLargestTimeNs && ns < kLargestTimeNs; }

int64_t PartsPerBillion(int64_t ns, int64_t ppb) {
  // Rounded up, in double: 53 bits are 104 days to the nanosecond, and the bound needs no more.
  return static_cast<int64_t>(static_cast<double>(ns) * (static_cast<double>(ppb) / 1e9)) + 1;
}

int64_t Distance(DeviceTime a, DeviceTime b) { return std::abs((a - b).nanoseconds()); }

}  // namespace

void ClockModel::Reset(uint64_t device_boot_id) {
  boot_id_ = device_boot_id;
  window_.clear();
}

ClockModel::Interval ClockModel::At(const Probe& probe, DeviceTime time) {
  // Each end holds at some moment between sent and arrived: the farther one counts.
  const int64_t away = std::max(Distance(time, probe.sent), Distance(time, probe.arrived));
  const int64_t growth = PartsPerBillion(away, kMaxRelativeDriftPpb);
  return {probe.offset.low - growth, probe.offset.high + growth};
}

ClockModel::Interval ClockModel::Common(DeviceTime time) const {
  Interval common = At(window_.front(), time);
  for (const Probe& probe : window_) {
    const Interval one = At(probe, time);
    common.low = std::max(common.low, one.low);
    common.high = std::min(common.high, one.high);
  }
  return common;
}

int64_t ClockModel::ConversionOffset(DeviceTime time, const Interval& common) const {
  const int64_t reach = PartsPerBillion(Distance(time, anchor_time_), kMaxConversionSlewPpb);
  return anchor_offset_ns_ + std::clamp(common.middle() - anchor_offset_ns_, -reach, reach);
}

ClockModel::Outcome ClockModel::AddProbe(const ClockProbeTimes& times) {
  if (times.arrived < times.sent || times.replied < times.received ||
      !IsPlausible(times.received.nanoseconds()) || !IsPlausible(times.replied.nanoseconds())) {
    return Outcome::kImpossible;
  }
  const Probe probe = {times.sent,
                       times.arrived,
                       {times.replied.nanoseconds() - times.arrived.nanoseconds(),
                        times.received.nanoseconds() - times.sent.nanoseconds()}};
  const Interval fresh = At(probe, times.arrived);
  if (fresh.low > fresh.high)
    return Outcome::kImpossible;  // answered for longer than the round trip

  Outcome outcome = Outcome::kTaken;
  if (!window_.empty()) {
    const Interval known = Common(times.arrived);
    anchor_offset_ns_ = ConversionOffset(times.arrived, known);
    if (fresh.low > known.high || fresh.high < known.low) {
      outcome = Outcome::kStepped;
      ++steps_seen_;
      window_.clear();
    }
  }
  anchor_time_ = times.arrived;
  window_.push_back(probe);
  if (window_.size() > kClockWindowProbes) window_.pop_front();
  if (window_.size() <= kSettlingProbes) anchor_offset_ns_ = Common(times.arrived).middle();
  return outcome;
}

std::optional<BoundedHubTime> ClockModel::ToHub(DeviceTime time) const {
  if (window_.empty()) return std::nullopt;
  const Interval common = Common(time);
  const int64_t offset = ConversionOffset(time, common);
  const int64_t bound = std::max(common.high - offset, offset - common.low);
  return BoundedHubTime{HubTime::FromNanoseconds(time.nanoseconds() + offset),
                        Duration::Nanoseconds(bound)};
}

double ClockModel::DriftPpb() const {
  // Between the best probes of the window's two halves; 0 unless it shows beyond their bounds.
  if (window_.size() < 2 * kSettlingProbes) return 0;
  const auto narrower = [](const Probe& a, const Probe& b) {
    return a.offset.half_width() < b.offset.half_width();
  };
  const auto half = window_.begin() + static_cast<long>(window_.size() / 2);
  const Probe& first = *std::min_element(window_.begin(), half, narrower);
  const Probe& second = *std::min_element(half, window_.end(), narrower);
  const double elapsed_s = (second.arrived - first.arrived).seconds();
  const int64_t change_ns = second.offset.middle() - first.offset.middle();
  if (elapsed_s <= 0 ||
      std::abs(change_ns) < second.offset.half_width() + first.offset.half_width()) {
    return 0;
  }
  const double limit = static_cast<double>(kMaxRelativeDriftPpb);
  return std::clamp(static_cast<double>(change_ns) / elapsed_s, -limit, limit);
}

std::optional<v1::ClockEstimate> ClockModel::Estimate(DeviceTime now) const {
  const std::optional<BoundedHubTime> converted = ToHub(now);
  if (!converted) return std::nullopt;
  v1::ClockEstimate estimate;
  estimate.set_boot_id(boot_id_);
  estimate.set_offset_ns(converted->time.nanoseconds() - now.nanoseconds());
  estimate.set_error_bound_ns(static_cast<uint64_t>(converted->bound.nanoseconds()));
  estimate.set_drift_ppb(DriftPpb());
  estimate.set_at_monotonic_ns(now.nanoseconds());
  return estimate;
}

}  // namespace remora
