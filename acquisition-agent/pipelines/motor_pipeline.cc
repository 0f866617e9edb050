#include "acquisition-agent/pipelines/motor_pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/laryngeal_site.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

dsp::MotorResponseOptions OptionsOf(const v1::MotorPlan& plan) {
  dsp::MotorResponseOptions options;
  options.search = {plan.window_from_ms(), plan.window_to_ms()};
  options.noise = {plan.epoch_from_ms(), plan.blank_from_ms()};
  options.least_uv = plan.present_over_uv();
  return options;
}

// What was delivered, or else asked for; 0: nobody says.
double IntensityOf(const v1::StimulusSetting& setting, bool* is_voltage) {
  *is_voltage = setting.delivered_ma() == 0 && setting.current_ma() == 0;
  if (!*is_voltage) {
    return setting.delivered_ma() > 0 ? setting.delivered_ma() : setting.current_ma();
  }
  return setting.delivered_v() > 0 ? setting.delivered_v() : setting.voltage_v();
}

}  // namespace

absl::StatusOr<std::unique_ptr<MotorPipeline>> MotorPipeline::Create(const ResolvedMotor& plan,
                                                                     const SourceInfo& source) {
  std::vector<SweepStreamOptions> options;
  for (const ResolvedMuscle& muscle : plan.muscles) {
    options.push_back(SweepOptionsOf(plan.plan, plan.filter, muscle.derivation));
  }
  ASSIGN_OR_RETURN(TrialCutter muscles, TrialCutter::Create(options, source));
  return std::unique_ptr<MotorPipeline>(new MotorPipeline(plan, std::move(muscles)));
}

MotorPipeline::MotorPipeline(const ResolvedMotor& plan, TrialCutter muscles)
    : plan_(plan), muscles_(std::move(muscles)) {}

void MotorPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  muscles_.OnStimulus(stimulus, own);
}

void MotorPipeline::OnChunk(const Chunk& chunk, std::vector<MotorTrial>* trials) {
  std::vector<CutTrial> cut;
  muscles_.OnChunk(chunk, &cut);
  MeasureAll(std::move(cut), trials);
}

void MotorPipeline::OnLook(const Chunk& look, std::vector<MotorTrial>* trials) {
  if (look.rate_group != muscles_.rate_group()) return;
  looked_ns_ = look.end_ns;
  std::vector<CutTrial> cut;
  muscles_.Look(look, &cut);
  MeasureAll(std::move(cut), trials);
}

void MotorPipeline::OnEnd(std::vector<MotorTrial>* trials) {
  std::vector<CutTrial> cut;
  muscles_.OnEnd(&cut);
  MeasureAll(std::move(cut), trials);
}

void MotorPipeline::MeasureAll(std::vector<CutTrial> cut, std::vector<MotorTrial>* trials) {
  for (CutTrial& one : cut) trials->push_back(Measure(std::move(one)));
}

MotorTrial MotorPipeline::Measure(CutTrial cut) {
  MotorTrial trial;
  trial.trial_index = next_trial_++;
  trial.stimulus = std::move(cut.stimulus);
  trial.site = SiteOf(trial.stimulus, plan_.trigger);
  if (plan_.plan.modality() == v1::MODALITY_RLN_INTERMITTENT ||
      plan_.plan.modality() == v1::MODALITY_RLN_CONTINUOUS) {
    // One place has one name, however it was typed.
    if (const auto site = LaryngealSiteOf(trial.site)) trial.site = NameOf(*site);
  }
  trial.setting = SettingOf(trial.stimulus, plan_.plan.stimulus());
  trial.timebase = muscles_.timebase();
  for (size_t i = 0; i < cut.sweeps.size(); ++i) {
    trial.answers.push_back(Answer(i, std::move(cut.sweeps[i])));
  }
  if (plan_.plan.has_threshold()) NoteStep(&trial);
  return trial;
}

MuscleAnswer MotorPipeline::Answer(size_t muscle, CutSweep sweep) const {
  MuscleAnswer answer;
  answer.uv = std::move(sweep.uv);
  answer.cause = sweep.cause;
  answer.uv_per_count = muscles_.uv_per_count(muscle);
  if (!answer.is_good()) return answer;
  // Behind the last pulse of a train, whose artefact is over then.
  dsp::MotorResponseOptions options = OptionsOf(plan_.plan);
  const double last_pulse_ms =
      static_cast<double>(sweep.stimulus.last_pulse_ns() - sweep.stimulus.time_ns) / 1e6;
  options.search.start_ms =
      std::min(std::max(options.search.start_ms, last_pulse_ms + plan_.plan.blank_to_ms()),
               options.search.end_ms - 1);
  absl::StatusOr<dsp::MotorResponse> response =
      dsp::MeasureMotorResponse(answer.uv, muscles_.timebase(), options);
  if (response.ok()) {
    answer.response = *std::move(response);
  } else {
    // Windows are the plan's, and were checked with it: what is left is a sweep that is no sweep.
    answer.cause = dsp::Rejection::kNonFinite;
  }
  return answer;
}

void MotorPipeline::NoteStep(MotorTrial* trial) {
  MotorTrial::Step step;
  step.intensity = IntensityOf(trial->setting, &step.is_voltage);
  if (step.intensity <= 0) return;
  bool any_good = false;
  bool any_uncertain = false;
  double most_uv = 0;
  for (size_t i = 0; i < trial->answers.size(); ++i) {
    const MuscleAnswer& answer = trial->answers[i];
    if (!answer.is_good()) continue;
    any_good = true;
    any_uncertain = any_uncertain || answer.response.presence == dsp::Presence::kUncertain;
    if (answer.response.presence != dsp::Presence::kPresent) continue;
    if (answer.response.amplitude_uv > most_uv) {
      most_uv = answer.response.amplitude_uv;
      step.muscle = static_cast<int>(i);
    }
  }
  if (step.muscle >= 0) {
    step.presence = dsp::Presence::kPresent;
  } else if (any_good && !any_uncertain) {
    step.presence = dsp::Presence::kAbsent;
  }
  auto found = searches_.find(trial->site);
  if (found == searches_.end()) {
    // Sites are typed by people: a case has some forty screws.
    if (searches_.size() >= kMaxSites) return;
    found = searches_.emplace(trial->site, plan_.plan.threshold().step()).first;
  } else if (trial->stimulus.time_ns - found->second.last_ns > kNewSearchAfterNs) {
    found->second.search.Reset();
    ++found->second.repeat_index;
  }
  found->second.last_ns = trial->stimulus.time_ns;
  // Full, at steps so small that nobody takes them: what is known stays.
  found->second.search.Add(step.intensity, step.presence).IgnoreError();
  step.threshold = found->second.search.Current();
  step.repeat_index = found->second.repeat_index;
  trial->step = step;
}

}  // namespace remora::agent
