// What a plan that leaves a field out means, as the comments in plan.proto say.

#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/planned_traces.h"

namespace remora::agent {
namespace {

// What is usual for an averaged response (docs/modalities.md has the sources).
struct EvokedUsual {
  double high_pass_hz;
  double low_pass_hz;
  uint32_t order;
  double epoch_from_ms;
  double epoch_to_ms;
  double blank_from_ms;
  double blank_to_ms;
  uint32_t sweep_count;
  double reject_over_uv;
};

EvokedUsual UsualOf(v1::Modality modality) {
  switch (modality) {
    case v1::MODALITY_D_WAVE:
      return {100, 1500, 2, -10, 30, -0.5, 1, 8, 200};
    case v1::MODALITY_BAEP:
      return {100, 1500, 2, -2, 15, -0.3, 0.7, 1000, 20};
    case v1::MODALITY_ECOCHG:
      return {10, 1500, 2, -2, 10, -0.3, 0.7, 500, 40};
    case v1::MODALITY_VEP:
      return {5, 200, 2, -50, 300, -1, 2, 100, 60};
    case v1::MODALITY_SEP_LOWER:
    case v1::MODALITY_SEP_DERMATOMAL:  // of the legs as of the arms
      return {30, 500, 4, -10, 110, -2, 3, 200, 40};
    default:
      return {30, 500, 4, -10, 60, -2, 3, 200, 40};
  }
}

// What is usual for a single response of muscles.
struct MotorUsual {
  double epoch_from_ms;
  double epoch_to_ms;
  double blank_from_ms;
  double blank_to_ms;
  double window_from_ms;
  double window_to_ms;
  double present_over_uv;
};

MotorUsual UsualOfMotor(v1::Modality modality) {
  switch (modality) {
    case v1::MODALITY_MEP_TRANSCRANIAL:
    case v1::MODALITY_MEP_DIRECT_CORTICAL:
    case v1::MODALITY_MAP_CORTICAL_STIMULATION:
    case v1::MODALITY_MAP_SUBCORTICAL:
      return {-30, 150, -0.5, 2, 10, 120, 0};
    case v1::MODALITY_RLN_INTERMITTENT:
    case v1::MODALITY_RLN_CONTINUOUS:
      return {-10, 50, -0.3, 1.2, 1.8, 15, 40};
    default:
      return {-20, 60, -0.5, 2, 3, 40, 20};
  }
}

void SetFilter(double high_pass_hz, double low_pass_hz, uint32_t order, bool zero_phase,
               v1::FilterSetting* filter) {
  filter->set_high_pass_hz(high_pass_hz);
  filter->set_low_pass_hz(low_pass_hz);
  filter->set_order(order);
  filter->set_zero_phase(zero_phase);
}

// 0 and 0 say nothing.
template <typename Entry, typename Usual>
void FillEpoch(const Usual& usual, Entry* entry) {
  if (entry->epoch_from_ms() == 0 && entry->epoch_to_ms() == 0) {
    entry->set_epoch_from_ms(usual.epoch_from_ms);
    entry->set_epoch_to_ms(usual.epoch_to_ms);
  }
  if (entry->blank_from_ms() == 0 && entry->blank_to_ms() == 0) {
    entry->set_blank_from_ms(usual.blank_from_ms);
    entry->set_blank_to_ms(usual.blank_to_ms);
  }
}

template <typename Entry>
void FillStimulusSide(Entry* entry) {
  if (entry->stimulus().side() == v1::SIDE_UNSPECIFIED && entry->side() != v1::SIDE_UNSPECIFIED) {
    entry->mutable_stimulus()->set_side(entry->side());
  }
}

void FillEvokedDefaults(v1::EvokedPlan* evoked) {
  const EvokedUsual usual = UsualOf(evoked->modality());
  if (!evoked->has_filter()) {
    SetFilter(usual.high_pass_hz, usual.low_pass_hz, usual.order, /*zero_phase=*/true,
              evoked->mutable_filter());
  }
  FillEpoch(usual, evoked);
  if (evoked->sweep_count() == 0) evoked->set_sweep_count(usual.sweep_count);
  if (evoked->reject_over_uv() == 0) evoked->set_reject_over_uv(usual.reject_over_uv);
  if (evoked->provisional_rate_hz() == 0) evoked->set_provisional_rate_hz(1);
  FillStimulusSide(evoked);
  if (evoked->has_sequential()) *evoked->mutable_sequential() = SequentialRule(*evoked);
}

void FillMotorDefaults(v1::MotorPlan* motor) {
  const MotorUsual usual = UsualOfMotor(motor->modality());
  // The filter depends on the sample rate: see ResolvePlan.
  FillEpoch(usual, motor);
  if (motor->window_from_ms() == 0 && motor->window_to_ms() == 0) {
    motor->set_window_from_ms(usual.window_from_ms);
    motor->set_window_to_ms(usual.window_to_ms);
  }
  if (motor->present_over_uv() == 0) motor->set_present_over_uv(usual.present_over_uv);
  FillStimulusSide(motor);
}

void FillEegDefaults(v1::EegPlan* eeg) {
  if (eeg->modality() == v1::MODALITY_UNSPECIFIED) eeg->set_modality(v1::MODALITY_EEG);
  if (!eeg->has_filter()) SetFilter(0.5, 70, 2, /*zero_phase=*/false, eeg->mutable_filter());
  if (eeg->window_s() == 0) eeg->set_window_s(4);
  if (eeg->step_s() == 0) eeg->set_step_s(2);
  if (eeg->suppressed_under_uv() == 0) eeg->set_suppressed_under_uv(5);
  if (eeg->reject_over_uv() == 0) eeg->set_reject_over_uv(500);
  if (eeg->sent_rate_hz() == 0) eeg->set_sent_rate_hz(256);
}

void FillTrainOfFourDefaults(v1::TrainOfFourPlan* tof) {
  // The filter depends on the sample rate: see ResolvePlan.
  if (tof->window_from_ms() == 0 && tof->window_to_ms() == 0) {
    tof->set_window_from_ms(3);
    tof->set_window_to_ms(40);
  }
  if (tof->present_over_uv() == 0) tof->set_present_over_uv(50);
  FillStimulusSide(tof);
}

void FillMappingDefaults(v1::MappingPlan* mapping) {
  const bool midline = mapping->modality() == v1::MODALITY_MAP_MIDLINE;
  EvokedUsual usual = UsualOf(v1::MODALITY_SEP_UPPER);
  if (!mapping->has_filter()) {
    SetFilter(usual.high_pass_hz, usual.low_pass_hz, usual.order, /*zero_phase=*/true,
              mapping->mutable_filter());
  }
  FillEpoch(usual, mapping);
  if (mapping->window_from_ms() == 0 && mapping->window_to_ms() == 0) {
    mapping->set_window_from_ms(midline ? 8 : 14);
    mapping->set_window_to_ms(midline ? 40 : 30);
  }
  if (mapping->sweep_count() == 0) mapping->set_sweep_count(50);
  // On the cortex and the cord themselves responses are ten times as large as on the scalp.
  if (mapping->reject_over_uv() == 0) {
    mapping->set_reject_over_uv(StimulatesContacts(*mapping) ? 40 : 500);
  }
  FillStimulusSide(mapping);
}

void FillEmgDefaults(v1::EmgPlan* emg) {
  // The filter's default depends on the source's rate: see ResolvePlan.
  if (emg->interference_over_uv() == 0) emg->set_interference_over_uv(3000);
  if (emg->sent_rate_hz() == 0) emg->set_sent_rate_hz(2500);
  if (emg->envelope_bin_ms() == 0) emg->set_envelope_bin_ms(20);
}

}  // namespace

v1::SequentialPlan SequentialRule(const v1::EvokedPlan& evoked) {
  v1::SequentialPlan rule = evoked.sequential();
  if (rule.maximum_sweep_count() == 0) rule.set_maximum_sweep_count(evoked.sweep_count());
  if (rule.minimum_sweep_count() == 0) rule.set_minimum_sweep_count(50);
  if (rule.latency_error_ms() == 0) rule.set_latency_error_ms(0.1);
  if (rule.amplitude_error_percent() == 0) rule.set_amplitude_error_percent(10);
  return rule;
}

void FillDefaults(v1::Plan* plan) {
  if (plan->mains_hz() == 0) plan->set_mains_hz(50);
  for (v1::EvokedPlan& evoked : *plan->mutable_evoked()) FillEvokedDefaults(&evoked);
  for (v1::EmgPlan& emg : *plan->mutable_emg()) FillEmgDefaults(&emg);
  for (v1::MotorPlan& motor : *plan->mutable_motor()) FillMotorDefaults(&motor);
  for (v1::EegPlan& eeg : *plan->mutable_eeg()) FillEegDefaults(&eeg);
  for (v1::TrainOfFourPlan& tof : *plan->mutable_train_of_four()) FillTrainOfFourDefaults(&tof);
  for (v1::MappingPlan& mapping : *plan->mutable_mapping()) FillMappingDefaults(&mapping);
}

}  // namespace remora::agent
