#include "acquisition-agent/surveillance/mapping_watch.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/limits.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

std::string WhyLeftOut(const LeftOutContact& contact) {
  if (contact.offered == 0) return "not stimulated";
  if (contact.was_not_delivered) return "nothing was delivered";
  if (contact.is_noisy) return "far more noise than the others";
  if (contact.cause != dsp::Rejection::kNone) return WhyRejected(contact.cause);
  return absl::StrCat("only ", contact.accepted, " sweeps");
}

// "contacts 4, 6 left out (an electrode is disconnected)", by cause.
void SayLeftOut(const MappingRound& round, std::vector<std::string>* words) {
  std::map<std::string, std::vector<std::string>> by_cause;
  for (const LeftOutContact& contact : round.left_out) {
    std::string name = absl::StrCat(contact.contact);
    if (contact.side == v1::SIDE_LEFT) name += " L";
    if (contact.side == v1::SIDE_RIGHT) name += " R";
    by_cause[WhyLeftOut(contact)].push_back(std::move(name));
  }
  for (const auto& [cause, names] : by_cause) {
    words->push_back(absl::StrCat("contact", names.size() > 1 ? "s " : " ",
                                  absl::StrJoin(names, ", "), " left out (", cause, ")"));
  }
}

std::vector<std::string> Legs(const std::vector<v1::Side>& sides) {
  std::vector<std::string> legs;
  for (const v1::Side side : sides)
    legs.push_back(side == v1::SIDE_LEFT ? "left leg" : "right leg");
  return legs;
}

// What must be known of a round beside its result.
std::vector<std::string> About(const MappingRound& round) {
  std::vector<std::string> words;
  if (!round.position.empty()) words.push_back(absl::StrCat("at ", round.position));
  SayLeftOut(round, &words);
  if (round.is_cut) {
    words.push_back("ended early: the strip's place or the stimulus changed, it paused or ended");
  }
  if (round.given_up > 0) {
    words.push_back(absl::StrCat(
        round.given_up, round.given_up > 1 ? " stimuli are" : " stimulus is",
        " in no average: their place or setting changed, or they ended, before there were enough"));
  }
  if (round.without_contact > 0) {
    words.push_back(
        absl::StrCat(round.without_contact, " stimuli named no contact or side and are in none"));
  }
  return words;
}

}  // namespace

RecordKey MappingWatch::PutSweep(const MappingRound& round, const ContactAverage& contact,
                                 int64_t now_ns) {
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep = PackTrace(contact.mean_uv, round.timebase, round.uv_per_count,
                    plan_.plan.filter().low_pass_hz());
  sweep.set_trace_id(plan_.trace_ids[contact.trace]);
  sweep.set_modality(plan_.plan.modality());
  sweep.set_side(contact.side);
  sweep.set_derivation(plan_.derivations[contact.contact - 1].name);
  sweep.set_requested_count(plan_.plan.sweep_count());
  sweep.set_accepted_count(contact.accepted);
  if (contact.accepted < plan_.plan.sweep_count()) {
    sweep.add_quality(v1::QUALITY_FLAG_TOO_FEW_SWEEPS);
  }
  if (std::isfinite(contact.noise_uv)) sweep.set_noise_uv_rms(contact.noise_uv);
  sweep.set_block_index(round.round_index);
  sweep.set_site(absl::StrCat("contact ", contact.contact));
  sweep.set_first_stimulus_monotonic_ns(contact.first_stimulus_ns);
  sweep.set_last_stimulus_monotonic_ns(contact.last_stimulus_ns);
  *sweep.mutable_filter() = plan_.plan.filter();
  *sweep.mutable_stimulus() = contact.setting;
  return sink_.Put(&record, now_ns);
}

void MappingWatch::PutContact(const MappingRound& round, size_t i, int64_t now_ns) {
  const ContactAverage& contact = round.contacts[i];
  const RecordKey sweep = PutSweep(round, contact, now_ns);
  v1::Record record;
  v1::MappingContact& told = *record.mutable_mapping_contact();
  told.set_strip(plan_.plan.strip());
  told.set_contact_index(contact.contact);
  told.set_modality(plan_.plan.modality());
  told.set_side(contact.side);
  *told.mutable_sweep() = ToProto(sweep);
  // What was delivered, or else asked for.
  told.set_current_ma(contact.setting.delivered_ma() > 0 ? contact.setting.delivered_ma()
                                                         : contact.setting.current_ma());
  if (round.reversal) {
    // The rms of what it has of the strip's common shape: noise hardly adds to it.
    told.set_amplitude_uv(FiniteOr0(std::fabs(round.reversal->weights_uv[i])));
    told.set_polarity_ratio(FiniteOr0(round.reversal->shape_correlations[i]));
  } else {
    told.set_amplitude_uv(FiniteOr0(contact.response_uv));
  }
  sink_.Put(&record, now_ns);
}

void MappingWatch::OnRound(const MappingRound& round, int64_t now_ns) {
  for (size_t i = 0; i < round.contacts.size(); ++i) PutContact(round, i, now_ns);
  v1::Record record;
  v1::MappingResult& result = *record.mutable_mapping_result();
  result.set_strip(plan_.plan.strip());
  result.set_modality(plan_.plan.modality());
  result.set_side(plan_.plan.side());
  result.set_method(IsGradient(plan_.plan) ? v1::MAPPING_METHOD_GRADIENT
                                           : v1::MAPPING_METHOD_PHASE_REVERSAL);
  std::vector<std::string> words = About(round);
  std::optional<size_t> behind;  // of `used`
  double confidence = 0;
  result.set_mark_confidence(v1::MARK_CONFIDENCE_NO_RESPONSE);
  if (round.midline) {
    behind = static_cast<size_t>(round.midline->place);
    confidence = round.midline->confidence;
  } else if (round.reversal && round.reversal->after_contact) {
    behind = round.reversal->after_contact;
    confidence = round.reversal->confidence();
  } else if (round.used.size() < 2) {
    result.set_mark_confidence(v1::MARK_CONFIDENCE_UNCERTAIN);
    words.insert(words.begin(), "fewer than two contacts can be compared");
  } else if (!round.unanswered.empty()) {
    words.insert(words.begin(), absl::StrCat("no response after stimuli to the ",
                                             absl::StrJoin(Legs(round.unanswered), " and the ")));
  } else if (IsGradient(plan_.plan)) {
    result.set_mark_confidence(v1::MARK_CONFIDENCE_UNCERTAIN);
    words.insert(words.begin(), "left and right do not cross: the strip may lie on one side");
  } else if (round.reversal) {
    words.insert(words.begin(),
                 "no turn of polarity: one side of the strip, or no response, is all there is");
  } else {
    result.set_mark_confidence(v1::MARK_CONFIDENCE_UNCERTAIN);
    words.insert(words.begin(), "the averages could not be compared");
  }
  if (behind) {
    // At the last contact itself: beside it on the strip.
    const size_t before = std::min(*behind, round.used.size() - 2);
    result.set_contact_before(round.used[before]);
    result.set_contact_after(round.used[before + 1]);
    result.set_confidence(std::clamp(FiniteOr0(confidence), 0.0, 1.0));
    result.set_mark_confidence(v1::MARK_CONFIDENCE_CLEAR);
    if (result.contact_after() - result.contact_before() > 1) {
      words.insert(words.begin(), "it lies somewhere between these two, where nothing is known");
    }
  }
  result.set_reason(absl::StrJoin(words, "; ").substr(0, kMaxReasonBytes));
  sink_.Put(&record, now_ns);
}

}  // namespace remora::agent
