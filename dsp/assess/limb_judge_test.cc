#include "dsp/assess/limb_judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace remora::dsp {
namespace {

constexpr std::int64_t kMinute = std::int64_t{60} * 1'000'000'000;

MotorBaseline Baseline(double amplitude_uv) {
  MotorBaseline baseline;
  baseline.monitorability = Monitorability::kMonitorable;
  baseline.amplitude_uv = amplitude_uv;
  baseline.log_spread = 0.3;
  baseline.trials = 6;
  return baseline;
}

// A leg of four muscles of 400 uV.
class Leg {
 public:
  explicit Leg(size_t muscles = 4) {
    LimbRules rules;
    rules.adaptive = DefaultIndexLimits();
    rules.drift = DriftLimits();
    judge_ = *LimbJudge::Create(rules, muscles, dropouts_);
    for (size_t i = 0; i < muscles; ++i)
      EXPECT_TRUE(judge_->SetBaseline(i, BaselinePlace::kFirst, Baseline(400)).ok());
  }
  // Each in share of its baseline; 0 is lost, negative is not judged.
  LimbJudgement Next(const std::vector<double>& shares, bool like_for_like = true,
                     size_t lost_elsewhere = 0) {
    LimbTrial trial;
    trial.time_ns = time_ns_ += 3 * kMinute;
    for (const double share : shares) {
      MuscleTrial muscle;
      muscle.state = share > 0    ? MuscleState::kPresent
                     : share == 0 ? MuscleState::kLost
                                  : MuscleState::kNotJudged;
      muscle.amplitude_uv = share > 0 ? 400 * share : 15;
      muscle.like_for_like = like_for_like;
      trial.muscles.push_back(muscle);
    }
    trial.lost_elsewhere = lost_elsewhere;
    return judge_->Judge(trial);
  }
  void Warm(size_t muscles = 4) {
    for (int i = 0; i < 12; ++i) {
      const double wobble = i % 2 == 0 ? 0.9 : 1.1;
      ASSERT_EQ(Next(std::vector<double>(muscles, wobble)).level, AlertLevel::kNormal);
    }
  }
  LimbJudge& judge() { return *judge_; }
  DropoutMemory& dropouts() { return dropouts_; }

 private:
  DropoutMemory dropouts_;
  std::unique_ptr<LimbJudge> judge_;
  std::int64_t time_ns_ = 0;
};

TEST(LimbJudge, ALimbThatFallsBySixtyPercentIsFoundWithinTwoTrials) {
  Leg leg;
  leg.Warm();
  const LimbJudgement first = leg.Next({0.4, 0.4, 0.4, 0.4});
  EXPECT_TRUE(first.asks_for_repeat);
  const LimbJudgement second = leg.Next({0.4, 0.4, 0.4, 0.4});
  EXPECT_GE(second.level, AlertLevel::kAmber);
  EXPECT_GE(second.adaptive.level, AlertLevel::kAmber);
  EXPECT_NEAR(*second.index, 0.4, 1e-9);
}

TEST(LimbJudge, TheWorstOfItsMusclesIsItsAbsoluteLevel) {
  Leg leg;
  leg.Warm();
  EXPECT_EQ(leg.Next({1, 1, 0.05, 1}).absolute, AlertLevel::kAmber);
  const LimbJudgement second = leg.Next({1, 1, 0.05, 1});
  EXPECT_EQ(second.absolute, AlertLevel::kRed);
  EXPECT_EQ(second.muscles[2].level, AlertLevel::kRed);
  EXPECT_EQ(second.muscles[0].level, AlertLevel::kNormal);
  EXPECT_EQ(second.transition, AlertTransition::kEscalated);
}

TEST(LimbJudge, EveryBaselineIsJudgedAndALaterOneHidesNothing) {
  Leg leg;
  leg.Warm();
  // The current one is half of the first: what is a third of it is a sixth of the first.
  for (size_t i = 0; i < 4; ++i)
    ASSERT_TRUE(leg.judge().SetBaseline(i, BaselinePlace::kCurrent, Baseline(200)).ok());
  leg.Next({0.16, 1, 1, 1});
  const LimbJudgement judgement = leg.Next({0.16, 1, 1, 1});
  EXPECT_EQ(judgement.muscles[0].level, AlertLevel::kRed);
  EXPECT_EQ(judgement.muscles[0].against, BaselinePlace::kFirst);
  EXPECT_NEAR(judgement.muscles[0].against_each[0].amplitude_percent_of_baseline, 16, 1e-9);
  EXPECT_NEAR(judgement.muscles[0].against_each[2].amplitude_percent_of_baseline, 32, 1e-9);
}

TEST(LimbJudge, ADropoutWhereDropoutsAreKnownAsksForTheNextTrial) {
  Leg leg;
  leg.Warm();
  leg.dropouts().Note(0);
  leg.dropouts().Note(0);
  const LimbJudgement alone = leg.Next({0, 1, 1, 1});
  EXPECT_EQ(alone.level, AlertLevel::kNormal);
  EXPECT_TRUE(alone.asks_for_repeat);
  EXPECT_EQ(leg.Next({0, 1, 1, 1}).level, AlertLevel::kRed);
}

TEST(LimbJudge, TwoMusclesLostAtOnceCallWhateverDropoutsAreKnown) {
  Leg leg;
  leg.Warm();
  leg.dropouts().Note(0);
  leg.dropouts().Note(0);
  EXPECT_EQ(leg.Next({0, 0, 1, 1}).level, AlertLevel::kAmber);
}

TEST(LimbJudge, RemembersADropoutOfTheCase) {
  Leg leg;
  leg.Warm();
  const auto is_prone = [&] { return leg.dropouts().IsProne(60 * kMinute); };
  for (int i = 0; i < 2; ++i) {
    leg.Next({1, 0, 1, 1});
    EXPECT_FALSE(is_prone());
    for (int j = 0; j < 5; ++j) leg.Next({1, 1, 1, 1});
  }
  EXPECT_TRUE(is_prone());
  EXPECT_FALSE(leg.dropouts().IsProne(300 * kMinute));  // hours ago
}

TEST(LimbJudge, ALossThatLastedIsNoDropout) {
  Leg leg;
  leg.Warm();
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) leg.Next({1, 0, 1, 1});
    for (int j = 0; j < 6; ++j) leg.Next({1, 1, 1, 1});
  }
  EXPECT_FALSE(leg.dropouts().IsProne(60 * kMinute));
}

TEST(LimbJudge, WhatIsNotJudgedHoldsItsLevel) {
  Leg leg;
  leg.Warm();
  leg.Next({0, 0, 0, 0});
  ASSERT_EQ(leg.Next({0, 0, 0, 0}).level, AlertLevel::kRed);
  for (int i = 0; i < 10; ++i) {
    const LimbJudgement judgement = leg.Next({-1, -1, -1, -1});
    EXPECT_EQ(judgement.level, AlertLevel::kRed);
    EXPECT_FALSE(judgement.muscles[0].judged);
    EXPECT_FALSE(judgement.index.has_value());
  }
}

TEST(LimbJudge, ASlowLossIsDriftBeforeHalfIsGone) {
  Leg leg;
  leg.Warm();
  AlertLevel drift = AlertLevel::kNormal;
  double share = 1;
  while (drift == AlertLevel::kNormal && share > 0.3) {
    share -= 0.03;
    drift = leg.Next(std::vector<double>(4, share)).drift.level;
  }
  EXPECT_GT(share, 0.5);
}

TEST(LimbJudge, WhatTimeTakesAwayIsNoDrift) {
  LimbRules rules;
  rules.drift = DriftLimits();
  DropoutMemory dropouts;
  auto judge = *LimbJudge::Create(rules, 2, dropouts);
  for (size_t i = 0; i < 2; ++i)
    ASSERT_TRUE(judge->SetBaseline(i, BaselinePlace::kFirst, Baseline(400)).ok());
  for (int i = 0; i < 120; ++i) {
    LimbTrial trial;
    trial.time_ns = i * 3 * kMinute;
    trial.expected_percent = 100 - 37.0 * i / 120;
    const double uv = 4 * trial.expected_percent * (i % 2 == 0 ? 0.9 : 1.1);
    trial.muscles = {{MuscleState::kPresent, uv, true}, {MuscleState::kPresent, uv, true}};
    EXPECT_EQ(judge->Judge(trial).drift.level, AlertLevel::kNormal) << i;
  }
}

TEST(LimbJudge, OfOneMuscleHasNoIndex) {
  Leg leg(1);
  leg.Warm(1);
  EXPECT_FALSE(leg.Next({0.5}).index.has_value());
}

TEST(LimbJudge, APersonWhoResolvesDoesNotMoveTheAbsoluteCriterion) {
  Leg leg;
  leg.Warm();
  leg.Next({0.1, 0.1, 0.1, 0.1});
  ASSERT_EQ(leg.Next({0.1, 0.1, 0.1, 0.1}).level, AlertLevel::kRed);
  leg.judge().OnResolved();
  const LimbJudgement judgement = leg.Next({0.1, 0.1, 0.1, 0.1});
  EXPECT_EQ(judgement.absolute, AlertLevel::kRed);
  EXPECT_EQ(judgement.adaptive.level, AlertLevel::kNormal);
}

// A stronger stimulus brings the response back: it does not show that the cord is well.
TEST(LimbJudge, WhatIsNotLikeForLikeClearsNothingAndTeachesNothing) {
  Leg leg;
  leg.Warm();
  for (int i = 0; i < 4; ++i) leg.Next({0.3, 0.3, 0.3, 0.3});
  const AlertLevel adaptive = leg.Next({0.3, 0.3, 0.3, 0.3}).adaptive.level;
  ASSERT_GE(adaptive, AlertLevel::kAmber);
  for (int i = 0; i < 20; ++i) {
    const LimbJudgement judgement = leg.Next({1, 1, 1, 1}, /*like_for_like=*/false);
    EXPECT_EQ(judgement.adaptive.level, adaptive) << i;
    EXPECT_NE(judgement.level, AlertLevel::kNormal) << i;
  }
  EXPECT_GE(leg.Next({0.3, 0.3, 0.3, 0.3}).adaptive.level, adaptive);
}

TEST(LimbJudge, ALossRightBehindABaselineIsNotLearnt) {
  for (const double share : {0.5, 0.6, 0.65}) {
    Leg leg;
    for (int i = 0; i < 3; ++i) leg.Next({1, 1, 1, 1});
    bool raised = false;
    for (int i = 0; i < 60; ++i) {
      const AlertLevel drift = leg.Next({share, share, share, share}).drift.level;
      EXPECT_TRUE(!raised || drift == AlertLevel::kAmber) << share << " " << i;
      raised = raised || drift == AlertLevel::kAmber;
    }
    EXPECT_TRUE(raised) << share;
  }
}

TEST(LimbJudge, NoBaselineIsSetWhileAnAlertIsOnOrOverOneThatIsKept) {
  Leg leg;
  leg.Warm();
  EXPECT_EQ(leg.judge().SetBaseline(0, BaselinePlace::kFirst, Baseline(100)).code(),
            absl::StatusCode::kFailedPrecondition);
  leg.Next({0.05, 1, 1, 1});
  leg.Next({0.05, 1, 1, 1});
  for (const BaselinePlace place : {BaselinePlace::kPreIncision, BaselinePlace::kCurrent}) {
    EXPECT_EQ(leg.judge().SetBaseline(0, place, Baseline(20)).code(),
              absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(leg.Next({0.05, 1, 1, 1}).level, AlertLevel::kRed);
}

// Five of -15 % are -56 %.
TEST(LimbJudge, ReBaselinesHideNoDrift) {
  Leg leg;
  leg.Warm();
  double share = 1;
  AlertLevel drift = AlertLevel::kNormal;
  for (int step = 0; step < 5 && drift == AlertLevel::kNormal; ++step) {
    share *= 0.85;
    for (int i = 0; i < 6; ++i) {
      drift = std::max(drift, leg.Next(std::vector<double>(4, share)).drift.level);
    }
    for (size_t i = 0; i < 4; ++i) {
      (void)leg.judge().SetBaseline(i, BaselinePlace::kCurrent, Baseline(400 * share));
    }
  }
  EXPECT_EQ(drift, AlertLevel::kAmber);
  EXPECT_GT(share, 0.5);
}

TEST(LimbJudge, WhatIsNoLongerThereDoesNotMakeTheRestWell) {
  Leg leg;
  leg.Warm();
  AlertLevel adaptive = AlertLevel::kNormal;
  for (int i = 0; i < 4; ++i) adaptive = leg.Next({0, 0, 1, 1}).adaptive.level;
  ASSERT_GE(adaptive, AlertLevel::kAmber);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(leg.Next({-1, -1, 1, 1}).adaptive.level, adaptive) << i;
  }
}

TEST(LimbJudge, AMuscleThatFlickersKeepsItsLimits) {
  Leg leg;
  leg.Warm();
  for (int i = 0; i < 40; ++i) leg.Next({i % 2 == 0 ? 0.1 : 1.0, 1, 1, 1});
  leg.Next({0.1, 1, 1, 1});
  EXPECT_EQ(leg.Next({0.1, 1, 1, 1}).muscles[0].level, AlertLevel::kRed);
}

TEST(LimbJudge, ALossOfMusclesOfTwoLimbsInOneTrialCalls) {
  Leg leg;
  leg.Warm();
  leg.dropouts().Note(0);
  leg.dropouts().Note(0);
  EXPECT_EQ(leg.Next({0, 1, 1, 1}, true, /*lost_elsewhere=*/1).level, AlertLevel::kAmber);
}

TEST(LimbJudge, SaysWhenAMuscleRecovers) {
  Leg leg;
  leg.Warm();
  leg.Next({0.05, 1, 1, 1});
  leg.Next({0.05, 1, 1, 1});
  bool recovered = false;
  for (int i = 0; i < 6; ++i) {
    recovered =
        recovered || leg.Next({1, 1, 1, 1}).muscles[0].transition == AlertTransition::kRecovered;
  }
  EXPECT_TRUE(recovered);
}

TEST(LimbJudge, HostileTrialsAreNotJudged) {
  Leg leg;
  leg.Warm();
  LimbTrial trial;
  trial.time_ns = 100 * kMinute;
  EXPECT_FALSE(leg.judge().Judge(trial).muscles[3].judged);  // fewer muscles than it has
  trial.muscles.assign(4, {MuscleState::kPresent, std::nan(""), true});
  trial.expected_percent = -1;
  EXPECT_FALSE(leg.judge().Judge(trial).muscles[0].judged);
  trial.muscles.assign(4, {MuscleState::kPresent, 0, true});
  EXPECT_FALSE(leg.judge().Judge(trial).index.has_value());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(leg.Next({1, 1, 1, 1}).level, AlertLevel::kNormal);
  for (int i = 0; i < 30; ++i) leg.Next({0.6, 0.6, 0.6, 0.6});
  EXPECT_EQ(leg.Next({0.6, 0.6, 0.6, 0.6}).drift.level, AlertLevel::kAmber);
}

TEST(LimbJudge, HostileRulesAndBaselinesAreRefused) {
  DropoutMemory dropouts;
  EXPECT_FALSE(LimbJudge::Create({}, 0, dropouts).ok());
  LimbRules rules;
  rules.absolute.red_fall_percent = -1;
  EXPECT_FALSE(LimbJudge::Create(rules, 1, dropouts).ok());
  auto judge = *LimbJudge::Create({}, 1, dropouts);
  EXPECT_FALSE(judge->SetBaseline(1, BaselinePlace::kFirst, Baseline(400)).ok());
  EXPECT_FALSE(judge->SetBaseline(0, BaselinePlace::kFirst, MotorBaseline()).ok());
}

}  // namespace
}  // namespace remora::dsp
