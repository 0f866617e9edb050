#include "acquisition-agent/pipelines/motor_pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
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

struct Intensity {
  double value = 0;
  bool is_voltage = false;
};

// What the source stated as delivered, or else as asked for; nothing: it stated neither. In volts
// of a stimulator that was set in volts, whatever current it measured.
std::optional<Intensity> StatedIntensity(const StimulusTrigger& told) {
  const auto is_zero = [](const std::optional<double>& value) { return value && *value == 0; };
  Intensity stated;
  stated.is_voltage = !told.commanded_ma && (told.commanded_v || !told.delivered_ma);
  if (is_zero(told.delivered_ma) || is_zero(told.delivered_v)) return stated;
  for (const std::optional<double>& value :
       stated.is_voltage ? std::array{told.delivered_v, told.commanded_v}
                         : std::array{told.delivered_ma, told.commanded_ma}) {
    if (!value || !std::isfinite(*value) || *value < 0) continue;
    stated.value = *value;
    return stated;
  }
  return std::nullopt;
}

std::string WhyNotStated(const v1::StimulusSetting& planned) {
  std::string why = "the source states no intensity";
  if (planned.current_ma() > 0) {
    absl::StrAppend(&why, ": ", planned.current_ma(), " mA is planned, not stated");
  } else if (planned.voltage_v() > 0) {
    absl::StrAppend(&why, ": ", planned.voltage_v(), " V is planned, not stated");
  }
  return why;
}

// From pulse to pulse of the plan's trains, at most: the stimulator may be set slower than planned.
int64_t IntervalNs(const v1::StimulusSetting& planned) {
  const double interval_ms = std::max(planned.pulse_interval_ms(), kLongestPulseIntervalMs);
  return static_cast<int64_t>(interval_ms * 1e6);
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

bool MotorPipeline::JoinsTrain(const Stimulus& stimulus) {
  const v1::StimulusSetting& planned = plan_.plan.stimulus();
  if (planned.pulse_count() > 1 && !trains_.empty()) {
    Train& train = trains_.back();
    // From its first pulse: stimuli that go on at a slower rate are no endless train. Nor longer
    // than its epoch, after which it is measured.
    const int64_t since_ns = stimulus.time_ns - train.first_ns;
    const auto epoch_ns = static_cast<int64_t>(plan_.plan.epoch_to_ms() * 1e6);
    const int64_t interval_ns = IntervalNs(planned);
    // More pulses than planned are of it as well.
    const bool follows = since_ns < interval_ns * planned.pulse_count() ||
                         stimulus.time_ns - train.last_ns <= interval_ns;
    if (since_ns >= 0 && since_ns < epoch_ns && follows) {
      // Else it is one that its first pulse told already, or more than anyone delivers.
      if (stimulus.time_ns - train.last_ns > kLeastPulseIntervalNs &&
          train.pulses < kMaxPulsesOfTrain) {
        ++train.pulses;
        train.last_ns = stimulus.time_ns;
      }
      return true;
    }
  }
  if (trains_.size() >= kMaxWaitingTriggers) trains_.pop_front();
  trains_.push_back(
      {stimulus.time_ns, stimulus.last_pulse_ns(), std::max<int>(1, stimulus.told.pulses)});
  return false;
}

// With the pulses that came one by one.
void MotorPipeline::TellPulses(Stimulus* first) {
  while (trains_.size() > 1 && trains_.front().first_ns < first->time_ns) trains_.pop_front();
  if (trains_.empty() || trains_.front().first_ns != first->time_ns) return;
  const Train& train = trains_.front();
  if (train.pulses <= first->told.pulses) return;
  first->told.pulses = train.pulses;
  first->told.pulse_interval_ms =
      static_cast<double>(train.last_ns - train.first_ns) / 1e6 / (train.pulses - 1);
}

void MotorPipeline::OnStimulus(const Stimulus& stimulus, bool own) {
  muscles_.OnStimulus(stimulus, own && !JoinsTrain(stimulus));
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
  TellPulses(&cut.stimulus);
  for (CutSweep& sweep : cut.sweeps) sweep.stimulus.told = cut.stimulus.told;
  const double next_ms = NextTrainMs(cut.stimulus);
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
    trial.answers.push_back(Answer(i, next_ms, std::move(cut.sweeps[i])));
  }
  if (plan_.plan.has_threshold()) NoteStep(&trial);
  return trial;
}

double MotorPipeline::NextTrainMs(const Stimulus& stimulus) const {
  for (const Train& train : trains_) {
    if (train.first_ns <= stimulus.time_ns) continue;
    return static_cast<double>(train.first_ns - stimulus.time_ns) / 1e6;
  }
  return std::numeric_limits<double>::infinity();
}

MuscleAnswer MotorPipeline::Answer(size_t muscle, double next_ms, CutSweep sweep) const {
  MuscleAnswer answer;
  answer.uv = std::move(sweep.uv);
  answer.cause = sweep.cause;
  answer.uv_per_count = muscles_.uv_per_count(muscle);
  if (!answer.is_good()) return answer;
  // Behind the last pulse of a train, whose artefact is over then.
  dsp::MotorResponseOptions options = OptionsOf(plan_.plan);
  const double last_pulse_ms =
      static_cast<double>(sweep.stimulus.last_pulse_ns() - sweep.stimulus.time_ns) / 1e6;
  const double planned_ms = options.search.end_ms - options.search.start_ms;
  options.search.start_ms =
      std::max(options.search.start_ms, last_pulse_ms + plan_.plan.blank_to_ms());
  // What comes behind the next one may be the answer to that.
  options.search.end_ms = std::min(options.search.end_ms, next_ms + plan_.plan.blank_from_ms());
  if (options.search.end_ms - options.search.start_ms < kLeastSearchShare * planned_ms) {
    answer.is_under_train = true;
    return answer;
  }
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

MotorPipeline::SiteSearch* MotorPipeline::SearchAt(const MotorTrial& trial,
                                                   std::optional<bool> is_voltage) {
  auto found = searches_.find(trial.site);
  if (found == searches_.end()) {
    // Sites are typed by people: a case has some forty screws.
    if (searches_.size() >= kMaxSites) return nullptr;
    found = searches_.emplace(trial.site, plan_.plan.threshold().step()).first;
    found->second.is_voltage = is_voltage.value_or(false);
  } else if (SiteSearch& search = found->second;
             trial.stimulus.time_ns - search.last_ns > kNewSearchAfterNs ||
             search.is_voltage != is_voltage.value_or(search.is_voltage)) {
    search.search.Reset();
    search.is_voltage = is_voltage.value_or(search.is_voltage);
    ++search.repeat_index;
  }
  found->second.last_ns = trial.stimulus.time_ns;
  return &found->second;
}

void MotorPipeline::NoteStep(MotorTrial* trial) {
  trial->step.emplace(MotorTrial::Step());
  MotorTrial::Step& step = *trial->step;
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
  const std::optional<Intensity> stated = StatedIntensity(trial->stimulus.told);
  SiteSearch* search =
      SearchAt(*trial, stated ? std::optional<bool>(stated->is_voltage) : std::nullopt);
  if (search == nullptr) {
    step.is_beyond_sites = true;
    step.left_out = absl::StrCat("the case has had ", kMaxSites,
                                 " places, the most that are searched: none is at this one");
    return;
  }
  if (!stated) {
    step.left_out = WhyNotStated(plan_.plan.stimulus());
  } else if (stated->value == 0) {
    step.left_out = "nothing was delivered";
  } else if (const absl::Status added = search->search.Add(stated->value, step.presence);
             added.ok()) {
    step.intensity = stated->value;
  } else {
    step.left_out = std::string(added.message());
  }
  step.is_voltage = search->is_voltage;
  step.threshold = search->search.Current();
  step.repeat_index = search->repeat_index;
}

}  // namespace remora::agent
