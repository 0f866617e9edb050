#include "dsp/assess/rules/laryngeal_loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remora::dsp {
namespace {

LaryngealFacts Whole() {
  LaryngealFacts facts;
  facts.first_uv = 700;
  facts.delivered_ma = 1.5;
  facts.response_uv = 0;
  facts.twitch_is_felt = false;
  facts.tube_and_leads_were_checked = true;
  facts.other_vagus_answers = true;
  facts.is_first_side = true;
  facts.is_bilateral_planned = true;
  return facts;
}

TEST(LaryngealLoss, OnTheFirstOfTwoSidesAsksWhetherToStage) {
  const LaryngealReading reading = ReadLarynx(Whole());
  EXPECT_EQ(reading.verdict, LaryngealVerdict::kLossOfSignal);
  EXPECT_TRUE(reading.missing.empty());
  EXPECT_NE(reading.consider.find("consider staging"), std::string::npos);
  LaryngealFacts second = Whole();
  second.is_first_side = false;
  EXPECT_EQ(ReadLarynx(second).consider, "");
  LaryngealFacts one_sided = Whole();
  one_sided.is_bilateral_planned = false;
  EXPECT_EQ(ReadLarynx(one_sided).consider, "");
}

TEST(LaryngealLoss, NeedsEachOfItsConditions) {
  const auto lacks = [](void (*change)(LaryngealFacts*)) {
    LaryngealFacts facts = Whole();
    change(&facts);
    const LaryngealReading reading = ReadLarynx(facts);
    EXPECT_EQ(reading.verdict, LaryngealVerdict::kSignalLost);
    EXPECT_EQ(reading.missing.size(), 1u);
    EXPECT_EQ(reading.consider, "");
  };
  lacks([](LaryngealFacts* facts) { facts->first_uv.reset(); });
  lacks([](LaryngealFacts* facts) { facts->first_uv = 200; });
  lacks([](LaryngealFacts* facts) { facts->delivered_ma = 0.5; });
  lacks([](LaryngealFacts* facts) { facts->delivered_ma.reset(); });
  lacks([](LaryngealFacts* facts) { facts->twitch_is_felt.reset(); });
  lacks([](LaryngealFacts* facts) { facts->tube_and_leads_were_checked = false; });
  lacks([](LaryngealFacts* facts) { facts->other_vagus_answers.reset(); });
}

TEST(LaryngealLoss, AResponseOf100MicrovoltsIsNone) {
  LaryngealFacts facts = Whole();
  facts.response_uv = 99;
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kLossOfSignal);
  facts.response_uv = 100;
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kAnswers);
}

TEST(LaryngealLoss, ATwitchOrASilentOtherSideIsTechnical) {
  LaryngealFacts facts = Whole();
  facts.twitch_is_felt = true;
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kTechnical);
  facts = Whole();
  facts.other_vagus_answers = false;
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kTechnical);
}

TEST(LaryngealLoss, UnderRelaxationOrWithoutAResponseNothingIsJudged) {
  LaryngealFacts facts = Whole();
  facts.is_relaxed = true;
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kNotJudged);
  facts = Whole();
  facts.response_uv.reset();
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kNotJudged);
  facts.response_uv = std::nan("");
  EXPECT_EQ(ReadLarynx(facts).verdict, LaryngealVerdict::kNotJudged);
}

}  // namespace
}  // namespace remora::dsp
