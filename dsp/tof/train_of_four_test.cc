#include "dsp/tof/train_of_four.h"

#include <gtest/gtest.h>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

TrainOfFour Read(std::array<double, 4> amplitudes_uv, std::optional<double> control_uv = {},
                 double noise_uv = 3.0) {
  const auto train = ReadTrainOfFour(amplitudes_uv, noise_uv, control_uv);
  EXPECT_TRUE(train.ok()) << train.status();
  return train.ok() ? *train : TrainOfFour{};
}

TEST(TrainOfFour, WithoutARelaxantIsFourOfFour) {
  const TrainOfFour train = Read({5'000, 4'990, 4'980, 4'950}, 5'000);
  EXPECT_EQ(train.count, 4u);
  EXPECT_NEAR(*train.ratio, 0.99, 1e-12);
  EXPECT_NEAR(*train.t1_of_control, 1.0, 1e-12);
  EXPECT_EQ(train.doubts, kTrainGood);
}

TEST(TrainOfFour, FadesAndLosesItsLastAnswersFirst) {
  EXPECT_NEAR(*Read({2'000, 1'500, 1'000, 600}).ratio, 0.3, 1e-12);
  const TrainOfFour two = Read({900, 300, 20, 10}, 5'000);
  EXPECT_EQ(two.count, 2u);
  EXPECT_EQ(*two.ratio, 0.0);
  EXPECT_NEAR(*two.t1_of_control, 0.18, 1e-12);
  const TrainOfFour none = Read({10, 5, 8, 6}, 5'000);
  EXPECT_EQ(none.count, 0u);
  EXPECT_FALSE(none.ratio.has_value());
  EXPECT_EQ(*none.t1_of_control, 0.0);
  EXPECT_EQ(none.doubts, kTrainGood);
}

TEST(TrainOfFour, DeepBlockOfALargeMuscleIsReadToItsLastAnswer) {
  const TrainOfFour train = Read({250, 140, 120, 110}, 5'000);
  EXPECT_EQ(train.count, 4u);
  EXPECT_NEAR(*train.ratio, 0.44, 1e-12);
  EXPECT_NEAR(*train.t1_of_control, 0.05, 1e-12);
}

TEST(TrainOfFour, WhereANeighbourIsHeardAPartOfTheControlIsAsked) {
  const auto train =
      ReadTrainOfFour({120, 110, 100, 90}, 3.0, 8'000.0, {.present_part_of_control = 0.03});
  ASSERT_TRUE(train.ok());
  EXPECT_EQ(train->count, 0u);
}

TEST(TrainOfFour, AnOrderThatNoRelaxantMakesIsDoubted) {
  EXPECT_EQ(Read({900, 10, 300, 200}).doubts, kTrainOrder);
  EXPECT_EQ(Read({10, 900, 300, 200}).doubts, kTrainOrder);
  EXPECT_EQ(Read({900, 900, 900, 1'200}).doubts, kTrainOrder);
}

TEST(TrainOfFour, NoiseHidesAnswersAndSaysSo) {
  const TrainOfFour train = Read({900, 500, 200, 100}, {}, 50.0);
  EXPECT_EQ(train.count, 2u);
  EXPECT_EQ(train.doubts, kTrainNoise);
}

TEST(TrainOfFour, HostileInputIsDoubtedOrRefused) {
  EXPECT_EQ(Read({900, kNaN, 200, 100}).doubts, kTrainBadInput);
  EXPECT_EQ(Read({900, kNaN, 200, 100}).count, 0u);
  EXPECT_EQ(Read({900, 500, 200, 100}, {}, kNaN).doubts, kTrainBadInput);
  EXPECT_FALSE(ReadTrainOfFour({-1, 0, 0, 0}, 1.0, {}).ok());
  EXPECT_FALSE(ReadTrainOfFour({1, 0, 0, 0}, 1.0, 0.0).ok());
  EXPECT_FALSE(ReadTrainOfFour({1, 0, 0, 0}, 1.0, {}, {.present_uv = 0.0}).ok());
}

}  // namespace
}  // namespace remora::dsp
