#include "tests/bench/theatre/part_plans.h"

#include <algorithm>
#include <set>

#include "acquisition-agent/plan/planned_traces.h"

namespace remora::agent {
namespace {

template <typename Entries>
void Keep(v1::Modality modality, Entries* entries) {
  entries->erase(std::remove_if(entries->begin(), entries->end(),
                                [&](const auto& entry) { return entry.modality() != modality; }),
                 entries->end());
}

}  // namespace

std::vector<v1::Modality> ModalitiesOf(const v1::Plan& plan) {
  std::set<v1::Modality> modalities;
  for (const PlannedTrace& trace : PlannedTraces(plan)) modalities.insert(trace.modality);
  return {modalities.begin(), modalities.end()};
}

CasePlan PartOf(const CasePlan& plan, v1::Modality modality) {
  CasePlan part = plan;
  Keep(modality, part.plan.mutable_evoked());
  Keep(modality, part.plan.mutable_motor());
  Keep(modality, part.plan.mutable_eeg());
  Keep(modality, part.plan.mutable_mapping());
  Keep(modality, part.plan.mutable_relation());
  if (modality != v1::MODALITY_EMG_FREE_RUNNING) part.plan.clear_emg();
  if (modality != v1::MODALITY_TRAIN_OF_FOUR) part.plan.clear_train_of_four();
  return part;
}

}  // namespace remora::agent
