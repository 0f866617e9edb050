// What the cause differential promises, over changes whose cause is known.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "acquisition-agent/plan/cause_file.h"
#include "dsp/assess/causes/feature.h"
#include "tests/surveillance/cause_figures.h"
#include "tests/surveillance/simulated_change.h"

namespace remora::surveillance {
namespace {

dsp::CauseModel Standard() {
  const auto files = MakePosixFileSystem();
  const auto model = agent::LoadCauses(*files, std::string(std::getenv("REMORA_SOURCE_DIR")) +
                                                   "/acquisition-agent/plans/standard.causes");
  EXPECT_TRUE(model.ok()) << model.status();
  return *model;
}

TEST(Causes, TheRightOneIsFirstInNineOfTenAndInTheFirstTwoInNearlyAll) {
  const dsp::CauseModel model = Standard();
  for (const std::uint64_t seed : {1, 100'000}) {
    const CauseFigures figures = MeasureCauses(model, 20, seed);
    int all_in_two = 0;
    for (size_t i = 0; i < figures.causes.size(); ++i) {
      EXPECT_GE(figures.right_first[i], 18) << figures.causes[i] << TableOf(model, figures);
      all_in_two += figures.right_in_two[i];
    }
    EXPECT_GE(all_in_two, 0.97 * 20 * static_cast<double>(figures.causes.size()));
  }
}

TEST(Causes, OverManySeedsAsWell) {
  const dsp::CauseModel model = Standard();
  const CauseFigures figures = MeasureCauses(model, 300, 5'000'000);
  for (size_t i = 0; i < figures.causes.size(); ++i) {
    EXPECT_GE(figures.right_first[i], 270) << figures.causes[i];
    EXPECT_GE(figures.right_in_two[i], 291) << figures.causes[i];
  }
}

TEST(Causes, AnInjuryIsNeverExplainedAway) {
  const BesideFigures figures = MeasureBeside(Standard(), 500, 9'000'000);
  EXPECT_EQ(figures.runs, 500);
  EXPECT_EQ(figures.surgical_in_two, 500) << (figures.missed.empty() ? "" : figures.missed.front());
}

TEST(Causes, WhatIsMissingIsNamed) {
  const dsp::CauseModel model = Standard();
  const size_t hypotension = model.CauseAt("hypotension");
  dsp::CasePicture picture = SimulateChange("hypotension", Beside::kNothing, 3);
  picture.pressure_is_low = {std::nullopt, "MAP is overdue: 14 min"};
  const auto seen = dsp::SeeFeatures(picture, model);
  EXPECT_EQ(seen[model.FeatureAt("pressure_low")].why_missing, "MAP is overdue: 14 min");
  const dsp::Differential differential = dsp::RankCauses(model, seen);
  for (const dsp::RankedCause& one : differential.ranked) {
    if (one.cause != hypotension) continue;
    ASSERT_FALSE(one.missing.empty());
    EXPECT_EQ(model.features[one.missing[0]].key, "pressure_low");
    return;
  }
  FAIL() << "hypotension is not among the causes";
}

}  // namespace
}  // namespace remora::surveillance
