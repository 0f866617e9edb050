// Second-order sections: the one form in which Remora keeps an IIR filter.
//
// A cascade of sections is numerically safe where a single polynomial is not (a 0.5 Hz corner at
// 20 kHz has poles within 1e-4 of the unit circle). Designs (butterworth.h, notch.h) produce a
// Cascade; streaming_filter.h and zero_phase.h run it.
//
// Immutable values, thread-compatible, no errors.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <vector>

namespace remora::dsp {

// H(z) = (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2). The default passes everything.
// A first-order section has b2 = a2 = 0.
struct Section {
  double b0 = 1.0;
  double b1 = 0.0;
  double b2 = 0.0;
  double a1 = 0.0;
  double a2 = 0.0;

  friend bool operator==(const Section&, const Section&) = default;
};

// Sections in the order in which samples pass them. Empty: passes everything.
using Cascade = std::vector<Section>;

// The two delay elements of a section in transposed direct form II.
using SectionState = std::array<double, 2>;

// Complex gain of the cascade at `frequency_hz` (any real; periodic in sample_rate_hz > 0).
std::complex<double> ResponseAt(const Cascade& cascade, double frequency_hz, double sample_rate_hz);

// State of each section in the steady state for a constant input of 1, as SciPy's sosfilt_zi:
// multiply by the first sample to start without a step. A cascade with a pole at z = 1 has no
// steady state; its section gets zeros.
std::vector<SectionState> SteadyState(const Cascade& cascade);

// All poles strictly inside the unit circle (Jury's conditions, each section).
bool IsStable(const Cascade& cascade);

// Samples after which the slowest pole has decayed to `remaining` (0 < remaining < 1) of its start:
// what a caller skips after a reset, or takes as margin. 0 for an empty cascade; capped at 2^31-1.
std::size_t SettlingSamples(const Cascade& cascade, double remaining);

}  // namespace remora::dsp
