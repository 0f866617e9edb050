#include "acquisition-agent/surveillance/tof_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

// Fourth over first twitch that a record takes, at most.
constexpr double kMaxTwitchRatioTold = 2;

std::string WhyNoReading(const TofTrain& train) {
  if (train.sweeps.size() < 4) {
    return absl::StrCat("only ", train.sweeps.size(), " of four stimuli came");
  }
  for (const CutSweep& sweep : train.sweeps) {
    if (sweep.cause != dsp::Rejection::kNone) return WhyRejected(sweep.cause);
  }
  return "the sweeps could not be measured";
}

std::string WhyDoubtful(uint32_t doubts) {
  if (doubts & dsp::kTrainNoise) return "so much noise that a weak twitch would not be seen";
  if (doubts & dsp::kTrainOrder) return "a twitch behind a missing one, or larger than the first";
  return "";
}

}  // namespace

RecordKey TofWatch::PutSweep(const TofTrain& train, size_t twitch, int64_t now_ns) {
  const CutSweep& cut = train.sweeps[twitch];
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep = PackTrace(cut.uv, train.timebase, train.uv_per_count, plan_.plan.filter().low_pass_hz());
  sweep.set_trace_id(plan_.trace_id);
  sweep.set_modality(v1::MODALITY_TRAIN_OF_FOUR);
  sweep.set_side(plan_.plan.side());
  sweep.set_derivation(plan_.plan.derivation());
  sweep.set_requested_count(1);
  sweep.set_accepted_count(cut.cause == dsp::Rejection::kNone ? 1 : 0);
  sweep.set_noise_uv_rms(FiniteOr0(train.noise_uv));
  sweep.set_site(absl::StrCat("T", twitch + 1));
  sweep.set_trial_index(train.trial_index);
  sweep.set_block_index(train.trial_index);
  sweep.set_first_stimulus_monotonic_ns(cut.stimulus.time_ns);
  sweep.set_last_stimulus_monotonic_ns(cut.stimulus.time_ns);
  *sweep.mutable_filter() = plan_.plan.filter();
  *sweep.mutable_stimulus() = train.setting;
  if (cut.cause != dsp::Rejection::kNone) sweep.add_quality(QualityOf(cut.cause));
  return sink_.Put(&record, now_ns);
}

void TofWatch::OnTrain(const TofTrain& train, int64_t now_ns) {
  v1::Record record;
  v1::TrainOfFour& told = *record.mutable_train_of_four();
  for (size_t i = 0; i < train.sweeps.size(); ++i) {
    if (train.sweeps[i].uv.empty()) continue;
    *told.add_sweeps() = ToProto(PutSweep(train, i, now_ns));
  }
  // Without a single sample there is nothing to be told of.
  if (told.sweeps().empty()) return;
  trains_->Note(train, plan_.plan.limb());
  told.set_limb(plan_.plan.limb());
  told.set_trace_id(plan_.trace_id);
  told.set_side(plan_.plan.side());
  *told.mutable_stimulus() = train.setting;
  if (train.reading) {
    told.set_twitch_count(train.reading->count);
    // Beyond it, the first twitch was none, as the reason says; the twitches tell how far.
    told.set_ratio(std::min(kMaxTwitchRatioTold, FiniteOr0(train.reading->ratio.value_or(0))));
    told.set_t1_percent_of_control(100 * FiniteOr0(train.reading->t1_of_control.value_or(0)));
    for (const double twitch : train.twitch_uv) told.add_twitch_uv(FiniteOr0(twitch));
    std::string reason = WhyDoubtful(train.reading->doubts);
    if (!reason.empty() && !train.no_control.empty()) reason += "; ";
    told.set_reason(reason + train.no_control);
  } else {
    told.set_reason(WhyNoReading(train));
    told.add_quality(v1::QUALITY_FLAG_TOO_FEW_SWEEPS);
    for (const CutSweep& sweep : train.sweeps) {
      if (sweep.cause == dsp::Rejection::kNone) continue;
      told.add_quality(QualityOf(sweep.cause));
      break;
    }
  }
  sink_.Put(&record, now_ns);
}

}  // namespace remora::agent
