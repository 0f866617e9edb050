// Trains-of-four of a drawn case: count, ratio, and what the first twitch is told in percent of.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

StimulusTrigger Pulse(double time_s) {
  StimulusTrigger trigger;
  trigger.time_ns = static_cast<int64_t>(time_s * 1e9);
  trigger.label = "TOF L";
  return trigger;
}

class TofTest : public DrawnCaseTest {
 protected:
  std::vector<v1::TrainOfFour> Trains() const {
    return sink_.All(&v1::Record::has_train_of_four, &v1::Record::train_of_four);
  }
};

constexpr char kTofPlan[] = R"(
  train_of_four { derivation: "APB" side: SIDE_LEFT limb: "left hand"
    trigger { label_prefix: "TOF L" } })";

// Trains at 1, 13, 25 s; `missing`: the last has only so many stimuli.
Drawing TofDrawing(std::vector<std::vector<double>> twitches_uv) {
  Drawing drawing;
  drawing.channels = {"APB"};
  drawing.seconds = 12.0 * static_cast<double>(twitches_uv.size()) + 2;
  for (size_t train = 0; train < twitches_uv.size(); ++train) {
    for (size_t k = 0; k < twitches_uv[train].size(); ++k) {
      drawing.items.push_back(
          Pulse(1 + 12 * static_cast<double>(train) + 0.5 * static_cast<double>(k)));
    }
  }
  drawing.uv = [twitches_uv](int, double time_s) {
    const auto train = static_cast<size_t>((time_s - 1) / 12);
    if (time_s < 1 || train >= twitches_uv.size()) return 0.0;
    const double since_s = time_s - 1 - 12 * static_cast<double>(train);
    const auto k = static_cast<size_t>(since_s / 0.5);
    if (k >= twitches_uv[train].size()) return 0.0;
    return Biphasic(since_s - 0.5 * static_cast<double>(k), 0.008, twitches_uv[train][k]);
  };
  return drawing;
}

TEST_F(TofTest, TrainsOfFourAreCountedAndComparedWithTheControl) {
  Run(kTofPlan, TofDrawing({{1000, 1000, 1000, 1000}, {800, 600, 400, 200}, {300, 150, 0, 0}}));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(3));
  EXPECT_EQ(trains[0].twitch_count(), 4u);
  EXPECT_NEAR(trains[0].ratio(), 1, 0.05);
  EXPECT_NEAR(trains[0].t1_percent_of_control(), 100, 1);
  EXPECT_THAT(trains[0].sweeps(), SizeIs(4));
  EXPECT_EQ(trains[0].limb(), "left hand");
  EXPECT_EQ(trains[1].twitch_count(), 4u);
  EXPECT_NEAR(trains[1].ratio(), 0.25, 0.05);
  EXPECT_NEAR(trains[1].t1_percent_of_control(), 80, 5);
  EXPECT_EQ(trains[2].twitch_count(), 2u);
  EXPECT_EQ(trains[2].ratio(), 0);
  EXPECT_NEAR(trains[2].t1_percent_of_control(), 30, 5);
}

TEST_F(TofTest, ATrainWhoseFirstTwitchWasNoneIsToldWithItsTwitches) {
  Run(kTofPlan, TofDrawing({{200, 1000, 1000, 1000}}));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(1));
  EXPECT_EQ(trains[0].ratio(), 2) << "what a record takes";
  EXPECT_GT(trains[0].twitch_uv(3), 4 * trains[0].twitch_uv(0));
  EXPECT_THAT(trains[0].reason(), HasSubstr("larger than the first"));
}

TEST_F(TofTest, ATrainWithTooFewStimuliHasNoCount) {
  Run(kTofPlan, TofDrawing({{1000, 1000, 1000, 1000}, {1000, 1000}}));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(2));
  EXPECT_THAT(trains[1].reason(), HasSubstr("only 2 of four"));
  EXPECT_THAT(trains[1].quality(), Not(IsEmpty()));
  EXPECT_EQ(trains[1].twitch_count(), 0u);
}

DrugEvent Bolus(double time_s, const std::string& drug) {
  DrugEvent event;
  event.time_ns = static_cast<int64_t>(time_s * 1e9);
  event.drug = drug;
  event.amount = 50;
  event.unit = "mg";
  return event;
}

const std::vector<double> kWhole = {1000, 1000, 1000, 1000};

TEST_F(TofTest, ATrainThatFadesIsNoControlNorIsAnyBehindIt) {
  Run(kTofPlan, TofDrawing({{1000, 950, 900, 800}, {800, 600, 400, 200}, kWhole}));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(3));
  for (const v1::TrainOfFour& train : trains) {
    EXPECT_EQ(train.t1_percent_of_control(), 0);
    EXPECT_THAT(train.reason(), HasSubstr("no control of T1: a train had a ratio of 0.8"));
    EXPECT_THAT(train.quality(), IsEmpty());
    EXPECT_EQ(train.twitch_count(), 4u) << "it is counted all the same";
  }
}

TEST_F(TofTest, BehindARelaxantThereIsNoControl) {
  Drawing drawing = TofDrawing({kWhole, {800, 600, 400, 200}});
  drawing.items.push_back(Bolus(0.5, "Rocuronium"));
  Run(kTofPlan, std::move(drawing));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(2));
  for (const v1::TrainOfFour& train : trains) {
    EXPECT_EQ(train.t1_percent_of_control(), 0);
    EXPECT_EQ(train.reason(), "no control of T1: rocuronium was given");
  }
}

TEST_F(TofTest, AControlBeforeTheRelaxantStaysAndOtherDrugsAreNone) {
  Drawing drawing = TofDrawing({kWhole, {300, 150, 0, 0}});
  drawing.items.push_back(Bolus(0.5, "propofol"));
  drawing.items.push_back(Bolus(5, "rocuronium"));
  Run(kTofPlan, std::move(drawing));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(2));
  EXPECT_NEAR(trains[0].t1_percent_of_control(), 100, 1);
  EXPECT_EQ(trains[0].reason(), "");
  EXPECT_NEAR(trains[1].t1_percent_of_control(), 30, 5);
  EXPECT_EQ(trains[1].reason(), "");
}

TEST_F(TofTest, ARelaxantThatAPersonWritesDownCountsToo) {
  v1::Record given;
  given.mutable_drug_given()->set_drug("rocuronium");
  EXPECT_FALSE(CaseAnalysis::IsInput(given)) << "the agent's own: a device told it";
  given.mutable_drug_given()->set_actor("Dr Reader");
  EXPECT_TRUE(CaseAnalysis::IsInput(given));
  v1::Record other = given;
  other.mutable_drug_given()->set_drug("propofol");
  EXPECT_TRUE(CaseAnalysis::IsInput(other)) << "what an anaesthetic does is a cause";
  first_inputs_ = {given};
  Run(kTofPlan, TofDrawing({kWhole}));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(1));
  EXPECT_EQ(trains[0].t1_percent_of_control(), 0);
  EXPECT_THAT(trains[0].reason(), HasSubstr("rocuronium was given"));
}

TEST_F(TofTest, ATrainWithAnotherCurrentThanTheControlsHasNone) {
  Drawing drawing = TofDrawing({kWhole, {500, 500, 500, 500}});
  for (size_t i = 0; i < drawing.items.size(); ++i) {
    std::get<StimulusTrigger>(drawing.items[i]).commanded_ma = i < 4 ? 40 : 20;
  }
  drawing.items.push_back(Bolus(5, "rocuronium"));
  Run(kTofPlan, std::move(drawing));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(2));
  EXPECT_NEAR(trains[0].t1_percent_of_control(), 100, 1);
  EXPECT_EQ(trains[1].t1_percent_of_control(), 0);
  EXPECT_THAT(trains[1].reason(), HasSubstr("with another current"));
}

TEST_F(TofTest, WhereTheAgentBeganInTheMiddleThereIsNoControl) {
  past_ = CasePast();
  Run(kTofPlan, TofDrawing({kWhole}));
  const auto trains = Trains();
  ASSERT_THAT(trains, SizeIs(1));
  EXPECT_EQ(trains[0].t1_percent_of_control(), 0);
  EXPECT_THAT(trains[0].reason(), HasSubstr("in the middle of the case"));
}

}  // namespace
}  // namespace remora::agent
