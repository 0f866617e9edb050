// What the muscles of one limb say together, trial by trial: the absolute criterion of each against
// its baselines, and the adaptive and the drift criterion of the limb's index.
//
// The limb's index is the geometric mean of its monitorable muscles' amplitudes, each over its own
// baseline, and none under a sixth of it: 1 is as the baseline. It varies half as much as a muscle
// does, so an abrupt fall of 60 % shows in it within two trials where no single muscle is sure. A
// limb of one muscle has none.
//
//   trial --> each muscle against each of its baselines --> worst: absolute
//         '-> index --> adaptive_criterion.h, drift.h
//
// A muscle has up to three baselines, none of which another one replaces: the first, that of before
// incision, and the current one. All are judged.
//
// A baseline of five trials may lie a fifth too high. The drift criterion knows better: the first
// ten trials behind a baseline add to it.
//
// A single muscle that drops out once is no alert where muscles of this case have done so before
// and came back: it asks for the next trial (DropoutMemory). Two of a limb in one trial are.
//
// Pure, thread-compatible. Sources: single_trial_criterion.h, adaptive_criterion.h, drift.h.
#pragma once

#include <cstddef>
#include <cstdint>
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

// How often muscles of the case dropped out of one trial and were back in the next. One a case.
class DropoutMemory {
 public:
  void Note() { ++count_; }
  // So many that one more of a single muscle says little.
  bool is_prone() const { return count_ >= 2; }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

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
  std::vector<MuscleTrial> muscles;  // as many as the judge has
  // What is left by time alone, in percent (expected_fade.h): 100 is nothing known.
  double expected_percent = 100;
};

struct MuscleJudgement {
  bool judged = false;
  AlertLevel level = AlertLevel::kNormal;
  AlertTransition transition = AlertTransition::kNone;
  bool by_loss = false;
  bool suspect = false;
  size_t against = 0;  // the baseline that is worst, by its place
  // Against each baseline; of one that was not judged: nothing.
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

  // A baseline of a muscle, added to those it has; `place` 0 to 2 names it, and a later one of the
  // same place replaces it. kInvalidArgument -> a place, or a baseline that is not monitorable.
  absl::Status SetBaseline(size_t muscle, size_t place, const MotorBaseline& baseline);
  LimbJudgement Judge(const LimbTrial& trial);
  void BeginStage(std::int64_t time_ns);
  // A person resolved the limb's alert: what is there now is what the adaptive criterion goes on
  // from. The absolute one is not moved by it.
  void OnResolved();

  AlertLevel level() const { return level_; }

 private:
  static constexpr size_t kPlaces = 3;
  struct Muscle {
    std::optional<SingleTrialCriterion> against[kPlaces];
    TrialSpread spread;
    bool was_lost = false;
  };

  LimbJudge(const LimbRules& rules, size_t muscles, DropoutMemory& dropouts);
  MuscleJudgement JudgeMuscle(size_t muscle, const LimbTrial& trial, size_t lost_in_trial);
  void JudgeIndex(const LimbTrial& trial, LimbJudgement* judgement);

  LimbRules rules_;
  DropoutMemory& dropouts_;
  std::vector<Muscle> muscles_;
  std::optional<AdaptiveCriterion> adaptive_;
  std::optional<DriftCriterion> drift_;
  TrialSpread index_spread_;
  // Of the first trials behind the newest baseline.
  double early_sum_ = 0;
  int early_trials_ = 0;
  AlertLevel level_ = AlertLevel::kNormal;
};

}  // namespace remora::dsp
