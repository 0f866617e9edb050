#include "dsp/assess/expected_fade.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace remora::dsp {
namespace {

struct Point {
  double hours;
  double hand_percent;
  double foot_percent;
};

constexpr std::array<Point, 4> kPoints = {{{2, 100, 100}, {4, 101, 92}, {5, 86, 71}, {6, 81, 63}}};
constexpr double kLeastHalfWidth = 10;

}  // namespace

ExpectedFade FadeAt(FadeRegion region, double hours) {
  const auto percent_at = [&](const Point& point) {
    return region == FadeRegion::kHand ? point.hand_percent : point.foot_percent;
  };
  ExpectedFade fade;
  fade.is_beyond_source = hours > kPoints.back().hours;
  const double within = std::clamp(hours, kPoints.front().hours, kPoints.back().hours);
  for (size_t i = 1; i < kPoints.size(); ++i) {
    if (within > kPoints[i].hours) continue;
    const double share =
        (within - kPoints[i - 1].hours) / (kPoints[i].hours - kPoints[i - 1].hours);
    const double from = percent_at(kPoints[i - 1]);
    fade.percent = from + share * (percent_at(kPoints[i]) - from);
    break;
  }
  const double half = std::max(kLeastHalfWidth, (100 - fade.percent) / 2);
  fade.low_percent = fade.percent - half;
  fade.high_percent = fade.percent + half;
  return fade;
}

}  // namespace remora::dsp
