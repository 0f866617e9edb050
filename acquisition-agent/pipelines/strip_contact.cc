#include "acquisition-agent/pipelines/strip_contact.h"

#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {
namespace {

bool IsZero(const std::optional<double>& value) { return value && *value == 0; }

}  // namespace

void StripContact::Add(const CutSweep& sweep, const v1::StimulusSetting& setting) {
  if (is_whole()) return;
  if (average_.offered() == 0) {
    first_stimulus_ns_ = sweep.stimulus.time_ns;
    setting_ = setting;
  }
  last_stimulus_ns_ = sweep.stimulus.time_ns;
  const StimulusTrigger& told = sweep.stimulus.told;
  if (IsZero(told.delivered_ma) || IsZero(told.delivered_v)) {
    ++undelivered_;
    average_.Add({}, dsp::Rejection::kExternal);
    return;
  }
  if (average_.Add(sweep.uv, sweep.cause) == dsp::Rejection::kNone) setting_ = setting;
}

void StripContact::Reset() {
  average_.Reset();
  undelivered_ = 0;
  setting_.Clear();
  first_stimulus_ns_ = last_stimulus_ns_ = 0;
}

bool StripContact::is_dead() const {
  return average_.offered() >= sweep_count_ &&
         average_.accepted() < kMinCutShare * average_.offered();
}

bool StripContact::is_open() const {
  return !is_whole() && !is_dead() && average_.offered() < kMaxOfferedFactor * sweep_count_;
}

uint32_t StripContact::sweeps_to_close() const {
  if (!is_open()) return 0;
  if (average_.offered() < sweep_count_) return sweep_count_ - average_.offered();
  return 1;
}

bool StripContact::is_usable() const {
  return average_.accepted() >= 2 && average_.accepted() >= kMinCutShare * sweep_count_ &&
         !is_dead();
}

dsp::Rejection StripContact::cause() const {
  dsp::Rejection most = dsp::Rejection::kNone;
  for (const dsp::Rejection cause :
       {dsp::Rejection::kGap, dsp::Rejection::kNonFinite, dsp::Rejection::kClipping,
        dsp::Rejection::kFlat, dsp::Rejection::kAmplitude, dsp::Rejection::kExternal}) {
    const uint32_t least =
        most == dsp::Rejection::kNone ? average_.accepted() : average_.rejected(most);
    if (average_.rejected(cause) > least) most = cause;
  }
  return most;
}

}  // namespace remora::agent
