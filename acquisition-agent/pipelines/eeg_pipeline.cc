#include "acquisition-agent/pipelines/eeg_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"
#include "dsp/emg/burst_train.h"
#include "dsp/filter/sos.h"

namespace remora::agent {
namespace {

// Mains beside it is no reason to leave EEG out: its bands lie below.
constexpr uint32_t kNoEeg = dsp::kArtefactNonFinite | dsp::kArtefactClipping | dsp::kArtefactFlat |
                            dsp::kArtefactDiathermy | dsp::kArtefactStimulus;
// Resolution of the spectrum, as in a density spectral array.
constexpr double kResolutionHz = 0.5;
// What is left of an artefact in the filter when EEG is EEG again.
constexpr double kSettled = 0.01;

}  // namespace

absl::StatusOr<std::unique_ptr<EegPipeline>> EegPipeline::Create(const ResolvedEeg& plan,
                                                                 const SourceInfo& source,
                                                                 std::vector<size_t> stimulations) {
  ContinuousOptions continuous;
  continuous.trace_id = plan.trace_id;
  continuous.modality = plan.plan.modality();
  continuous.side = plan.plan.side();
  continuous.derivation = plan.derivation;
  continuous.filter = plan.filter;
  continuous.setting = plan.plan.filter();
  continuous.sent_rate_hz = plan.plan.sent_rate_hz();
  continuous.interference_over_uv = plan.plan.reject_over_uv();
  continuous.stimulations = std::move(stimulations);
  ASSIGN_OR_RETURN(ContinuousStream stream, ContinuousStream::Create(continuous, source));
  const double rate = stream.sent_rate_hz();
  dsp::EegWindowOptions window;
  window.sample_rate_hz = rate;
  window.window_ms = 1000 * plan.plan.window_s();
  window.step_ms = 1000 * plan.plan.step_s();
  ASSIGN_OR_RETURN(dsp::EegWindows windows, dsp::EegWindows::Create(window));
  dsp::WelchOptions spectral;
  spectral.sample_rate_hz = rate;
  spectral.segment_samples =
      std::min(windows.window_samples() / 2 * 2,
               2 * static_cast<size_t>(std::lround(rate / kResolutionHz / 2)));
  ASSIGN_OR_RETURN(dsp::WelchEstimator welch, dsp::WelchEstimator::Create(spectral));
  dsp::SuppressionOptions suppressed;
  suppressed.sample_rate_hz = rate;
  suppressed.limit_uv = plan.plan.suppressed_under_uv();
  ASSIGN_OR_RETURN(dsp::SuppressionRatio suppression, dsp::SuppressionRatio::Create(suppressed));
  std::optional<AfterDischarges> after_discharges;
  if (plan.after_discharge) {
    absl::StatusOr<AfterDischarges> made = AfterDischarges::Create(*plan.after_discharge, rate);
    if (!made.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan.trace_id, ": after_discharge_trigger: ", made.status().message()));
    }
    after_discharges.emplace(*std::move(made));
  }
  return std::unique_ptr<EegPipeline>(new EegPipeline(plan, std::move(stream), std::move(windows),
                                                      std::move(welch), std::move(suppression),
                                                      std::move(after_discharges)));
}

EegPipeline::EegPipeline(const ResolvedEeg& plan, ContinuousStream stream, dsp::EegWindows windows,
                         dsp::WelchEstimator welch, dsp::SuppressionRatio suppression,
                         std::optional<AfterDischarges> after_discharges)
    : plan_(plan),
      stream_(std::move(stream)),
      windows_(std::move(windows)),
      welch_(std::move(welch)),
      suppression_(std::move(suppression)),
      after_discharges_(std::move(after_discharges)),
      settling_samples_(static_cast<int64_t>(
          std::ceil(static_cast<double>(dsp::SettlingSamples(plan.filter, kSettled)) *
                    stream_.sent_rate_hz() / plan.derivation.sample_rate_hz))) {}

int64_t EegPipeline::TimeOf(int64_t sent_index, const Piece& piece) const {
  return static_cast<int64_t>(static_cast<double>(sent_index) * 1e9 / stream_.sent_rate_hz() +
                              piece.position_zero_ns);
}

void EegPipeline::OnStimulus(const Stimulus& stimulus) {
  stream_.OnStimulus(stimulus);
  if (after_discharges_ && stimulus.own[plan_.after_discharge->listener]) {
    after_discharges_->OnStimulus(stimulus);
  }
}

void EegPipeline::OnChunk(const Chunk& chunk, EegOutput* output) {
  std::vector<Piece> pieces;
  stream_.OnChunk(chunk, &pieces);
  Take(std::move(pieces), output);
}

void EegPipeline::OnEnd(EegOutput* output) {
  std::vector<Piece> pieces;
  stream_.OnEnd(&pieces);
  Take(std::move(pieces), output);
  if (after_discharges_) after_discharges_->OnEnd(&output->discharges);
}

void EegPipeline::Take(std::vector<Piece> pieces, EegOutput* output) {
  for (Piece& piece : pieces) {
    for (v1::SampleBlock& block : piece.blocks) output->blocks.push_back(std::move(block));
    // A segment's filter begins settled.
    if (piece.starts_segment) settled_from_ = 0;
    if (piece.sent_uv.empty()) continue;
    if (after_discharges_) after_discharges_->OnPiece(piece, &output->discharges);
    if (judged_until_ >= 0 && piece.first_sent_index > judged_until_) {
      suppression_.Skip(static_cast<uint64_t>(piece.first_sent_index - judged_until_));
    }
    judged_until_ = piece.first_sent_index + static_cast<int64_t>(piece.sent_uv.size());
    if (piece.stimulated || (piece.hints & kNoEeg) != 0) {
      suppression_.Skip(piece.sent_uv.size());
      settled_from_ = judged_until_ + settling_samples_;
      EegArtefact artefact;
      artefact.started_ns = TimeOf(piece.first_sent_index, piece);
      artefact.duration_ms =
          static_cast<double>(piece.sent_uv.size()) * 1000 / stream_.sent_rate_hz();
      artefact.quality = piece.quality;
      output->artefacts.push_back(std::move(artefact));
      continue;
    }
    const auto settling =
        std::clamp<int64_t>(settled_from_ - piece.first_sent_index, 0, std::ssize(piece.sent_uv));
    if (settling > 0) suppression_.Skip(static_cast<uint64_t>(settling));
    TakeGood(piece, static_cast<size_t>(settling), output);
  }
}

void EegPipeline::TakeGood(const Piece& piece, size_t from, EegOutput* output) {
  const std::span<const double> uv = std::span<const double>(piece.sent_uv).subspan(from);
  if (uv.empty()) return;
  suppression_.Push(uv);
  windows_.Push(static_cast<uint64_t>(piece.first_sent_index) + from, uv,
                [&](uint64_t first_sample, std::span<const double> samples_uv) {
                  absl::StatusOr<dsp::Spectrum> spectrum = welch_.Estimate(samples_uv);
                  // A window is long enough and finite: there is nothing else to refuse.
                  if (!spectrum.ok()) return;
                  EegWindow window;
                  window.started_ns = TimeOf(static_cast<int64_t>(first_sample), piece);
                  if (const auto measures = dsp::MeasureEeg(*spectrum); measures.ok()) {
                    window.measures = *measures;
                  }
                  window.spectrum = *std::move(spectrum);
                  window.suppression_percent = suppression_.percent();
                  output->windows.push_back(std::move(window));
                });
}

}  // namespace remora::agent
