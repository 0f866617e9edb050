#include "dsp/tof/train_of_four.h"

#include <algorithm>
#include <cmath>

namespace remora::dsp {
namespace {

// Facilitation without a relaxant stays below a fifth.
constexpr double kLargestOfFirst = 1.2;

bool IsNegative(double value) { return value < 0.0; }

}  // namespace

absl::StatusOr<TrainOfFour> ReadTrainOfFour(const std::array<double, 4>& amplitudes_uv,
                                            double noise_uv, std::optional<double> control_uv,
                                            const TrainOfFourOptions& options) {
  if (std::any_of(amplitudes_uv.begin(), amplitudes_uv.end(), IsNegative) ||
      IsNegative(noise_uv)) {
    return absl::InvalidArgumentError("an amplitude or noise is negative");
  }
  if (control_uv && !(*control_uv > 0.0 && std::isfinite(*control_uv))) {
    return absl::InvalidArgumentError("a control is above 0 uV");
  }
  if (!(options.present_uv > 0.0) || !(options.present_over_noise >= 0.0) ||
      !(options.present_part_of_control >= 0.0 && options.present_part_of_control < 1.0)) {
    return absl::InvalidArgumentError("a limit of the train of four is out of range");
  }
  TrainOfFour train;
  const auto is_finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(amplitudes_uv.begin(), amplitudes_uv.end(), is_finite) ||
      !std::isfinite(noise_uv)) {
    train.doubts = kTrainBadInput;
    return train;
  }
  const double noise_limit_uv = options.present_over_noise * noise_uv;
  const double control_limit_uv = options.present_part_of_control * control_uv.value_or(0.0);
  const double limit_uv = std::max({options.present_uv, noise_limit_uv, control_limit_uv});
  if (noise_limit_uv > options.present_uv) train.doubts |= kTrainNoise;
  bool missing = false;
  for (const double amplitude_uv : amplitudes_uv) {
    const bool present = amplitude_uv >= limit_uv;
    train.count += present;
    if (present && (missing || amplitude_uv > kLargestOfFirst * amplitudes_uv[0])) {
      train.doubts |= kTrainOrder;
    }
    missing |= !present;
  }
  const double first_uv = amplitudes_uv[0];
  if (first_uv >= limit_uv) train.ratio = train.count == 4 ? amplitudes_uv[3] / first_uv : 0.0;
  if (control_uv) train.t1_of_control = first_uv >= limit_uv ? first_uv / *control_uv : 0.0;
  return train;
}

}  // namespace remora::dsp
