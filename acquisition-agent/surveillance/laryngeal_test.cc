// Laryngeal EMG of a drawn case: the baseline of continuous monitoring, V2 against V1 and R2
// against R1, and what is said beside a response that is not there.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// One stimulus a second from 1 s on, and what the larynx answers.
struct Answer {
  std::string label;
  double uv = 0;
  double ms = 5;
  double ma = 1;
};

class LaryngealTest : public DrawnCaseTest {
 protected:
  void RunLarynx(const std::string& plan, std::vector<Answer> answers,
                 std::vector<Item> more = {}) {
    Drawing drawing;
    drawing.channels = {"VOC L"};
    drawing.rate_hz = 10000;
    drawing.seconds = static_cast<double>(answers.size()) + 2;
    drawing.items = std::move(more);
    for (size_t i = 0; i < answers.size(); ++i) {
      StimulusTrigger pulse;
      pulse.time_ns = (1 + static_cast<int64_t>(i)) * 1'000'000'000;
      pulse.label = answers[i].label;
      pulse.delivered_ma = answers[i].ma;
      drawing.items.push_back(pulse);
    }
    std::stable_sort(drawing.items.begin(), drawing.items.end(),
                     [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
    drawing.uv = [answers](int, double time_s) {
      const int i = static_cast<int>(time_s) - 1;
      if (i < 0 || i >= static_cast<int>(answers.size())) return 0.0;
      // The amplifier is at its rail when the response would come.
      if (answers[i].uv > 30000) return time_s < i + 1.03 ? 30000.0 : 0.0;
      return Biphasic(time_s - (i + 1), answers[i].ms / 1000, answers[i].uv);
    };
    Run(plan, std::move(drawing));
  }
  std::vector<v1::Measurement> Measured() const {
    return sink_.All(&v1::Record::has_measurement, &v1::Record::measurement);
  }
  std::vector<v1::BaselineSet> Baselines() const {
    return sink_.All(&v1::Record::has_baseline_set, &v1::Record::baseline_set);
  }
  std::vector<std::string> Messages() const {
    std::vector<std::string> texts;
    for (const v1::Message& one : sink_.All(&v1::Record::has_message, &v1::Record::message)) {
      texts.push_back(one.text());
    }
    return texts;
  }
};

constexpr char kContinuous[] = R"(
  motor { modality: MODALITY_RLN_CONTINUOUS side: SIDE_LEFT trigger { label_prefix: "VAGUS L" }
    muscle { derivation: "VOC L" side: SIDE_LEFT } })";
constexpr char kIntermittent[] = R"(
  motor { modality: MODALITY_RLN_INTERMITTENT trigger { label_prefix: "NIM" }
    muscle { derivation: "VOC L" side: SIDE_LEFT } })";

std::vector<Answer> Steady(size_t count, double uv = 700, double ms = 5) {
  return std::vector<Answer>(count, {"VAGUS L", uv, ms, 1});
}

TEST_F(LaryngealTest, TheFirstTwentyStimuliMakeTheBaselineAndLaterOnesAreHeldAgainstIt) {
  std::vector<Answer> answers = Steady(22);
  // One swallow among them moves no median.
  answers[4].uv = 2000;
  answers.push_back({"VAGUS L", 560, 5.1, 1});
  answers.push_back({"VAGUS L", 300, 5.7, 1});
  RunLarynx(kContinuous, answers);
  const auto baselines = Baselines();
  ASSERT_THAT(baselines, SizeIs(1));
  EXPECT_EQ(baselines[0].trace_id(), "RLN_CONTINUOUS/L/VOC L");
  EXPECT_THAT(baselines[0].sweeps(), SizeIs(20));
  EXPECT_NEAR(baselines[0].amplitude_uv(), 700, 35);
  EXPECT_NEAR(baselines[0].latency_ms(), 5, 0.3);
  EXPECT_EQ(baselines[0].actor(), "plan");
  EXPECT_EQ(baselines[0].stimulus().delivered_ma(), 1);
  EXPECT_GT(baselines[0].average().sample_count(), 0u);
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(24));
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(measured[i].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
    EXPECT_FALSE(measured[i].has_baseline());
  }
  EXPECT_EQ(measured[20].state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  EXPECT_EQ(measured[20].baseline().lane(), 1u);
  EXPECT_NEAR(measured[20].amplitude_percent_of_baseline(), 100, 2);
  EXPECT_NEAR(measured[20].latency_change_percent(), 0, 0.5);
  EXPECT_NEAR(measured[22].amplitude_percent_of_baseline(), 80, 2);
  EXPECT_NEAR(measured[22].latency_change_percent(), 2, 0.5);
  // Both at once: the combined event.
  EXPECT_NEAR(measured[23].amplitude_percent_of_baseline(), 43, 2);
  // Of the latency as it is measured, behind the filter's delay.
  EXPECT_NEAR(measured[23].latency_change_percent(), 12.5, 1);
  EXPECT_EQ(measured[23].state(), v1::MEASUREMENT_STATE_RED);
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(LaryngealTest, AResponseThatFellAloneIsNoCombinedEventNorWithinLimits) {
  std::vector<Answer> answers = Steady(20);
  answers.push_back({"VAGUS L", 300, 5, 1});
  answers.push_back({"VAGUS L", 700, 5.4, 1});
  RunLarynx(kContinuous, answers);
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(22));
  EXPECT_EQ(measured[20].state(), v1::MEASUREMENT_STATE_AMBER);
  EXPECT_EQ(measured[21].state(), v1::MEASUREMENT_STATE_AMBER);
}

TEST_F(LaryngealTest, ASweepThatIsNotGoodIsNotOneOfTheTwenty) {
  std::vector<Answer> answers = Steady(22);
  answers[7].uv = 1e6;
  RunLarynx(kContinuous, answers);
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(22));
  EXPECT_EQ(measured[7].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
  EXPECT_EQ(measured[20].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
  EXPECT_EQ(measured[21].state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
}

TEST_F(LaryngealTest, ABaselineThatIsNotRobustIsNotSetSaysWhyAndIsTriedAgain) {
  std::vector<Answer> answers = Steady(20);
  for (size_t i = 0; i < 20; i += 2) answers[i].uv = 350;
  for (const Answer& more : Steady(42)) answers.push_back(more);
  for (size_t i = 20; i < 40; i += 2) answers[i].uv = 350;
  RunLarynx(kContinuous, answers);
  const auto baselines = Baselines();
  ASSERT_THAT(baselines, SizeIs(1));
  EXPECT_THAT(baselines[0].reason(), HasSubstr("after 40 that made none"));
  EXPECT_NEAR(baselines[0].amplitude_uv(), 700, 35);
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(62));
  EXPECT_THAT(measured[19].reason(), IsEmpty());
  for (size_t i = 20; i < 60; ++i) {
    EXPECT_EQ(measured[i].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
    EXPECT_THAT(measured[i].reason(), HasSubstr("no baseline: the middle half of 20 amplitudes"));
  }
  EXPECT_TRUE(measured[60].has_baseline());
  // Of two tries with the same cause one is told.
  EXPECT_THAT(Messages(),
              ElementsAre(HasSubstr("RLN_CONTINUOUS/L/VOC L not set: the middle half")));
}

TEST_F(LaryngealTest, ASmallOrUnansweredBaselineIsNone) {
  std::vector<Answer> answers = Steady(20, 150);
  for (const Answer& more : Steady(20)) answers.push_back(more);
  answers[25].uv = 0;
  RunLarynx(kContinuous, answers);
  EXPECT_THAT(Baselines(), IsEmpty());
  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("over 200 uV is satisfactory"),
                                      HasSubstr("1 of 20 stimuli had no clear response")));
}

TEST_F(LaryngealTest, AnotherCurrentBeginsTheTwentyAnewAndIsNotLikeForLikeBehindThem) {
  std::vector<Answer> answers = Steady(10);
  for (Answer& one : answers) one.ma = 0.5;
  for (const Answer& more : Steady(21)) answers.push_back(more);
  answers.push_back({"VAGUS L", 700, 5, 2});
  RunLarynx(kContinuous, answers);
  ASSERT_THAT(Baselines(), SizeIs(1));
  EXPECT_EQ(Baselines()[0].stimulus().delivered_ma(), 1);
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(32));
  EXPECT_FALSE(measured[29].has_baseline());
  EXPECT_THAT(measured[30].quality(), IsEmpty());
  EXPECT_THAT(measured[31].quality(), ElementsAre(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE));
  EXPECT_THAT(measured[31].reason(), HasSubstr("stimulus_intensity_ma"));
  // As large as before, at twice the current: that says nothing.
  EXPECT_EQ(measured[31].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
}

TEST_F(LaryngealTest, BehindTheDissectionEachNerveIsHeldAgainstItselfOnItsSide) {
  RunLarynx(kIntermittent, {{"NIM L1", 0, 5, 1},
                            {"NIM v1 left", 800, 6, 1},
                            {"NIM R1 L", 1000, 4, 1},
                            {"NIM V1 R", 400, 5, 1},
                            {"NIM R2 left", 600, 4.2, 1},
                            {"NIM V2L", 600, 6, 1},
                            {"NIM R2 right", 500, 4, 1}});
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(7));
  EXPECT_EQ(measured[0].site(), "L1");
  EXPECT_EQ(measured[1].site(), "V1 left");
  EXPECT_EQ(measured[5].site(), "V2 left");
  for (const size_t i : {1, 2, 3}) {
    EXPECT_EQ(measured[i].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
    EXPECT_FALSE(measured[i].has_baseline());
  }
  EXPECT_NEAR(measured[4].amplitude_percent_of_baseline(), 60, 2);
  EXPECT_NEAR(measured[4].latency_change_percent(), 5, 1);
  EXPECT_EQ(measured[4].state(), v1::MEASUREMENT_STATE_AMBER);
  EXPECT_NEAR(measured[5].amplitude_percent_of_baseline(), 75, 2);
  EXPECT_NEAR(measured[5].latency_change_percent(), 0, 1.5);
  EXPECT_EQ(measured[5].state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  // R1 of the right side was never stimulated.
  EXPECT_FALSE(measured[6].has_baseline());
  EXPECT_EQ(measured[6].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
  EXPECT_THAT(measured[6].reason(), HasSubstr("no response at R1 right before"));
  const auto baselines = Baselines();
  ASSERT_THAT(baselines, SizeIs(2));
  EXPECT_EQ(baselines[0].reason(), "the response at R1 left");
  EXPECT_EQ(baselines[1].reason(), "the response at V1 left");
  EXPECT_NEAR(baselines[1].amplitude_uv(), 800, 40);
}

TEST_F(LaryngealTest, WhatIsNotLikeForLikeShowsNoStateOfAnAlarm) {
  RunLarynx(kIntermittent, {{"NIM V1 left", 800, 5, 1},
                            {"NIM V2 left", 300, 6, 0.5},
                            {"NIM V2 left", 500, 5, 0.5},
                            {"NIM V2 left", 0, 5, 0.5},
                            {"NIM V2 left", 300, 6, 1}});
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(5));
  for (const size_t i : {1, 2}) {
    EXPECT_EQ(measured[i].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
    EXPECT_THAT(measured[i].quality(), ElementsAre(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE));
    EXPECT_THAT(measured[i].reason(), HasSubstr("stimulus_intensity_ma 1 -> 0.5"));
  }
  // The numbers stand there all the same.
  EXPECT_NEAR(measured[1].amplitude_percent_of_baseline(), 37, 3);
  EXPECT_GT(measured[1].latency_change_percent(), 10);
  // That nothing answered is no comparison.
  EXPECT_EQ(measured[3].state(), v1::MEASUREMENT_STATE_NO_RESPONSE);
  EXPECT_EQ(measured[4].state(), v1::MEASUREMENT_STATE_RED);
  EXPECT_THAT(measured[4].quality(), IsEmpty());
}

TEST_F(LaryngealTest, OfSeveralFirstResponsesTheOnesOfTheLastCurrentCount) {
  RunLarynx(kIntermittent, {{"NIM V1", 300, 5, 0.5},
                            {"NIM V1", 800, 5, 1},
                            {"NIM V1", 700, 5, 1},
                            {"NIM V1", 600, 5, 1},
                            {"NIM V1", 0, 5, 1},
                            {"NIM V2", 350, 5, 1}});
  ASSERT_THAT(Baselines(), SizeIs(1));
  EXPECT_THAT(Baselines()[0].sweeps(), SizeIs(3));
  EXPECT_THAT(Baselines()[0].reason(), HasSubstr("median of 3 responses at V1 left"));
  EXPECT_NEAR(Measured().back().amplitude_percent_of_baseline(), 50, 2);
}

TEST_F(LaryngealTest, BesideALostSignalStandsWhatWasBefore) {
  RunLarynx(kIntermittent, {{"NIM V1 left", 700, 6, 1},
                            {"NIM R1 left", 150, 4, 1},
                            {"NIM V2 left", 0, 6, 2},
                            {"NIM V2 left", 80, 6, 1},
                            {"NIM R2 left", 0, 4, 1},
                            {"NIM V2 right", 0, 4, 1}});
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(6));
  EXPECT_EQ(measured[2].state(), v1::MEASUREMENT_STATE_NO_RESPONSE);
  EXPECT_TRUE(measured[2].has_baseline());
  EXPECT_LT(measured[2].amplitude_percent_of_baseline(), 5);
  EXPECT_EQ(measured[2].latency_change_percent(), 0);
  EXPECT_THAT(measured[2].reason(),
              AllOf(HasSubstr("initial response V1 left "), HasSubstr("uV at 1 mA: satisfactory"),
                    HasSubstr("delivered 2 mA"), Not(HasSubstr("train-of-four"))));
  EXPECT_THAT(measured[2].quality(), ElementsAre(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE));
  // It is there, and under what counts as a signal.
  EXPECT_EQ(measured[3].state(), v1::MEASUREMENT_STATE_AMBER);
  EXPECT_THAT(measured[3].reason(), HasSubstr("satisfactory; delivered 1 mA"));
  EXPECT_EQ(measured[4].state(), v1::MEASUREMENT_STATE_NO_RESPONSE);
  EXPECT_THAT(measured[4].reason(), AllOf(HasSubstr("initial response R1 left 1"),
                                          HasSubstr("not satisfactory, over 200 uV would be")));
  EXPECT_THAT(measured[5].reason(), HasSubstr("no initial response on record"));
}

TEST_F(LaryngealTest, TheLastTrainOfFourIsSaidWhereThereWasOne) {
  const std::string plan = std::string(kContinuous) + R"(
    train_of_four { derivation: "VOC L" side: SIDE_LEFT limb: "left hand"
      trigger { label_prefix: "TOF" } })";
  std::vector<Answer> answers = Steady(20);
  answers.push_back({"VAGUS L", 0, 5, 1});
  // Its twitches are not drawn: a muscle that is relaxed.
  std::vector<Item> train;
  for (int i = 0; i < 4; ++i) {
    StimulusTrigger pulse;
    pulse.time_ns = 100'000'000 + int64_t{500'000'000} * i;
    pulse.label = "TOF";
    train.push_back(pulse);
  }
  // Between the answers of the larynx.
  for (Item& item : train) std::get<StimulusTrigger>(item).time_ns += 6'300'000'000;
  RunLarynx(plan, answers, train);
  EXPECT_THAT(Measured().back().reason(), HasSubstr("last train-of-four left hand 13 s before: 0"));
  EXPECT_EQ(Measured().back().state(), v1::MEASUREMENT_STATE_NO_RESPONSE);
}

TEST_F(LaryngealTest, BehindARestartResponsesAreHeldAgainstTheBaselineOfBefore) {
  is_killed_at_end_ = true;
  RunLarynx(kContinuous, Steady(22));
  ASSERT_THAT(Baselines(), SizeIs(1));
  const v1::BaselineSet before = Baselines()[0];
  Kill();
  RunLarynx(kContinuous,
            {{"VAGUS L", 700, 5, 1}, {"VAGUS L", 300, 5.7, 1}, {"VAGUS L", 700, 5, 2}});
  EXPECT_THAT(Baselines(), IsEmpty());
  EXPECT_THAT(todo_, IsEmpty());
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(3));
  EXPECT_EQ(measured[0].state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS) << measured[0].reason();
  EXPECT_NEAR(measured[0].amplitude_percent_of_baseline(), 100, 5);
  EXPECT_EQ(measured[0].baseline().lane(), 1u);
  EXPECT_EQ(measured[1].state(), v1::MEASUREMENT_STATE_RED);
  EXPECT_EQ(measured[2].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE) << "another current";
  EXPECT_GT(before.amplitude_uv(), 0);
}

TEST_F(LaryngealTest, BehindARestartWithoutABaselineTheNextTwentyMakeOneAndThatIsSaid) {
  is_killed_at_end_ = true;
  RunLarynx(kContinuous, Steady(12));
  Kill();
  RunLarynx(kContinuous, Steady(21));
  EXPECT_THAT(todo_, ElementsAre(HasSubstr("the next 20 good stimuli are to make one")));
  EXPECT_THAT(Baselines(), SizeIs(1));
}

TEST_F(LaryngealTest, BehindARestartEachPlaceHasItsBaselineWhereTheSecondStimulusHadCome) {
  is_killed_at_end_ = true;
  RunLarynx(kIntermittent, {{"NIM V1 left", 800, 6, 1},
                            {"NIM V1 right", 400, 6, 1},
                            {"NIM R1 left", 1000, 4, 1},
                            {"NIM V2 left", 750, 6, 1},
                            {"NIM V2 right", 390, 6, 1}});
  ASSERT_THAT(Baselines(), SizeIs(2));
  Kill();
  RunLarynx(kIntermittent,
            {{"NIM V2 left", 300, 7, 1}, {"NIM V2 right", 400, 6, 1}, {"NIM R2 left", 500, 4, 1}});
  EXPECT_THAT(todo_, ElementsAre(HasSubstr("what V1 and R1 answered before the restart")));
  EXPECT_THAT(Baselines(), IsEmpty());
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(3));
  EXPECT_EQ(measured[0].state(), v1::MEASUREMENT_STATE_RED);
  EXPECT_NEAR(measured[0].amplitude_percent_of_baseline(), 37.5, 3);
  EXPECT_NEAR(measured[1].amplitude_percent_of_baseline(), 100, 5) << "the other side's own";
  EXPECT_EQ(measured[2].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
  EXPECT_THAT(measured[2].reason(), HasSubstr("no response at R1 left before"));
}

// A baseline on record, and whether a stimulus at V2 left is then compared with one.
struct RecordedBaseline {
  std::string reason;
  double amplitude_uv;
  double latency_ms;
};

class RecordedBaselineTest : public LaryngealTest {
 protected:
  bool IsTaken(const RecordedBaseline& recorded) {
    past_.emplace();
    CasePast::Baseline& one = past_->baselines.emplace_back();
    one.set.set_trace_id("RLN_INTERMITTENT/L/VOC L");
    one.key = {OriginId::FromBytes(std::string(16, 'o')), 1, 1};
    one.set.set_reason(recorded.reason);
    one.set.set_amplitude_uv(recorded.amplitude_uv);
    one.set.set_latency_ms(recorded.latency_ms);
    sink_.records.clear();
    RunLarynx(kIntermittent, {{"NIM V2 left", 300, 7, 1}});
    return !Measured().empty() && Measured()[0].has_baseline();
  }
};

TEST_F(RecordedBaselineTest, OneOfThatPlaceIsTaken) {
  EXPECT_TRUE(IsTaken({"the response at V1 left", 800, 6}));
  EXPECT_TRUE(IsTaken({"median of 3 responses at V1 left; under 500 uV", 300, 6}));
}

TEST_F(RecordedBaselineTest, HostileOnesWithoutAPlaceOrOfAnotherAreNone) {
  for (const char* reason :
       {"", "the response", "the response at ", "the response at V2 left", "the response at V1",
        "the response at R1 left", "the response at V1 right", "at V1 left",
        "; the response at V1 left"}) {
    EXPECT_FALSE(IsTaken({reason, 800, 6})) << reason;
  }
}

TEST_F(RecordedBaselineTest, HostileOnesWithoutNumbersAreNone) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, std::nan(""), kInfinite, -kInfinite}) {
    EXPECT_FALSE(IsTaken({"the response at V1 left", bad, 6})) << bad;
    EXPECT_FALSE(IsTaken({"the response at V1 left", 800, bad})) << bad;
  }
}

TEST_F(LaryngealTest, HostileSitesAreTakenAsTheyAre) {
  RunLarynx(kIntermittent, {{"NIM " + std::string(3000, 'V'), 0, 5, 1},
                            {"NIM V1 R1", 700, 5, 1},
                            {"NIM V2 left right", 700, 5, 1},
                            {"NIM V1L " + std::string(300, 'x'), 700, 5, 1},
                            {"NIM V2L " + std::string(300, 'x'), 0, 5, 1}});
  const auto measured = Measured();
  ASSERT_THAT(measured, SizeIs(5));
  EXPECT_EQ(measured[1].site(), "V1 R1");
  EXPECT_EQ(measured[2].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
  EXPECT_TRUE(measured[4].has_baseline());
}

}  // namespace
}  // namespace remora::agent
