#include "acquisition-agent/surveillance/eeg_watch.h"

#include <algorithm>
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

// Windows of different samplings come with chunks of their own, which do not end together.
constexpr int64_t kMirrorMarginNs = 500'000'000;
constexpr double kSlackNs = 1e6;
// A minute at the shortest step: a mirror with longer windows asks that much later.
constexpr size_t kMaxPowersKept = 128;
constexpr int64_t kArtefactIntervalNs = 1'000'000'000;
// The array that people look at; finer steps than a colour shows.
constexpr double kSliceToHz = 45;
constexpr double kSliceStepDb = 0.1;
constexpr double kSilentDb = -60;

double Decibels(double density) {
  return density > 0 ? std::max(kSilentDb, 10 * std::log10(density)) : kSilentDb;
}

}  // namespace

void EegPowers::Note(const std::string& trace_id, int64_t started_ns, double total_uv2) {
  std::deque<Power>& powers = powers_[trace_id];
  if (powers.size() >= kMaxPowersKept) powers.pop_front();
  powers.push_back({started_ns, total_uv2});
}

std::optional<double> EegPowers::Near(const std::string& trace_id, int64_t started_ns,
                                      int64_t within_ns) const {
  const auto found = powers_.find(trace_id);
  if (found == powers_.end()) return std::nullopt;
  std::optional<double> near_uv2;
  int64_t least_ns = within_ns;
  for (const Power& power : found->second) {
    const int64_t apart_ns = std::llabs(power.started_ns - started_ns);
    if (apart_ns > least_ns) continue;
    least_ns = apart_ns;
    near_uv2 = power.total_uv2;
  }
  return near_uv2;
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
    HoldWindow(window, now_ns);
    PutSlice(window, now_ns);
  }
  Release(/*all=*/false, now_ns);
}

void EegWatch::OnEnd(int64_t now_ns) { Release(/*all=*/true, now_ns); }

int64_t EegWatch::WithinNs() const {
  const double seconds = std::min(plan_.plan.step_s() / 2, plan_.plan.window_s() / 4);
  return static_cast<int64_t>(seconds * 1e9 + kSlackNs);
}

void EegWatch::Release(bool all, int64_t now_ns) {
  for (; !held_.empty(); held_.pop_front()) {
    Held& held = held_.front();
    if (held.own_uv2) {
      v1::SpectralEdge& edge = *held.record.mutable_spectral_edge();
      const std::optional<double> mirror_uv2 =
          powers_.Near(plan_.mirror_trace_id, edge.started_monotonic_ns(), WithinNs());
      if (!mirror_uv2 && !all && now_ns < held.until_ns) return;
      const double sum = *held.own_uv2 + mirror_uv2.value_or(0);
      if (mirror_uv2 && sum > 0) {
        const double more = (*held.own_uv2 - *mirror_uv2) / sum;
        edge.set_has_asymmetry(true);
        edge.set_asymmetry(plan_.plan.side() == v1::SIDE_RIGHT ? more : -more);
      }
    }
    sink_.Put(&held.record, now_ns);
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

void EegWatch::HoldWindow(const EegWindow& window, int64_t now_ns) {
  Held held;
  v1::SpectralEdge& edge = *held.record.mutable_spectral_edge();
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
      held.own_uv2 = measures.total_uv2;
      held.until_ns = now_ns + WithinNs() + kMirrorMarginNs;
    }
  } else {
    edge.add_quality(v1::QUALITY_FLAG_DISCONNECTED);
  }
  held_.push_back(std::move(held));
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
