// How a response grows with the stimulus: amplitude against intensity, from many single trials in
// any order (a CMAP scan, an MEP recruitment curve, a nerve's stimulus-response curve). Pure,
// thread-safe.
//
// Amplitudes are sorted by intensity and smoothed by a median of five, so that one noisy trial
// moves nothing; the largest smoothed one is the maximum. The intensity of p percent is the first
// at which the smoothed amplitude has come p percent of the way from the floor to the maximum: S5,
// S50 and S95 of the CMAP scan (Visser and Blok 2009).
#pragma once

#include <span>

#include "absl/status/statusor.h"

namespace remora::dsp {

inline constexpr std::size_t kFewestCurveTrials = 10;
inline constexpr std::size_t kMaxCurveTrials = 10'000;

struct StimulusTrial {
  double intensity = 0.0;     // mA or V, as delivered
  double amplitude_uv = 0.0;  // peak to peak
};

struct RecruitmentCurve {
  double floor_uv = 0.0;  // the smallest smoothed amplitude
  double maximum_uv = 0.0;
  double s5 = 0.0;  // in the trials' unit of intensity
  double s50 = 0.0;
  double s95 = 0.0;

  // The part of the curve's middle that its rise takes: small is steep. (S95 - S5) / S50.
  double relative_range() const { return s50 > 0.0 ? (s95 - s5) / s50 : 0.0; }
};

// Errors: kInvalidArgument -> fewer than kFewestCurveTrials or more than kMaxCurveTrials, a number
// that is not finite, a negative intensity, or a response that does not grow.
absl::StatusOr<RecruitmentCurve> FitRecruitmentCurve(std::span<const StimulusTrial> trials);

}  // namespace remora::dsp
