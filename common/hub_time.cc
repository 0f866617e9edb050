#include "common/hub_time.h"

#include <algorithm>

namespace remora {
namespace {

// Corrections are made in steps of this much elapsed time: of less, 500 ppm are lost to rounding.
constexpr Duration kCorrectionStep = Duration::Milliseconds(1);

HubTime AsHubTime(WallTime wall) { return HubTime::FromNanoseconds(wall.nanoseconds()); }

}  // namespace

HubTimeSource::HubTimeSource(const Clock& clock, HubTime floor)
    : clock_(clock),
      anchor_device_(clock.Now()),
      anchor_hub_(std::max(AsHubTime(clock.WallNow()), floor)),
      last_(anchor_hub_) {}

HubTime HubTimeSource::Now() {
  MutexLock lock(&mutex_);
  return Advance();
}

HubTime HubTimeSource::NowNotBefore(HubTime floor) { return std::max(Now(), floor); }

Duration HubTimeSource::BehindUtc() {
  MutexLock lock(&mutex_);
  return AsHubTime(clock_.WallNow()) - Advance();
}

HubTime HubTimeSource::Advance() {
  const DeviceTime device = clock_.Now();
  const Duration elapsed = device - anchor_device_;
  HubTime now = anchor_hub_ + elapsed;
  if (elapsed >= kCorrectionStep) {
    const Duration limit = elapsed / (1'000'000 / kMaxHubSlewPpm);
    const Duration error = AsHubTime(clock_.WallNow()) - now;
    now = now + std::clamp(error, Duration() - limit, limit);
    anchor_device_ = device;
    anchor_hub_ = now;
  }
  // A correction backwards may undo less than a microsecond that was already given out.
  last_ = std::max(last_, now);
  return last_;
}

}  // namespace remora
