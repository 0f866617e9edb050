#include "acquisition-agent/pipelines/sep_pipeline.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

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
  SweepStreamOptions options = SweepOptionsOf(plan.plan, plan.filter, plan.derivation);
  options.reject_over_uv = plan.plan.reject_over_uv();
  ASSIGN_OR_RETURN(SweepStream sweeps, SweepStream::Create(options, source));
  absl::StatusOr<DecidedAverage> average =
      DecidedAverage::Create(plan.plan, sweeps.samples_per_sweep(), sweeps.timebase());
  if (!average.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.trace_id, ": sequential: ", average.status().message()));
  }
  return std::unique_ptr<SepPipeline>(
      new SepPipeline(plan, std::move(sweeps), *std::move(average)));
}

SepPipeline::SepPipeline(const ResolvedEvoked& plan, SweepStream sweeps, DecidedAverage average)
    : plan_(plan),
      cadence_(plan.plan.stimulus().rate_hz()),
      sweeps_(std::move(sweeps)),
      average_(std::move(average)) {}

void SepPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  if (own) {
    missed_ += cadence_.OnStimulus(stimulus.time_ns, stimulus.rate_hz > 0
                                                         ? std::optional<double>(stimulus.rate_hz)
                                                         : std::nullopt);
  }
  sweeps_.OnStimulus(stimulus, own);
}

void SepPipeline::OnChunk(const Chunk& chunk, std::vector<EvokedAverage>* averages) {
  if (chunk.rate_group != sweeps_.rate_group()) return;
  cadence_.Start(chunk.TimeOf(static_cast<double>(chunk.first_position)));
  now_ns_ = chunk.end_ns;
  ++chunks_;
  const std::vector<int>& inputs = sweeps_.inputs().all;
  if (std::any_of(inputs.begin(), inputs.end(),
                  [&](int k) { return (chunk.marks[k].marks & dsp::kQualityMains) != 0; })) {
    ++mains_chunks_;
  }
  std::vector<CutSweep> sweeps;
  sweeps_.OnChunk(chunk, &sweeps);
  Offer(sweeps, averages);
  TellProvisional(averages);
}

size_t SepPipeline::SweepsToEnd() const {
  const dsp::SweepAverage& sweeps = average_.sweeps();
  const uint32_t offers = kMaxOfferedFactor * average_.most();
  const uint32_t any = offers > sweeps.offered() ? offers - sweeps.offered() : 1;
  return std::min(average_.next_end() - sweeps.accepted(), any);
}

void SepPipeline::OnLook(const Chunk& look, std::vector<EvokedAverage>* averages) {
  if (look.rate_group != sweeps_.rate_group()) return;
  looked_ns_ = now_ns_ = look.end_ns;
  const std::vector<CutSweep> sweeps = sweeps_.Look(look);
  const auto good = std::count_if(sweeps.begin(), sweeps.end(), [](const CutSweep& sweep) {
    return sweep.cause == dsp::Rejection::kNone;
  });
  const uint32_t end = average_.next_end();
  if (average_.sweeps().accepted() + good < end &&
      average_.sweeps().offered() + sweeps.size() < kMaxOfferedFactor * average_.most()) {
    return;
  }
  for (const CutSweep& sweep : sweeps) {
    // What is behind its end, or not needed for a decision, comes with the filter's look-ahead.
    if (!averages->empty() || average_.sweeps().accepted() >= end) break;
    sweeps_.Give(sweep.stimulus.time_ns);
    Offer(sweep, averages);
  }
}

void SepPipeline::Offer(const std::vector<CutSweep>& sweeps, std::vector<EvokedAverage>* averages) {
  for (const CutSweep& sweep : sweeps) Offer(sweep, averages);
}

void SepPipeline::TellProvisional(std::vector<EvokedAverage>* averages) {
  const double interval_ns = 1e9 / plan_.plan.provisional_rate_hz();
  if (average_.sweeps().accepted() < kMinProvisionalSweeps ||
      static_cast<double>(now_ns_ - last_told_ns_) < interval_ns) {
    return;
  }
  averages->push_back(Describe(/*provisional=*/true));
  last_told_ns_ = now_ns_;
}

void SepPipeline::OnEnd(std::vector<EvokedAverage>* averages) {
  std::vector<CutSweep> sweeps;
  sweeps_.OnEnd(&sweeps);
  Offer(sweeps, averages);
  TellProvisional(averages);
}

void SepPipeline::Offer(const CutSweep& sweep, std::vector<EvokedAverage>* averages) {
  const Stimulus& stimulus = sweep.stimulus;
  EndAverageBefore(stimulus, averages);
  if (average_.sweeps().offered() == 0) {
    first_stimulus_ns_ = stimulus.time_ns;
    chunks_ = mains_chunks_ = 0;
  }
  last_stimulus_ns_ = stimulus.time_ns;
  if (delivered_ma_ == 0) delivered_ma_ = stimulus.delivered_ma;
  if (rate_hz_ == 0) rate_hz_ = stimulus.rate_hz;
  ++offered_total_;
  if (average_.Add(sweep.uv, sweep.cause) == dsp::Rejection::kNone) ++accepted_total_;
  const dsp::SweepAverage& sweeps = average_.sweeps();
  if (average_.decided() || sweeps.accepted() >= average_.most() ||
      sweeps.offered() >= kMaxOfferedFactor * average_.most()) {
    FinishAverage(averages);
  }
}

void SepPipeline::EndAverageBefore(const Stimulus& stimulus, std::vector<EvokedAverage>* averages) {
  if (average_.sweeps().offered() == 0) return;
  const bool paused = cadence_.IsPause(last_stimulus_ns_, stimulus.time_ns);
  if (!paused && !Differ(delivered_ma_, stimulus.delivered_ma, kSameCurrentShare) &&
      !Differ(rate_hz_, stimulus.rate_hz, kSameRateShare)) {
    return;
  }
  const int missed = missed_;
  if (average_.sweeps().accepted() >= kMinCutShare * average_.most()) {
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
  late_before_ = late_total();
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
  const dsp::SweepAverage& sweeps = average_.sweeps();
  EvokedAverage average;
  average.provisional = provisional;
  average.block_index = block_index_;
  average.timebase = sweeps.timebase();
  average.mean_uv.assign(sweeps.mean_uv().begin(), sweeps.mean_uv().end());
  average.odd_uv.assign(sweeps.odd_uv().begin(), sweeps.odd_uv().end());
  average.even_uv.assign(sweeps.even_uv().begin(), sweeps.even_uv().end());
  average.requested = average_.most();
  average.accepted = sweeps.accepted();
  average.more_needed = average_.more_needed();
  average.decided = !provisional && average_.decided();
  if (!provisional) average.amplitude_bias = average_.amplitude_bias();
  v1::RejectedCounts& rejected = average.rejected;
  rejected.set_over_amplitude_count(sweeps.rejected(dsp::Rejection::kAmplitude));
  rejected.set_clipped_count(sweeps.rejected(dsp::Rejection::kClipping));
  rejected.set_disconnected_count(sweeps.rejected(dsp::Rejection::kFlat));
  rejected.set_not_finite_count(sweeps.rejected(dsp::Rejection::kNonFinite));
  rejected.set_gap_count(sweeps.rejected(dsp::Rejection::kGap));
  rejected.set_interference_count(sweeps.rejected(dsp::Rejection::kExternal));
  average.noise_uv =
      sweeps.PlusMinusNoiseUv({plan_.plan.blank_to_ms() + 1, plan_.plan.epoch_to_ms()});
  average.first_stimulus_ns = first_stimulus_ns_;
  average.last_stimulus_ns = last_stimulus_ns_;
  average.delivered_ma = delivered_ma_;
  average.rate_hz = rate_hz_;
  average.uv_per_count = sweeps_.inputs().uv_per_count;

  const auto mark_if = [&](bool marked, v1::QualityFlag flag) {
    if (marked) average.quality.push_back(flag);
  };
  const double many = kMarkedRejectionShare * sweeps.offered();
  mark_if(rejected.not_finite_count() > many, v1::QUALITY_FLAG_NOT_FINITE);
  mark_if(rejected.clipped_count() > many, v1::QUALITY_FLAG_CLIPPED);
  mark_if(rejected.disconnected_count() > many, v1::QUALITY_FLAG_DISCONNECTED);
  mark_if(mains_chunks_ > kMarkedMainsShare * chunks_, v1::QUALITY_FLAG_MAINS);
  mark_if(rejected.interference_count() > many, v1::QUALITY_FLAG_DIATHERMY);
  mark_if(missed_ > 0, v1::QUALITY_FLAG_MISSING_TRIGGER);
  mark_if(late_total() > late_before_, v1::QUALITY_FLAG_STIMULUS_ARTEFACT);
  mark_if(rejected.gap_count() > many, v1::QUALITY_FLAG_GAP);
  mark_if(!provisional && !average.decided && average.accepted < average.requested,
          v1::QUALITY_FLAG_TOO_FEW_SWEEPS);
  return average;
}

}  // namespace remora::agent
