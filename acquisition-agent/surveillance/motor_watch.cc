#include "acquisition-agent/surveillance/motor_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/strip_site.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/limits.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

v1::ResponsePresence PresenceOf(dsp::Presence presence) {
  switch (presence) {
    case dsp::Presence::kPresent:
      return v1::RESPONSE_PRESENCE_PRESENT;
    case dsp::Presence::kAbsent:
      return v1::RESPONSE_PRESENCE_ABSENT;
    case dsp::Presence::kUncertain:
      break;
  }
  return v1::RESPONSE_PRESENCE_NOT_ASSESSABLE;
}

void AddPeaks(const dsp::MotorResponse& response, v1::Sweep* sweep) {
  if (response.presence == dsp::Presence::kAbsent) return;
  const auto add = [&](const char* label, double latency_ms, double amplitude_uv) {
    v1::PeakMark& mark = *sweep->add_marks();
    mark.set_label(label);
    mark.set_latency_ms(FiniteOr0(latency_ms));
    mark.set_amplitude_uv(FiniteOr0(amplitude_uv));
    mark.set_confidence(ConfidenceOf(response.presence));
  };
  add("onset", response.onset_ms, 0);
  add("first", response.first.latency_ms, response.first.value_uv);
  add("second", response.second.latency_ms, response.second.value_uv);
  add("end", response.end_ms, 0);
}

void Describe(const dsp::MotorResponse& response, v1::Measurement* measurement) {
  measurement->set_component("response");
  measurement->set_amplitude_uv(FiniteOr0(response.amplitude_uv));
  measurement->set_confidence(ConfidenceOf(response.presence));
  v1::MuscleResponse& muscle = *measurement->mutable_muscle();
  muscle.set_presence(PresenceOf(response.presence));
  if (response.presence == dsp::Presence::kAbsent) {
    measurement->set_state(v1::MEASUREMENT_STATE_NO_RESPONSE);
    return;
  }
  measurement->set_state(v1::MEASUREMENT_STATE_NO_BASELINE);
  measurement->set_latency_ms(FiniteOr0(response.first.latency_ms));
  measurement->set_interpeak_ms(FiniteOr0(response.second.latency_ms - response.first.latency_ms));
  muscle.set_onset_ms(FiniteOr0(response.onset_ms));
  muscle.set_end_ms(FiniteOr0(response.end_ms));
  muscle.set_area_uv_ms(FiniteOr0(response.area_uv_ms));
  muscle.set_phase_count(response.phases);
  if (response.presence == dsp::Presence::kUncertain) {
    measurement->set_reason("hardly above the noise before the stimulus");
  }
}

v1::QualityFlag FlagOf(const MuscleAnswer& answer) {
  return answer.is_under_train ? v1::QUALITY_FLAG_STIMULUS_ARTEFACT : QualityOf(answer.cause);
}

std::string WhyNotGood(const MuscleAnswer& answer) {
  return answer.is_under_train ? "stimuli go on where its response is looked for"
                               : WhyRejected(answer.cause);
}

// Of the current and the voltage, what the source stated: a threshold is not told beside one that
// was only planned.
v1::StimulusSetting StatedSetting(const MotorTrial& trial) {
  v1::StimulusSetting setting = trial.setting;
  if (!trial.stimulus.told.commanded_ma) setting.clear_current_ma();
  if (!trial.stimulus.told.commanded_v) setting.clear_voltage_v();
  if (!trial.stimulus.told.delivered_ma) setting.clear_delivered_ma();
  if (!trial.stimulus.told.delivered_v) setting.clear_delivered_v();
  return setting;
}

bool WasDelivered(const StimulusTrigger& told) {
  const auto is_zero = [](const std::optional<double>& value) { return value && *value == 0; };
  return !is_zero(told.delivered_ma) && !is_zero(told.delivered_v);
}

// "APB, FDI and 12 more", as many as there is room for.
std::string Named(const std::vector<std::string>& muscles) {
  constexpr size_t kMoreBytes = 16;
  std::string names;
  for (size_t i = 0; i < muscles.size(); ++i) {
    const std::string next = absl::StrCat(i > 0 ? ", " : "", muscles[i]);
    if (names.size() + next.size() + kMoreBytes > kMaxNameBytes) {
      return absl::StrCat(names, " and ", muscles.size() - i, " more");
    }
    names += next;
  }
  return names;
}

// A muscle lies on the side of the place that moves it; what is on the cortex, or on its way down,
// on the other.
bool LiesOnMusclesSide(v1::Modality modality) {
  switch (modality) {
    case v1::MODALITY_EMG_TRIGGERED:
    case v1::MODALITY_DIRECT_NERVE_STIMULATION:
    case v1::MODALITY_PEDICLE_SCREW:
    case v1::MODALITY_RLN_INTERMITTENT:
    case v1::MODALITY_RLN_CONTINUOUS:
      return true;
    default:
      return false;
  }
}

// Of sites that are numbers alone.
constexpr char kUnnamedStrip[] = "site";

// Whether silence was seen at the planned maximum: both rounded to the stimulator's step, as what
// is delivered is never quite what was asked for.
bool IsAtMaximum(const dsp::Threshold& threshold, const v1::ThresholdPlan& plan) {
  return std::lround(threshold.highest_without.value_or(0) / plan.step()) >=
         std::lround(plan.maximum() / plan.step());
}

v1::ThresholdState StateOf(const dsp::Threshold& threshold, const v1::ThresholdPlan& plan) {
  if (threshold.inconsistent) return v1::THRESHOLD_STATE_INCONSISTENT;
  switch (threshold.verdict) {
    case dsp::ThresholdVerdict::kFound:
      return v1::THRESHOLD_STATE_FOUND;
    case dsp::ThresholdVerdict::kNoResponse:
      // Silence so far is what each rising search begins with.
      return IsAtMaximum(threshold, plan) ? v1::THRESHOLD_STATE_NO_RESPONSE_AT_MAXIMUM
                                          : v1::THRESHOLD_STATE_SEARCHING;
    case dsp::ThresholdVerdict::kUndecided:
    case dsp::ThresholdVerdict::kAtOrBelowLowest:
      break;
  }
  return v1::THRESHOLD_STATE_SEARCHING;
}

}  // namespace

void MotorWatch::OnTrial(const MotorTrial& trial, int64_t now_ns) {
  if (limbs_ != nullptr) limbs_->Judge(trial);
  std::vector<RecordKey> sweeps;
  std::vector<RecordKey> measured;
  for (size_t i = 0; i < trial.answers.size(); ++i) {
    const auto [sweep, measurement] = PutAnswer(trial, i, now_ns);
    sweeps.push_back(sweep);
    measured.push_back(measurement);
  }
  if (limbs_ != nullptr) limbs_->Tell(trial, sweeps, measured, now_ns);
  if (trial.step) PutThreshold(trial, sweeps, now_ns);
  if (plan_.plan.modality() == v1::MODALITY_MAP_CORTICAL_STIMULATION) {
    PutSite(trial, sweeps, now_ns);
  }
}

void MotorWatch::PutSite(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
                         int64_t now_ns) {
  std::string strip = trial.site;
  const uint32_t contact = TakeContact(&strip);
  if (contact == 0) return;
  v1::Record record;
  v1::MappingContact& told = *record.mutable_mapping_contact();
  strip = std::string(absl::StripAsciiWhitespace(strip));
  told.set_strip(strip.empty() ? kUnnamedStrip : strip);
  told.set_contact_index(contact);
  told.set_modality(plan_.plan.modality());
  told.set_side(SideOfSite(trial.site));
  const v1::StimulusSetting stated = StatedSetting(trial);
  const bool delivered = WasDelivered(trial.stimulus.told);
  if (delivered) {
    told.set_current_ma(stated.delivered_ma() > 0 ? stated.delivered_ma() : stated.current_ma());
  }
  std::vector<std::string> answered;
  bool any_good = false;
  bool any_unknown = false;
  double most_uv = 0;
  for (size_t i = 0; i < trial.answers.size(); ++i) {
    const MuscleAnswer& answer = trial.answers[i];
    any_good = any_good || answer.is_good();
    any_unknown =
        any_unknown || !answer.is_good() || answer.response.presence == dsp::Presence::kUncertain;
    if (!answer.is_good() || answer.response.presence != dsp::Presence::kPresent) continue;
    answered.push_back(plan_.muscles[i].plan.derivation());
    if (answer.response.amplitude_uv <= most_uv) continue;
    most_uv = answer.response.amplitude_uv;
    *told.mutable_sweep() = ToProto(sweeps[i]);
  }
  if (!delivered) {
    told.set_response("nothing was delivered");
    told.clear_sweep();
  } else if (!answered.empty()) {
    told.set_response(Named(answered));
  } else if (!any_good) {
    told.set_response("not assessable");
  } else {
    told.set_response(any_unknown ? "uncertain" : "none");
  }
  // Stimuli at 50 Hz that a source tells pulse by pulse say the same each time.
  const std::string said = told.SerializeAsString();
  const bool again = said == site_said_ && trial.stimulus.time_ns - site_said_ns_ < kSiteAgainNs;
  if (again) return;
  site_said_ = said;
  site_said_ns_ = trial.stimulus.time_ns;
  sink_.Put(&record, now_ns);
}

std::pair<RecordKey, RecordKey> MotorWatch::PutAnswer(const MotorTrial& trial, size_t muscle,
                                                      int64_t now_ns) {
  const MuscleAnswer& answer = trial.answers[muscle];
  if (answer.uv.empty()) return {};
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep = MakeSweep(trial, muscle, plan_);
  if (answer.is_good()) {
    sweep.set_noise_uv_rms(FiniteOr0(answer.response.noise_uv));
    AddPeaks(answer.response, &sweep);
  } else {
    sweep.add_quality(FlagOf(answer));
  }
  const RecordKey key = sink_.Put(&record, now_ns);

  v1::Record measured;
  v1::Measurement& measurement = *measured.mutable_measurement();
  measurement.set_trace_id(plan_.muscles[muscle].trace_id);
  measurement.set_modality(plan_.plan.modality());
  measurement.set_side(plan_.muscles[muscle].plan.side());
  *measurement.mutable_sweep() = ToProto(key);
  measurement.set_block_index(trial.trial_index);
  measurement.set_trial_index(trial.trial_index);
  measurement.set_site(trial.site);
  if (answer.is_good()) {
    Describe(answer.response, &measurement);
    if (laryngeal_ != nullptr) laryngeal_->Compare(trial, muscle, now_ns, &measurement);
    if (limbs_ != nullptr) limbs_->Describe(muscle, trial, &measurement);
  } else {
    measurement.set_component("response");
    measurement.set_state(v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
    measurement.mutable_muscle()->set_presence(v1::RESPONSE_PRESENCE_NOT_ASSESSABLE);
    measurement.add_quality(FlagOf(answer));
    measurement.set_reason(WhyNotGood(answer));
  }
  const RecordKey measured_as = sink_.Put(&measured, now_ns);
  if (laryngeal_ != nullptr && answer.is_good()) laryngeal_->Keep(trial, muscle, key, now_ns);
  return {key, measured_as};
}

void MotorWatch::NoteOwn(const std::string& site, double value) {
  const auto known =
      std::find_if(own_.begin(), own_.end(), [&](const Own& own) { return own.site == site; });
  if (known != own_.end()) {
    known->value = value;
  } else if (own_.size() < kMaxOwnThresholds) {
    own_.push_back({site, value});
  }
}

// Its step, among those of the search that is told.
void MotorWatch::NoteTried(const MotorTrial& trial, const std::vector<RecordKey>& sweeps) {
  const MotorTrial::Step& step = *trial.step;
  if (trial.site != steps_site_ || step.repeat_index != steps_repeat_) steps_.clear();
  steps_site_ = trial.site;
  steps_repeat_ = step.repeat_index;
  if (!(step.intensity > 0)) return;
  v1::ThresholdStep tried;
  tried.set_intensity(step.intensity);
  tried.set_response(PresenceOf(step.presence));
  if (step.muscle >= 0) {
    const auto muscle = static_cast<size_t>(step.muscle);
    tried.set_trace_id(plan_.muscles[muscle].trace_id);
    *tried.mutable_sweep() = ToProto(sweeps[muscle]);
  }
  if (steps_.size() >= kMaxStepsTold) steps_.erase(steps_.begin());
  steps_.push_back(std::move(tried));
}

// Of one place it is one, whichever muscle answers.
v1::Side MotorWatch::SideOfSite(const std::string& site) const {
  std::vector<std::string> words = WordsOf(site);
  if (const auto side = TakeSide(&words)) return *side;
  if (plan_.plan.stimulus().side() != v1::SIDE_UNSPECIFIED) return plan_.plan.stimulus().side();
  if (!LiesOnMusclesSide(plan_.plan.modality())) return v1::SIDE_UNSPECIFIED;
  const v1::Side first = plan_.muscles[0].plan.side();
  const bool all = std::all_of(plan_.muscles.begin(), plan_.muscles.end(),
                               [&](const auto& one) { return one.plan.side() == first; });
  return all ? first : v1::SIDE_UNSPECIFIED;
}

void MotorWatch::PutThreshold(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
                              int64_t now_ns) {
  const MotorTrial::Step& step = *trial.step;
  NoteTried(trial, sweeps);
  v1::Record record;
  v1::StimulusThreshold& told = *record.mutable_stimulus_threshold();
  // The muscle with the response; without one, the first that was looked at.
  const size_t muscle = step.muscle >= 0 ? static_cast<size_t>(step.muscle) : 0;
  told.set_trace_id(plan_.muscles[muscle].trace_id);
  told.set_side(SideOfSite(trial.site));
  told.set_modality(plan_.plan.modality());
  told.set_level(trial.site);
  told.set_state(StateOf(step.threshold, plan_.plan.threshold()));
  const double value = step.threshold.value.value_or(0);
  if (step.is_voltage) {
    told.set_threshold_v(value);
  } else {
    told.set_threshold_ma(value);
  }
  told.set_largest_without_response(step.threshold.highest_without.value_or(0));
  told.set_step(plan_.plan.threshold().step());
  told.set_rising_threshold(step.threshold.rising.value_or(0));
  told.set_falling_threshold(step.threshold.falling.value_or(0));
  told.set_repeat_index(step.repeat_index);
  double sum = 0;
  uint32_t count = 0;
  for (const Own& own : own_) {
    if (own.site == trial.site) continue;
    sum += own.value;
    ++count;
  }
  told.set_own_count(count);
  told.set_own_mean(count > 0 ? sum / count : 0);
  *told.mutable_stimulus() = StatedSetting(trial);
  for (const v1::ThresholdStep& one : steps_) *told.add_steps() = one;
  if (!step.left_out.empty()) {
    told.set_reason(absl::StrCat("this stimulus is no step of the search: ", step.left_out));
  } else if (step.threshold.inconsistent) {
    told.set_reason("a larger stimulus had no response although a smaller one had");
  } else if (step.threshold.verdict == dsp::ThresholdVerdict::kNoResponse) {
    const bool at_maximum = IsAtMaximum(step.threshold, plan_.plan.threshold());
    told.set_reason(
        absl::StrCat("no response up to ", step.threshold.highest_without.value_or(0),
                     step.is_voltage ? " V" : " mA",
                     at_maximum ? "" : absl::StrCat(" of ", plan_.plan.threshold().maximum()),
                     ": not verified"));
  }
  if (step.threshold.verdict == dsp::ThresholdVerdict::kFound && !step.threshold.inconsistent) {
    NoteOwn(trial.site, value);
  }
  const RecordKey key = sink_.Put(&record, now_ns);
  if (!step.is_beyond_sites || told_beyond_sites_) return;
  told_beyond_sites_ = true;
  PutSystemMessage(absl::StrCat("No threshold is searched for at ", trial.site,
                                " nor at any other new place: ", step.left_out),
                   key, now_ns, sink_);
}

}  // namespace remora::agent
