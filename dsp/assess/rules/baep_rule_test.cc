#include "dsp/assess/rules/baep_rule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remora::dsp {
namespace {

BaepAverage Average(double rise_ms, double fall_percent) {
  return {true, true, rise_ms, fall_percent};
}

TEST(BaepRule, LatencyAloneIsAmberHoweverLate) {
  BaepRule rule;
  EXPECT_EQ(rule.Update(Average(0.4, 0)).level, AlertLevel::kNormal);
  EXPECT_EQ(rule.Update(Average(0.5, 0)).level, AlertLevel::kAmber);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(rule.Update(Average(1.2, 10)).level, AlertLevel::kAmber);
  EXPECT_EQ(rule.Update(Average(3, 0)).level, AlertLevel::kAmber);
}

TEST(BaepRule, AmplitudeIsRedInTwoAveragesInARow) {
  BaepRule rule;
  EXPECT_EQ(rule.Update(Average(0, 29)).level, AlertLevel::kNormal);
  EXPECT_EQ(rule.Update(Average(0, 55)).level, AlertLevel::kAmber);
  EXPECT_EQ(rule.Update(Average(0, 40)).level, AlertLevel::kAmber);
  EXPECT_EQ(rule.Update(Average(0, 55)).level, AlertLevel::kAmber);
  const BaepAssessment second = rule.Update(Average(1.1, 50));
  EXPECT_EQ(second.level, AlertLevel::kRed);
  EXPECT_EQ(second.transition, AlertTransition::kEscalated);
  EXPECT_EQ(second.words, "V +1.1 ms, -50 %");
}

TEST(BaepRule, ALostWaveFiveIsRed) {
  BaepRule rule;
  EXPECT_EQ(rule.Update({true, false, 0, 0}).level, AlertLevel::kRed);
}

TEST(BaepRule, WithoutWaveOneItIsTheEarAndAmber) {
  BaepRule rule;
  const BaepAssessment result = rule.Update({false, false, 0, 0});
  EXPECT_EQ(result.level, AlertLevel::kAmber);
  EXPECT_NE(result.words.find("wave I"), std::string::npos);
}

TEST(BaepRule, EasesAfterTwoAveragesWithinLimits) {
  BaepRule rule;
  rule.Update({true, false, 0, 0});
  EXPECT_EQ(rule.Update(Average(0, 0)).level, AlertLevel::kRed);
  const BaepAssessment back = rule.Update(Average(0, 0));
  EXPECT_EQ(back.level, AlertLevel::kNormal);
  EXPECT_EQ(back.transition, AlertTransition::kRecovered);
}

// A lost wave I tells nothing of wave V.
TEST(BaepRule, ALostWaveOneLowersNoRed) {
  BaepRule rule;
  rule.Update({true, false, 0, 0});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rule.Update({false, false, 0, 0}).level, AlertLevel::kRed);
}

TEST(BaepRule, HostileNumbersNeitherRaiseNorLower) {
  BaepRule rule;
  EXPECT_EQ(rule.Update(Average(std::nan(""), std::nan(""))).level, AlertLevel::kNormal);
  rule.Update({true, false, 0, 0});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rule.Update(Average(std::nan(""), 0)).level, AlertLevel::kRed);
  }
}

}  // namespace
}  // namespace remora::dsp
