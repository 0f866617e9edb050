// What a response has lately been: middle and spread of its recent accepted trials. The reference
// of the adaptive criterion (adaptive_criterion.h).
//
//   following --- Freeze: first suspect trial ---> frozen --- Thaw: the value is back --->
//   following
//                                                    '------- Restart: a person judged ---> empty
//
// Pure, thread-compatible. Of all trials up to the judged one, the two newest (that one and the one
// before it) are left out, so that a fall is not compared with itself. The rest is bounded in
// number and in time; a frozen reference keeps what it held, however long it lasts: otherwise a
// sustained loss would become its own reference.
//
// The spread is the largest of: that of the recent trials, that of all trials of the case, and a
// floor; so that eight trials that happen to agree do not make the ninth an alarm.
//
// Source: MacDonald et al., ISIN recommendations on SEP, 2019 (recent values, trial-to-trial
// variability); the numbers are Remora's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "dsp/assess/trial_spread.h"

namespace remora::dsp {

enum class AmplitudeScale : std::uint8_t {
  kLinear,
  kLogarithmic,  // what varies by a factor: muscles
};

struct RecentReferenceLimits {
  AmplitudeScale scale = AmplitudeScale::kLinear;
  int trials = 10;          // most that are looked at; > newest_left_out
  int newest_left_out = 2;  // >= 1; the judged trial is one of them
  int least_trials = 5;     // fewer are no reference; >= 2
  // How far back, from the judged trial; but never fewer than `least_trials` where they are there
  // and `span_keeps_least`.
  std::int64_t span_ns = std::int64_t{30} * 60 * 1'000'000'000;
  bool span_keeps_least = false;
  // In the scale's unit: microvolts, or logarithm (0.1 is 10 %). > 0
  double least_spread = 0.1;
};

absl::Status ValidateLimits(const RecentReferenceLimits& limits);

struct RecentComparison {
  double centre = 0;        // in the unit of the values
  double spread = 0;        // in the scale's unit
  double deviation = 0;     // of the trial from the centre, in spreads; negative: smaller
  double fall_percent = 0;  // of the trial from the centre
  int trials = 0;           // that the centre rests on
};

class RecentReference {
 public:
  // The limits are valid.
  explicit RecentReference(const RecentReferenceLimits& limits) : limits_(limits) {}

  // Nothing: too few trials. `value` > 0 (of a lost response: what noise would hide);
  // `floor_spread`, in the scale's unit, is what the trial's own noise makes of the spread.
  std::optional<RecentComparison> Compare(double value, double floor_spread,
                                          std::int64_t time_ns) const;
  // An accepted trial that is no suspect; ignored while frozen. Times do not go back.
  void Accept(double value, std::int64_t time_ns);
  // A stage of risk begins: older trials are left out from now on (with `span_keeps_least`, as far
  // as `least_trials` allow). Not while frozen: what was before the change stays the reference.
  void BeginStage(std::int64_t time_ns);

  void Freeze(std::int64_t time_ns);
  void Thaw() { frozen_at_ns_.reset(); }
  void Restart();
  bool is_frozen() const { return frozen_at_ns_.has_value(); }

 private:
  struct Trial {
    std::int64_t time_ns = 0;
    double value = 0;  // in the scale's unit
  };
  double Scaled(double value) const;

  RecentReferenceLimits limits_;
  std::deque<Trial> trials_;
  TrialSpread case_spread_;
  std::int64_t stage_began_ns_ = std::numeric_limits<std::int64_t>::min();
  std::optional<std::int64_t> frozen_at_ns_;
};

}  // namespace remora::dsp
