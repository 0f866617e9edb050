#include "dsp/motor/threshold_search.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace remora::dsp {

absl::Status ThresholdSearch::Add(double intensity, Presence presence) {
  if (!std::isfinite(intensity) || intensity < 0.0) {
    return absl::InvalidArgumentError(absl::StrCat("an intensity of ", intensity, " is none"));
  }
  if (tried_.size() >= kMaxIntensities && !tried_.contains(intensity)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a search takes ", kMaxIntensities, " intensities at the most"));
  }
  ++trials_;
  if (presence == Presence::kUncertain) {
    ++uncertain_trials_;
    return absl::OkStatus();
  }
  const bool responded = presence == Presence::kPresent;
  Tried& tried = tried_[intensity];
  ++(responded ? tried.responded : tried.silent);
  NoteTurn(intensity, responded);
  return absl::OkStatus();
}

// What begins or ends to respond from one trial to the next.
void ThresholdSearch::NoteTurn(double intensity, bool responded) {
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
  threshold.rising = rising_;
  threshold.falling = falling_;
  if (tried_.empty()) return threshold;
  const auto lowest = std::find_if(tried_.begin(), tried_.end(),
                                   [](const auto& tried) { return tried.second.responds(); });
  if (lowest == tried_.end()) {
    threshold.verdict = ThresholdVerdict::kNoResponse;
    threshold.highest_without = tried_.rbegin()->first;
    return threshold;
  }
  threshold.value = lowest->first;
  threshold.verdict = ThresholdVerdict::kAtOrBelowLowest;
  if (lowest != tried_.begin()) {
    threshold.verdict = ThresholdVerdict::kFound;
    threshold.highest_without = std::prev(lowest)->first;
  }
  threshold.inconsistent = std::any_of(
      lowest, tried_.end(), [](const auto& tried) { return !tried.second.responds(); });
  return threshold;
}

}  // namespace remora::dsp
