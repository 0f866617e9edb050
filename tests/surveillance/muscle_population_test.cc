#include "tests/surveillance/muscle_population.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/surveillance/motor_variation.h"

namespace remora::surveillance {
namespace {

TEST(MusclePopulation, VariesAsRealResponsesDo) {
  PopulationSettings settings;
  settings.least_cv = settings.most_cv = 0.6;
  settings.dropout_rate = 0;
  MusclePopulation population(settings, 1, 11);
  std::vector<double> amplitudes;
  for (int i = 0; i < 20'000; ++i) amplitudes.push_back(population.Next({1.0})[0]);
  const auto variation = MeasureVariation(amplitudes);
  ASSERT_TRUE(variation.ok());
  // Against 0.66, -0.7 and 3.9 of a hand muscle at rest (ID01): its tail is a little longer here.
  EXPECT_NEAR(variation->log_spread, 0.55, 0.06);
  EXPECT_NEAR(variation->log_skewness, -0.8, 0.2);
  EXPECT_NEAR(variation->log_kurtosis, 4.8, 0.6);
}

TEST(MusclePopulation, DropsOutAsOftenAsIsAsked) {
  PopulationSettings settings;
  MusclePopulation population(settings, 10, 12);
  int dropouts = 0;
  for (int i = 0; i < 2000; ++i) {
    for (const double uv : population.Next(std::vector<double>(10, 1.0))) dropouts += uv == 0;
  }
  EXPECT_NEAR(dropouts / 20'000.0, 0.02, 0.003);
}

TEST(MusclePopulation, OfASeedIsAlwaysTheSame) {
  MusclePopulation first({}, 3, 13);
  MusclePopulation second({}, 3, 13);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(first.Next({1, 1, 1}), second.Next({1, 1, 1}));
}

}  // namespace
}  // namespace remora::surveillance
