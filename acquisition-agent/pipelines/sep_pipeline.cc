#include "acquisition-agent/pipelines/sep_pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kLookAheadError = 1e-6;
// What is left of a filter's start when its samples may be averaged.
constexpr double kSettled = 0.01;
// Two reports of one stimulus (a trigger and an annotation) lie within this.
constexpr int64_t kSameStimulusNs = 1'000'000;

}  // namespace

uint32_t EvokedAverage::offered() const {
  return accepted + rejected.over_amplitude_count() + rejected.clipped_count() +
         rejected.disconnected_count() + rejected.not_finite_count() + rejected.gap_count() +
         rejected.interference_count();
}

absl::StatusOr<std::unique_ptr<SepPipeline>> SepPipeline::Create(const ResolvedEvoked& plan,
                                                                 const SourceInfo& source) {
  dsp::EpochOptions options;
  options.sample_rate_hz = plan.derivation.sample_rate_hz;
  options.window = {plan.plan.epoch_from_ms(), plan.plan.epoch_to_ms()};
  ASSIGN_OR_RETURN(dsp::EpochCutter cutter, dsp::EpochCutter::Create(options));
  ASSIGN_OR_RETURN(
      dsp::StimulusBlanking blanking,
      dsp::StimulusBlanking::Create(plan.derivation.sample_rate_hz,
                                    {-plan.plan.blank_from_ms(), plan.plan.blank_to_ms()}));
  return std::unique_ptr<SepPipeline>(
      new SepPipeline(plan, source, std::move(cutter), std::move(blanking)));
}

SepPipeline::SepPipeline(const ResolvedEvoked& plan, const SourceInfo& source,
                         dsp::EpochCutter cutter, dsp::StimulusBlanking blanking)
    : plan_(plan),
      inputs_(InputsOf(plan.derivation, source)),
      cadence_(plan.plan.stimulus().rate_hz()),
      marks_(plan.derivation.sample_rate_hz, plan.plan.blank_from_ms(), plan.plan.blank_to_ms()),
      blanking_(std::move(blanking)),
      cutter_(std::move(cutter)),
      average_(cutter_.samples_per_epoch(), cutter_.timebase()) {
  if (plan.plan.filter().zero_phase()) {
    const size_t look_ahead = dsp::StreamingZeroPhase::LookAheadFor(plan.filter, kLookAheadError);
    const size_t stride =
        std::max<size_t>(1, static_cast<size_t>(plan.derivation.sample_rate_hz * kChunkMs / 1000));
    zero_phase_.emplace(plan.filter, look_ahead, stride);
  } else {
    causal_.emplace(plan.filter);
  }
  if (plan.trigger_channel >= 0) {
    trigger_group_ = source.channels[plan.trigger_channel].rate_group;
    const std::vector<int>& group = source.rate_groups[trigger_group_].channels;
    trigger_place_ = static_cast<int>(std::find(group.begin(), group.end(), plan.trigger_channel) -
                                      group.begin());
  }
}

bool SepPipeline::IsOwn(absl::string_view label) const {
  absl::string_view wanted = plan_.plan.trigger().label_prefix();
  if (wanted.empty() || label.empty()) return false;
  // "STIM MED R" in a recording's annotation is "MED R" on its trigger.
  absl::ConsumePrefix(&wanted, "STIM ");
  absl::ConsumePrefix(&label, "STIM ");
  return absl::StartsWith(label, wanted);
}

void SepPipeline::AddStimulus(Stimulus stimulus) {
  for (Stimulus& known : waiting_) {
    if (std::abs(known.time_ns - stimulus.time_ns) > kSameStimulusNs) continue;
    if (known.own || !stimulus.own) return;  // told twice
    known.own = true;
    cadence_.OnStimulus(stimulus.time_ns, std::nullopt);
    return;
  }
  if (waiting_.size() >= kMaxWaitingTriggers) waiting_.pop_front();
  const auto after = std::upper_bound(
      waiting_.begin(), waiting_.end(), stimulus.time_ns,
      [](int64_t time_ns, const Stimulus& other) { return time_ns < other.time_ns; });
  if (stimulus.own) {
    missed_ += cadence_.OnStimulus(stimulus.time_ns, stimulus.rate_hz > 0
                                                         ? std::optional<double>(stimulus.rate_hz)
                                                         : std::nullopt);
  }
  waiting_.insert(after, stimulus);
}

void SepPipeline::OnStimulus(const StimulusTrigger& trigger) {
  Stimulus stimulus;
  stimulus.time_ns = trigger.time_ns;
  stimulus.own = IsOwn(trigger.label);
  stimulus.rate_hz = trigger.rate_hz.value_or(0);
  stimulus.delivered_ma = trigger.delivered_ma.value_or(trigger.commanded_ma.value_or(0));
  AddStimulus(stimulus);
}

void SepPipeline::OnEvent(const SourceEvent& event) {
  // What is told after its samples were delivered cannot be cut out of them any more.
  if (event.late || !IsOwn(event.text)) return;
  Stimulus stimulus;
  stimulus.time_ns = event.time_ns;
  stimulus.own = true;
  AddStimulus(stimulus);
}

void SepPipeline::FindEdges(const Chunk& chunk) {
  const std::vector<double>& samples = chunk.channels[trigger_place_];
  if (chunk.starts_segment) trigger_was_high_ = true;
  for (size_t i = 0; i < samples.size(); ++i) {
    const bool high = samples[i] >= plan_.trigger_threshold;
    if (high && !trigger_was_high_) {
      Stimulus stimulus;
      stimulus.time_ns =
          chunk.TimeOf(static_cast<double>(chunk.first_position) + static_cast<double>(i));
      stimulus.own = true;
      AddStimulus(stimulus);
    }
    trigger_was_high_ = high;
  }
}

void SepPipeline::StartSegment(const Chunk& chunk, std::vector<EvokedAverage>* averages) {
  FlushSegment(averages);
  in_segment_ = true;
  segment_first_ = chunk.first_position;
  filtered_position_ = segment_first_;
  blanking_.Restart();
  if (causal_) causal_->ResetToNextSample();
  const int64_t settling = static_cast<int64_t>(dsp::SettlingSamples(plan_.filter, kSettled));
  marks_.AddMarks(segment_first_, segment_first_ + settling, dsp::kQualityGap);
}

void SepPipeline::Filter(std::span<const double> blanked) {
  if (zero_phase_) {
    zero_phase_->Push(blanked, filtered_);
    return;
  }
  const size_t start = filtered_.size();
  filtered_.resize(start + blanked.size());
  causal_->Process(blanked, std::span<double>(filtered_).subspan(start));
}

void SepPipeline::FlushSegment(std::vector<EvokedAverage>* averages) {
  if (!in_segment_) return;
  std::vector<double> blanked;
  blanking_.Flush(blanked);
  Filter(blanked);
  if (zero_phase_) zero_phase_->Flush(filtered_);
  Cut(averages);
  in_segment_ = false;
}

void SepPipeline::OnChunk(const Chunk& chunk, std::vector<EvokedAverage>* averages) {
  if (chunk.rate_group == trigger_group_) FindEdges(chunk);
  if (chunk.rate_group != plan_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, averages);
  now_ns_ = chunk.end_ns;
  marks_.AddChunk(chunk, inputs_.all);
  while (!waiting_.empty() && waiting_.front().time_ns < chunk.end_ns) {
    const Stimulus stimulus = waiting_.front();
    waiting_.pop_front();
    const double position = chunk.PositionOf(stimulus.time_ns);
    marks_.AddStimulus(position);
    // One that came before this segment's samples has no artefact to blank: refused as late, and
    // rightly so.
    blanking_.AddTrigger(position - static_cast<double>(segment_first_)).IgnoreError();
    if (!stimulus.own) continue;
    const uint64_t id = next_id_++;
    // Refused only when too many wait, or before the source's first sample: no epoch either way.
    if (cutter_.AddTrigger(position, id).ok()) in_epochs_.emplace(id, stimulus);
  }
  std::vector<double> blanked;
  blanking_.Push(Derive(chunk, inputs_.plus, inputs_.minus), blanked);
  Filter(blanked);
  Cut(averages);
  TellProvisional(averages);
}

void SepPipeline::TellProvisional(std::vector<EvokedAverage>* averages) {
  const double interval_ns = 1e9 / plan_.plan.provisional_rate_hz();
  if (average_.accepted() < kMinProvisionalSweeps ||
      static_cast<double>(now_ns_ - last_told_ns_) < interval_ns) {
    return;
  }
  averages->push_back(Describe(/*provisional=*/true));
  last_told_ns_ = now_ns_;
}

void SepPipeline::OnEnd(std::vector<EvokedAverage>* averages) {
  FlushSegment(averages);
  std::vector<dsp::Epoch> epochs;
  cutter_.Flush(epochs);
  for (const dsp::Epoch& epoch : epochs) TakeEpoch(epoch, averages);
  TellProvisional(averages);
}

void SepPipeline::Cut(std::vector<EvokedAverage>* averages) {
  if (filtered_.empty()) return;
  std::vector<dsp::Epoch> epochs;
  const std::array<std::span<const double>, 1> channel{filtered_};
  // One channel always, and positions from 0 on: it has nothing to refuse.
  cutter_.Push(static_cast<uint64_t>(filtered_position_), channel, epochs).IgnoreError();
  filtered_position_ += static_cast<int64_t>(filtered_.size());
  filtered_.clear();
  for (const dsp::Epoch& epoch : epochs) TakeEpoch(epoch, averages);
}

dsp::Rejection SepPipeline::Judge(const dsp::Epoch& epoch) const {
  const double samples_per_ms = plan_.derivation.sample_rate_hz / 1000;
  uint32_t marks =
      marks_.MarksIn(epoch.trigger_sample + plan_.plan.epoch_from_ms() * samples_per_ms,
                     epoch.trigger_sample + plan_.plan.epoch_to_ms() * samples_per_ms);
  const bool interference = (marks & kMarkInterference) != 0;
  if (marks & kMarkFloating) marks |= dsp::kQualityFlat;
  dsp::RejectionLimits limits;
  limits.max_abs_uv = plan_.plan.reject_over_uv();
  const dsp::Rejection cause =
      dsp::JudgeSweep(epoch.Channel(0), cutter_.timebase(), limits, marks | dsp::EpochMarks(epoch));
  if (interference && (cause == dsp::Rejection::kNone || cause == dsp::Rejection::kAmplitude)) {
    return dsp::Rejection::kExternal;
  }
  return cause;
}

void SepPipeline::TakeEpoch(const dsp::Epoch& epoch, std::vector<EvokedAverage>* averages) {
  const auto found = in_epochs_.find(epoch.trigger_id);
  if (found == in_epochs_.end()) return;
  const Stimulus stimulus = found->second;
  in_epochs_.erase(found);
  if (average_.offered() == 0) {
    first_position_ = epoch.trigger_sample;
    first_stimulus_ns_ = stimulus.time_ns;
  }
  last_position_ = epoch.trigger_sample;
  last_stimulus_ns_ = stimulus.time_ns;
  if (stimulus.delivered_ma > 0) delivered_ma_ = stimulus.delivered_ma;
  if (stimulus.rate_hz > 0) rate_hz_ = stimulus.rate_hz;
  ++offered_total_;
  if (average_.Add(epoch.Channel(0), Judge(epoch)) == dsp::Rejection::kNone) ++accepted_total_;
  const uint32_t wanted = plan_.plan.sweep_count();
  if (average_.accepted() >= wanted || average_.offered() >= kMaxOfferedFactor * wanted) {
    FinishAverage(averages);
  }
}

void SepPipeline::FinishAverage(std::vector<EvokedAverage>* averages) {
  averages->push_back(Describe(/*provisional=*/false));
  average_.Reset();
  missed_ = 0;
  delivered_ma_ = 0;
  rate_hz_ = 0;
  ++block_index_;
  last_told_ns_ = now_ns_;
}

EvokedAverage SepPipeline::Describe(bool provisional) const {
  EvokedAverage average;
  average.provisional = provisional;
  average.block_index = block_index_;
  average.timebase = average_.timebase();
  average.mean_uv.assign(average_.mean_uv().begin(), average_.mean_uv().end());
  average.odd_uv.assign(average_.odd_uv().begin(), average_.odd_uv().end());
  average.even_uv.assign(average_.even_uv().begin(), average_.even_uv().end());
  average.requested = plan_.plan.sweep_count();
  average.accepted = average_.accepted();
  v1::RejectedCounts& rejected = average.rejected;
  rejected.set_over_amplitude_count(average_.rejected(dsp::Rejection::kAmplitude));
  rejected.set_clipped_count(average_.rejected(dsp::Rejection::kClipping));
  rejected.set_disconnected_count(average_.rejected(dsp::Rejection::kFlat));
  rejected.set_not_finite_count(average_.rejected(dsp::Rejection::kNonFinite));
  rejected.set_gap_count(average_.rejected(dsp::Rejection::kGap));
  rejected.set_interference_count(average_.rejected(dsp::Rejection::kExternal));
  average.noise_uv =
      average_.PlusMinusNoiseUv({plan_.plan.blank_to_ms() + 1, plan_.plan.epoch_to_ms()});
  average.first_stimulus_ns = first_stimulus_ns_;
  average.last_stimulus_ns = last_stimulus_ns_;
  average.delivered_ma = delivered_ma_;
  average.rate_hz = rate_hz_;
  average.uv_per_count = inputs_.uv_per_count;

  const auto mark_if = [&](bool marked, v1::QualityFlag flag) {
    if (marked) average.quality.push_back(flag);
  };
  const double many = kMarkedRejectionShare * average_.offered();
  mark_if(rejected.not_finite_count() > many, v1::QUALITY_FLAG_NOT_FINITE);
  mark_if(rejected.clipped_count() > many, v1::QUALITY_FLAG_CLIPPED);
  mark_if(rejected.disconnected_count() > many, v1::QUALITY_FLAG_DISCONNECTED);
  mark_if(marks_.ShareOf(dsp::kQualityMains, first_position_, last_position_) > 0.5,
          v1::QUALITY_FLAG_MAINS);
  mark_if(rejected.interference_count() > many, v1::QUALITY_FLAG_DIATHERMY);
  mark_if(missed_ > 0, v1::QUALITY_FLAG_MISSING_TRIGGER);
  mark_if(rejected.gap_count() > many, v1::QUALITY_FLAG_GAP);
  mark_if(!provisional && average.accepted < average.requested, v1::QUALITY_FLAG_TOO_FEW_SWEEPS);
  return average;
}

}  // namespace remora::agent
