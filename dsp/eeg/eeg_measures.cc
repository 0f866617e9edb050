#include "dsp/eeg/eeg_measures.h"

#include "absl/strings/str_cat.h"

namespace remora::dsp {

double BandPower(const Spectrum& spectrum, const FrequencyBand& band) {
  double sum = 0.0;
  const std::size_t end = spectrum.BinAtOrAbove(band.to_hz);
  for (std::size_t bin = spectrum.BinAtOrAbove(band.from_hz); bin < end; ++bin) {
    sum += spectrum.density_uv2_per_hz[bin];
  }
  return sum * spectrum.resolution_hz;
}

absl::StatusOr<double> SpectralEdge(const Spectrum& spectrum, double part,
                                    const FrequencyBand& range) {
  if (!(part > 0.0 && part <= 1.0)) {
    return absl::InvalidArgumentError(absl::StrCat(part, " is no part of a power"));
  }
  const std::size_t first = spectrum.BinAtOrAbove(range.from_hz);
  // Both ends belong to it: half a bin beyond the last one.
  const std::size_t end = spectrum.BinAtOrAbove(range.to_hz + 0.5 * spectrum.resolution_hz);
  double total = 0.0;
  for (std::size_t bin = first; bin < end; ++bin) total += spectrum.density_uv2_per_hz[bin];
  if (!(total > 0.0)) return absl::InvalidArgumentError("there is no power in the range");
  double sum = 0.0;
  for (std::size_t bin = first; bin < end; ++bin) {
    sum += spectrum.density_uv2_per_hz[bin];
    if (sum >= part * total) return spectrum.FrequencyHz(bin);
  }
  return spectrum.FrequencyHz(end - 1);
}

absl::StatusOr<EegMeasures> MeasureEeg(const Spectrum& spectrum) {
  const auto edge = SpectralEdge(spectrum, 0.95);
  if (!edge.ok()) return edge.status();
  EegMeasures measures;
  measures.spectral_edge_hz = *edge;
  measures.median_frequency_hz = SpectralEdge(spectrum, 0.5).value();
  measures.delta_uv2 = BandPower(spectrum, kDelta);
  measures.theta_uv2 = BandPower(spectrum, kTheta);
  measures.alpha_uv2 = BandPower(spectrum, kAlpha);
  measures.beta_uv2 = BandPower(spectrum, kBeta);
  measures.total_uv2 = BandPower(spectrum, kEdgeRange);
  return measures;
}

}  // namespace remora::dsp
