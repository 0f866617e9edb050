// What a plan that leaves a field out means, as the comments in plan.proto say.

#include "acquisition-agent/plan/case_plan.h"

namespace remora::agent {
namespace {

void FillEvokedDefaults(v1::EvokedPlan* evoked) {
  if (!evoked->has_filter()) {
    v1::FilterSetting& filter = *evoked->mutable_filter();
    filter.set_high_pass_hz(30);
    filter.set_low_pass_hz(500);
    filter.set_order(4);
    filter.set_zero_phase(true);
  }
  if (evoked->epoch_from_ms() == 0 && evoked->epoch_to_ms() == 0) {
    evoked->set_epoch_from_ms(-10);
    evoked->set_epoch_to_ms(evoked->modality() == v1::MODALITY_SEP_LOWER ? 110 : 60);
  }
  if (evoked->blank_from_ms() == 0 && evoked->blank_to_ms() == 0) {
    evoked->set_blank_from_ms(-2);
    evoked->set_blank_to_ms(3);
  }
  if (evoked->sweep_count() == 0) evoked->set_sweep_count(200);
  if (evoked->reject_over_uv() == 0) evoked->set_reject_over_uv(40);
  if (evoked->provisional_rate_hz() == 0) evoked->set_provisional_rate_hz(1);
  if (evoked->stimulus().side() == v1::SIDE_UNSPECIFIED) {
    evoked->mutable_stimulus()->set_side(evoked->side());
  }
}

void FillEmgDefaults(v1::EmgPlan* emg) {
  // The filter's default depends on the source's rate: see ResolvePlan.
  if (emg->interference_over_uv() == 0) emg->set_interference_over_uv(3000);
  if (emg->sent_rate_hz() == 0) emg->set_sent_rate_hz(2500);
  if (emg->envelope_bin_ms() == 0) emg->set_envelope_bin_ms(20);
}

}  // namespace

void FillDefaults(v1::Plan* plan) {
  if (plan->mains_hz() == 0) plan->set_mains_hz(50);
  for (v1::EvokedPlan& evoked : *plan->mutable_evoked()) FillEvokedDefaults(&evoked);
  for (v1::EmgPlan& emg : *plan->mutable_emg()) FillEmgDefaults(&emg);
}

}  // namespace remora::agent
