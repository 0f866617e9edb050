#include "dsp/assess/causes/differential.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace remora::dsp {
namespace {

// Three causes, told apart by colour and by shape; "weather" says nothing of any.
CauseModel Model() {
  CauseModel model;
  model.version = "1";
  model.features = {{"colour", "colour", {{"red", "red"}, {"blue", "blue"}}, "look at it"},
                    {"shape", "shape", {{"round", "round"}, {"flat", "flat"}}, "touch it"},
                    {"weather", "weather", {{"dry", "dry"}, {"wet", "wet"}}, "look out"}};
  model.causes = {{"ball", "Ball", CauseGroup::kTechnical, "s", 0, {{3, -2}, {3, -4}, {0, 0}}},
                  {"brick", "Brick", CauseGroup::kSystemic, "s", 0, {{2, -2}, {-3, 2}, {0, 0}}},
                  {"sea", "Sea", CauseGroup::kSurgical, "s", 0, {{-3, 3}, {-1, 0.5}, {0, 0}}}};
  return model;
}

std::vector<SeenFeature> Seen(std::optional<size_t> colour, std::optional<size_t> shape) {
  return {{colour, "here", ""}, {shape, "", shape ? "" : "overdue"}, {std::nullopt, "", ""}};
}

TEST(Differential, AddsUpWhatSpeaksForAndAgainst) {
  const Differential differential = RankCauses(Model(), Seen(0, 0));
  ASSERT_EQ(differential.ranked.size(), 2u);
  const RankedCause& first = differential.ranked[0];
  EXPECT_EQ(first.cause, 0u);
  EXPECT_EQ(first.sum, 6);
  EXPECT_EQ(first.support, Support::kStrong);
  EXPECT_EQ(first.evidence_for.size(), 2u);
  EXPECT_TRUE(first.missing.empty());
  const RankedCause& second = differential.ranked[1];
  EXPECT_EQ(second.sum, -1);
  EXPECT_EQ(second.support, Support::kWeak);
  ASSERT_EQ(second.evidence_against.size(), 1u);
  EXPECT_EQ(second.evidence_against[0].log_likelihood, -3);
}

TEST(Differential, SaysWhatIsMissingAndWhatWouldTellTheFirstTwoApart) {
  const Differential differential = RankCauses(Model(), Seen(0, std::nullopt));
  ASSERT_GE(differential.ranked.size(), 2u);
  EXPECT_EQ(differential.ranked[0].missing, std::vector<size_t>{1});
  ASSERT_TRUE(differential.separating_feature.has_value());
  EXPECT_EQ(*differential.separating_feature, 1u);
}

TEST(Differential, AFeatureWithNoTestTellsNothingApart) {
  CauseModel model = Model();
  model.features[1].test = "";
  EXPECT_FALSE(RankCauses(model, Seen(0, std::nullopt)).separating_feature.has_value());
}

TEST(Differential, ACauseThatNothingSpeaksForIsNotTold) {
  const Differential differential = RankCauses(Model(), Seen(std::nullopt, std::nullopt));
  EXPECT_TRUE(differential.ranked.empty());
  EXPECT_FALSE(differential.separating_feature.has_value());
}

TEST(Differential, WhatMustNotBeExplainedAwayComesToTheSecondPlace) {
  CauseModel model = Model();
  model.causes[2].weights[0] = {0.5, 3};
  const auto places = [&](const Differential& differential) {
    std::vector<size_t> causes;
    for (const RankedCause& one : differential.ranked) causes.push_back(one.cause);
    return causes;
  };
  EXPECT_EQ(places(RankCauses(model, Seen(0, 0))), (std::vector<size_t>{0, 2, 1}));
  model.causes[1].weights[1][0] = 0.5;
  EXPECT_EQ(places(RankCauses(model, Seen(0, 0))), (std::vector<size_t>{0, 1, 2}));
  model.kept.push_back({CauseGroup::kSurgical, {{0, {0}, false}}, "reason"});
  const Differential kept = RankCauses(model, Seen(0, 0));
  EXPECT_EQ(places(kept), (std::vector<size_t>{0, 2, 1}));
  EXPECT_EQ(kept.ranked[1].kept_by, std::optional<size_t>(0));
  EXPECT_FALSE(kept.ranked[0].kept_by.has_value());
  // What is missing is not seen, unless the rule says so.
  model.kept[0].when.push_back({2, {0}, false});
  EXPECT_EQ(places(RankCauses(model, Seen(0, 0))), (std::vector<size_t>{0, 1, 2}));
  model.kept[0].when[1].or_missing = true;
  EXPECT_EQ(places(RankCauses(model, Seen(0, 0))), (std::vector<size_t>{0, 2, 1}));
}

}  // namespace
}  // namespace remora::dsp
