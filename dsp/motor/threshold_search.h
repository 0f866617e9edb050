// The intensity from which on a stimulus evokes a response: a pedicle screw's or a nerve's current,
// a dilator's, a MEP's voltage. Thread-compatible; fed trial by trial in the order made.
//
//   rising     6 -  7 -  8 x            8: the first to respond after one that did not
//   falling    8 x  7 x  6 -            7: the last to respond before one that did not
//
// A search that only ever goes down, or up, has one of the two. Where both are there the lower one
// counts: for a screw or a nerve nearby it is the one that warns. What was delivered is rounded to
// the stimulator's step; a trial at an intensity tried before repeats it: an intensity responds
// when at least half of its trials do.
// Doubtful trials (Presence::kUncertain) are counted, and decide nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "absl/status/status.h"
#include "dsp/evoked/peak.h"

namespace remora::dsp {

// Intensities in one search: steps of 0.1 mA from 0 to 40 mA.
inline constexpr std::size_t kMaxIntensities = 401;

enum class ThresholdVerdict : std::uint8_t {
  kUndecided,        // nothing tried, or too little
  kFound,            // between two intensities that were tried
  kAtOrBelowLowest,  // the lowest that was tried responded: the threshold may be lower
  kNoResponse,       // nothing responded up to the highest tried: unverified, never "safe"
};

struct Threshold {
  ThresholdVerdict verdict = ThresholdVerdict::kUndecided;
  // In the units given: mA or V. With kFound and kAtOrBelowLowest.
  std::optional<double> value;
  std::optional<double> rising;
  std::optional<double> falling;
  // Highest that did not respond, below `value`; with kNoResponse the highest that was tried.
  std::optional<double> highest_without;
  // Somewhere above `value` an intensity did not respond: the curve is not one of a threshold.
  bool inconsistent = false;
  std::uint32_t trials = 0;
  std::uint32_t uncertain_trials = 0;

  // How far the true threshold may lie below `value`; 0 when nothing bounds it.
  double resolution() const {
    return value && highest_without ? *value - *highest_without : 0.0;
  }
};

class ThresholdSearch {
 public:
  // `step`: the stimulator's, in the unit of the intensities: 0.1 mA, 5 V.
  explicit ThresholdSearch(double step) : step_(step) {}

  // `intensity`: what was delivered, not what was asked for.
  // Errors: kInvalidArgument -> it is not finite or negative, or the step is not positive;
  // kResourceExhausted -> kMaxIntensities.
  absl::Status Add(double intensity, Presence presence);
  Threshold Current() const;
  void Reset() { *this = ThresholdSearch(step_); }

 private:
  struct Tried {
    std::uint32_t responded = 0;
    std::uint32_t silent = 0;
    bool responds() const { return responded > 0 && responded >= silent; }
  };

  // In steps.
  void NoteTurn(std::int64_t intensity, bool responded);
  double InUnits(std::int64_t steps) const { return step_ * static_cast<double>(steps); }

  double step_;
  std::map<std::int64_t, Tried> tried_;  // by steps
  std::optional<std::int64_t> last_intensity_;
  bool last_responded_ = false;
  std::optional<std::int64_t> rising_;
  std::optional<std::int64_t> falling_;
  std::uint32_t trials_ = 0;
  std::uint32_t uncertain_trials_ = 0;
};

}  // namespace remora::dsp
