#include "acquisition-agent/plan/resolved_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
  return absl::InvalidArgumentError(
      absl::StrCat(plan.montage_path, ": derivation[", derivation, "]: electrode \"", name,
                   "\" is not in ", source.name, ", which has: ", absl::StrJoin(labels, ", "), ".",
                   DidYouMean(name, labels)));
}

absl::StatusOr<ResolvedDerivation> ResolveDerivation(const CasePlan& plan, const SourceInfo& source,
                                                     const std::string& name) {
  int index = 0;
  while (plan.montage.derivation(index).name() != name) ++index;
  const v1::Derivation& derivation = plan.montage.derivation(index);
  ResolvedDerivation resolved;
  resolved.name = name;
  resolved.rate_group = -1;
  const auto add = [&](const std::string& electrode, std::vector<int>* side) -> absl::Status {
    absl::StatusOr<int> found = FindElectrode(plan, source, index, electrode);
    if (!found.ok()) {
      if (absl::StartsWith(found.status().message(), plan.montage_path)) return found.status();
      return absl::InvalidArgumentError(absl::StrCat(plan.montage_path, ": derivation[", index,
                                                     "]: ", found.status().message()));
    }
    const ChannelInfo& channel = source.channels[*found];
    if (!channel.is_voltage) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan.montage_path, ": derivation[", index, "]: channel \"", channel.label,
                       "\" of ", source.name, " is in \"", channel.unit, "\", not a voltage"));
    }
    if (resolved.rate_group >= 0 && channel.rate_group != resolved.rate_group) {
      return absl::InvalidArgumentError(absl::StrCat(
          plan.montage_path, ": derivation[", index, "]: \"", channel.label, "\" is sampled at ",
          channel.sample_rate_hz, " Hz, its partner at ", resolved.sample_rate_hz,
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
      return absl::InvalidArgumentError(absl::StrCat(
          plan.plan_path, ": ", field, ".filter.", name, ": ", corner,
          " Hz cannot be at a sample rate of ", sample_rate_hz, " Hz; less than ",
          sample_rate_hz / 2, " Hz would be right"));
    }
  }
  absl::StatusOr<dsp::Cascade> cascade = DesignFilter(filter, sample_rate_hz);
  if (!cascade.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(plan.plan_path, ": ", field, ".filter: ", cascade.status().message()));
  }
  return cascade;
}

}  // namespace

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
    evoked.trace_id =
        TraceId(evoked.plan.modality(), evoked.plan.side(), evoked.plan.derivation());
    ASSIGN_OR_RETURN(evoked.derivation,
                     ResolveDerivation(plan, source, evoked.plan.derivation()));
    ASSIGN_OR_RETURN(evoked.filter, FilterFor(plan, absl::StrCat("evoked[", i, "]"),
                                              evoked.plan.filter(),
                                              evoked.derivation.sample_rate_hz));
    if (!evoked.plan.trigger().channel().empty()) {
      const absl::StatusOr<int> channel =
          FindChannel(source.channels, evoked.plan.trigger().channel());
      if (!channel.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(plan.plan_path, ": evoked[", i,
                                                       "].trigger.channel: ",
                                                       channel.status().message()));
      }
      evoked.trigger_channel = *channel;
      const ChannelInfo& info = source.channels[*channel];
      evoked.trigger_threshold = evoked.plan.trigger().channel_threshold() != 0
                                     ? evoked.plan.trigger().channel_threshold()
                                     : std::max(info.physical_min, info.physical_max) / 2;
    }
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
