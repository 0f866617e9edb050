#include "acquisition-agent/sources/simulator/relaxant.h"

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

ScenarioEvent Bolus(const std::string& drug, double at_s, double mg) {
  ScenarioEvent event;
  event.kind = ScenarioEvent::Kind::kDrug;
  event.drug = ScenarioEvent::Drug::kBolus;
  event.text = drug;
  event.at_s = at_s;
  event.amount = mg;
  return event;
}

double HandT1(const std::vector<ScenarioEvent>& events, double time_s) {
  return BlockOf(RelaxantConcentration(events, time_s), Region::kArm).t1;
}

TEST(Relaxant, TakesTheTwitchWithinTwoMinutesAndGivesItBackWithinTheHour) {
  const std::vector<ScenarioEvent> events = {Bolus("rocuronium", 100, 50)};
  EXPECT_EQ(HandT1(events, 99), 1);
  EXPECT_EQ(HandT1(events, 100), 1);
  EXPECT_LT(HandT1(events, 220), 0.01);
  EXPECT_LT(HandT1(events, 100 + 30 * 60), 0.2);
  EXPECT_GT(HandT1(events, 100 + 50 * 60), 0.25);
  EXPECT_GT(HandT1(events, 100 + 90 * 60), 0.9);
}

TEST(Relaxant, FadeOutlastsTheBlockOfTheFirstTwitch) {
  const Block block = BlockOf(0.55, Region::kArm);
  EXPECT_GT(block.t1, 0.95);
  EXPECT_LT(block.ratio, 0.5);
  const auto twitches = block.twitches();
  EXPECT_EQ(twitches[0], block.t1);
  EXPECT_NEAR(twitches[3], block.t1 * block.ratio, 1e-12);
  for (int i = 1; i < 4; ++i) EXPECT_LT(twitches[i], twitches[i - 1]);
}

TEST(Relaxant, HandsGiveWayBeforeFeetAndFaces) {
  EXPECT_LT(BlockOf(1, Region::kArm).t1, BlockOf(1, Region::kLeg).t1);
  EXPECT_LT(BlockOf(1, Region::kLeg).t1, BlockOf(1, Region::kFace).t1);
}

TEST(Relaxant, IsReversed) {
  const std::vector<ScenarioEvent> events = {Bolus("rocuronium", 0, 50),
                                             Bolus("sugammadex", 300, 200)};
  EXPECT_LT(HandT1(events, 300), 0.01);
  EXPECT_GT(HandT1(events, 480), 0.95);
}

TEST(Relaxant, AddsUpWhenGivenAgain) {
  ScenarioEvent again = Bolus("rocuronium", 0, 10);
  const double once = RelaxantConcentration(std::vector{again}, 700);
  again.every_s = 600;
  EXPECT_GT(RelaxantConcentration(std::vector{again}, 700), 1.5 * once);
  EXPECT_EQ(RelaxantConcentration(std::vector{Bolus("propofol", 0, 100)}, 100), 0);
}

}  // namespace
}  // namespace remora::agent::sim
