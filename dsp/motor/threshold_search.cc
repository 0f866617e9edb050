#include "dsp/motor/threshold_search.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace remora::dsp {

absl::Status ThresholdSearch::Add(double intensity, Presence presence) {
  const double in_steps = intensity / step_;
  constexpr double kMostSteps = 1e12;
  if (!(step_ > 0.0) || !(in_steps >= 0.0 && in_steps <= kMostSteps)) {
    return absl::InvalidArgumentError(
        absl::StrCat("an intensity of ", intensity, " in steps of ", step_, " is none"));
  }
  const std::int64_t steps = std::llround(in_steps);
  if (tried_.size() >= kMaxIntensities && !tried_.contains(steps)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a search takes ", kMaxIntensities, " intensities at the most"));
  }
  ++trials_;
  if (presence == Presence::kUncertain) {
    ++uncertain_trials_;
    return absl::OkStatus();
  }
  const bool responded = presence == Presence::kPresent;
  Tried& tried = tried_[steps];
  ++(responded ? tried.responded : tried.silent);
  NoteTurn(steps, responded);
  return absl::OkStatus();
}

// What begins or ends to respond from one trial to the next.
void ThresholdSearch::NoteTurn(std::int64_t intensity, bool responded) {
  if (last_intensity_ && responded != last_responded_) {
    if (responded && intensity > *last_intensity_) rising_ = intensity;
    if (!responded && intensity < *last_intensity_) falling_ = *last_intensity_;
  }
  last_intensity_ = intensity;
  last_responded_ = responded;
}

Threshold ThresholdSearch::Current() const {
  Threshold threshold;
  threshold.trials = trials_;
  threshold.uncertain_trials = uncertain_trials_;
  if (rising_) threshold.rising = InUnits(*rising_);
  if (falling_) threshold.falling = InUnits(*falling_);
  if (tried_.empty()) return threshold;
  const auto lowest = std::find_if(tried_.begin(), tried_.end(),
                                   [](const auto& tried) { return tried.second.responds(); });
  if (lowest == tried_.end()) {
    threshold.verdict = ThresholdVerdict::kNoResponse;
    threshold.highest_without = InUnits(tried_.rbegin()->first);
    return threshold;
  }
  threshold.value = InUnits(lowest->first);
  threshold.verdict = ThresholdVerdict::kAtOrBelowLowest;
  if (lowest != tried_.begin()) {
    threshold.verdict = ThresholdVerdict::kFound;
    threshold.highest_without = InUnits(std::prev(lowest)->first);
  }
  threshold.inconsistent = std::any_of(
      lowest, tried_.end(), [](const auto& tried) { return !tried.second.responds(); });
  return threshold;
}

}  // namespace remora::dsp
