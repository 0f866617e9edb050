// What the muscles of one limb say together, trial by trial: the absolute criterion of each against
// its baselines, and the adaptive and the drift criterion of the limb's index.
//
// The limb's index is the geometric mean of its monitorable muscles' amplitudes, each over one
// baseline (that of before incision, or else the first), and none under a sixth of it: 1 is as the
// baseline. It varies half as much as a muscle does, so an abrupt fall of 60 % shows in it within
// two trials where no single muscle is sure. A limb of one muscle has none.
//
//   trial --> each muscle against each of its baselines --> worst: absolute
//         '-> index --> adaptive_criterion.h, drift.h
//
// A muscle has up to three baselines: the first and that of before incision, which are set once,
// and the current one. All are judged; a current one moves neither index nor drift, so that five
// re-baselines hide nothing. None is set while an alert is on.
//
// A baseline of five trials may lie a fifth too high. The drift criterion knows better: the first
// ten trials behind a baseline add to it, as long as nothing is suspect.
//
// A trial that is not like for like, or that lacks a muscle which was there when the reference
// froze, may raise a level, lowers none, and teaches nothing.
//
// A single muscle that drops out once is no alert where muscles of this case have done so before
// and came back: it asks for the next trial (DropoutMemory). Two muscles in one trial are.
//
// Pure, thread-compatible. Sources: single_trial_criterion.h, adaptive_criterion.h, drift.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dsp/assess/adaptive_criterion.h"
#include "dsp/assess/drift.h"
#include "dsp/assess/fixed_criteria.h"
#include "dsp/assess/motor_baseline.h"
#include "dsp/assess/single_trial_criterion.h"
#include "dsp/assess/trial_spread.h"

namespace remora::dsp {

// How often muscles of the case lately dropped out of one trial and were back in the next. One a
// case.
class DropoutMemory {
 public:
  void Note(std::int64_t time_ns);
  // So many that one more of a single muscle says little.
  bool IsProne(std::int64_t time_ns) const;

 private:
  std::deque<std::int64_t> times_ns_;  // the newest two
};

enum class BaselinePlace : std::uint8_t { kFirst, kPreIncision, kCurrent };
inline constexpr size_t kBaselinePlaces = 3;

struct LimbRules {
  SingleTrialLimits absolute;
  std::optional<AdaptiveLimits> adaptive;  // of the index
  std::optional<DriftLimits> drift;
};

// The adaptive limits of a limb's index: two trials in a row, as single ones vary too much.
AdaptiveLimits DefaultIndexLimits();

enum class MuscleState : std::uint8_t { kNotJudged, kPresent, kLost };

struct MuscleTrial {
  MuscleState state = MuscleState::kNotJudged;
  // Peak to peak, > 0; of a lost one: the most that its noise would hide.
  double amplitude_uv = 0;
  bool like_for_like = true;
};

struct LimbTrial {
  std::int64_t time_ns = 0;
  // In the judge's order. One that is left out, or whose amplitude is no positive number, is not
  // judged.
  std::vector<MuscleTrial> muscles;
  // Muscles of other limbs that are lost in the same trial.
  size_t lost_elsewhere = 0;
  // What time alone leaves of what was there at the index's baseline, in percent (expected_fade.h);
  // 100, or what is no positive number: nothing is known.
  double expected_percent = 100;
};

struct MuscleJudgement {
  bool judged = false;
  AlertLevel level = AlertLevel::kNormal;
  AlertTransition transition = AlertTransition::kNone;
  bool by_loss = false;
  bool suspect = false;
  BaselinePlace against = BaselinePlace::kFirst;  // the worst
  // By place; of a place without a baseline: nothing.
  std::vector<SingleTrialAssessment> against_each;
};

struct LimbJudgement {
  AlertLevel level = AlertLevel::kNormal;  // the worst of what follows
  AlertTransition transition = AlertTransition::kNone;
  AlertLevel absolute = AlertLevel::kNormal;  // of the worst muscle
  std::vector<MuscleJudgement> muscles;
  std::optional<double> index;  // of this trial; nothing: fewer than two muscles judged
  AdaptiveAssessment adaptive;
  DriftAssessment drift;
  // Something may be wrong that another trial would confirm.
  bool asks_for_repeat = false;
};

class LimbJudge {
 public:
  // `dropouts` outlives it. kInvalidArgument -> a rule's limits, or no muscle.
  static absl::StatusOr<std::unique_ptr<LimbJudge>> Create(const LimbRules& rules, size_t muscles,
                                                           DropoutMemory& dropouts);

  // kFailedPrecondition -> the limb has an alert that nobody has resolved, or a suspect trial that
  // nothing has settled: a baseline would hide it.
  absl::Status CanSetBaseline() const;
  // A baseline of a muscle. As CanSetBaseline; kInvalidArgument -> no such muscle, or one that
  // nothing can be compared with. kFailedPrecondition -> the first or that of before incision is
  // there already.
  absl::Status SetBaseline(size_t muscle, BaselinePlace place, const MotorBaseline& baseline);
  LimbJudgement Judge(const LimbTrial& trial);
  void BeginStage(std::int64_t time_ns);
  // A person resolved the limb's alert: what is there now is what the adaptive criterion goes on
  // from. The absolute one is not moved by it.
  void OnResolved();
  // As after trials that led to these levels: what an earlier life of the program had found. After
  // the baselines.
  void Hold(size_t muscle, AlertLevel level);
  void HoldDrift(AlertLevel level);

  AlertLevel level() const { return level_; }

 private:
  struct Muscle {
    std::optional<SingleTrialCriterion> against[kBaselinePlaces];
    TrialSpread spread;
    int lost_in_a_row = 0;
    int since_deep = 0;  // trials
    AlertLevel level = AlertLevel::kNormal;
  };
  struct Index {
    double logarithm = 0;
    std::vector<bool> muscles;  // that it rests on
    size_t count = 0;
    size_t lost = 0;
    int baseline_trials = 0;  // of the fewest
    bool like_for_like = true;
  };

  LimbJudge(const LimbRules& rules, size_t muscles, DropoutMemory& dropouts);
  MuscleJudgement JudgeMuscle(size_t muscle, const LimbTrial& trial, size_t lost_in_trial);
  void LearnFrom(const MuscleTrial& seen, const MuscleJudgement& judgement, std::int64_t time_ns,
                 Muscle* muscle);
  Index IndexOf(const LimbTrial& trial) const;
  bool LacksMuscles(const Index& index) const;
  void JudgeIndex(const LimbTrial& trial, LimbJudgement* judgement);

  LimbRules rules_;
  DropoutMemory& dropouts_;
  std::vector<Muscle> muscles_;
  std::optional<AdaptiveCriterion> adaptive_;
  std::optional<DriftCriterion> drift_;
  TrialSpread index_spread_;
  std::vector<bool> index_muscles_;  // of the last index before anything was suspect
  // Of the first trials behind the index's baseline.
  double early_sum_ = 0;
  int early_trials_ = 0;
  AlertLevel level_ = AlertLevel::kNormal;
  bool resolved_ = false;  // by a person, at this level
};

}  // namespace remora::dsp
