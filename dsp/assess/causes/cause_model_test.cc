#include "dsp/assess/causes/cause_model.h"

#include <gtest/gtest.h>

#include <cmath>

namespace remora::dsp {
namespace {

CauseModel Small() {
  CauseModel model;
  model.version = "1";
  model.features = {{"colour", "colour", {{"red", "it is red"}, {"blue", "it is blue"}}, "look"}};
  model.causes = {{"one", "One", CauseGroup::kTechnical, "source", 0, {{2, -1}}},
                  {"two", "Two", CauseGroup::kSurgical, "source", 0, {{0, 1}}}};
  return model;
}

TEST(CauseModel, FindsItsRows) {
  const CauseModel model = Small();
  EXPECT_TRUE(ValidateCauseModel(model).ok());
  EXPECT_EQ(model.CauseAt("two"), 1u);
  EXPECT_EQ(model.CauseAt("three"), 2u);
  EXPECT_EQ(model.FeatureAt("colour"), 0u);
  EXPECT_EQ(model.features[0].ValueAt("blue"), 1u);
  EXPECT_EQ(model.features[0].ValueAt("green"), 2u);
}

TEST(CauseModel, HostileTablesAreRefused) {
  CauseModel model = Small();
  model.causes[0].weights[0][0] = 6.5;
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model = Small();
  model.causes[0].weights[0][0] = std::nan("");
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model = Small();
  model.causes[1].weights = {{0, 0}};
  EXPECT_FALSE(ValidateCauseModel(model).ok());  // nothing speaks for it
  model = Small();
  model.causes[0].weights[0].pop_back();
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model = Small();
  model.causes.pop_back();
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model = Small();
  model.causes[0].prior = -7;
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model = Small();
  model.features[0].values[1].key = "red";
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model = Small();
  model.kept.push_back({CauseGroup::kSurgical, {}, ""});
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model.kept[0].when.push_back({0, {2}, false});
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model.kept[0].when[0] = {1, {0}, false};
  EXPECT_FALSE(ValidateCauseModel(model).ok());
  model.kept[0].when[0] = {0, {0}, false};
  EXPECT_TRUE(ValidateCauseModel(model).ok());
}

}  // namespace
}  // namespace remora::dsp
