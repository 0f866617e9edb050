#include "acquisition-agent/surveillance/mapping_watch.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {

RecordKey MappingWatch::PutSweep(const MappingRound& round, const ContactAverage& contact,
                                 int64_t now_ns) {
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep = PackTrace(contact.mean_uv, round.timebase, round.uv_per_count,
                    plan_.plan.filter().low_pass_hz());
  sweep.set_trace_id(plan_.trace_ids[contact.contact - 1]);
  sweep.set_modality(plan_.plan.modality());
  sweep.set_side(plan_.plan.side());
  sweep.set_derivation(plan_.derivations[contact.contact - 1].name);
  sweep.set_requested_count(plan_.plan.sweep_count());
  sweep.set_accepted_count(contact.accepted);
  if (std::isfinite(contact.noise_uv)) sweep.set_noise_uv_rms(contact.noise_uv);
  sweep.set_block_index(round.round_index);
  sweep.set_site(absl::StrCat("contact ", contact.contact));
  sweep.set_first_stimulus_monotonic_ns(contact.first_stimulus_ns);
  sweep.set_last_stimulus_monotonic_ns(contact.last_stimulus_ns);
  *sweep.mutable_filter() = plan_.plan.filter();
  *sweep.mutable_stimulus() = contact.setting;
  return sink_.Put(&record, now_ns);
}

void MappingWatch::OnRound(const MappingRound& round, int64_t now_ns) {
  for (size_t i = 0; i < round.contacts.size(); ++i) {
    const RecordKey sweep = PutSweep(round, round.contacts[i], now_ns);
    v1::Record record;
    v1::MappingContact& told = *record.mutable_mapping_contact();
    told.set_strip(plan_.plan.strip());
    told.set_contact_index(round.contacts[i].contact);
    told.set_modality(plan_.plan.modality());
    told.set_side(plan_.plan.side());
    *told.mutable_sweep() = ToProto(sweep);
    const v1::StimulusSetting& setting = round.contacts[i].setting;
    // What was delivered, or else asked for.
    told.set_current_ma(setting.delivered_ma() > 0 ? setting.delivered_ma() : setting.current_ma());
    if (round.reversal) {
      // The rms of what it has of the strip's common shape: noise hardly adds to it.
      told.set_amplitude_uv(FiniteOr0(std::fabs(round.reversal->weights_uv[i])));
      told.set_polarity_ratio(FiniteOr0(round.reversal->shape_correlations[i]));
    }
    sink_.Put(&record, now_ns);
  }
  v1::Record record;
  v1::MappingResult& result = *record.mutable_mapping_result();
  result.set_strip(plan_.plan.strip());
  result.set_modality(plan_.plan.modality());
  result.set_side(plan_.plan.side());
  result.set_method(v1::MAPPING_METHOD_PHASE_REVERSAL);
  if (!round.reversal) {
    result.set_mark_confidence(v1::MARK_CONFIDENCE_UNCERTAIN);
    result.set_reason("the averages could not be compared");
  } else if (round.reversal->after_contact) {
    const auto before = static_cast<uint32_t>(*round.reversal->after_contact) + 1;
    result.set_contact_before(before);
    result.set_contact_after(before + 1);
    result.set_confidence(std::clamp(round.reversal->confidence(), 0.0, 1.0));
    result.set_mark_confidence(v1::MARK_CONFIDENCE_CLEAR);
  } else {
    result.set_mark_confidence(v1::MARK_CONFIDENCE_NO_RESPONSE);
    result.set_reason(
        "no turn of polarity: one side of the strip, or no response, is all there is");
  }
  sink_.Put(&record, now_ns);
}

}  // namespace remora::agent
