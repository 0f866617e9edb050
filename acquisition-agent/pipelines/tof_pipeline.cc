#include "acquisition-agent/pipelines/tof_pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/plan/limits.h"
#include "common/status_macros.h"
#include "dsp/motor/motor_response.h"

namespace remora::agent {
namespace {

constexpr size_t kTwitches = 4;
constexpr int64_t kShortestIntervalNs = 400'000'000;
constexpr int64_t kLongestIntervalNs = 600'000'000;
// Before its stimulus, to tell noise from a twitch.
constexpr double kTwitchNoiseMs = 20;

}  // namespace

absl::StatusOr<std::unique_ptr<TofPipeline>> TofPipeline::Create(const ResolvedTrainOfFour& plan,
                                                                 const SourceInfo& source) {
  SweepStreamOptions options;
  options.derivation = plan.derivation;
  options.filter = plan.filter;
  options.epoch_from_ms = -kTwitchNoiseMs;
  options.epoch_to_ms = std::min(kTwitchEpochMs, plan.plan.window_to_ms() + kTwitchNoiseMs);
  options.blank_from_ms = -0.5;
  options.blank_to_ms = kTwitchBlankMs;
  ASSIGN_OR_RETURN(SweepStream sweeps, SweepStream::Create(options, source));
  return std::unique_ptr<TofPipeline>(new TofPipeline(plan, std::move(sweeps)));
}

TofPipeline::TofPipeline(const ResolvedTrainOfFour& plan, SweepStream sweeps)
    : plan_(plan), sweeps_(std::move(sweeps)) {}

void TofPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  sweeps_.OnStimulus(stimulus, own);
}

void TofPipeline::OnChunk(const Chunk& chunk, std::vector<TofTrain>* trains) {
  if (chunk.rate_group != sweeps_.rate_group()) return;
  std::vector<CutSweep> sweeps;
  sweeps_.OnChunk(chunk, &sweeps);
  Take(std::move(sweeps), trains);
  if (!train_.empty() && chunk.end_ns - train_.back().stimulus.time_ns > kTrainIsOverNs) {
    Tell(trains);
  }
}

void TofPipeline::OnLook(const Chunk& look, std::vector<TofTrain>* trains) {
  if (look.rate_group != sweeps_.rate_group()) return;
  looked_ns_ = look.end_ns;
  std::vector<CutSweep> sweeps = sweeps_.Look(look);
  for (const CutSweep& sweep : sweeps) sweeps_.Give(sweep.stimulus.time_ns);
  Take(std::move(sweeps), trains);
}

void TofPipeline::OnEnd(std::vector<TofTrain>* trains) {
  std::vector<CutSweep> sweeps;
  sweeps_.OnEnd(&sweeps);
  Take(std::move(sweeps), trains);
  Tell(trains);
}

void TofPipeline::Take(std::vector<CutSweep> sweeps, std::vector<TofTrain>* trains) {
  for (CutSweep& sweep : sweeps) {
    if (!train_.empty()) {
      const int64_t since_ns = sweep.stimulus.time_ns - train_.back().stimulus.time_ns;
      if (since_ns < kShortestIntervalNs || since_ns > kLongestIntervalNs) Tell(trains);
    }
    train_.push_back(std::move(sweep));
    if (train_.size() == kTwitches) Tell(trains);
  }
}

void TofPipeline::Tell(std::vector<TofTrain>* trains) {
  if (train_.empty()) return;
  TofTrain train;
  train.trial_index = next_trial_++;
  train.sweeps = std::move(train_);
  train_.clear();
  train.setting = SettingOf(train.sweeps[0].stimulus, plan_.plan.stimulus());
  train.timebase = sweeps_.timebase();
  train.uv_per_count = sweeps_.inputs().uv_per_count;
  Read(&train);
  trains->push_back(std::move(train));
}

void TofPipeline::Read(TofTrain* train) {
  const bool good =
      train->sweeps.size() == kTwitches &&
      std::all_of(train->sweeps.begin(), train->sweeps.end(), [](const CutSweep& sweep) {
        return sweep.cause == dsp::Rejection::kNone && !sweep.uv.empty();
      });
  if (!good) return;
  dsp::MotorResponseOptions options;
  options.search = {plan_.plan.window_from_ms(), plan_.plan.window_to_ms()};
  options.noise = {-kTwitchNoiseMs, -0.5};
  std::array<double, kTwitches> twitches{};
  for (size_t i = 0; i < kTwitches; ++i) {
    const absl::StatusOr<dsp::MotorResponse> response =
        dsp::MeasureMotorResponse(train->sweeps[i].uv, train->timebase, options);
    if (!response.ok()) return;
    twitches[i] = response->amplitude_uv;
    train->noise_uv = std::max(train->noise_uv, response->noise_uv);
  }
  train->twitch_uv.assign(twitches.begin(), twitches.end());
  dsp::TrainOfFourOptions reading;
  reading.present_uv = plan_.plan.present_over_uv();
  const absl::StatusOr<dsp::TrainOfFour> read =
      dsp::ReadTrainOfFour(twitches, train->noise_uv, control_.UvOf(train->setting), reading);
  if (!read.ok()) return;
  train->reading = *read;
  if (control_.Offer(*read, twitches[0], train->setting, train->sweeps[0].stimulus.time_ns)) {
    train->reading->t1_of_control = 1;
  }
  train->no_control = control_.WhyNone(train->setting);
}

}  // namespace remora::agent
