#include "acquisition-agent/plan/resolved_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/plan/limits.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "common/status_macros.h"
#include "dsp/filter/butterworth.h"
#include "dsp/filter/notch.h"

namespace remora::agent {
namespace {

// Names of the same place in use side by side: 2 cm behind C3, C4 and Cz.
constexpr std::pair<const char*, const char*> kBuiltInAliases[] = {
    {"C3'", "CP3"}, {"C4'", "CP4"}, {"Cz'", "CPz"}};
// -3 dB band of a notch is its centre over this: 1.7 Hz at 50 Hz.
constexpr double kNotchQuality = 30;

absl::StatusOr<int> FindElectrode(const CasePlan& plan, const SourceInfo& source, int derivation,
                                  const std::string& name) {
  absl::StatusOr<int> found = FindChannel(source.channels, name);
  if (found.ok() || !absl::IsNotFound(found.status())) return found;
  std::vector<std::string> others;
  for (const v1::ElectrodeAlias& alias : plan.montage.alias()) {
    if (alias.name() == name) others.push_back(alias.electrode());
    if (alias.electrode() == name) others.push_back(alias.name());
  }
  for (const auto& [a, b] : kBuiltInAliases) {
    if (name == a) others.push_back(b);
    if (name == b) others.push_back(a);
  }
  for (const std::string& other : others) {
    if (absl::StatusOr<int> by_alias = FindChannel(source.channels, other); by_alias.ok()) {
      return by_alias;
    }
  }
  std::vector<std::string> labels;
  for (const ChannelInfo& channel : source.channels) labels.push_back(channel.label);
  return absl::InvalidArgumentError(absl::StrCat(
      plan.montage_path, ": derivation[", derivation, "]: electrode \"", name, "\" is not in ",
      source.name, ", which has: ", absl::StrJoin(labels, ", "), ".", DidYouMean(name, labels)));
}

absl::StatusOr<ResolvedDerivation> ResolveDerivation(const CasePlan& plan, const SourceInfo& source,
                                                     const std::string& name) {
  int index = 0;
  while (plan.montage.derivation(index).name() != name) ++index;
  const v1::Derivation& derivation = plan.montage.derivation(index);
  ResolvedDerivation resolved;
  resolved.name = name;
  resolved.rate_group = -1;
  const std::string where = plan.InMontage(absl::StrCat("derivation[", index, "]"));
  const auto add = [&](const std::string& electrode, std::vector<int>* side) -> absl::Status {
    absl::StatusOr<int> found = FindElectrode(plan, source, index, electrode);
    if (!found.ok()) {
      if (absl::StartsWith(found.status().message(), where)) return found.status();
      return absl::InvalidArgumentError(absl::StrCat(where, ": ", found.status().message()));
    }
    const ChannelInfo& channel = source.channels[*found];
    if (!channel.is_voltage) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": channel \"", channel.label, "\" of ",
                                                     source.name, " is in \"", channel.unit,
                                                     "\", not a voltage"));
    }
    if (resolved.rate_group >= 0 && channel.rate_group != resolved.rate_group) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": \"", channel.label, "\" is sampled at ", channel.sample_rate_hz,
                       " Hz, its partner at ", resolved.sample_rate_hz,
                       " Hz; both inputs must be sampled together"));
    }
    resolved.rate_group = channel.rate_group;
    resolved.sample_rate_hz = channel.sample_rate_hz;
    side->push_back(*found);
    return absl::OkStatus();
  };
  for (const std::string& electrode : derivation.plus()) {
    RETURN_IF_ERROR(add(electrode, &resolved.plus));
  }
  for (const std::string& electrode : derivation.minus()) {
    RETURN_IF_ERROR(add(electrode, &resolved.minus));
  }
  return resolved;
}

absl::StatusOr<dsp::Cascade> FilterFor(const CasePlan& plan, const std::string& field,
                                       const v1::FilterSetting& filter, double sample_rate_hz) {
  for (const auto& [name, corner] :
       {std::pair<const char*, double>{"high_pass_hz", filter.high_pass_hz()},
        {"low_pass_hz", filter.low_pass_hz()},
        {"notch_hz", filter.notch_hz()}}) {
    if (corner >= sample_rate_hz / 2) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan.plan_path, ": ", field, ".filter.", name, ": ", corner,
                       " Hz cannot be at a sample rate of ", sample_rate_hz, " Hz; less than ",
                       sample_rate_hz / 2, " Hz would be right"));
    }
  }
  absl::StatusOr<dsp::Cascade> cascade = DesignFilter(filter, sample_rate_hz);
  if (!cascade.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(plan.InPlan(absl::StrCat(field, ".filter")),
                                                   ": ", cascade.status().message()));
  }
  return cascade;
}

// Rising edges of a channel, found by the pipeline.
absl::Status ResolveTriggerChannel(const CasePlan& plan, const SourceInfo& source,
                                   const std::string& entry, ResolvedTrigger* resolved) {
  const v1::TriggerPlan& trigger = resolved->plan;
  const std::string field = absl::StrCat(entry, ".channel");
  const absl::StatusOr<int> found = FindChannel(source.channels, trigger.channel());
  if (!found.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.InPlan(field), ": ", found.status().message()));
  }
  resolved->channel = *found;
  resolved->threshold = trigger.channel_threshold();
  if (trigger.channel_threshold() != 0) return absl::OkStatus();
  const ChannelInfo& channel = source.channels[*found];
  if (channel.is_status_word) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.InPlan(field), ": \"", channel.label,
        "\" carries codes, not a height. Name them with the source (codes=1:MED R,2:MED L), and "
        "take label_prefix: \"MED R\" here"));
  }
  if (channel.is_voltage) {
    return absl::InvalidArgumentError(absl::StrCat(
        plan.InPlan(absl::StrCat(field, "_threshold")), ": is missing: \"", channel.label,
        "\" is a voltage, and how high its pulses are is not known; half of that, in ",
        channel.unit, ", would be right"));
  }
  resolved->threshold = kDigitalTriggerThreshold;
  return absl::OkStatus();
}

// A prefix that nothing begins with would wait for ever.
absl::Status CheckLabelPrefix(const CasePlan& plan, const SourceInfo& source,
                              const std::string& entry, const std::string& prefix) {
  if (prefix.empty() || !source.texts) return absl::OkStatus();
  const std::vector<std::string>& texts = *source.texts;
  if (std::any_of(texts.begin(), texts.end(),
                  [&](const std::string& text) { return BeginsWithPrefix(text, prefix); })) {
    return absl::OkStatus();
  }
  std::string message = absl::StrCat(plan.InPlan(absl::StrCat(entry, ".label_prefix")), ": ");
  if (texts.empty()) {
    absl::StrAppend(&message, source.name, " has no named stimuli: name the codes of its trigger ",
                    "channel (codes=1:", prefix, " behind the source), or take channel here");
    return absl::InvalidArgumentError(message);
  }
  const size_t named = std::min(texts.size(), kMaxNamedStimuli);
  absl::StrAppend(&message, "\"", prefix, "\" begins none of the stimuli in ", source.name,
                  ", which has: ", absl::StrJoin(texts.begin(), texts.begin() + named, ", "));
  if (texts.size() > named) absl::StrAppend(&message, " and ", texts.size() - named, " more");
  absl::StrAppend(&message, ".", DidYouMean(prefix, texts));
  return absl::InvalidArgumentError(message);
}

// Where what is usual depends on the rate.
v1::FilterSetting UsualFilter(double high_pass_hz, double low_pass_hz, double sample_rate_hz) {
  v1::FilterSetting filter;
  filter.set_order(4);
  filter.set_high_pass_hz(high_pass_hz);
  filter.set_low_pass_hz(std::min(low_pass_hz, 0.4 * sample_rate_hz));
  return filter;
}

// Lays one entry after the other over the source.
class Resolver {
 public:
  Resolver(const CasePlan& plan, const SourceInfo& source) : plan_(plan), source_(source) {}
  absl::StatusOr<ResolvedPlan> Resolve();

 private:
  absl::Status AddEvoked(int index);
  absl::Status AddEmg(int index);
  absl::Status AddMotor(int index);
  absl::Status AddEeg(int index);
  absl::Status AddTrainOfFour(int index);
  absl::Status AddMapping(int index);
  // `entry` is the trigger's place in the plan.
  absl::StatusOr<ResolvedTrigger> Trigger(const v1::TriggerPlan& plan, const std::string& entry);
  absl::StatusOr<ResolvedDerivation> DerivationOf(const std::string& name) {
    return ResolveDerivation(plan_, source_, name);
  }

  const CasePlan& plan_;
  const SourceInfo& source_;
  ResolvedPlan resolved_;
  size_t listeners_ = 0;
};

absl::StatusOr<ResolvedTrigger> Resolver::Trigger(const v1::TriggerPlan& plan,
                                                  const std::string& entry) {
  ResolvedTrigger trigger;
  trigger.listener = listeners_++;
  trigger.plan = plan;
  if (!plan.channel().empty()) {
    RETURN_IF_ERROR(ResolveTriggerChannel(plan_, source_, entry, &trigger));
  }
  RETURN_IF_ERROR(CheckLabelPrefix(plan_, source_, entry, plan.label_prefix()));
  return trigger;
}

absl::Status Resolver::AddEvoked(int index) {
  const std::string entry = absl::StrCat("evoked[", index, "]");
  ResolvedEvoked evoked;
  evoked.plan = plan_.plan.evoked(index);
  evoked.trace_id = TraceId(evoked.plan.modality(), evoked.plan.side(), evoked.plan.derivation());
  ASSIGN_OR_RETURN(evoked.derivation, DerivationOf(evoked.plan.derivation()));
  ASSIGN_OR_RETURN(evoked.filter,
                   FilterFor(plan_, entry, evoked.plan.filter(), evoked.derivation.sample_rate_hz));
  ASSIGN_OR_RETURN(evoked.trigger, Trigger(evoked.plan.trigger(), absl::StrCat(entry, ".trigger")));
  resolved_.evoked.push_back(std::move(evoked));
  return absl::OkStatus();
}

absl::Status Resolver::AddEmg(int index) {
  ResolvedEmg emg;
  emg.plan = plan_.plan.emg(index);
  emg.trace_id = TraceId(v1::MODALITY_EMG_FREE_RUNNING, emg.plan.side(), emg.plan.derivation());
  ASSIGN_OR_RETURN(emg.derivation, DerivationOf(emg.plan.derivation()));
  const double rate = emg.derivation.sample_rate_hz;
  if (!emg.plan.has_filter()) *emg.plan.mutable_filter() = UsualFilter(20, 2000, rate);
  ASSIGN_OR_RETURN(emg.filter,
                   FilterFor(plan_, absl::StrCat("emg[", index, "]"), emg.plan.filter(), rate));
  resolved_.emg.push_back(std::move(emg));
  return absl::OkStatus();
}

absl::Status Resolver::AddMotor(int index) {
  const std::string entry = absl::StrCat("motor[", index, "]");
  ResolvedMotor motor;
  motor.plan = plan_.plan.motor(index);
  std::vector<PlannedTrace> traces = PlannedTraces(plan_.plan);
  std::erase_if(traces, [&](const PlannedTrace& trace) {
    return trace.block != PlannedTrace::Block::kMotor || trace.entry != index;
  });
  for (const v1::MusclePlan& muscle : motor.plan.muscle()) {
    ResolvedMuscle resolved;
    resolved.plan = muscle;
    resolved.trace_id = traces[motor.muscles.size()].trace_id;
    ASSIGN_OR_RETURN(resolved.derivation, DerivationOf(muscle.derivation()));
    if (!motor.muscles.empty() &&
        resolved.derivation.rate_group != motor.muscles[0].derivation.rate_group) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan_.InPlan(entry), ": ", muscle.derivation(), " and ",
                       motor.muscles[0].plan.derivation(),
                       " are not sampled together; an entry for each device would be right"));
    }
    motor.muscles.push_back(std::move(resolved));
  }
  const double rate = motor.muscles[0].derivation.sample_rate_hz;
  if (!motor.plan.has_filter()) *motor.plan.mutable_filter() = UsualFilter(10, 3000, rate);
  ASSIGN_OR_RETURN(motor.filter, FilterFor(plan_, entry, motor.plan.filter(), rate));
  ASSIGN_OR_RETURN(motor.trigger, Trigger(motor.plan.trigger(), absl::StrCat(entry, ".trigger")));
  resolved_.motor.push_back(std::move(motor));
  return absl::OkStatus();
}

absl::Status Resolver::AddEeg(int index) {
  const std::string entry = absl::StrCat("eeg[", index, "]");
  ResolvedEeg eeg;
  eeg.plan = plan_.plan.eeg(index);
  eeg.trace_id = TraceId(eeg.plan.modality(), eeg.plan.side(), eeg.plan.derivation());
  for (const v1::EegPlan& other : plan_.plan.eeg()) {
    if (other.derivation() == eeg.plan.mirror_derivation() &&
        other.modality() == eeg.plan.modality()) {
      eeg.mirror_trace_id = TraceId(other.modality(), other.side(), other.derivation());
    }
  }
  if (eeg.mirror_trace_id.empty() && !eeg.plan.mirror_derivation().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan_.InPlan(absl::StrCat(entry, ".mirror_derivation")), ": \"",
                     eeg.plan.mirror_derivation(), "\" has no eeg entry of its own"));
  }
  ASSIGN_OR_RETURN(eeg.derivation, DerivationOf(eeg.plan.derivation()));
  ASSIGN_OR_RETURN(eeg.filter,
                   FilterFor(plan_, entry, eeg.plan.filter(), eeg.derivation.sample_rate_hz));
  if (eeg.plan.has_after_discharge_trigger()) {
    ASSIGN_OR_RETURN(eeg.after_discharge, Trigger(eeg.plan.after_discharge_trigger(),
                                                  absl::StrCat(entry, ".after_discharge_trigger")));
  }
  resolved_.eeg.push_back(std::move(eeg));
  return absl::OkStatus();
}

absl::Status Resolver::AddTrainOfFour(int index) {
  const std::string entry = absl::StrCat("train_of_four[", index, "]");
  ResolvedTrainOfFour tof;
  tof.plan = plan_.plan.train_of_four(index);
  tof.trace_id = TraceId(v1::MODALITY_TRAIN_OF_FOUR, tof.plan.side(), tof.plan.derivation());
  ASSIGN_OR_RETURN(tof.derivation, DerivationOf(tof.plan.derivation()));
  const double rate = tof.derivation.sample_rate_hz;
  if (!tof.plan.has_filter()) *tof.plan.mutable_filter() = UsualFilter(10, 2000, rate);
  ASSIGN_OR_RETURN(tof.filter, FilterFor(plan_, entry, tof.plan.filter(), rate));
  ASSIGN_OR_RETURN(tof.trigger, Trigger(tof.plan.trigger(), absl::StrCat(entry, ".trigger")));
  resolved_.train_of_four.push_back(std::move(tof));
  return absl::OkStatus();
}

absl::Status Resolver::AddMapping(int index) {
  const std::string entry = absl::StrCat("mapping[", index, "]");
  ResolvedMapping mapping;
  mapping.plan = plan_.plan.mapping(index);
  const bool scalp = StimulatesContacts(mapping.plan);
  const uint32_t contacts = scalp ? mapping.plan.contact_count()
                                  : static_cast<uint32_t>(mapping.plan.contact_derivation_size());
  for (uint32_t contact = 1; contact <= contacts; ++contact) {
    ASSIGN_OR_RETURN(
        ResolvedDerivation derivation,
        DerivationOf(scalp ? mapping.plan.scalp_derivation()
                           : mapping.plan.contact_derivation(static_cast<int>(contact) - 1)));
    if (!mapping.derivations.empty() &&
        derivation.rate_group != mapping.derivations[0].rate_group) {
      return absl::InvalidArgumentError(absl::StrCat(
          plan_.InPlan(entry), ": its contacts are not sampled together, and cannot be compared"));
    }
    mapping.derivations.push_back(std::move(derivation));
    mapping.trace_ids.push_back(ContactTraceId(mapping.plan, contact, v1::SIDE_LEFT));
  }
  // Behind those of the left leg those of the right one.
  for (uint32_t contact = 1; contact <= contacts && IsGradient(mapping.plan); ++contact) {
    mapping.trace_ids.push_back(ContactTraceId(mapping.plan, contact, v1::SIDE_RIGHT));
  }
  ASSIGN_OR_RETURN(mapping.filter, FilterFor(plan_, entry, mapping.plan.filter(),
                                             mapping.derivations[0].sample_rate_hz));
  ASSIGN_OR_RETURN(mapping.trigger,
                   Trigger(mapping.plan.trigger(), absl::StrCat(entry, ".trigger")));
  resolved_.mapping.push_back(std::move(mapping));
  return absl::OkStatus();
}

absl::StatusOr<ResolvedPlan> Resolver::Resolve() {
  const v1::Plan& plan = plan_.plan;
  resolved_.mains_hz = plan.mains_hz();
  for (int i = 0; i < plan.evoked_size(); ++i) RETURN_IF_ERROR(AddEvoked(i));
  for (int i = 0; i < plan.emg_size(); ++i) RETURN_IF_ERROR(AddEmg(i));
  for (int i = 0; i < plan.motor_size(); ++i) RETURN_IF_ERROR(AddMotor(i));
  for (int i = 0; i < plan.eeg_size(); ++i) RETURN_IF_ERROR(AddEeg(i));
  for (int i = 0; i < plan.train_of_four_size(); ++i) RETURN_IF_ERROR(AddTrainOfFour(i));
  for (int i = 0; i < plan.mapping_size(); ++i) RETURN_IF_ERROR(AddMapping(i));
  return std::move(resolved_);
}

}  // namespace

bool BeginsWithPrefix(absl::string_view label, absl::string_view prefix) {
  absl::ConsumePrefix(&label, "STIM ");
  absl::ConsumePrefix(&prefix, "STIM ");
  return absl::StartsWith(label, prefix);
}

absl::StatusOr<dsp::Cascade> DesignFilter(const v1::FilterSetting& filter, double sample_rate_hz) {
  dsp::Cascade cascade;
  const int order = static_cast<int>(filter.order());
  if (filter.high_pass_hz() > 0 && filter.low_pass_hz() > 0) {
    ASSIGN_OR_RETURN(cascade, dsp::ButterworthBandPass(order, filter.high_pass_hz(),
                                                       filter.low_pass_hz(), sample_rate_hz));
  } else if (filter.high_pass_hz() > 0) {
    ASSIGN_OR_RETURN(cascade,
                     dsp::ButterworthHighPass(order, filter.high_pass_hz(), sample_rate_hz));
  } else if (filter.low_pass_hz() > 0) {
    ASSIGN_OR_RETURN(cascade, dsp::ButterworthLowPass(order, filter.low_pass_hz(), sample_rate_hz));
  }
  if (filter.notch_hz() > 0) {
    ASSIGN_OR_RETURN(const dsp::Section notch,
                     dsp::DesignNotch(filter.notch_hz(), kNotchQuality, sample_rate_hz));
    cascade.push_back(notch);
  }
  return cascade;
}

std::vector<const ResolvedTrigger*> ResolvedPlan::triggers() const {
  std::vector<const ResolvedTrigger*> all;
  for (const ResolvedEvoked& one : evoked) all.push_back(&one.trigger);
  for (const ResolvedMotor& one : motor) all.push_back(&one.trigger);
  for (const ResolvedEeg& one : eeg) {
    if (one.after_discharge) all.push_back(&*one.after_discharge);
  }
  for (const ResolvedTrainOfFour& one : train_of_four) all.push_back(&one.trigger);
  for (const ResolvedMapping& one : mapping) all.push_back(&one.trigger);
  std::sort(all.begin(), all.end(), [](const ResolvedTrigger* a, const ResolvedTrigger* b) {
    return a->listener < b->listener;
  });
  return all;
}

std::vector<const ResolvedDerivation*> ResolvedPlan::derivations() const {
  std::vector<const ResolvedDerivation*> all;
  for (const ResolvedEvoked& one : evoked) all.push_back(&one.derivation);
  for (const ResolvedEmg& one : emg) all.push_back(&one.derivation);
  for (const ResolvedMotor& one : motor) {
    for (const ResolvedMuscle& muscle : one.muscles) all.push_back(&muscle.derivation);
  }
  for (const ResolvedEeg& one : eeg) all.push_back(&one.derivation);
  for (const ResolvedTrainOfFour& one : train_of_four) all.push_back(&one.derivation);
  for (const ResolvedMapping& one : mapping) {
    for (const ResolvedDerivation& derivation : one.derivations) all.push_back(&derivation);
  }
  return all;
}

absl::StatusOr<ResolvedPlan> ResolvePlan(const CasePlan& plan, const SourceInfo& source) {
  return Resolver(plan, source).Resolve();
}

}  // namespace remora::agent
