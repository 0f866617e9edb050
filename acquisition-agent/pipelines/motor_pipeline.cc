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
  std::vector<SweepStream> muscles;
  for (const ResolvedMuscle& muscle : plan.muscles) {
    ASSIGN_OR_RETURN(
        SweepStream stream,
        SweepStream::Create(SweepOptionsOf(plan.plan, plan.filter, muscle.derivation), source));
    muscles.push_back(std::move(stream));
  }
  return std::unique_ptr<MotorPipeline>(new MotorPipeline(plan, std::move(muscles)));
}

MotorPipeline::MotorPipeline(const ResolvedMotor& plan, std::vector<SweepStream> muscles)
    : plan_(plan), muscles_(std::move(muscles)), waiting_(muscles_.size()) {}

uint64_t MotorPipeline::late_total() const {
  uint64_t late = 0;
  for (const SweepStream& muscle : muscles_) late = std::max(late, muscle.late_total());
  return late;
}

void MotorPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  for (SweepStream& muscle : muscles_) muscle.OnStimulus(stimulus, own);
}

void MotorPipeline::OnChunk(const Chunk& chunk, std::vector<MotorTrial>* trials) {
  if (chunk.rate_group != muscles_[0].rate_group()) return;
  for (size_t i = 0; i < muscles_.size(); ++i) {
    std::vector<CutSweep> sweeps;
    muscles_[i].OnChunk(chunk, &sweeps);
    Collect(i, std::move(sweeps));
  }
  TellComplete(trials, /*all=*/false);
}

void MotorPipeline::OnLook(const Chunk& look, std::vector<MotorTrial>* trials) {
  if (look.rate_group != muscles_[0].rate_group()) return;
  looked_ns_ = look.end_ns;
  for (size_t i = 0; i < muscles_.size(); ++i) {
    std::vector<CutSweep> sweeps = muscles_[i].Look(look);
    for (const CutSweep& sweep : sweeps) muscles_[i].Give(sweep.stimulus.time_ns);
    Collect(i, std::move(sweeps));
  }
  TellComplete(trials, /*all=*/false);
}

void MotorPipeline::OnEnd(std::vector<MotorTrial>* trials) {
  for (size_t i = 0; i < muscles_.size(); ++i) {
    std::vector<CutSweep> sweeps;
    muscles_[i].OnEnd(&sweeps);
    Collect(i, std::move(sweeps));
  }
  TellComplete(trials, /*all=*/true);
}

void MotorPipeline::Collect(size_t muscle, std::vector<CutSweep> sweeps) {
  for (CutSweep& sweep : sweeps) {
    std::deque<CutSweep>& waiting = waiting_[muscle];
    const auto after = std::upper_bound(
        waiting.begin(), waiting.end(), sweep.stimulus.time_ns,
        [](int64_t time_ns, const CutSweep& other) { return time_ns < other.stimulus.time_ns; });
    waiting.insert(after, std::move(sweep));
  }
}

// All muscles are told of the same stimuli and the same chunks: their sweeps come together.
void MotorPipeline::TellComplete(std::vector<MotorTrial>* trials, bool all) {
  while (std::all_of(waiting_.begin(), waiting_.end(),
                     [](const std::deque<CutSweep>& muscle) { return !muscle.empty(); })) {
    std::vector<CutSweep> sweeps;
    for (std::deque<CutSweep>& muscle : waiting_) {
      sweeps.push_back(std::move(muscle.front()));
      muscle.pop_front();
    }
    trials->push_back(Measure(std::move(sweeps)));
  }
  if (!all) return;
  for (std::deque<CutSweep>& muscle : waiting_) muscle.clear();
}

MotorTrial MotorPipeline::Measure(std::vector<CutSweep> sweeps) {
  MotorTrial trial;
  trial.trial_index = next_trial_++;
  trial.stimulus = sweeps[0].stimulus;
  trial.site = SiteOf(trial.stimulus, plan_.trigger);
  if (plan_.plan.modality() == v1::MODALITY_RLN_INTERMITTENT ||
      plan_.plan.modality() == v1::MODALITY_RLN_CONTINUOUS) {
    // One place has one name, however it was typed.
    if (const auto site = LaryngealSiteOf(trial.site)) trial.site = NameOf(*site);
  }
  trial.setting = SettingOf(trial.stimulus, plan_.plan.stimulus());
  trial.timebase = muscles_[0].timebase();
  for (size_t i = 0; i < sweeps.size(); ++i) {
    trial.answers.push_back(Answer(i, std::move(sweeps[i])));
  }
  if (plan_.plan.has_threshold()) NoteStep(&trial);
  return trial;
}

MuscleAnswer MotorPipeline::Answer(size_t muscle, CutSweep sweep) const {
  MuscleAnswer answer;
  answer.uv = std::move(sweep.uv);
  answer.cause = sweep.cause;
  answer.uv_per_count = muscles_[muscle].inputs().uv_per_count;
  if (!answer.is_good()) return answer;
  // Behind the last pulse of a train, whose artefact is over then.
  dsp::MotorResponseOptions options = OptionsOf(plan_.plan);
  const double last_pulse_ms =
      static_cast<double>(sweep.stimulus.last_pulse_ns() - sweep.stimulus.time_ns) / 1e6;
  options.search.start_ms =
      std::min(std::max(options.search.start_ms, last_pulse_ms + plan_.plan.blank_to_ms()),
               options.search.end_ms - 1);
  absl::StatusOr<dsp::MotorResponse> response =
      dsp::MeasureMotorResponse(answer.uv, muscles_[muscle].timebase(), options);
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
