#include "acquisition-agent/surveillance/technical_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "acquisition-agent/surveillance/limits.h"

namespace remora::agent {
namespace {

constexpr char kElectrode[] = "electrode/";
// As StimulusSubject says it.
constexpr char kStimulus[] = "stimulus/";

std::string NameTraces(const std::vector<std::string>& traces) {
  std::string names;
  for (size_t i = 0; i < traces.size() && i < kMaxNamedTraces; ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", traces[i]);
  }
  if (traces.size() > kMaxNamedTraces) {
    absl::StrAppend(&names, " and ", traces.size() - kMaxNamedTraces, " more");
  }
  return names;
}

// Which traces a channel is in, of every entry.
std::map<int, std::vector<std::string>> TracesOfChannels(const ResolvedPlan& plan) {
  std::map<int, std::vector<std::string>> affected;
  const auto add = [&](const ResolvedDerivation& derivation, const std::string& trace) {
    std::set<int> channels(derivation.plus.begin(), derivation.plus.end());
    channels.insert(derivation.minus.begin(), derivation.minus.end());
    for (const int channel : channels) affected[channel].push_back(trace);
  };
  for (const ResolvedEvoked& evoked : plan.evoked) add(evoked.derivation, evoked.trace_id);
  for (const ResolvedEmg& emg : plan.emg) add(emg.derivation, emg.trace_id);
  for (const ResolvedMotor& motor : plan.motor) {
    for (const ResolvedMuscle& muscle : motor.muscles) add(muscle.derivation, muscle.trace_id);
  }
  for (const ResolvedEeg& eeg : plan.eeg) add(eeg.derivation, eeg.trace_id);
  for (const ResolvedTrainOfFour& tof : plan.train_of_four) add(tof.derivation, tof.trace_id);
  for (const ResolvedMapping& mapping : plan.mapping) {
    for (size_t i = 0; i < mapping.derivations.size(); ++i) {
      add(mapping.derivations[i], mapping.trace_ids[i]);
    }
  }
  return affected;
}

}  // namespace

v1::Alert TechnicalAlert(const std::string& subject, const std::string& summary) {
  v1::Alert alert;
  alert.set_priority(v1::ALERT_PRIORITY_LOW);
  alert.set_kind(v1::ALERT_KIND_TECHNICAL);
  alert.set_alert_class(v1::ALERT_CLASS_TECHNICAL);
  alert.set_trace_id(subject);
  alert.set_summary(summary);
  return alert;
}

TechnicalWatch::TechnicalWatch(const ResolvedPlan& plan, const SourceInfo& source, RecordSink& sink)
    : source_(source), sink_(sink) {
  for (const ResolvedEvoked& evoked : plan.evoked) {
    averaged_.push_back(evoked.trigger.listener);
    stimuli_.try_emplace(StimulusName(evoked.plan.trigger()));
    unusable_.try_emplace(evoked.trace_id);
  }
  for (const auto& [channel, traces] : TracesOfChannels(plan)) {
    electrodes_[channel].label = source.channels[channel].label;
    electrodes_[channel].affects = NameTraces(traces);
  }
}

void TechnicalWatch::Restore(const CasePast& past) {
  for (const CasePast::Alert& alert : past.alerts) {
    const std::string& subject = alert.last.trace_id();
    if (alert.last.alert_class() != v1::ALERT_CLASS_TECHNICAL) continue;
    for (auto& [channel, electrode] : electrodes_) {
      if (subject == absl::StrCat(kElectrode, electrode.label)) {
        electrode.alert.Restore(alert);
      }
    }
    for (auto& [name, slot] : stimuli_) {
      if (subject == absl::StrCat(kStimulus, name)) slot.Restore(alert);
    }
    if (const auto unusable = unusable_.find(subject); unusable != unusable_.end()) {
      unusable->second.Restore(alert);
    }
  }
}

void TechnicalWatch::OnChunk(const Chunk& chunk, int64_t now_ns) {
  const std::vector<int>& group = source_.rate_groups[chunk.rate_group].channels;
  for (size_t k = 0; k < group.size(); ++k) {
    const auto electrode = electrodes_.find(group[k]);
    if (electrode != electrodes_.end()) {
      OnElectrode(&electrode->second, chunk.marks[k], chunk, now_ns);
    }
  }
}

void TechnicalWatch::OnElectrode(Electrode* electrode, const ChannelMarks& marks,
                                 const Chunk& chunk, int64_t now_ns) {
  int64_t clipped = 0;
  for (const ChannelMarks::Run& run : marks.runs) clipped += run.last - run.first + 1;
  std::string why;
  if (marks.marks & dsp::kQualityFlat) why = "flat: disconnected or muted";
  if (marks.marks & kMarkFloating) why = "nothing but mains: disconnected";
  if (static_cast<double>(clipped) > kClippedShare * static_cast<double>(chunk.samples)) {
    why = "at the amplifier's limit, or without values";
  }
  // Diathermy drowns everything; it says nothing of an electrode.
  if (marks.marks & kMarkInterference) return;
  const bool bad = !why.empty();
  electrode->bad.push_back(bad);
  if (electrode->bad.size() > kElectrodeChunks) electrode->bad.pop_front();
  electrode->good_in_a_row = bad ? 0 : electrode->good_in_a_row + 1;
  const std::string subject = absl::StrCat(kElectrode, electrode->label);
  if (!electrode->alert.is_on() &&
      std::count(electrode->bad.begin(), electrode->bad.end(), true) >= kElectrodeBadChunks) {
    electrode->why = why;
    v1::Alert alert = TechnicalAlert(
        subject, absl::StrCat("Electrode ", electrode->label, " is ",
                              why.empty() ? "unreliable" : why, ". Affects ", electrode->affects));
    alert.mutable_evidence()->add_quality(clipped > 0 ? v1::QUALITY_FLAG_CLIPPED
                                                      : v1::QUALITY_FLAG_DISCONNECTED);
    electrode->alert.Show(std::move(alert), now_ns, now_ns, sink_);
  } else if (electrode->alert.is_on() && electrode->good_in_a_row >= kElectrodeGoodChunks) {
    electrode->alert.Recover(TechnicalAlert(subject, absl::StrCat("Electrode ", electrode->label,
                                                                  " is connected again")),
                             now_ns, sink_);
  }
}

void TechnicalWatch::OnStimulus(const Stimulus& stimulus) {
  const bool averaged = std::any_of(averaged_.begin(), averaged_.end(),
                                    [&](size_t listener) { return stimulus.own[listener]; });
  if (!averaged) last_single_ns_ = std::max(last_single_ns_, stimulus.last_pulse_ns());
}

bool TechnicalWatch::IsMissing(const Cadence& cadence, int64_t now_ns) const {
  if (cadence.never_came()) return cadence.IsMissing(now_ns);
  const int64_t busy_until_ns = std::min(last_single_ns_, cadence.last_ns() + kMaxBusyNs);
  return cadence.IsPause(std::max(cadence.last_ns(), busy_until_ns), now_ns);
}

void TechnicalWatch::OnCadence(const SepPipeline& pipeline, int64_t now_ns) {
  const std::string name = StimulusName(pipeline.plan().plan.trigger());
  const std::string subject = StimulusSubject(pipeline.plan().plan.trigger());
  const Cadence& cadence = pipeline.cadence();
  AlertSlot& slot = stimuli_[name];
  if (!slot.is_on() && IsMissing(cadence, now_ns)) {
    const int64_t since_ns = cadence.never_came() ? cadence.start_ns() : cadence.last_ns();
    const double missing_s = static_cast<double>(now_ns - since_ns) / 1e9;
    v1::Alert alert = TechnicalAlert(
        subject, cadence.never_came()
                     ? absl::StrFormat("No stimuli %s since the start, %.0f s ago", name, missing_s)
                     : absl::StrFormat("No stimuli %s for %.1f s; %.2f a second were expected",
                                       name, missing_s, cadence.rate_hz()));
    alert.mutable_evidence()->add_quality(v1::QUALITY_FLAG_MISSING_TRIGGER);
    slot.Show(std::move(alert), since_ns, now_ns, sink_);
    // Single stimuli excuse none that is already missed: only its own recover it.
  } else if (slot.is_on() && !cadence.IsMissing(now_ns) && cadence.in_a_row() >= 3) {
    slot.Recover(TechnicalAlert(subject, absl::StrCat("Stimuli ", name, " come again")), now_ns,
                 sink_);
  }
}

void TechnicalWatch::OnAverage(const ResolvedEvoked& plan, const EvokedAverage& average,
                               int64_t now_ns) {
  if (average.provisional) return;
  AlertSlot& slot = unusable_[plan.trace_id];
  const bool usable = average.decided || average.accepted >= kMinAcceptedShare * average.requested;
  if (!usable) {
    const v1::RejectedCounts& rejected = average.rejected;
    v1::Alert alert = TechnicalAlert(
        plan.trace_id, absl::StrFormat("%s: %d of %d sweeps usable (over limit %d, clipped %d, "
                                       "disconnected %d, no value %d, gap %d, interference %d)",
                                       plan.trace_id, average.accepted, average.offered(),
                                       rejected.over_amplitude_count(), rejected.clipped_count(),
                                       rejected.disconnected_count(), rejected.not_finite_count(),
                                       rejected.gap_count(), rejected.interference_count()));
    for (const v1::QualityFlag flag : average.quality) alert.mutable_evidence()->add_quality(flag);
    slot.Show(std::move(alert), average.first_stimulus_ns, now_ns, sink_);
  } else {
    slot.Recover(
        TechnicalAlert(plan.trace_id, absl::StrCat(plan.trace_id, ": sweeps are usable again")),
        now_ns, sink_);
  }
}

void TechnicalWatch::OnAlertResolved(const v1::AlertAction& action) {
  for (auto& [channel, electrode] : electrodes_) electrode.alert.OnResolved(action);
  for (auto& [name, slot] : stimuli_) slot.OnResolved(action);
  for (auto& [trace, slot] : unusable_) slot.OnResolved(action);
}

}  // namespace remora::agent
