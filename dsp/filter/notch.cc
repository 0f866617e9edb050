#include "dsp/filter/notch.h"

#include <cmath>
#include <numbers>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {

absl::StatusOr<Section> DesignNotch(double notch_hz, double quality, double sample_rate_hz) {
  if (!std::isfinite(sample_rate_hz) || sample_rate_hz <= 0.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample rate ", sample_rate_hz, " Hz: must be positive"));
  }
  if (!std::isfinite(notch_hz) || notch_hz <= 0.0 || notch_hz >= sample_rate_hz / 2.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("notch ", notch_hz, " Hz: must be above 0 and below ", sample_rate_hz / 2.0,
                     " Hz, half of the sample rate"));
  }
  if (!std::isfinite(quality) || quality <= 0.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("notch quality ", quality, ": must be positive, 30 is usual"));
  }
  const double omega = 2.0 * std::numbers::pi * notch_hz / sample_rate_hz;
  const double bandwidth = omega / quality;
  const double beta = std::tan(bandwidth / 2.0);  // from |H|^2 = 1/2 at the band's edges
  const double gain = 1.0 / (1.0 + beta);
  if (!(gain > 0.0) || !(gain < 1.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("notch quality ", quality, ": bandwidth ", notch_hz / quality,
                     " Hz does not fit below half of the sample rate, or vanishes"));
  }
  const double cosine = std::cos(omega);
  return Section{gain, -2.0 * gain * cosine, gain, -2.0 * gain * cosine, 2.0 * gain - 1.0};
}

}  // namespace remora::dsp
