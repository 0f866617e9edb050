// What surveillance promises of alarms, over hours that no test of one trial sees.
#include <gtest/gtest.h>

#include "tests/surveillance/criteria_figures.h"
#include "tests/surveillance/monitored_case.h"

namespace remora::surveillance {
namespace {

TEST(Criteria, UneventfulHoursAreQuiet) {
  const CriteriaFigures figures = Measure("uneventful", CaseSettings(), 50, 100);
  EXPECT_LE(figures.ambers_an_hour, 1.0);
  EXPECT_LE(figures.reds_in_ten_hours, 1.0);
}

TEST(Criteria, EveryRedLimitPassedTwiceInARowIsTold) {
  CaseSettings settings;
  settings.loss = Loss::kAbrupt;
  settings.loss_share = 0.1;
  settings.hours = 5;
  const CriteriaFigures figures = Measure("loss", settings, 100, 200);
  EXPECT_GT(figures.red_met, 1000);
  EXPECT_EQ(figures.red_met_told, figures.red_met);
  EXPECT_GE(figures.alert_in_two_trials, 0.98);
}

// Appendix C of the design: feet vary by 0.4.
CaseSettings OfFeet() {
  CaseSettings settings;
  settings.population.least_cv = 0.3;
  settings.population.most_cv = 0.4;
  settings.population.least_baseline_uv = 150;
  return settings;
}

TEST(Criteria, AFadeRaisesNoAdaptiveRed) {
  CaseSettings settings = OfFeet();
  settings.fade = true;
  settings.population.dropout_rate = 0;
  EXPECT_LE(Measure("fade", settings, 50, 300).cases_with_adaptive_red, 0);
}

TEST(Criteria, AnAbruptLossOfSixtyPercentWithinAFadeIsCaughtWithinTwoTrials) {
  CaseSettings settings = OfFeet();
  settings.fade = true;
  settings.loss = Loss::kAbrupt;
  settings.loss_share = 0.4;
  settings.loss_minutes = 300;
  EXPECT_GE(Measure("loss", settings, 100, 400).alert_in_two_trials, 0.97);
}

TEST(Criteria, OnePercentAMinuteIsDriftBeforeHalfIsGone) {
  CaseSettings settings = OfFeet();
  settings.population.most_cv = 0.3;
  settings.loss = Loss::kSlow;
  settings.trial_minutes = 3;
  settings.loss_minutes = 150;
  settings.hours = 4;
  EXPECT_GE(Measure("slow", settings, 100, 500).drift_before_half, 0.97);
}

TEST(Criteria, ASustainedLossNeverClearsItselfNorByARebaseline) {
  CaseSettings settings = OfFeet();
  settings.loss = Loss::kAbrupt;
  settings.loss_share = 0.4;
  settings.loss_minutes = 240;
  settings.hours = 6;
  settings.rebaseline_in_loss = true;
  settings.moves_an_hour = 0;
  int refused = 0;
  for (int seed = 0; seed < 50; ++seed) {
    const CaseOutcome outcome = RunCase(settings, 600 + static_cast<std::uint64_t>(seed));
    EXPECT_FALSE(outcome.cleared_itself) << seed;
    refused += outcome.rebaseline_refused ? 1 : 0;
  }
  EXPECT_EQ(refused, 50);
}

}  // namespace
}  // namespace remora::surveillance
