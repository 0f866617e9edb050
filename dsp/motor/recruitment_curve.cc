#include "dsp/motor/recruitment_curve.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

// The median of the (up to) five amplitudes about each.
std::vector<double> Smooth(std::span<const StimulusTrial> sorted) {
  std::vector<double> smooth(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::size_t first = i < 2 ? 0 : i - 2;
    const std::size_t end = std::min(sorted.size(), i + 3);
    std::vector<double> near;
    for (std::size_t k = first; k < end; ++k) near.push_back(sorted[k].amplitude_uv);
    std::sort(near.begin(), near.end());
    const std::size_t middle = near.size() / 2;
    smooth[i] = near.size() % 2 == 1 ? near[middle] : 0.5 * (near[middle - 1] + near[middle]);
  }
  return smooth;
}

}  // namespace

absl::StatusOr<RecruitmentCurve> FitRecruitmentCurve(std::span<const StimulusTrial> trials) {
  if (trials.size() < kFewestCurveTrials || trials.size() > kMaxCurveTrials) {
    return absl::InvalidArgumentError(absl::StrCat("a curve is of ", kFewestCurveTrials, " to ",
                                                   kMaxCurveTrials, " trials, not ",
                                                   trials.size()));
  }
  for (const StimulusTrial& trial : trials) {
    if (!std::isfinite(trial.intensity) || !std::isfinite(trial.amplitude_uv) ||
        trial.intensity < 0.0) {
      return absl::InvalidArgumentError("a trial's intensity or amplitude is no number to use");
    }
  }
  std::vector<StimulusTrial> sorted(trials.begin(), trials.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.intensity < b.intensity; });
  const std::vector<double> smooth = Smooth(sorted);
  const auto least = std::min_element(smooth.begin(), smooth.end());
  const auto most = std::max_element(smooth.begin(), smooth.end());
  RecruitmentCurve curve;
  curve.floor_uv = *least;
  curve.maximum_uv = *most;
  if (!(curve.maximum_uv > curve.floor_uv) || most < least) {
    return absl::InvalidArgumentError("the response does not grow with the stimulus");
  }
  const auto intensity_at = [&](double part) {
    const double wanted = curve.floor_uv + part * (curve.maximum_uv - curve.floor_uv);
    const auto reached =
        std::find_if(least, smooth.end(), [&](double value) { return value >= wanted; });
    return sorted[static_cast<std::size_t>(std::distance(smooth.begin(), reached))].intensity;
  };
  curve.s5 = intensity_at(0.05);
  curve.s50 = intensity_at(0.50);
  curve.s95 = intensity_at(0.95);
  return curve;
}

}  // namespace remora::dsp
