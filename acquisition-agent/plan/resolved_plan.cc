#include "acquisition-agent/plan/resolved_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/plan/limits.h"
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
absl::Status ResolveTriggerChannel(const CasePlan& plan, const SourceInfo& source, int index,
                                   ResolvedEvoked* evoked) {
  const v1::TriggerPlan& trigger = evoked->plan.trigger();
  const std::string field = absl::StrCat("evoked[", index, "].trigger.channel");
  const absl::StatusOr<int> found = FindChannel(source.channels, trigger.channel());
  if (!found.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.InPlan(field), ": ", found.status().message()));
  }
  evoked->trigger_channel = *found;
  evoked->trigger_threshold = trigger.channel_threshold();
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
  evoked->trigger_threshold = kDigitalTriggerThreshold;
  return absl::OkStatus();
}

// A prefix that nothing begins with would wait for ever.
absl::Status CheckLabelPrefix(const CasePlan& plan, const SourceInfo& source, int index) {
  const std::string& prefix = plan.plan.evoked(index).trigger().label_prefix();
  if (prefix.empty() || !source.texts) return absl::OkStatus();
  const std::vector<std::string>& texts = *source.texts;
  if (std::any_of(texts.begin(), texts.end(),
                  [&](const std::string& text) { return BeginsWithPrefix(text, prefix); })) {
    return absl::OkStatus();
  }
  std::string message =
      absl::StrCat(plan.InPlan(absl::StrCat("evoked[", index, "].trigger.label_prefix")), ": ");
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

absl::StatusOr<ResolvedPlan> ResolvePlan(const CasePlan& plan, const SourceInfo& source) {
  ResolvedPlan resolved;
  resolved.mains_hz = plan.plan.mains_hz();
  for (int i = 0; i < plan.plan.evoked_size(); ++i) {
    ResolvedEvoked evoked;
    evoked.plan = plan.plan.evoked(i);
    evoked.trace_id = TraceId(evoked.plan.modality(), evoked.plan.side(), evoked.plan.derivation());
    ASSIGN_OR_RETURN(evoked.derivation, ResolveDerivation(plan, source, evoked.plan.derivation()));
    ASSIGN_OR_RETURN(evoked.filter,
                     FilterFor(plan, absl::StrCat("evoked[", i, "]"), evoked.plan.filter(),
                               evoked.derivation.sample_rate_hz));
    if (!evoked.plan.trigger().channel().empty()) {
      RETURN_IF_ERROR(ResolveTriggerChannel(plan, source, i, &evoked));
    }
    RETURN_IF_ERROR(CheckLabelPrefix(plan, source, i));
    resolved.evoked.push_back(std::move(evoked));
  }
  for (int i = 0; i < plan.plan.emg_size(); ++i) {
    ResolvedEmg emg;
    emg.plan = plan.plan.emg(i);
    emg.trace_id = TraceId(v1::MODALITY_EMG_FREE_RUNNING, emg.plan.side(), emg.plan.derivation());
    ASSIGN_OR_RETURN(emg.derivation, ResolveDerivation(plan, source, emg.plan.derivation()));
    if (!emg.plan.has_filter()) {
      v1::FilterSetting& filter = *emg.plan.mutable_filter();
      filter.set_order(4);
      filter.set_high_pass_hz(20);
      filter.set_low_pass_hz(std::min(2000.0, 0.4 * emg.derivation.sample_rate_hz));
    }
    ASSIGN_OR_RETURN(emg.filter, FilterFor(plan, absl::StrCat("emg[", i, "]"), emg.plan.filter(),
                                           emg.derivation.sample_rate_hz));
    resolved.emg.push_back(std::move(emg));
  }
  return resolved;
}

}  // namespace remora::agent
