#include "acquisition-agent/pipelines/emg_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kEnvelopeMs = 1000;
// What a loudspeaker's bins are told in.
constexpr double kAudioStepHz = 1;
constexpr double kClickStep = 1;

}  // namespace

absl::StatusOr<std::unique_ptr<EmgPipeline>> EmgPipeline::Create(
    const ResolvedEmg& plan, const SourceInfo& source, double mains_hz,
    std::vector<AnsweredStimulus> answers, std::vector<size_t> stimulations) {
  ContinuousOptions continuous;
  continuous.trace_id = plan.trace_id;
  continuous.modality = v1::MODALITY_EMG_FREE_RUNNING;
  continuous.side = plan.plan.side();
  continuous.derivation = plan.derivation;
  continuous.filter = plan.filter;
  continuous.setting = plan.plan.filter();
  continuous.sent_rate_hz = plan.plan.sent_rate_hz();
  continuous.interference_over_uv = plan.plan.interference_over_uv();
  continuous.mains_hz = mains_hz;
  continuous.answers = std::move(answers);
  continuous.stimulations = std::move(stimulations);
  ASSIGN_OR_RETURN(ContinuousStream stream, ContinuousStream::Create(continuous, source));
  const double rate = plan.derivation.sample_rate_hz;
  ASSIGN_OR_RETURN(dsp::EmgEnvelope envelope,
                   dsp::EmgEnvelope::Create(rate, plan.plan.envelope_bin_ms()));
  std::optional<dsp::AudioFeatures> audio;
  if (plan.plan.envelope_bin_ms() <= dsp::kMaxAudioBinMs) {
    ASSIGN_OR_RETURN(audio, dsp::AudioFeatures::Create(rate, plan.plan.envelope_bin_ms()));
  }
  ASSIGN_OR_RETURN(EmgDischarges discharges, EmgDischarges::Create(plan, stream.sent_rate_hz()));
  return std::unique_ptr<EmgPipeline>(new EmgPipeline(plan, std::move(stream), std::move(envelope),
                                                      std::move(audio), std::move(discharges)));
}

EmgPipeline::EmgPipeline(const ResolvedEmg& plan, ContinuousStream stream,
                         dsp::EmgEnvelope envelope, std::optional<dsp::AudioFeatures> audio,
                         EmgDischarges discharges)
    : plan_(plan),
      stream_(std::move(stream)),
      envelope_(std::move(envelope)),
      audio_(std::move(audio)),
      discharges_(std::move(discharges)) {}

void EmgPipeline::OnStimulus(const Stimulus& stimulus) { stream_.OnStimulus(stimulus); }

void EmgPipeline::Judge(const std::vector<dsp::ArtefactVerdict>& verdicts, EmgOutput* output) {
  static const dsp::ArtefactVerdict kNothing;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    Piece& piece = pieces_[i];
    position_zero_ns_ = piece.position_zero_ns;
    if (piece.starts_segment) segment_first_ = piece.first_position;
    if (!piece.uv.empty()) Take(&piece, i < verdicts.size() ? verdicts[i] : kNothing, output);
    if (!piece.ends_segment) continue;
    discharges_.EndSegment(&output->events);
    envelope_.Restart(bins_);
    if (audio_) audio_->Restart(audio_bins_);
    TakeBins(output, /*all=*/true);
  }
  pieces_.clear();
  if (at_end_) discharges_.End(&output->events);
}

void EmgPipeline::Take(Piece* piece, const dsp::ArtefactVerdict& verdict, EmgOutput* output) {
  quality_ = piece->quality;
  MergeFlags(quality_, &bins_quality_);
  for (v1::SampleBlock& block : piece->blocks) output->blocks.push_back(std::move(block));
  envelope_.Push(piece->uv, bins_);
  if (audio_) audio_->Push(piece->uv, discharges_.threshold_uv(), audio_bins_);
  TakeBins(output, /*all=*/false);
  discharges_.Take(*piece, verdict, &output->events);
  output->state = discharges_.state();
}

void EmgPipeline::TakeBins(EmgOutput* output, bool all) {
  const size_t wanted = std::max<size_t>(
      1, static_cast<size_t>(std::lround(kEnvelopeMs / plan_.plan.envelope_bin_ms())));
  while (bins_.size() >= wanted || (all && !bins_.empty())) {
    output->envelopes.push_back(MakeEnvelope(std::min(wanted, bins_.size())));
  }
}

v1::Envelope EmgPipeline::MakeEnvelope(size_t count) {
  std::vector<double> low, high, rms;
  for (size_t i = 0; i < count; ++i) {
    const auto finite = [](double uv) { return std::isfinite(uv) ? uv : 0.0; };
    low.push_back(finite(bins_[i].min_uv));
    high.push_back(finite(bins_[i].max_uv));
    rms.push_back(finite(bins_[i].rms_uv));
    if (bins_[i].non_finite_samples > 0) MergeFlags({v1::QUALITY_FLAG_NOT_FINITE}, &bins_quality_);
  }
  v1::Envelope envelope;
  envelope.set_trace_id(plan_.trace_id);
  envelope.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
  envelope.set_side(plan_.plan.side());
  const double rate = plan_.derivation.sample_rate_hz;
  const auto first =
      static_cast<double>(segment_first_) + static_cast<double>(bins_.front().first_sample);
  envelope.set_started_monotonic_ns(static_cast<int64_t>(first * 1e9 / rate + position_zero_ns_));
  envelope.set_bin_ms(static_cast<double>(envelope_.samples_per_bin()) * 1000 / rate);
  const auto pack = [&](const std::vector<double>& uv) {
    return PackMicrovolts(uv, StepFor(uv, stream_.uv_per_count(), 1, kSmallestEmgStepUv));
  };
  *envelope.mutable_minimum() = pack(low);
  *envelope.mutable_maximum() = pack(high);
  *envelope.mutable_rms() = pack(rms);
  if (audio_) {
    std::vector<double> crossing, centroid, clicks;
    for (size_t i = 0; i < std::min(count, audio_bins_.size()); ++i) {
      crossing.push_back(audio_bins_[i].dominant_hz);
      centroid.push_back(audio_bins_[i].centroid_hz);
      clicks.push_back(audio_bins_[i].clicks);
    }
    *envelope.mutable_crossing_hz() = PackMicrovolts(crossing, kAudioStepHz);
    *envelope.mutable_centroid_hz() = PackMicrovolts(centroid, kAudioStepHz);
    *envelope.mutable_click_count() = PackMicrovolts(clicks, kClickStep);
    audio_bins_.erase(audio_bins_.begin(), audio_bins_.begin() + std::ssize(crossing));
  }
  for (const v1::QualityFlag flag : bins_quality_) envelope.add_quality(flag);
  bins_quality_ = quality_;
  bins_.erase(bins_.begin(), bins_.begin() + static_cast<std::ptrdiff_t>(count));
  return envelope;
}

}  // namespace remora::agent
