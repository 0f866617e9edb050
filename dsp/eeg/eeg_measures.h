// What is read off an EEG's power spectrum. Pure, thread-safe.
//
// Bands are those of the clinic; the spectral edge is the frequency below which 95 % of the power
// from 0.5 to 30 Hz lies, in windows of 4 s. No value of it stands for an adequate anaesthesia: it
// varies with drug, opioid and age (no reliable interval in a review of 11 studies). None of
// these numbers is a "BIS": that is a monitor's own, and is only ever imported.
#pragma once

#include "absl/status/statusor.h"
#include "dsp/spectral/spectrum.h"

namespace remora::dsp {

inline constexpr FrequencyBand kDelta{0.5, 4.0};
inline constexpr FrequencyBand kTheta{4.0, 8.0};
inline constexpr FrequencyBand kAlpha{8.0, 13.0};
inline constexpr FrequencyBand kBeta{13.0, 30.0};
// Fast activity whose one-sided loss tells of ischaemia while a carotid artery is clamped.
inline constexpr FrequencyBand kFastAtClamp{8.0, 15.0};
// Of which the edges are taken; the upper end belongs to it.
inline constexpr FrequencyBand kEdgeRange{0.5, 30.0};

struct EegMeasures {
  double spectral_edge_hz = 0.0;     // 95 %
  double median_frequency_hz = 0.0;  // 50 %
  double delta_uv2 = 0.0;
  double theta_uv2 = 0.0;
  double alpha_uv2 = 0.0;
  double beta_uv2 = 0.0;
  double total_uv2 = 0.0;  // kEdgeRange
};

// Power in a band, uV^2.
double BandPower(const Spectrum& spectrum, const FrequencyBand& band);

// The first bin of `range`, both ends included, at which the power up to it has come to `part` of
// all. Errors: kInvalidArgument -> no bin in the range, no power, or a part outside 0 to 1.
absl::StatusOr<double> SpectralEdge(const Spectrum& spectrum, double part,
                                    const FrequencyBand& range = kEdgeRange);

// Errors: those of SpectralEdge.
absl::StatusOr<EegMeasures> MeasureEeg(const Spectrum& spectrum);

}  // namespace remora::dsp
