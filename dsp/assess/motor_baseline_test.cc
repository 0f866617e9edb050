#include "dsp/assess/motor_baseline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace remora::dsp {
namespace {

std::vector<MotorBaselineTrial> Trials(const std::vector<double>& amplitudes_uv) {
  std::vector<MotorBaselineTrial> trials;
  for (const double uv : amplitudes_uv) trials.push_back({uv > 0, uv, uv > 0 ? 30.0 : 0.0});
  return trials;
}

TEST(MotorBaseline, IsTheMedianWithItsRange) {
  const auto baseline = MakeMotorBaseline(Trials({400, 300, 900}));
  ASSERT_TRUE(baseline.ok());
  EXPECT_EQ(baseline->amplitude_uv, 400);
  EXPECT_EQ(baseline->lowest_uv, 300);
  EXPECT_EQ(baseline->highest_uv, 900);
  EXPECT_EQ(baseline->latency_ms, 30);
  EXPECT_EQ(baseline->trials, 3);
  EXPECT_NEAR(baseline->cv, 0.603, 0.001);
  EXPECT_EQ(baseline->monitorability, Monitorability::kMonitorable);
  EXPECT_EQ(baseline->reason, "");
}

TEST(MotorBaseline, OfAWeakOrVariableMuscleSaysPresenceOnly) {
  const auto weak = MakeMotorBaseline(Trials({40, 45, 49}));
  EXPECT_EQ(weak->monitorability, Monitorability::kPresenceOnly);
  EXPECT_EQ(weak->reason, "median 45 uV, under 50 uV");
  const auto variable = MakeMotorBaseline(Trials({60, 70, 500, 80}));
  EXPECT_EQ(variable->monitorability, Monitorability::kPresenceOnly);
  EXPECT_EQ(variable->reason, "varies by 121 % from trial to trial, more than 80 %");
  const auto at_times = MakeMotorBaseline(Trials({200, 0, 210, 220}));
  EXPECT_EQ(at_times->monitorability, Monitorability::kPresenceOnly);
  EXPECT_EQ(at_times->reason, "absent in 1 of 4 trials");
}

TEST(MotorBaseline, AtTheLimitsIsMonitorable) {
  EXPECT_EQ(MakeMotorBaseline(Trials({50, 50, 50}))->monitorability, Monitorability::kMonitorable);
}

TEST(MotorBaseline, OfAnAbsentMuscleIsNotMonitorable) {
  const auto half = MakeMotorBaseline(Trials({200, 0, 0, 220}));
  EXPECT_EQ(half->monitorability, Monitorability::kNotMonitorable);
  EXPECT_EQ(half->reason, "absent in 2 of 4 trials");
  const auto none = MakeMotorBaseline(Trials({0, 0, 0}));
  EXPECT_EQ(none->monitorability, Monitorability::kNotMonitorable);
  EXPECT_EQ(none->amplitude_uv, 0);
  EXPECT_EQ(none->cv, 0);
}

TEST(MotorBaseline, NeedsThreeTrials) {
  const auto two = MakeMotorBaseline(Trials({200, 210}));
  EXPECT_EQ(two.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(two.status().message().find("at least 3"), absl::string_view::npos);
}

TEST(MotorBaseline, HostileAmplitudesAreRefused) {
  for (const double uv :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0}) {
    std::vector<MotorBaselineTrial> trials = Trials({200, 210, 220});
    trials[1].amplitude_uv = uv;
    EXPECT_FALSE(MakeMotorBaseline(trials).ok()) << uv;
  }
}

}  // namespace
}  // namespace remora::dsp
