// Do two halves of an average show the same response? The gate that a trial passes before it may
// raise an alert.
//
// Limits: MacDonald et al. 2005 accept repeats that superimpose with less than 20-30 % variation of
// amplitude; the correlation limit 0.8 is Remora's own proposal. Pure, thread-safe.
//
// A lost response is not reproducible by nature: this says only that the halves differ. Whether
// that is noise or loss is for assess/fixed_criteria.h, which knows the baseline.
#pragma once

#include <cstdint>
#include <span>

#include "dsp/evoked/timebase.h"

namespace remora::dsp {

struct ReproducibilityLimits {
  double min_correlation = 0.8;
  double max_amplitude_difference_percent = 30.0;
};

enum class ReproducibilityFault : std::uint8_t {
  kNone,
  kUnknown,  // too few sweeps, empty window, or a non-finite sample
  kCorrelation,
  kAmplitude,
};

struct Reproducibility {
  double correlation = 0.0;                   // Pearson, -1..1; 0 when unknown
  double amplitude_difference_percent = 0.0;  // of the mean of both; 0..200
  ReproducibilityFault fault = ReproducibilityFault::kUnknown;

  bool reproducible() const { return fault == ReproducibilityFault::kNone; }
};

// Compares inside `window`; amplitude is peak-to-peak in it. Both halves have the same length.
Reproducibility CompareHalves(std::span<const double> odd_uv, std::span<const double> even_uv,
                              const Timebase& timebase, const LatencyWindow& window,
                              const ReproducibilityLimits& limits = {});

// Pearson's correlation; 0 when either is constant, empty, of another length, or not finite.
double Correlation(std::span<const double> a, std::span<const double> b);

}  // namespace remora::dsp
