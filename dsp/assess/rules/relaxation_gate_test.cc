#include "dsp/assess/rules/relaxation_gate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remora::dsp {
namespace {

constexpr std::int64_t kMinute = std::int64_t{60} * 1'000'000'000;
constexpr std::int64_t kDue = 15 * kMinute;

RelaxationGate Gate(int twitches, double ratio, std::int64_t age_ns = kMinute) {
  return GateOf(TwitchCount{twitches, ratio, age_ns, true}, kDue);
}

TEST(RelaxationGate, FollowsTheTwitches) {
  const struct {
    int twitches;
    double ratio;
    GateState motor_evoked, muscle;
  } cases[] = {
      {4, 0.95, GateState::kValid, GateState::kValid},
      {4, 0.7, GateState::kValid, GateState::kValid},
      {4, 0.69, GateState::kSameRelaxationOnly, GateState::kNotInterpretable},
      {4, std::nan(""), GateState::kSameRelaxationOnly, GateState::kNotInterpretable},
      {3, 0, GateState::kSameRelaxationOnly, GateState::kNotInterpretable},
      {2, 0, GateState::kSameRelaxationOnly, GateState::kNotInterpretable},
      {1, 0, GateState::kNotInterpretable, GateState::kNotInterpretable},
      {0, 0, GateState::kNotInterpretable, GateState::kNotInterpretable},
  };
  for (const auto& one : cases) {
    const RelaxationGate gate = Gate(one.twitches, one.ratio);
    EXPECT_EQ(gate.motor_evoked, one.motor_evoked) << one.twitches << " " << one.ratio;
    EXPECT_EQ(gate.muscle, one.muscle) << one.twitches << " " << one.ratio;
  }
}

TEST(RelaxationGate, WhatIsOverdueOrElsewhereGatesNothing) {
  const RelaxationGate overdue = Gate(0, 0, kDue + 1);
  EXPECT_EQ(overdue.motor_evoked, GateState::kNotKnown);
  EXPECT_EQ(overdue.words, "TOF 0/4, 15 min ago: overdue");
  EXPECT_EQ(Gate(0, 0, kDue).motor_evoked, GateState::kNotInterpretable);
  EXPECT_EQ(Gate(0, 0, -1).motor_evoked, GateState::kNotKnown);
  EXPECT_EQ(GateOf(TwitchCount{0, 0, 0, false}, kDue).muscle, GateState::kNotKnown);
  EXPECT_EQ(GateOf(std::nullopt, kDue).words, "no train-of-four");
}

TEST(RelaxationGate, SaysWhatItRestsOn) {
  EXPECT_EQ(Gate(4, 0.9, 3 * kMinute).words, "TOF 4/4, ratio 0.90, 3 min ago");
  EXPECT_EQ(Gate(2, 0, 3 * kMinute).words, "TOF 2/4, 3 min ago");
}

}  // namespace
}  // namespace remora::dsp
