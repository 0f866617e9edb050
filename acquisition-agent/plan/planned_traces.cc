#include "acquisition-agent/plan/planned_traces.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/plan/case_plan.h"

namespace remora::agent {
namespace {

// Fields that most entries have by the same names.
template <typename Entry>
PlannedTrace TraceOf(PlannedTrace::Block block, const Entry& entry, v1::Modality modality,
                     v1::Side side, const std::string& derivation, std::string field) {
  PlannedTrace trace;
  trace.block = block;
  trace.field = std::move(field);
  trace.trace_id = TraceId(modality, side, derivation);
  trace.modality = modality;
  trace.side = side;
  trace.derivation = derivation;
  trace.filter = entry.filter();
  return trace;
}

void AddMotor(const v1::MotorPlan& motor, int entry, std::vector<PlannedTrace>* traces) {
  for (int i = 0; i < motor.muscle_size(); ++i) {
    const v1::MusclePlan& muscle = motor.muscle(i);
    PlannedTrace trace =
        TraceOf(PlannedTrace::Block::kMotor, motor, motor.modality(), muscle.side(),
                muscle.derivation(), absl::StrCat("motor[", entry, "].muscle[", i, "]"));
    trace.entry = entry;
    trace.level_role = muscle.level_role();
    trace.stimulus = motor.stimulus();
    trace.trigger = motor.trigger();
    traces->push_back(std::move(trace));
  }
}

// What tells the stimuli of two entries apart.
std::string StimulusOf(const PlannedTrace& trace) {
  if (!trace.stimulus.electrodes().empty()) return trace.stimulus.electrodes();
  if (!trace.stimulus.site().empty()) return trace.stimulus.site();
  return StimulusName(trace.trigger);
}

// Of motor entries alone: relations and baselines name averaged traces by their derivation.
void TellStimuliApart(std::vector<PlannedTrace>* traces) {
  std::map<std::string, int> count;
  for (const PlannedTrace& trace : *traces) ++count[trace.trace_id];
  for (PlannedTrace& trace : *traces) {
    if (trace.block != PlannedTrace::Block::kMotor || count[trace.trace_id] == 1) continue;
    absl::StrAppend(&trace.trace_id, "/", StimulusOf(trace));
  }
}

void AddMapping(const v1::MappingPlan& mapping, int entry, std::vector<PlannedTrace>* traces) {
  const auto add = [&](const std::string& derivation, uint32_t contact, v1::Side side) {
    PlannedTrace trace = TraceOf(PlannedTrace::Block::kMapping, mapping, mapping.modality(), side,
                                 derivation, absl::StrCat("mapping[", entry, "]"));
    trace.entry = entry;
    trace.trace_id = ContactTraceId(mapping, contact, side);
    trace.stimulus = mapping.stimulus();
    trace.trigger = mapping.trigger();
    traces->push_back(std::move(trace));
  };
  if (StimulatesContacts(mapping)) {
    for (uint32_t i = 1; i <= mapping.contact_count(); ++i) {
      add(mapping.scalp_derivation(), i, mapping.side());
    }
    return;
  }
  const std::vector<v1::Side> sides = IsGradient(mapping)
                                          ? std::vector<v1::Side>{v1::SIDE_LEFT, v1::SIDE_RIGHT}
                                          : std::vector<v1::Side>{mapping.side()};
  for (const v1::Side side : sides) {
    for (int i = 0; i < mapping.contact_derivation_size(); ++i) {
      add(mapping.contact_derivation(i), static_cast<uint32_t>(i) + 1, side);
    }
  }
}

}  // namespace

std::string StimulusName(const v1::TriggerPlan& trigger) {
  if (!trigger.channel().empty()) return trigger.channel();
  if (trigger.code() != 0) return absl::StrCat("code ", trigger.code());
  absl::string_view name = trigger.label_prefix();
  absl::ConsumePrefix(&name, "STIM ");
  return std::string(name);
}

std::string StimulusSubject(const v1::TriggerPlan& trigger) {
  return absl::StrCat("stimulus/", StimulusName(trigger));
}

bool StimulatesContacts(const v1::MappingPlan& mapping) {
  return mapping.modality() == v1::MODALITY_MAP_MIDLINE && mapping.contact_derivation().empty();
}

bool IsGradient(const v1::MappingPlan& mapping) {
  return mapping.modality() == v1::MODALITY_MAP_MIDLINE && !mapping.contact_derivation().empty();
}

std::string ContactTraceId(const v1::MappingPlan& mapping, uint32_t contact, v1::Side leg) {
  const int place = static_cast<int>(contact) - 1;
  const std::string derivation =
      StimulatesContacts(mapping) ? mapping.scalp_derivation() : mapping.contact_derivation(place);
  const v1::Side side = IsGradient(mapping) ? leg : mapping.side();
  return absl::StrCat(TraceId(mapping.modality(), side, derivation), "/", contact);
}

std::vector<PlannedTrace> PlannedTraces(const v1::Plan& plan) {
  std::vector<PlannedTrace> traces;
  for (int i = 0; i < plan.evoked_size(); ++i) {
    const v1::EvokedPlan& evoked = plan.evoked(i);
    PlannedTrace trace =
        TraceOf(PlannedTrace::Block::kEvoked, evoked, evoked.modality(), evoked.side(),
                evoked.derivation(), absl::StrCat("evoked[", i, "]"));
    trace.entry = i;
    trace.level_role = evoked.level_role();
    trace.stimulus = evoked.stimulus();
    trace.trigger = evoked.trigger();
    traces.push_back(std::move(trace));
  }
  for (int i = 0; i < plan.emg_size(); ++i) {
    const v1::EmgPlan& emg = plan.emg(i);
    traces.push_back(TraceOf(PlannedTrace::Block::kEmg, emg, v1::MODALITY_EMG_FREE_RUNNING,
                             emg.side(), emg.derivation(), absl::StrCat("emg[", i, "]")));
    traces.back().entry = i;
  }
  for (int i = 0; i < plan.motor_size(); ++i) {
    AddMotor(plan.motor(i), i, &traces);
  }
  for (int i = 0; i < plan.eeg_size(); ++i) {
    const v1::EegPlan& eeg = plan.eeg(i);
    traces.push_back(TraceOf(PlannedTrace::Block::kEeg, eeg, eeg.modality(), eeg.side(),
                             eeg.derivation(), absl::StrCat("eeg[", i, "]")));
    traces.back().entry = i;
  }
  for (int i = 0; i < plan.train_of_four_size(); ++i) {
    const v1::TrainOfFourPlan& tof = plan.train_of_four(i);
    PlannedTrace trace =
        TraceOf(PlannedTrace::Block::kTrainOfFour, tof, v1::MODALITY_TRAIN_OF_FOUR, tof.side(),
                tof.derivation(), absl::StrCat("train_of_four[", i, "]"));
    trace.entry = i;
    trace.stimulus = tof.stimulus();
    trace.trigger = tof.trigger();
    traces.push_back(std::move(trace));
  }
  for (int i = 0; i < plan.mapping_size(); ++i) {
    AddMapping(plan.mapping(i), i, &traces);
  }
  TellStimuliApart(&traces);
  return traces;
}

}  // namespace remora::agent
