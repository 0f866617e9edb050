#include "dsp/filter/wrap_detector.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kStepOfRange = 0.4;

}  // namespace

absl::StatusOr<WrapDetector> WrapDetector::Create(const WrapOptions& options) {
  if (!std::isfinite(options.sample_rate_hz) || options.sample_rate_hz <= 0.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate_hz ", options.sample_rate_hz, ": must be positive"));
  }
  const double range_uv = options.high_uv - options.low_uv;
  if (!std::isfinite(range_uv) || range_uv <= 0.0) {
    return absl::InvalidArgumentError(absl::StrCat("range from low_uv ", options.low_uv,
                                                   " to high_uv ", options.high_uv,
                                                   ": must be positive"));
  }
  const double samples = options.around_ms * options.sample_rate_hz / 1000.0;
  if (!(samples >= 0.0) || samples > 1e9) {
    return absl::InvalidArgumentError(
        absl::StrCat("around_ms ", options.around_ms, ": must not be negative"));
  }
  return WrapDetector(kStepOfRange * range_uv,
                      static_cast<std::size_t>(std::max(1.0, std::round(samples))));
}

std::vector<std::size_t> WrapDetector::Push(std::span<const double> samples_uv) {
  std::vector<std::size_t> marked;
  std::size_t next = 0;  // not marked yet from here on
  const auto mark_to = [&](std::size_t end) {
    for (; next < std::min(end, samples_uv.size()); ++next) marked.push_back(next);
  };
  mark_to(to_mark_);
  to_mark_ -= std::min(to_mark_, samples_uv.size());
  for (std::size_t i = 0; i < samples_uv.size(); ++i) {
    if (!std::isfinite(samples_uv[i])) continue;
    const bool step = has_previous_ && std::abs(samples_uv[i] - previous_uv_) > step_uv_;
    has_previous_ = true;
    previous_uv_ = samples_uv[i];
    if (!step) continue;
    next = std::max(next, i - std::min(i, reach_));
    mark_to(i + reach_);
    if (i + reach_ > samples_uv.size()) to_mark_ = i + reach_ - samples_uv.size();
  }
  return marked;
}

std::vector<std::size_t> WrapDetector::Push(std::span<const double> samples_uv, double low_uv,
                                            double high_uv) {
  if (samples_uv.empty()) return {};
  const bool begins = has_previous_ && std::abs(samples_uv.front() - previous_uv_) > step_uv_;
  if (begins || to_mark_ > 0 || !(high_uv - low_uv <= step_uv_)) return Push(samples_uv);
  has_previous_ = true;
  previous_uv_ = samples_uv.back();
  return {};
}

void WrapDetector::Reset() {
  has_previous_ = false;
  to_mark_ = 0;
}

}  // namespace remora::dsp
