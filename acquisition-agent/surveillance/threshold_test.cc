// Thresholds of screws, nerves and maps in a drawn case: by site, from what was delivered.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

StimulusTrigger Pulse(double time_s, const std::string& site) {
  StimulusTrigger trigger;
  trigger.time_ns = static_cast<int64_t>(time_s * 1e9);
  trigger.label = "SCREW " + site;
  return trigger;
}

class ThresholdTest : public DrawnCaseTest {
 protected:
  std::vector<v1::StimulusThreshold> Thresholds() const {
    return sink_.All(&v1::Record::has_stimulus_threshold, &v1::Record::stimulus_threshold);
  }
  std::vector<v1::Message> Messages() const {
    return sink_.All(&v1::Record::has_message, &v1::Record::message);
  }
};

constexpr char kScrewPlan[] = R"(
  motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "SCREW" }
    stimulus { pulse_us: 200 } threshold { step: 1 maximum: 30 }
    muscle { derivation: "TA" side: SIDE_LEFT myotome: "L4-L5" }
    muscle { derivation: "GAS" side: SIDE_LEFT myotome: "S1" } })";

// Currents at a screw, a stimulus each second, answered from the screw's threshold on.
Drawing ScrewDrawing(const std::vector<std::pair<std::string, double>>& steps,
                     std::function<double(const std::string& site)> threshold_ma) {
  Drawing drawing;
  drawing.channels = {"TA", "GAS"};
  drawing.seconds = static_cast<double>(steps.size()) + 2;
  for (size_t i = 0; i < steps.size(); ++i) {
    StimulusTrigger pulse = Pulse(1 + static_cast<double>(i), steps[i].first);
    pulse.delivered_ma = steps[i].second;
    drawing.items.push_back(pulse);
  }
  drawing.uv = [steps, threshold_ma](int channel, double time_s) {
    const int i = static_cast<int>(time_s) - 1;
    if (i < 0 || i >= static_cast<int>(steps.size()) || channel != 0) return 0.0;
    const auto& [site, ma] = steps[static_cast<size_t>(i)];
    return ma >= threshold_ma(site) ? Biphasic(time_s - (i + 1), 0.012, 200) : 0.0;
  };
  return drawing;
}

// A dilator on its way through the psoas (XLIF): towards the plexus it takes less.
TEST_F(ThresholdTest, ADilatorHasAThresholdInEachDirection) {
  const std::string plan = R"(
    motor { modality: MODALITY_EMG_TRIGGERED trigger { label_prefix: "SCREW" }
      threshold { step: 1 maximum: 20 } muscle { derivation: "TA" side: SIDE_LEFT } })";
  std::vector<std::pair<std::string, double>> steps;
  for (int ma = 1; ma <= 14; ++ma) {
    for (const char* way : {"L4-5 anterior", "L4-5 posterior"}) steps.emplace_back(way, ma);
  }
  Run(plan, ScrewDrawing(steps, [](const std::string& way) {
        return way == "L4-5 posterior" ? 4.0 : 12.0;
      }));
  const auto told = Thresholds();
  ASSERT_THAT(told, SizeIs(28));
  EXPECT_EQ(told[26].level(), "L4-5 anterior");
  EXPECT_EQ(told[26].threshold_ma(), 12);
  EXPECT_EQ(told[27].level(), "L4-5 posterior");
  EXPECT_EQ(told[27].threshold_ma(), 4);
}

// Muscles of both sides: the screw's is what its name says, whichever muscle answers, and no other.
TEST_F(ThresholdTest, AScrewHasTheSideThatItsNameSays) {
  const std::string plan = R"(
    motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "SCREW" }
      threshold { step: 1 maximum: 30 }
      muscle { derivation: "GAS" side: SIDE_LEFT } muscle { derivation: "TA" side: SIDE_RIGHT } })";
  Run(plan,
      ScrewDrawing({{"L4 right", 5}, {"L4 right", 6}, {"R L5", 6}, {"S1 left", 6}, {"T12", 6}},
                   [](const std::string&) { return 6.0; }));
  std::vector<v1::Side> sides;
  for (const v1::StimulusThreshold& one : Thresholds()) sides.push_back(one.side());
  EXPECT_THAT(sides, ElementsAre(v1::SIDE_RIGHT, v1::SIDE_RIGHT, v1::SIDE_RIGHT, v1::SIDE_LEFT,
                                 v1::SIDE_UNSPECIFIED));
}

TEST_F(ThresholdTest, AScrewsThresholdIsFoundByItsSiteAndComparedWithThePatientsOwn) {
  std::vector<std::pair<std::string, double>> steps;
  for (double ma = 4; ma <= 13; ++ma) steps.emplace_back("L4 L", ma);
  for (double ma = 4; ma <= 10; ++ma) steps.emplace_back("L5 L", ma);
  Run(kScrewPlan,
      ScrewDrawing(steps, [](const std::string& site) { return site == "L4 L" ? 12.0 : 7.0; }));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(steps.size()));
  const v1::StimulusThreshold& l4 = all[9];
  EXPECT_EQ(l4.level(), "L4 L");
  EXPECT_EQ(l4.state(), v1::THRESHOLD_STATE_FOUND);
  EXPECT_EQ(l4.threshold_ma(), 12);
  EXPECT_EQ(l4.largest_without_response(), 11);
  EXPECT_EQ(l4.rising_threshold(), 12);
  EXPECT_EQ(l4.trace_id(), "PEDICLE_SCREW/L/TA");
  EXPECT_EQ(l4.own_count(), 0u);
  EXPECT_THAT(l4.steps(), SizeIs(10));
  // 10 mA of 30.
  EXPECT_EQ(all[6].state(), v1::THRESHOLD_STATE_SEARCHING);
  EXPECT_THAT(all[6].reason(), HasSubstr("no response up to 10 mA of 30: not verified"));
  const v1::StimulusThreshold& l5 = all.back();
  EXPECT_EQ(l5.level(), "L5 L");
  EXPECT_EQ(l5.threshold_ma(), 7);
  EXPECT_EQ(l5.own_count(), 1u);
  EXPECT_EQ(l5.own_mean(), 12);
}

TEST_F(ThresholdTest, NoResponseAtMaximumIsSaidAtTheMaximumAndNotBeforeIt) {
  std::vector<std::pair<std::string, double>> steps;
  for (double ma = 4; ma <= 29; ++ma) steps.emplace_back("L4 L", ma);
  // What is delivered is never quite what was asked for; then down again.
  steps.insert(steps.end(), {{"L4 L", 29.8}, {"L4 L", 12}, {"L5 L", 8}});
  Run(kScrewPlan, ScrewDrawing(steps, [](const std::string&) { return 100.0; }));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(29));
  for (size_t i = 0; i < 26; ++i) {
    EXPECT_EQ(all[i].state(), v1::THRESHOLD_STATE_SEARCHING) << all[i].largest_without_response();
  }
  EXPECT_EQ(all[26].state(), v1::THRESHOLD_STATE_NO_RESPONSE_AT_MAXIMUM);
  EXPECT_EQ(all[26].largest_without_response(), 30);
  // What was tried at the maximum stays known.
  EXPECT_EQ(all[27].state(), v1::THRESHOLD_STATE_NO_RESPONSE_AT_MAXIMUM);
  EXPECT_THAT(all[27].reason(), HasSubstr("no response up to 30 mA: not verified"));
  EXPECT_EQ(all[28].state(), v1::THRESHOLD_STATE_SEARCHING);
}

TEST_F(ThresholdTest, ADoubtfulAnswerAtTheMaximumIsNoSilenceThere) {
  Drawing drawing =
      ScrewDrawing({{"L4 L", 28}, {"L4 L", 30}}, [](const std::string&) { return 100.0; });
  // Both muscles are at the amplifier's limit when they would answer 30 mA.
  drawing.uv = [](int, double time_s) { return time_s > 2.01 && time_s < 2.03 ? 5000.0 : 0.0; };
  Run(kScrewPlan, std::move(drawing));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].state(), v1::THRESHOLD_STATE_SEARCHING);
  EXPECT_EQ(all[1].largest_without_response(), 28);
}

StimulusTrigger& Step(Drawing* drawing, size_t i) {
  return std::get<StimulusTrigger>(drawing->items[i]);
}

std::string PlanWithCurrent() {
  std::string plan = kScrewPlan;
  plan.insert(plan.find("pulse_us"), "current_ma: 10 ");
  return plan;
}

TEST_F(ThresholdTest, APlannedCurrentThatNobodyStatedIsNoThreshold) {
  // Answered from 7 mA on, as a person steps up at the stimulator; the source says nothing of it.
  std::vector<std::pair<std::string, double>> steps;
  for (double ma = 4; ma <= 9; ++ma) steps.emplace_back("L4 L", ma);
  Drawing drawing = ScrewDrawing(steps, [](const std::string&) { return 7.0; });
  for (size_t i = 0; i < steps.size(); ++i) Step(&drawing, i).delivered_ma.reset();
  Run(PlanWithCurrent(), std::move(drawing));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(steps.size()));
  for (const v1::StimulusThreshold& one : all) {
    EXPECT_EQ(one.state(), v1::THRESHOLD_STATE_SEARCHING);
    EXPECT_EQ(one.threshold_ma(), 0);
    EXPECT_EQ(one.threshold_v(), 0);
    EXPECT_EQ(one.largest_without_response(), 0);
    EXPECT_THAT(one.steps(), IsEmpty());
    EXPECT_THAT(one.reason(), HasSubstr("10 mA is planned, not stated"));
    EXPECT_EQ(one.stimulus().current_ma(), 0) << "the threshold's stimulus is what is known";
  }
}

TEST_F(ThresholdTest, AStimulusWithoutAStatedCurrentMovesNoThreshold) {
  // The fourth has no current: by the plan it would be 10 mA without a response above 7 with one.
  Drawing drawing = ScrewDrawing({{"L4 L", 6}, {"L4 L", 7}, {"L4 L", 8}, {"L4 L", 3}},
                                 [](const std::string&) { return 7.0; });
  Step(&drawing, 3).delivered_ma.reset();
  Run(PlanWithCurrent(), std::move(drawing));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[2].state(), v1::THRESHOLD_STATE_FOUND);
  EXPECT_EQ(all[2].reason(), "");
  EXPECT_EQ(all[3].state(), v1::THRESHOLD_STATE_FOUND) << "what is known stays";
  EXPECT_EQ(all[3].threshold_ma(), 7);
  EXPECT_THAT(all[3].steps(), SizeIs(3));
  EXPECT_THAT(all[3].reason(), HasSubstr("no step of the search"));
}

TEST_F(ThresholdTest, WhatWasAskedForIsAStepAndWhatWasNotDeliveredIsNone) {
  Drawing drawing = ScrewDrawing({{"L4 L", 6}, {"L4 L", 7}, {"L4 L", 20}},
                                 [](const std::string&) { return 7.0; });
  for (size_t i = 0; i < 3; ++i) {
    Step(&drawing, i).commanded_ma = Step(&drawing, i).delivered_ma;
    Step(&drawing, i).delivered_ma.reset();
  }
  Step(&drawing, 2).delivered_ma = 0;  // a lead is off
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    return time_s > 2.9 ? 0.0 : drawn(channel, time_s);
  };
  Run(kScrewPlan, std::move(drawing));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].state(), v1::THRESHOLD_STATE_FOUND);
  EXPECT_EQ(all[1].threshold_ma(), 7);
  EXPECT_EQ(all[2].state(), v1::THRESHOLD_STATE_FOUND) << "20 mA never came: no contradiction";
  EXPECT_THAT(all[2].reason(), HasSubstr("nothing was delivered"));
}

TEST_F(ThresholdTest, OfAStimulatorThatHoldsTheVoltageTheVoltageIsTheStep) {
  Drawing drawing =
      ScrewDrawing({{"L4 L", 6}, {"L4 L", 7}}, [](const std::string&) { return 7.0; });
  for (size_t i = 0; i < 2; ++i) {
    Step(&drawing, i).commanded_v = 100 * *Step(&drawing, i).delivered_ma;
  }
  std::string plan = kScrewPlan;
  plan.replace(plan.find("step: 1 maximum: 30"), 19, "step: 50 maximum: 1000");
  Run(plan, std::move(drawing));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].state(), v1::THRESHOLD_STATE_FOUND);
  EXPECT_EQ(all[1].threshold_v(), 700);
  EXPECT_EQ(all[1].threshold_ma(), 0);
}

TEST_F(ThresholdTest, StepsAtMorePlacesThanAreSearchedAreToldAsSuch) {
  const size_t beyond = 3;
  Drawing drawing;
  drawing.channels = {"TA", "GAS"};
  drawing.rate_hz = 2000;
  drawing.seconds = 0.1 * static_cast<double>(kMaxSites + beyond) + 2;
  for (size_t i = 0; i < kMaxSites + beyond; ++i) {
    StimulusTrigger pulse = Pulse(1 + 0.1 * static_cast<double>(i), absl::StrCat("place ", i));
    pulse.delivered_ma = 5;
    drawing.items.push_back(pulse);
  }
  Run(kScrewPlan, std::move(drawing));
  const auto all = Thresholds();
  ASSERT_THAT(all, SizeIs(kMaxSites + beyond)) << "none vanishes";
  EXPECT_EQ(all[kMaxSites - 1].largest_without_response(), 5);
  for (size_t i = kMaxSites; i < all.size(); ++i) {
    EXPECT_EQ(all[i].state(), v1::THRESHOLD_STATE_SEARCHING);
    EXPECT_EQ(all[i].level(), absl::StrCat("place ", i));
    EXPECT_EQ(all[i].largest_without_response(), 0);
    EXPECT_THAT(all[i].reason(), HasSubstr("500 places"));
  }
  ASSERT_THAT(Messages(), SizeIs(1)) << "said once";
  EXPECT_THAT(Messages()[0].text(), HasSubstr("No threshold is searched for at place 500"));
}

}  // namespace
}  // namespace remora::agent
