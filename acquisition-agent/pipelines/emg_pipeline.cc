#include "acquisition-agent/pipelines/emg_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kEnvelopeMs = 1000;
constexpr double kEvidenceMs = 400;  // of a train: some forty discharges at 100 a second
constexpr int64_t kTrainUpdateNs = 1'000'000'000;

v1::EmgActivityKind KindOf(dsp::ActivityKind kind) {
  switch (kind) {
    case dsp::ActivityKind::kSpike:
      return v1::EMG_ACTIVITY_KIND_SPIKE;
    case dsp::ActivityKind::kBurst:
      return v1::EMG_ACTIVITY_KIND_BURST;
    case dsp::ActivityKind::kTrain:
      return v1::EMG_ACTIVITY_KIND_TRAIN;
    case dsp::ActivityKind::kArtefact:
      return v1::EMG_ACTIVITY_KIND_ARTEFACT;
  }
  return v1::EMG_ACTIVITY_KIND_UNSPECIFIED;
}

std::string CauseOf(uint32_t hints) {
  if (hints & dsp::kArtefactNonFinite) return "samples without a value";
  if (hints & dsp::kArtefactClipping) return "amplifier at its limit";
  if (hints & dsp::kArtefactFlat) return "electrode disconnected";
  if (hints & dsp::kArtefactDiathermy) return "interference on all channels, as from diathermy";
  if (hints & dsp::kArtefactStimulus) return "stimuli, or what muscles answered to them";
  if (hints & dsp::kArtefactMains) return "mains";
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmgPipeline>> EmgPipeline::Create(const ResolvedEmg& plan,
                                                                 const SourceInfo& source) {
  ContinuousOptions continuous;
  continuous.trace_id = plan.trace_id;
  continuous.modality = v1::MODALITY_EMG_FREE_RUNNING;
  continuous.side = plan.plan.side();
  continuous.derivation = plan.derivation;
  continuous.filter = plan.filter;
  continuous.setting = plan.plan.filter();
  continuous.sent_rate_hz = plan.plan.sent_rate_hz();
  continuous.interference_over_uv = plan.plan.interference_over_uv();
  continuous.is_muscle = true;
  ASSIGN_OR_RETURN(ContinuousStream stream, ContinuousStream::Create(continuous, source));
  const double rate = plan.derivation.sample_rate_hz;
  ASSIGN_OR_RETURN(dsp::EmgEnvelope envelope,
                   dsp::EmgEnvelope::Create(rate, plan.plan.envelope_bin_ms()));
  dsp::BurstTrainOptions options;
  options.sample_rate_hz = rate;
  ASSIGN_OR_RETURN(dsp::BurstTrainDetector detector, dsp::BurstTrainDetector::Create(options));
  return std::unique_ptr<EmgPipeline>(
      new EmgPipeline(plan, std::move(stream), std::move(envelope), std::move(detector)));
}

EmgPipeline::EmgPipeline(const ResolvedEmg& plan, ContinuousStream stream,
                         dsp::EmgEnvelope envelope, dsp::BurstTrainDetector detector)
    : plan_(plan),
      stream_(std::move(stream)),
      envelope_(std::move(envelope)),
      detector_(std::move(detector)) {}

int64_t EmgPipeline::TimeOf(double position) const {
  return static_cast<int64_t>(position * 1e9 / plan_.derivation.sample_rate_hz + position_zero_ns_);
}

void EmgPipeline::OnStimulus(const Stimulus& stimulus) { stream_.OnStimulus(stimulus); }

void EmgPipeline::OnChunk(const Chunk& chunk, EmgOutput* output) {
  std::vector<Piece> pieces;
  stream_.OnChunk(chunk, &pieces);
  TakePieces(std::move(pieces), output);
}

void EmgPipeline::OnEnd(EmgOutput* output) {
  std::vector<Piece> pieces;
  stream_.OnEnd(&pieces);
  TakePieces(std::move(pieces), output);
}

void EmgPipeline::TakePieces(std::vector<Piece> pieces, EmgOutput* output) {
  for (Piece& piece : pieces) {
    position_zero_ns_ = piece.position_zero_ns;
    if (piece.starts_segment) {
      segment_first_ = piece.first_position;
      detector_offset_ = segment_first_ - static_cast<int64_t>(detected_samples_);
    }
    if (!piece.uv.empty()) Take(&piece, output);
    if (!piece.ends_segment) continue;
    std::vector<dsp::Activity> activities;
    detector_.Flush(activities);
    TellActivities(activities, output);
    envelope_.Restart(bins_);
    TakeBins(output, /*all=*/true);
  }
}

void EmgPipeline::Take(Piece* piece, EmgOutput* output) {
  quality_ = piece->quality;
  MergeFlags(quality_, &bins_quality_);
  recent_.insert(recent_.end(), piece->sent_uv.begin(), piece->sent_uv.end());
  while (static_cast<double>(recent_.size()) > stream_.sent_rate_hz() * kEvidenceMs / 1000) {
    recent_.pop_front();
  }
  for (v1::SampleBlock& block : piece->blocks) output->blocks.push_back(std::move(block));

  envelope_.Push(piece->uv, bins_);
  TakeBins(output, /*all=*/false);

  std::vector<dsp::Activity> activities;
  detector_.Push(piece->uv, piece->hints, activities);
  detected_samples_ += piece->uv.size();
  next_position_ = piece->first_position + static_cast<int64_t>(piece->uv.size());
  TellActivities(activities, output);
  TellTrain(output);
  output->state = EmgState{detector_.silent_ms(), detector_.unassessed_ms(),
                           CauseOf(detector_.unassessed_hints())};
}

void EmgPipeline::TakeBins(EmgOutput* output, bool all) {
  const size_t wanted = std::max<size_t>(
      1, static_cast<size_t>(std::lround(kEnvelopeMs / plan_.plan.envelope_bin_ms())));
  while (bins_.size() >= wanted || (all && !bins_.empty())) {
    const size_t count = std::min(wanted, bins_.size());
    std::vector<double> low, high, rms;
    for (size_t i = 0; i < count; ++i) {
      const auto finite = [](double uv) { return std::isfinite(uv) ? uv : 0.0; };
      low.push_back(finite(bins_[i].min_uv));
      high.push_back(finite(bins_[i].max_uv));
      rms.push_back(finite(bins_[i].rms_uv));
      if (bins_[i].non_finite_samples > 0)
        MergeFlags({v1::QUALITY_FLAG_NOT_FINITE}, &bins_quality_);
    }
    v1::Envelope envelope;
    envelope.set_trace_id(plan_.trace_id);
    envelope.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
    envelope.set_side(plan_.plan.side());
    envelope.set_started_monotonic_ns(TimeOf(static_cast<double>(segment_first_) +
                                             static_cast<double>(bins_.front().first_sample)));
    envelope.set_bin_ms(static_cast<double>(envelope_.samples_per_bin()) * 1000 /
                        plan_.derivation.sample_rate_hz);
    const double resolution = stream_.uv_per_count();
    *envelope.mutable_minimum() =
        PackMicrovolts(low, StepFor(low, resolution, 1, kSmallestEmgStepUv));
    *envelope.mutable_maximum() =
        PackMicrovolts(high, StepFor(high, resolution, 1, kSmallestEmgStepUv));
    *envelope.mutable_rms() = PackMicrovolts(rms, StepFor(rms, resolution, 1, kSmallestEmgStepUv));
    for (const v1::QualityFlag flag : bins_quality_) envelope.add_quality(flag);
    bins_quality_ = quality_;
    bins_.erase(bins_.begin(), bins_.begin() + static_cast<std::ptrdiff_t>(count));
    output->envelopes.push_back(std::move(envelope));
  }
}

void EmgPipeline::TellActivities(const std::vector<dsp::Activity>& activities, EmgOutput* output) {
  for (const dsp::Activity& found : activities) {
    const bool train = found.kind == dsp::ActivityKind::kTrain;
    const bool began = found.phase == dsp::ActivityPhase::kBegan;
    const int64_t started_ns =
        TimeOf(static_cast<double>(static_cast<int64_t>(found.first_sample) + detector_offset_));
    if (started_ns / 1'000'000'000 != second_) {
      second_ = started_ns / 1'000'000'000;
      told_in_second_ = 0;
    }
    if (!train && ++told_in_second_ > kMaxActivitiesPerSecond) {
      ++untold_;
      continue;
    }
    EmgEvent event = Describe(found);
    std::string reason = CauseOf(found.hints);
    if (found.interrupted) reason = "cut off by an artefact or a pause: its end was not seen";
    if (untold_ > 0) {
      absl::StrAppend(&reason, reason.empty() ? "" : "; ", untold_,
                      " shorter ones before it were not told one by one");
      untold_ = 0;
    }
    event.activity.set_reason(reason);
    if (train) {
      event.train_ongoing = began;
      event.train_ended = !began;
      event.interrupted = found.interrupted;
      event.trace_uv.assign(recent_.begin(), recent_.end());
      if (began) train_told_ns_ = TimeOf(static_cast<double>(next_position_));
    }
    output->events.push_back(std::move(event));
  }
}

EmgEvent EmgPipeline::Describe(const dsp::Activity& activity) const {
  EmgEvent event;
  event.activity.set_trace_id(plan_.trace_id);
  event.activity.set_side(plan_.plan.side());
  event.activity.set_kind(KindOf(activity.kind));
  event.activity.set_started_monotonic_ns(
      TimeOf(static_cast<double>(static_cast<int64_t>(activity.first_sample) + detector_offset_)));
  event.activity.set_duration_ms(activity.duration_ms);
  event.activity.set_peak_uv(activity.peak_uv);
  event.activity.set_discharge_rate_hz(activity.discharge_rate_hz);
  event.activity.set_ongoing(activity.phase == dsp::ActivityPhase::kBegan);
  event.trace_rate_hz = stream_.sent_rate_hz();
  return event;
}

void EmgPipeline::TellTrain(EmgOutput* output) {
  const std::optional<dsp::Activity> train = detector_.CurrentTrain();
  if (!train) return;
  EmgEvent event = Describe(*train);
  event.train_ongoing = true;
  event.trace_uv.assign(recent_.begin(), recent_.end());
  // As a record each second; to the surveillance with every chunk, so that an alert is not late.
  const int64_t now_ns = TimeOf(static_cast<double>(next_position_));
  if (now_ns - train_told_ns_ >= kTrainUpdateNs) {
    train_told_ns_ = now_ns;
  } else {
    event.activity.clear_kind();
  }
  output->events.push_back(std::move(event));
}

}  // namespace remora::agent
