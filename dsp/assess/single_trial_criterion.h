// The absolute criterion of responses that are single trials: muscles. One a muscle and baseline.
//
// A muscle's amplitude differs from trial to trial by half and more, so one small response means
// little, and a limit in percent alone would alarm all day. A fall counts when it passes the limit
// *and* what the muscle does anyway; a deep one calls at once and is confirmed by the next trial.
//
//   kNormal --- one deep trial, or a run of fallen ones, beyond chance -> kAmber
//   kNormal or kAmber --- two deep trials in a row ----------------> kRed
//   kAmber, kRed --- 3 to 8 trials in a row, back beyond chance ---> kNormal
//
// fallen: at or beyond the amber limit. past red: at or beyond the red limit, or lost. deep: past
// red, and by red_spreads of the muscle's own spread. In a row means of trials that can be judged.
// A run of two to ten fallen ones is beyond chance when its mean is, by run_spreads of its error:
// that of the trials, correlated as they are, and that of the baseline.
//
// Invariants:
// 1. Two deep trials in a row are red, whatever came before, and two that are past red are amber at
//    least, however much the muscle varies: a red limit that is passed is told within two trials.
// 2. A level never falls because time passed, and one good trial lowers nothing: a muscle at 40 %
//    of its baseline comes up to 60 % by chance. Eight that are as they were always lower it.
// 3. A muscle that is presence-only has no limits of amplitude. Its loss, and that of a muscle
// whose
//    own variation has come to reach down to the noise, is red when it lasts longer than its own
//    dropouts make likely; a loss that goes on teaches nothing of them.
// 4. A dropout of a muscle that has had one before, and came back, raises nothing by itself: it is
//    `suspect`, which asks for the next trial. The second in a row is red as ever.
// 5. A trial that is not like for like may raise a level and never lowers one.
//
// Sources: limits come from the criteria file; that two trials confirm: MacDonald et al., ASNM 2013
// ("2 consecutive attempts"); spreads are Remora's own, from docs/surveillance-performance.md.
//
// Pure, thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dsp/assess/fixed_criteria.h"
#include "dsp/assess/motor_baseline.h"

namespace remora::dsp {

struct SingleTrialLimits {
  // Fall from the baseline; 0 < amber < red <= 100. Without a red limit, loss alone is red.
  std::optional<double> amber_fall_percent = 50;
  std::optional<double> red_fall_percent = 80;
  // False: a loss is no more than amber (root and cauda: a muscle is one root).
  bool loss_is_red = true;
  double single_spreads = 3.3;                // one deep trial alone, this far out: amber
  double run_spreads = 3.8;                   // a run of fallen trials, of its mean's error: amber
  double red_spreads = kBeyondChanceSpreads;  // a deep trial: at least this far out
  double back_spreads = 2.3;                  // a return: so much of its mean's error
};

absl::Status ValidateLimits(const SingleTrialLimits& limits);

struct SingleTrial {
  // Peak to peak, in microvolts, > 0; of a lost one: the most that its noise would hide.
  double amplitude_uv = 0;
  bool lost = false;
  bool like_for_like = true;
  // A loss of one trial alone raises nothing: muscles of this case drop out at times.
  bool may_be_dropout = false;
  // Standard deviation of one trial's logarithm, from the case; 0: not known, the baseline's holds.
  double log_spread = 0;
};

struct SingleTrialAssessment {
  double amplitude_percent_of_baseline = 0;
  double deviation = 0;  // from the baseline, in spreads; negative: smaller
  AlertLevel level = AlertLevel::kNormal;
  AlertTransition transition = AlertTransition::kNone;
  bool deep = false;
  // Worth another trial at once: a deep one that nothing has confirmed yet.
  bool suspect = false;
  // The level rests on a loss, not on a fall.
  bool by_loss = false;
  // Where one more trial would count towards amber and towards red, as much as it varies now; 0:
  // no such limit.
  double amber_under_uv = 0;
  double red_under_uv = 0;
};

class SingleTrialCriterion {
 public:
  // kInvalidArgument -> limits, or a baseline without a response (kNotMonitorable).
  static absl::StatusOr<SingleTrialCriterion> Create(const SingleTrialLimits& limits,
                                                     const MotorBaseline& baseline);

  // A trial that can be judged; others are not offered.
  SingleTrialAssessment Update(const SingleTrial& trial);

  // As after trials that led to this level: what an earlier life of the program had found.
  void Hold(AlertLevel level) { level_ = level; }
  AlertLevel level() const { return level_; }
  const MotorBaseline& baseline() const { return baseline_; }
  const SingleTrialLimits& limits() const { return limits_; }

 private:
  struct Judged {
    double log_ratio = 0;
    double own_spread = 0;  // of one trial
    double spread = 0;      // with the baseline's error
    bool fallen = false;
    bool past_red = false;  // of the limit alone
    bool deep = false;
    bool lost = false;
    bool like_for_like = true;
    bool may_be_dropout = false;
  };
  SingleTrialCriterion(const SingleTrialLimits& limits, const MotorBaseline& baseline)
      : limits_(limits), baseline_(baseline) {}
  Judged Judge(const SingleTrial& trial) const;
  AlertLevel LevelOfRun(bool* by_loss) const;
  // Whether losses at the end are more than this muscle's own dropouts make likely, by `chance`.
  bool IsLossBeyondDropouts(double chance) const;
  bool IsRunBeyondChance() const;
  bool IsBack() const;
  void LearnDropouts();

  SingleTrialLimits limits_;
  MotorBaseline baseline_;
  AlertLevel level_ = AlertLevel::kNormal;
  bool by_loss_ = false;
  std::deque<Judged> newest_;  // bounded; the newest last
  int loss_run_ = 0;           // lost in a row, up to now
  int trials_ = 0;             // judged while normal, but for a loss that goes on
  int dropouts_ = 0;           // of them: lost, and back at the next
};

}  // namespace remora::dsp
