#include "acquisition-agent/pipelines/emg_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"
#include "dsp/filter/butterworth.h"

namespace remora::agent {
namespace {

constexpr dsp::BlankingWindow kBlanking{2.0, 3.0};
constexpr double kEnvelopeMs = 1000;
constexpr double kEvidenceMs = 400;  // of a train: some forty discharges at 100 a second
constexpr int64_t kTrainUpdateNs = 1'000'000'000;
// Corner of the anti-alias filter, of the rate that is sent.
constexpr double kAntiAliasShare = 0.4;

std::vector<v1::QualityFlag> FlagsOf(uint32_t marks) {
  std::vector<v1::QualityFlag> flags;
  if (marks & dsp::kQualityNonFinite) flags.push_back(v1::QUALITY_FLAG_NOT_FINITE);
  if (marks & dsp::kQualityClipping) flags.push_back(v1::QUALITY_FLAG_CLIPPED);
  if (marks & (dsp::kQualityFlat | kMarkFloating)) flags.push_back(v1::QUALITY_FLAG_DISCONNECTED);
  if (marks & dsp::kQualityMains) flags.push_back(v1::QUALITY_FLAG_MAINS);
  if (marks & kMarkInterference) flags.push_back(v1::QUALITY_FLAG_DIATHERMY);
  return flags;
}

void Merge(const std::vector<v1::QualityFlag>& flags, std::vector<v1::QualityFlag>* into) {
  for (const v1::QualityFlag flag : flags) {
    if (std::find(into->begin(), into->end(), flag) == into->end()) into->push_back(flag);
  }
}

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
  if (hints & dsp::kArtefactStimulus) return "stimuli that were told too late to be blanked";
  if (hints & dsp::kArtefactMains) return "mains";
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmgPipeline>> EmgPipeline::Create(const ResolvedEmg& plan,
                                                                 const SourceInfo& source) {
  const double rate = plan.derivation.sample_rate_hz;
  const int factor =
      std::max(1, static_cast<int>(std::ceil(rate / plan.plan.sent_rate_hz() - 1e-9)));
  dsp::Cascade anti_alias;
  if (factor > 1) {
    ASSIGN_OR_RETURN(anti_alias, dsp::ButterworthLowPass(6, kAntiAliasShare * rate / factor, rate));
  }
  ASSIGN_OR_RETURN(dsp::StimulusBlanking blanking, dsp::StimulusBlanking::Create(rate, kBlanking));
  ASSIGN_OR_RETURN(dsp::EmgEnvelope envelope,
                   dsp::EmgEnvelope::Create(rate, plan.plan.envelope_bin_ms()));
  dsp::BurstTrainOptions options;
  options.sample_rate_hz = rate;
  ASSIGN_OR_RETURN(dsp::BurstTrainDetector detector, dsp::BurstTrainDetector::Create(options));
  return std::unique_ptr<EmgPipeline>(
      new EmgPipeline(plan, source, factor, dsp::StreamingFilter(std::move(anti_alias)),
                      std::move(blanking), std::move(envelope), std::move(detector)));
}

EmgPipeline::EmgPipeline(const ResolvedEmg& plan, const SourceInfo& source, int factor,
                         dsp::StreamingFilter anti_alias, dsp::StimulusBlanking blanking,
                         dsp::EmgEnvelope envelope, dsp::BurstTrainDetector detector)
    : plan_(plan),
      inputs_(InputsOf(plan.derivation, source)),
      factor_(factor),
      filter_(plan.filter),
      anti_alias_(std::move(anti_alias)),
      blanking_(std::move(blanking)),
      envelope_(std::move(envelope)),
      detector_(std::move(detector)) {}

int64_t EmgPipeline::TimeOf(double position) const {
  return static_cast<int64_t>(position * 1e9 / plan_.derivation.sample_rate_hz + position_zero_ns_);
}

void EmgPipeline::OnStimulus(const Stimulus& stimulus) {
  if (stimulus.known) return;
  if (stimuli_ns_.size() >= kMaxWaitingTriggers) {
    stimuli_ns_.pop_front();
    ++late_total_;
  }
  stimuli_ns_.insert(std::upper_bound(stimuli_ns_.begin(), stimuli_ns_.end(), stimulus.time_ns),
                     stimulus.time_ns);
}

// Hints for the chunk: its stimuli are blanked, unless one came too late for that.
uint32_t EmgPipeline::AnnounceStimuli(const Chunk& chunk) {
  uint32_t hints = dsp::kNoArtefact;
  while (!stimuli_ns_.empty() && stimuli_ns_.front() < chunk.end_ns) {
    const double position = chunk.PositionOf(stimuli_ns_.front());
    stimuli_ns_.pop_front();
    if (blanking_.AddTrigger(position - static_cast<double>(segment_first_)).ok()) continue;
    ++late_total_;
    hints |= dsp::kArtefactStimulus;
  }
  return hints;
}

void EmgPipeline::StartSegment(const Chunk& chunk, EmgOutput* output) {
  Flush(output);
  in_segment_ = true;
  segment_first_ = chunk.first_position;
  position_zero_ns_ = chunk.position_zero_ns;
  filtered_position_ = segment_first_;
  detector_offset_ = segment_first_ - static_cast<int64_t>(detected_samples_);
  blanking_.Restart();
  filter_.ResetToNextSample();
  anti_alias_.ResetToNextSample();
}

void EmgPipeline::Flush(EmgOutput* output) {
  if (!in_segment_) return;
  std::vector<double> blanked;
  blanking_.Flush(blanked);
  Take(std::move(blanked), dsp::kNoArtefact, output);
  std::vector<dsp::Activity> activities;
  detector_.Flush(activities);
  TellActivities(activities, output);
  envelope_.Restart(bins_);
  TakeBins(output, /*all=*/true);
  in_segment_ = false;
}

void EmgPipeline::OnEnd(EmgOutput* output) { Flush(output); }

void EmgPipeline::OnChunk(const Chunk& chunk, EmgOutput* output) {
  if (chunk.rate_group != plan_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, output);
  position_zero_ns_ = chunk.position_zero_ns;
  uint32_t marks = 0;
  for (const int k : inputs_.all) {
    marks |= chunk.marks[k].marks;
    for (const ChannelMarks::Run& run : chunk.marks[k].runs) marks |= run.marks;
  }
  uint32_t hints = dsp::ArtefactHints(marks);
  if (marks & kMarkInterference) hints |= dsp::kArtefactDiathermy;
  if (marks & kMarkFloating) hints |= dsp::kArtefactFlat;
  quality_ = FlagsOf(marks);
  hints |= AnnounceStimuli(chunk);
  if (hints & dsp::kArtefactStimulus) Merge({v1::QUALITY_FLAG_STIMULUS_ARTEFACT}, &quality_);
  std::vector<double> blanked;
  blanking_.Push(Derive(chunk, inputs_.plus, inputs_.minus), blanked);
  Take(std::move(blanked), hints, output);
}

void EmgPipeline::Take(std::vector<double> blanked, uint32_t hints, EmgOutput* output) {
  if (blanked.empty()) return;
  std::vector<double> filtered(blanked.size());
  filter_.Process(blanked, filtered);
  const double limit = plan_.plan.interference_over_uv();
  if (std::any_of(filtered.begin(), filtered.end(),
                  [&](double uv) { return std::fabs(uv) > limit; })) {
    hints |= dsp::kArtefactDiathermy;
    Merge({v1::QUALITY_FLAG_DIATHERMY}, &quality_);
  }
  Merge(quality_, &bins_quality_);
  Send(filtered, output);

  envelope_.Push(filtered, bins_);
  TakeBins(output, /*all=*/false);

  std::vector<dsp::Activity> activities;
  detector_.Push(filtered, hints, activities);
  detected_samples_ += filtered.size();
  filtered_position_ += static_cast<int64_t>(filtered.size());
  TellActivities(activities, output);
  TellTrain(output);
  output->state = EmgState{detector_.silent_ms(), detector_.unassessed_ms(),
                           CauseOf(detector_.unassessed_hints())};
}

void EmgPipeline::Send(std::span<const double> filtered, EmgOutput* output) {
  std::vector<double> smooth(filtered.size());
  anti_alias_.Process(filtered, smooth);
  std::vector<double> sent;
  int64_t first = -1;
  for (size_t i = 0; i < smooth.size(); ++i) {
    const int64_t position = filtered_position_ + static_cast<int64_t>(i);
    if (position % factor_ != 0) continue;
    if (first < 0) first = position;
    sent.push_back(smooth[i]);
  }
  if (sent.empty()) return;
  const double rate = plan_.derivation.sample_rate_hz / factor_;
  recent_.insert(recent_.end(), sent.begin(), sent.end());
  while (static_cast<double>(recent_.size()) > rate * kEvidenceMs / 1000) recent_.pop_front();

  size_t at = 0;
  size_t take = sent.size();
  while (at < sent.size()) {
    take = std::min(take, sent.size() - at);
    const std::span<const double> part = std::span<const double>(sent).subspan(at, take);
    v1::SampleBlock block;
    *block.mutable_samples() =
        PackMicrovolts(part, StepFor(part, inputs_.uv_per_count, 1, kSmallestEmgStepUv));
    if (block.ByteSizeLong() + kRecordHeaderRoomBytes > kMaxBlockBytes && take > 1) {
      take /= 2;
      continue;
    }
    const int64_t position = first + static_cast<int64_t>(at) * factor_;
    block.set_trace_id(plan_.trace_id);
    block.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
    block.set_side(plan_.plan.side());
    block.set_sample_rate_hz(rate);
    block.set_first_sample_index(static_cast<uint64_t>(position / factor_));
    block.set_started_monotonic_ns(TimeOf(static_cast<double>(position)));
    *block.mutable_filter() = plan_.plan.filter();
    for (const v1::QualityFlag flag : quality_) block.add_quality(flag);
    output->blocks.push_back(std::move(block));
    at += take;
  }
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
      if (bins_[i].non_finite_samples > 0) Merge({v1::QUALITY_FLAG_NOT_FINITE}, &bins_quality_);
    }
    v1::Envelope envelope;
    envelope.set_trace_id(plan_.trace_id);
    envelope.set_modality(v1::MODALITY_EMG_FREE_RUNNING);
    envelope.set_side(plan_.plan.side());
    envelope.set_started_monotonic_ns(TimeOf(static_cast<double>(segment_first_) +
                                             static_cast<double>(bins_.front().first_sample)));
    envelope.set_bin_ms(static_cast<double>(envelope_.samples_per_bin()) * 1000 /
                        plan_.derivation.sample_rate_hz);
    const double resolution = inputs_.uv_per_count;
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
      if (began) train_told_ns_ = TimeOf(static_cast<double>(filtered_position_));
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
  event.trace_rate_hz = plan_.derivation.sample_rate_hz / factor_;
  return event;
}

void EmgPipeline::TellTrain(EmgOutput* output) {
  const std::optional<dsp::Activity> train = detector_.CurrentTrain();
  if (!train) return;
  EmgEvent event = Describe(*train);
  event.train_ongoing = true;
  event.trace_uv.assign(recent_.begin(), recent_.end());
  // As a record each second; to the surveillance with every chunk, so that an alert is not late.
  const int64_t now_ns = TimeOf(static_cast<double>(filtered_position_));
  if (now_ns - train_told_ns_ >= kTrainUpdateNs) {
    train_told_ns_ = now_ns;
  } else {
    event.activity.clear_kind();
  }
  output->events.push_back(std::move(event));
}

}  // namespace remora::agent
