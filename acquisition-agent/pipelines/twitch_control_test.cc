#include "acquisition-agent/pipelines/twitch_control.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remora::agent {
namespace {

using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

dsp::TrainOfFour Train(uint32_t count, double ratio, uint32_t doubts = dsp::kTrainGood) {
  dsp::TrainOfFour train;
  train.count = count;
  train.ratio = ratio;
  train.doubts = doubts;
  return train;
}

v1::StimulusSetting At(double ma) {
  v1::StimulusSetting setting;
  setting.set_current_ma(ma);
  return setting;
}

TEST(TwitchControl, IsTheFirstTrainWithoutFade) {
  TwitchControl control;
  EXPECT_EQ(control.UvOf(At(40)), std::nullopt);
  EXPECT_TRUE(control.Offer(Train(4, 0.9), 1000, At(40), 1 * kSecond));
  EXPECT_EQ(control.UvOf(At(40)), 1000);
  EXPECT_EQ(control.WhyNone(At(40)), "");
  EXPECT_FALSE(control.Offer(Train(4, 1), 2000, At(40), 20 * kSecond)) << "the first one stays";
  EXPECT_EQ(control.UvOf(At(40)), 1000);
}

TEST(TwitchControl, IsNeverTakenBehindATrainThatHadFaded) {
  for (const dsp::TrainOfFour& faded : {Train(4, 0.89), Train(3, 0), Train(0, 0)}) {
    TwitchControl control;
    EXPECT_FALSE(control.Offer(faded, 1000, At(40), 1 * kSecond));
    EXPECT_FALSE(control.Offer(Train(4, 1), 1000, At(40), 20 * kSecond));
    EXPECT_EQ(control.UvOf(At(40)), std::nullopt);
  }
  TwitchControl control;
  control.Offer(Train(4, 0.89), 1000, At(40), 1 * kSecond);
  EXPECT_THAT(control.WhyNone(At(40)), HasSubstr("a train had a ratio of 0.89"));
}

TEST(TwitchControl, IsNotATrainThatIsDoubted) {
  TwitchControl control;
  EXPECT_FALSE(control.Offer(Train(4, 1, dsp::kTrainNoise), 1000, At(40), 1 * kSecond));
  EXPECT_THAT(control.WhyNone(At(40)), HasSubstr("yet"));
  EXPECT_TRUE(control.Offer(Train(4, 1), 1000, At(40), 20 * kSecond));
}

TEST(TwitchControl, IsNotRefusedForATrainThatIsDoubted) {
  TwitchControl control;
  EXPECT_FALSE(control.Offer(Train(2, 0.3, dsp::kTrainNoise), 1000, At(40), 1 * kSecond));
  EXPECT_TRUE(control.Offer(Train(4, 1), 1000, At(40), 20 * kSecond));
  EXPECT_EQ(control.UvOf(At(40)), 1000);
}

TEST(TwitchControl, IsRefusedFromTheRelaxantOn) {
  TwitchControl control;
  control.Refuse("rocuronium was given", 10 * kSecond);
  EXPECT_FALSE(control.Offer(Train(4, 1), 1000, At(40), 20 * kSecond));
  EXPECT_THAT(control.WhyNone(At(40)), HasSubstr("rocuronium was given"));
}

TEST(TwitchControl, StaysWhenTheRelaxantComesBehindIt) {
  TwitchControl control;
  ASSERT_TRUE(control.Offer(Train(4, 1), 1000, At(40), 1 * kSecond));
  control.Refuse("rocuronium was given", 10 * kSecond);
  EXPECT_EQ(control.UvOf(At(40)), 1000);
}

TEST(TwitchControl, IsWithdrawnWhenARelaxantIsToldLateThatWasGivenBeforeIt) {
  TwitchControl control;
  control.Refuse("vecuronium was given", 30 * kSecond);
  ASSERT_TRUE(control.Offer(Train(4, 1), 1000, At(40), 20 * kSecond));
  control.Refuse("rocuronium was given", 10 * kSecond);
  EXPECT_EQ(control.UvOf(At(40)), std::nullopt);
  EXPECT_THAT(control.WhyNone(At(40)), HasSubstr("rocuronium"));
}

TEST(TwitchControl, IsOfOneCurrent) {
  TwitchControl control;
  // While the current is searched for that answers all four.
  EXPECT_FALSE(control.Offer(Train(0, 0), 0, At(10), 1 * kSecond));
  EXPECT_FALSE(control.Offer(Train(3, 0), 200, At(20), 10 * kSecond));
  ASSERT_TRUE(control.Offer(Train(4, 1), 1000, At(40), 20 * kSecond));
  EXPECT_EQ(control.UvOf(At(41)), 1000);
  EXPECT_EQ(control.UvOf(At(50)), std::nullopt);
  EXPECT_THAT(control.WhyNone(At(50)), HasSubstr("another current"));
  ASSERT_TRUE(control.Offer(Train(4, 1), 1200, At(50), 30 * kSecond));
  EXPECT_EQ(control.UvOf(At(50)), 1200);
}

TEST(TwitchControl, DrugsAreKnownByTheirInternationalNames) {
  EXPECT_EQ(RelaxantIn("rocuronium"), "rocuronium");
  EXPECT_EQ(RelaxantIn("Rocuronium bromide 10 mg/ml"), "rocuronium");
  EXPECT_EQ(RelaxantIn("CISATRACURIUM"), "cisatracurium");
  EXPECT_EQ(RelaxantIn("suxamethonium"), "suxamethonium");
  EXPECT_EQ(RelaxantIn("propofol"), std::nullopt);
  EXPECT_EQ(RelaxantIn("sugammadex"), std::nullopt);
  EXPECT_EQ(RelaxantIn(""), std::nullopt);
}

}  // namespace
}  // namespace remora::agent
