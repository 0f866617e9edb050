#include "acquisition-agent/pipelines/sep_pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kLookAheadError = 1e-6;
// What is left of a filter's start when its samples may be averaged.
constexpr double kSettled = 0.01;

double MemoryOf(const dsp::Cascade& filter) {
  return static_cast<double>(dsp::SettlingSamples(filter, kSettled));
}

// Both known, and not alike.
bool Differ(double a, double b, double share) {
  return a > 0 && b > 0 && std::fabs(a - b) > share * a;
}

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
      marks_(plan.derivation.sample_rate_hz, plan.plan.blank_from_ms(), plan.plan.blank_to_ms(),
             plan.plan.filter().zero_phase() ? MemoryOf(plan.filter) : 0, MemoryOf(plan.filter)),
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
}

void SepPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  if (own) {
    missed_ += cadence_.OnStimulus(stimulus.time_ns, stimulus.rate_hz > 0
                                                         ? std::optional<double>(stimulus.rate_hz)
                                                         : std::nullopt);
  }
  if (stimulus.known && !own) return;
  if (waiting_.size() >= kMaxWaitingTriggers) {
    waiting_.pop_front();
    ++late_total_;
  }
  const auto after = std::upper_bound(
      waiting_.begin(), waiting_.end(), stimulus.time_ns,
      [](int64_t time_ns, const Waiting& other) { return time_ns < other.stimulus.time_ns; });
  waiting_.insert(after, Waiting{stimulus, own});
}

void SepPipeline::StartSegment(const Chunk& chunk, std::vector<EvokedAverage>* averages) {
  FlushSegment(averages);
  in_segment_ = true;
  segment_first_ = chunk.first_position;
  filtered_position_ = segment_first_;
  blanking_.Restart();
  if (causal_) causal_->ResetToNextSample();
  marks_.AddMarks(segment_first_ - 1, segment_first_, dsp::kQualityGap);
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
  marks_.AddMarks(segment_end_, segment_end_, dsp::kQualityGap);
  std::vector<double> blanked;
  blanking_.Flush(blanked);
  Filter(blanked);
  if (zero_phase_) zero_phase_->Flush(filtered_);
  Cut(averages);
  in_segment_ = false;
}

void SepPipeline::Announce(const Waiting& waiting, double position,
                           std::vector<EvokedAverage>* averages) {
  const Stimulus& stimulus = waiting.stimulus;
  if (!stimulus.known) {
    marks_.AddStimulus(position);
    if (!blanking_.AddTrigger(position - static_cast<double>(segment_first_)).ok()) {
      // Its samples, or those of a later stimulus, were given out before it was told.
      const double samples_per_ms = plan_.derivation.sample_rate_hz / 1000;
      marks_.AddMarks(
          static_cast<int64_t>(position + plan_.plan.blank_from_ms() * samples_per_ms),
          static_cast<int64_t>(position + plan_.plan.blank_to_ms() * samples_per_ms) + 1,
          kMarkStimulus);
      ++late_;
      ++late_total_;
    }
  }
  if (!waiting.own) return;
  const uint64_t id = next_id_++;
  if (cutter_.AddTrigger(position, id).ok()) {
    in_epochs_.emplace(id, stimulus);
    return;
  }
  // Too many wait, or it came before the first sample: a sweep without samples.
  ++late_total_;
  Offer(stimulus, {}, dsp::Rejection::kGap, averages);
}

void SepPipeline::OnChunk(const Chunk& chunk, std::vector<EvokedAverage>* averages) {
  if (chunk.rate_group != plan_.derivation.rate_group) return;
  if (chunk.starts_segment) StartSegment(chunk, averages);
  cadence_.Start(chunk.TimeOf(static_cast<double>(chunk.first_position)));
  segment_end_ = chunk.first_position + chunk.samples;
  now_ns_ = chunk.end_ns;
  marks_.AddChunk(chunk, inputs_.all);
  ++chunks_;
  if (std::any_of(inputs_.all.begin(), inputs_.all.end(),
                  [&](int k) { return (chunk.marks[k].marks & dsp::kQualityMains) != 0; })) {
    ++mains_chunks_;
  }
  while (!waiting_.empty() && waiting_.front().stimulus.time_ns < chunk.end_ns) {
    const Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    Announce(waiting, chunk.PositionOf(waiting.stimulus.time_ns), averages);
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
  const bool interference = (marks & (kMarkInterference | kMarkStimulus)) != 0;
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
  Offer(stimulus, epoch.Channel(0), Judge(epoch), averages);
}

void SepPipeline::Offer(const Stimulus& stimulus, std::span<const double> sweep_uv,
                        dsp::Rejection cause, std::vector<EvokedAverage>* averages) {
  EndAverageBefore(stimulus, averages);
  if (average_.offered() == 0) {
    first_stimulus_ns_ = stimulus.time_ns;
    chunks_ = mains_chunks_ = 0;
  }
  last_stimulus_ns_ = stimulus.time_ns;
  if (delivered_ma_ == 0) delivered_ma_ = stimulus.delivered_ma;
  if (rate_hz_ == 0) rate_hz_ = stimulus.rate_hz;
  ++offered_total_;
  if (average_.Add(sweep_uv, cause) == dsp::Rejection::kNone) ++accepted_total_;
  const uint32_t wanted = plan_.plan.sweep_count();
  if (average_.accepted() >= wanted || average_.offered() >= kMaxOfferedFactor * wanted) {
    FinishAverage(averages);
  }
}

void SepPipeline::EndAverageBefore(const Stimulus& stimulus, std::vector<EvokedAverage>* averages) {
  if (average_.offered() == 0) return;
  const bool paused = cadence_.IsPause(last_stimulus_ns_, stimulus.time_ns);
  if (!paused && !Differ(delivered_ma_, stimulus.delivered_ma, kSameCurrentShare) &&
      !Differ(rate_hz_, stimulus.rate_hz, kSameRateShare)) {
    return;
  }
  const int missed = missed_;
  if (average_.accepted() >= kMinCutShare * plan_.plan.sweep_count()) {
    FinishAverage(averages);
  } else {
    StartAverage();
  }
  // The average after a pause says so as well.
  missed_ = missed;
}

void SepPipeline::StartAverage() {
  average_.Reset();
  missed_ = 0;
  late_ = 0;
  delivered_ma_ = 0;
  rate_hz_ = 0;
}

void SepPipeline::FinishAverage(std::vector<EvokedAverage>* averages) {
  averages->push_back(Describe(/*provisional=*/false));
  StartAverage();
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
  mark_if(mains_chunks_ > kMarkedMainsShare * chunks_, v1::QUALITY_FLAG_MAINS);
  mark_if(rejected.interference_count() > many, v1::QUALITY_FLAG_DIATHERMY);
  mark_if(missed_ > 0, v1::QUALITY_FLAG_MISSING_TRIGGER);
  mark_if(late_ > 0, v1::QUALITY_FLAG_STIMULUS_ARTEFACT);
  mark_if(rejected.gap_count() > many, v1::QUALITY_FLAG_GAP);
  mark_if(!provisional && average.accepted < average.requested, v1::QUALITY_FLAG_TOO_FEW_SWEEPS);
  return average;
}

}  // namespace remora::agent
