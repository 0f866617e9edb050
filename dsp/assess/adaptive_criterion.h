// The adaptive criterion: a fall from what the response has lately been that clearly exceeds what
// it does from trial to trial. One a trace, or a limb.
//
//              suspect trial            enough for amber            enough for red
//   kNormal ------------------> (held) -----------------> kAmber ------------------> kRed
//      ^   <--- the next is none ---'                        |                         |
//      '----------------- Recover: back by more than chance -'-------------------------'
//
// At the first suspect trial the reference freezes (recent_reference.h), and thaws when the value
// is back or the suspect was alone. A level never falls because time passed. Pure,
// thread-compatible.
//
// Rules, each trial against the frozen or following reference:
//   suspect  fall >= least_fall_percent and deviation <= -suspect_spreads, or lost
//   amber    a suspect, where amber_after_one; or two suspects in a row whose deviations together
//            are <= -pair_spreads (their sum over the root of two)
//   red      two in a row with deviation <= -red_spreads each, or a loss (two in a row unless
//            amber_after_one: an average of 200 sweeps is no single trial); within four trials of
//            the first suspect, or a step down again from what came since: what only creeps on
//            below a frozen reference is for the drift and the absolute criterion
//   back     the mean of the last 2 to 5 trials lies over the limit of least_fall_percent by more
//            than chance: by back_spreads of its own error; of five, a mean that is as it was is
//            enough, however much the response varies
//
// Sources: MacDonald et al., ISIN 2019 (wording); the numbers are Remora's own, from the tables in
// docs/surveillance-performance.md.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "dsp/assess/fixed_criteria.h"
#include "dsp/assess/recent_reference.h"

namespace remora::dsp {

struct AdaptiveLimits {
  RecentReferenceLimits reference;
  double least_fall_percent = 30;  // 0 < x < 100
  double suspect_spreads = 3;      // > 0
  bool amber_after_one = true;
  double pair_spreads = 4.3;  // > 0
  double red_spreads = 3;     // > 0
  double back_spreads = 2.5;  // > 0
};

absl::Status ValidateLimits(const AdaptiveLimits& limits);

// A trial whose gate is passed: what cannot be judged is not offered.
struct AdaptiveTrial {
  std::int64_t time_ns = 0;
  double value =
      0;  // > 0, in microvolts or as a share; of a lost one: the most that noise would hide
  bool lost = false;
  double floor_spread = 0;  // that the trial's noise makes, in the scale's unit
  // False: it may raise a level; it lowers none, and no reference learns from it.
  bool like_for_like = true;
};

struct AdaptiveAssessment {
  AlertLevel level = AlertLevel::kNormal;
  AlertTransition transition = AlertTransition::kNone;
  bool suspect = false;
  // Nothing: there are too few recent trials, and nothing was judged.
  std::optional<RecentComparison> comparison;
  bool frozen = false;
  // The whole change came within three trials and two minutes.
  bool abrupt = false;
};

class AdaptiveCriterion {
 public:
  // The limits are valid.
  explicit AdaptiveCriterion(const AdaptiveLimits& limits)
      : limits_(limits), reference_(limits.reference) {}

  AdaptiveAssessment Update(const AdaptiveTrial& trial);
  void BeginStage(std::int64_t time_ns) { reference_.BeginStage(time_ns); }
  // A person resolved it: what comes from now on makes a new reference.
  void Restart();

  AlertLevel level() const { return level_; }
  bool is_frozen() const { return reference_.is_frozen(); }

 private:
  struct Judged {
    AdaptiveTrial trial;
    RecentComparison comparison;
    bool suspect = false;
  };
  bool IsSuspect(const AdaptiveTrial& trial, const RecentComparison& comparison) const;
  AlertLevel LevelOfNewest() const;
  bool IsStep() const;
  bool IsBack() const;

  AdaptiveLimits limits_;
  RecentReference reference_;
  AlertLevel level_ = AlertLevel::kNormal;
  std::deque<Judged> since_freeze_;  // oldest first; bounded
  int trials_since_freeze_ = 0;      // the first suspect is one
  std::optional<std::int64_t> last_normal_ns_;
};

}  // namespace remora::dsp
