// Butterworth filter design as second-order sections.
//
// Called when a pipeline is built from a plan; pure and thread-safe. Analogue prototype in
// zero-pole-gain form, pre-warped bilinear transform, sections paired nearest pole to nearest zero:
// the same order and pairing as SciPy's butter(..., output="sos") (scipy.signal._zpk2sos,
// "nearest"), so that a cascade can be compared coefficient by coefficient. Agreement: 1e-9
// relative to the largest coefficient of the section (reference_vectors_test.cc).
//
// Source: S. Butterworth 1930; Oppenheim & Schafer, Discrete-Time Signal Processing, 7.2-7.3.
//
// Errors: kInvalidArgument -> a corner, order or rate makes no filter; the message names the value
// and what would be right. The caller shows it beside the line of the plan.
#pragma once

#include "absl/status/statusor.h"
#include "dsp/filter/sos.h"

namespace remora::dsp {

// Highest order of a prototype. Beyond it the roots of a float-hostile design lose their digits;
// the field uses 1 to 8.
inline constexpr int kMaxButterworthOrder = 16;

// `order` is that of the prototype: a band-pass or band-stop has twice as many poles (as in SciPy).
// Corners are the -3 dB points, 0 < corner < sample_rate_hz / 2, low < high.
absl::StatusOr<Cascade> ButterworthLowPass(int order, double corner_hz, double sample_rate_hz);
absl::StatusOr<Cascade> ButterworthHighPass(int order, double corner_hz, double sample_rate_hz);
absl::StatusOr<Cascade> ButterworthBandPass(int order, double low_corner_hz, double high_corner_hz,
                                            double sample_rate_hz);
absl::StatusOr<Cascade> ButterworthBandStop(int order, double low_corner_hz, double high_corner_hz,
                                            double sample_rate_hz);

}  // namespace remora::dsp
