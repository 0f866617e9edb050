#include "acquisition-agent/surveillance/eeg_watch.h"

#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/sample_codec.h"

namespace remora::agent {
namespace {

constexpr int64_t kSameWindowNs = 500'000'000;
constexpr int64_t kArtefactIntervalNs = 1'000'000'000;
// The array that people look at; finer steps than a colour shows.
constexpr double kSliceToHz = 45;
constexpr double kSliceStepDb = 0.1;
constexpr double kSilentDb = -60;

double Decibels(double density) {
  return density > 0 ? std::max(kSilentDb, 10 * std::log10(density)) : kSilentDb;
}

}  // namespace

std::optional<double> EegPowers::Asymmetry(const std::string& mirror_trace_id, int64_t started_ns,
                                           double own_uv2, bool own_is_right) const {
  const auto mirror = powers_.find(mirror_trace_id);
  if (mirror == powers_.end() ||
      std::llabs(mirror->second.started_ns - started_ns) > kSameWindowNs) {
    return std::nullopt;
  }
  const double sum = own_uv2 + mirror->second.total_uv2;
  if (!(sum > 0)) return std::nullopt;
  const double more = (own_uv2 - mirror->second.total_uv2) / sum;
  return own_is_right ? more : -more;
}

void EegWatch::OnOutput(EegOutput* output, int64_t now_ns) {
  for (v1::SampleBlock& block : output->blocks) {
    v1::Record record;
    *record.mutable_sample_block() = std::move(block);
    sink_.Put(&record, now_ns);
  }
  for (const EegArtefact& artefact : output->artefacts) PutArtefact(artefact, now_ns);
  for (const EegDischarge& discharge : output->discharges) PutDischarge(discharge, now_ns);
  for (const EegWindow& window : output->windows) {
    PutWindow(window, now_ns);
    PutSlice(window, now_ns);
  }
}

v1::SpectralEdge EegWatch::EdgeFrom(int64_t started_ns, double window_ms) const {
  v1::SpectralEdge edge;
  edge.set_trace_id(plan_.trace_id);
  edge.set_side(plan_.plan.side());
  edge.set_modality(plan_.plan.modality());
  edge.set_started_monotonic_ns(started_ns);
  edge.set_window_ms(window_ms);
  return edge;
}

void EegWatch::PutWindow(const EegWindow& window, int64_t now_ns) {
  v1::Record record;
  v1::SpectralEdge& edge = *record.mutable_spectral_edge();
  edge = EdgeFrom(window.started_ns, 1000 * plan_.plan.window_s());
  if (window.suppression_percent) {
    edge.set_burst_suppression_percent(*window.suppression_percent);
    edge.set_suppression_over_s(60);
  }
  if (window.measures) {
    const dsp::EegMeasures& measures = *window.measures;
    edge.set_sef95_hz(FiniteOr0(measures.spectral_edge_hz));
    edge.set_median_hz(FiniteOr0(measures.median_frequency_hz));
    edge.set_delta_uv2(FiniteOr0(measures.delta_uv2));
    edge.set_theta_uv2(FiniteOr0(measures.theta_uv2));
    edge.set_alpha_uv2(FiniteOr0(measures.alpha_uv2));
    edge.set_beta_uv2(FiniteOr0(measures.beta_uv2));
    edge.set_gamma_uv2(FiniteOr0(dsp::BandPower(window.spectrum, {30, 45})));
    edge.set_fast_uv2(FiniteOr0(dsp::BandPower(window.spectrum, dsp::kFastAtClamp)));
    powers_.Note(plan_.trace_id, window.started_ns, measures.total_uv2);
    if (!plan_.mirror_trace_id.empty()) {
      const std::optional<double> asymmetry =
          powers_.Asymmetry(plan_.mirror_trace_id, window.started_ns, measures.total_uv2,
                            plan_.plan.side() == v1::SIDE_RIGHT);
      edge.set_has_asymmetry(asymmetry.has_value());
      edge.set_asymmetry(asymmetry.value_or(0));
    }
  } else {
    edge.add_quality(v1::QUALITY_FLAG_DISCONNECTED);
  }
  sink_.Put(&record, now_ns);
}

void EegWatch::PutSlice(const EegWindow& window, int64_t now_ns) {
  std::vector<double> decibels;
  for (size_t bin = 0; bin < window.spectrum.bins(); ++bin) {
    if (window.spectrum.FrequencyHz(bin) > kSliceToHz) break;
    decibels.push_back(Decibels(window.spectrum.density_uv2_per_hz[bin]));
  }
  if (decibels.empty()) return;
  v1::Record record;
  v1::SpectrumSlice& slice = *record.mutable_spectrum_slice();
  slice.set_trace_id(plan_.trace_id);
  slice.set_bin_width_hz(window.spectrum.resolution_hz);
  *slice.mutable_power_db() = PackMicrovolts(decibels, kSliceStepDb);
  slice.set_started_monotonic_ns(window.started_ns);
  slice.set_window_ms(1000 * plan_.plan.window_s());
  slice.set_side(plan_.plan.side());
  slice.set_modality(plan_.plan.modality());
  sink_.Put(&record, now_ns);
}

void EegWatch::PutDischarge(const EegDischarge& discharge, int64_t now_ns) {
  v1::Record record;
  v1::EegActivity& activity = *record.mutable_eeg_activity();
  activity.set_trace_id(plan_.trace_id);
  activity.set_kind(v1::EEG_ACTIVITY_KIND_AFTER_DISCHARGE);
  activity.set_started_monotonic_ns(discharge.started_ns);
  activity.set_duration_ms(FiniteOr0(discharge.found.duration_ms));
  activity.set_peak_uv(FiniteOr0(discharge.found.peak_uv));
  activity.set_rate_hz(FiniteOr0(discharge.found.rate_hz));
  activity.set_ongoing(discharge.ongoing);
  std::string reason = absl::StrFormat(
      "%d discharges, the first %.1f s after the stimulus, up to %.0f uV where the background "
      "before it was %.0f uV",
      discharge.found.spikes, discharge.after_stimulus_ms / 1000, discharge.found.peak_uv,
      discharge.found.background_uv);
  if (discharge.found.interrupted) {
    absl::StrAppend(&reason, "; how long it went on is not known: stimulated again, or no EEG");
  }
  activity.set_reason(reason);
  activity.set_site(discharge.site);
  activity.set_current_ma(discharge.current_ma);
  sink_.Put(&record, now_ns);
}

void EegWatch::PutArtefact(const EegArtefact& artefact, int64_t now_ns) {
  if (artefact.started_ns - artefact_told_ns_ < kArtefactIntervalNs) return;
  artefact_told_ns_ = artefact.started_ns;
  v1::Record record;
  v1::SpectralEdge& edge = *record.mutable_spectral_edge();
  edge = EdgeFrom(artefact.started_ns, artefact.duration_ms);
  for (const v1::QualityFlag flag : artefact.quality) edge.add_quality(flag);
  if (edge.quality().empty()) edge.add_quality(v1::QUALITY_FLAG_NOT_FINITE);
  sink_.Put(&record, now_ns);
}

}  // namespace remora::agent
