// Every trace that a plan leads to.
#pragma once

#include <string>
#include <vector>

#include "remora/v1/plan.pb.h"

namespace remora::agent {

struct PlannedTrace {
  enum class Block { kEvoked, kEmg, kMotor, kEeg, kTrainOfFour, kMapping };
  Block block = Block::kEvoked;
  int entry = 0;      // of its block
  std::string field;  // of the plan: "motor[1].muscle[0]"
  std::string trace_id;
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;
  v1::Side side = v1::SIDE_UNSPECIFIED;  // of the stimulus, or of the muscle
  v1::LevelRole level_role = v1::LEVEL_ROLE_UNSPECIFIED;
  std::string derivation;
  // With a filter that the plan leaves to the source's rate: order 0.
  v1::FilterSetting filter;
  v1::StimulusSetting stimulus;
  v1::TriggerPlan trigger;

  bool has_stimulus() const { return block != Block::kEmg && block != Block::kEeg; }
};

// In the plan's order. Defaults are filled in.
//
// An id is that of modality, side and derivation. Motor entries that stimulate the same muscles in
// several ways (C3-C4 and C4-C3) would share it: each of these has its stimulus behind it, the
// electrodes, or else the site, or else the name of its trigger: "MEP_TRANSCRANIAL/R/TA/C3-C4". Ids
// may still be there twice, which CheckCasePlan refuses.
std::vector<PlannedTrace> PlannedTraces(const v1::Plan& plan);

// Whether the contacts of a strip are stimulated in turn, and the scalp is recorded: the midline of
// the cord by phase reversal.
bool StimulatesContacts(const v1::MappingPlan& mapping);
// Whether they are recorded after stimuli to the left and to the right leg: the midline of the cord
// by gradient. Each contact has two traces then.
bool IsGradient(const v1::MappingPlan& mapping);
// "MAP_MIDLINE/L/C3-Fz/5": the trace of one contact, counted from 1. `leg`: of a gradient, the side
// that is stimulated; else it says nothing.
std::string ContactTraceId(const v1::MappingPlan& mapping, uint32_t contact,
                           v1::Side leg = v1::SIDE_UNSPECIFIED);

// What the stimuli of a trigger are called, for people: "MED R" of a label "STIM MED R", the
// channel's name, "code 3". Entries with one name have the same stimuli.
std::string StimulusName(const v1::TriggerPlan& trigger);

// "stimulus/MED R": what an alert about these stimuli names as its trace.
std::string StimulusSubject(const v1::TriggerPlan& trigger);

}  // namespace remora::agent
