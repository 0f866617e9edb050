#include "acquisition-agent/sources/feed/device_clock.h"

#include <algorithm>
#include <cmath>

namespace remora::agent::feed {
namespace {

constexpr double kSlew = static_cast<double>(kMaxSlewPpb) / 1e9;

int64_t BinOf(int64_t time_ns) {
  // Towards minus infinity, so that no second is twice as long.
  const int64_t bin = time_ns / kClockBinNs;
  return time_ns % kClockBinNs < 0 ? bin - 1 : bin;
}

}  // namespace

void DeviceClock::Reset() {
  bins_.clear();
  line_ = Line();
  behind_ns_ = 0;
  behind_from_ns_ = 0;
  settled_ = false;
  late_bins_ = 0;
  late_since_ns_.reset();
}

// The line may have been lifted by late messages before they are known for what they are; the
// offset in use follows it slowly.
double DeviceClock::EarlyNs(const Seen& seen) const {
  const double expected = settled_ ? std::min(line_.At(seen.sent_ns), OffsetInUse(seen.sent_ns))
                                   : line_.At(seen.sent_ns);
  return expected - static_cast<double>(seen.offset_ns);
}

double DeviceClock::LateNs(const Seen& seen) const {
  return static_cast<double>(seen.offset_ns) - OffsetInUse(seen.sent_ns);
}

bool DeviceClock::IsLateStep(const Seen& newest, int64_t arrived_ns) {
  if (LateNs(newest) <= static_cast<double>(kClockStepNs)) {
    late_bins_ = 0;
    late_since_ns_.reset();
    return false;
  }
  if (!late_since_ns_) late_since_ns_ = arrived_ns;
  // Its second is not over yet: that of the newest bin is, when another begins.
  const bool over = BinOf(newest.sent_ns) > BinOf(bins_.back().sent_ns);
  if (over && LateNs(bins_.back()) > static_cast<double>(kClockStepNs)) ++late_bins_;
  return late_bins_ >= kLateStepBins && arrived_ns - *late_since_ns_ >= kLateStepNs;
}

DeviceClock::Outcome DeviceClock::Add(int64_t sent_ns, int64_t arrived_ns) {
  const Seen seen = {sent_ns, arrived_ns - sent_ns};
  Outcome outcome = Outcome::kTaken;
  const bool early = known() && EarlyNs(seen) > static_cast<double>(kClockStepNs);
  if (early || (settled_ && known() && IsLateStep(seen, arrived_ns))) {
    if (settled_) outcome = Outcome::kStepped;
    Reset();
  }
  const double in_use = known() ? OffsetInUse(sent_ns) : 0;
  const bool first = !known();
  bool changed = true;
  if (first || BinOf(sent_ns) > BinOf(bins_.back().sent_ns)) {
    bins_.push_back(seen);
    if (bins_.size() > kMaxClockBins) bins_.pop_front();
  } else if (seen.offset_ns < bins_.back().offset_ns && sent_ns >= bins_.back().sent_ns) {
    bins_.back() = seen;
  } else {
    changed = false;
  }
  if (!changed) return outcome;
  Fit();
  if (settled_ && !first) {
    behind_ns_ = in_use - line_.At(sent_ns);
    behind_from_ns_ = sent_ns;
  }
  return outcome;
}

void DeviceClock::Fit() {
  const auto lower = [](const Seen& a, const Seen& b) { return a.offset_ns < b.offset_ns; };
  if (bins_.back().sent_ns - bins_.front().sent_ns < kSlopeFromNs) {
    const Seen& least = *std::min_element(bins_.begin(), bins_.end(), lower);
    line_ = {least.sent_ns, static_cast<double>(least.offset_ns), 0};
    return;
  }
  // Andrew's monotone chain, the lower half. Products in double: 2 minutes times 70 years.
  const auto turns_up = [](const Seen& a, const Seen& b, const Seen& c) {
    return static_cast<double>(b.sent_ns - a.sent_ns) *
               static_cast<double>(c.offset_ns - a.offset_ns) >
           static_cast<double>(b.offset_ns - a.offset_ns) *
               static_cast<double>(c.sent_ns - a.sent_ns);
  };
  hull_.clear();
  double middle_ns = 0;
  const int64_t origin_ns = bins_.front().sent_ns;
  for (const Seen& seen : bins_) {
    middle_ns += static_cast<double>(seen.sent_ns - origin_ns) / static_cast<double>(bins_.size());
    while (hull_.size() >= 2 && !turns_up(hull_[hull_.size() - 2], hull_.back(), seen))
      hull_.pop_back();
    hull_.push_back(seen);
  }
  size_t end = 1;
  while (end + 1 < hull_.size() &&
         static_cast<double>(hull_[end].sent_ns - origin_ns) < middle_ns) {
    ++end;
  }
  const Seen& a = hull_[end - 1];
  const Seen& b = hull_[end];
  const double slope = std::clamp(
      static_cast<double>(b.offset_ns - a.offset_ns) / static_cast<double>(b.sent_ns - a.sent_ns),
      -kMaxClockSlope, kMaxClockSlope);
  line_ = {b.sent_ns, static_cast<double>(b.offset_ns), slope};
}

double DeviceClock::OffsetInUse(int64_t device_ns) const {
  const double since_ns = static_cast<double>(std::max<int64_t>(0, device_ns - behind_from_ns_));
  const double left = std::max(0.0, std::fabs(behind_ns_) - kSlew * since_ns);
  return line_.At(device_ns) + std::copysign(left, behind_ns_);
}

int64_t DeviceClock::ToAgent(int64_t device_ns) const {
  if (!known()) return 0;
  return device_ns + std::llround(OffsetInUse(device_ns));
}

int64_t DeviceClock::BoundNs() const {
  if (!known()) return 0;
  double above = 0;
  for (const Seen& seen : bins_) {
    above += (static_cast<double>(seen.offset_ns) - line_.At(seen.sent_ns)) /
             static_cast<double>(bins_.size());
  }
  const int64_t newest_ns = bins_.back().sent_ns;
  return std::llround(std::fabs(above) + std::fabs(OffsetInUse(newest_ns) - line_.At(newest_ns)));
}

}  // namespace remora::agent::feed
