#include "acquisition-agent/plan/cause_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

namespace remora::agent {
namespace {

std::string Shipped() {
  return std::string(std::getenv("REMORA_SOURCE_DIR")) + "/acquisition-agent/plans/standard.causes";
}

constexpr char kSmall[] = R"(
  version: "1"
  feature { key: "noise" name: "noise"
    value { key: "none" words: "n" } value { key: "some" words: "s" }
    value { key: "all" words: "a" } }
  cause { key: "one" name: "One" group: CAUSE_GROUP_TECHNICAL source: "x"
    weight { feature: "noise" value: "all" log_likelihood: 5 } }
  cause { key: "two" name: "Two" group: CAUSE_GROUP_SURGICAL source: "x"
    weight { feature: "noise" value: "none" log_likelihood: 1 } }
  kept_in_first_two { group: CAUSE_GROUP_SURGICAL
    when { feature: "noise" value: "none" value: "some" or_missing: true } reason: "r" }
)";

TEST(CauseFile, ShippedTableHasTheRowsOfTheDifferential) {
  const auto files = MakePosixFileSystem();
  const auto model = LoadCauses(*files, Shipped());
  ASSERT_TRUE(model.ok()) << model.status();
  for (const char* key :
       {"stimulation", "recording_electrode", "interference", "anaesthetic", "hypothermia",
        "hypotension", "relaxant", "positioning", "cord", "root", "cortical", "fade", "brainstem",
        "corticospinal", "eighth_nerve", "mep_stimulation", "limb_ischaemia"}) {
    EXPECT_LT(model->CauseAt(key), model->causes.size()) << key;
  }
  EXPECT_FALSE(model->kept.empty());
}

// No treatment, no order: what would tell two causes apart is something to look at.
TEST(CauseFile, ShippedTestsAreObservations) {
  const auto files = MakePosixFileSystem();
  const auto model = LoadCauses(*files, Shipped());
  ASSERT_TRUE(model.ok());
  for (const dsp::CauseFeature& feature : model->features) {
    if (feature.test.empty()) continue;
    const std::string verb = feature.test.substr(0, feature.test.find(' '));
    const std::set<std::string> looks = {"ask",  "check", "compare", "feel",   "listen",
                                         "look", "mark",  "read",    "repeat", "run"};
    EXPECT_EQ(looks.count(verb), 1u) << feature.test;
  }
}

TEST(CauseFile, IsReadWithItsRules) {
  const auto model = ParseCauses(kSmall, "small.causes");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->causes.size(), 2u);
  EXPECT_EQ(model->causes[0].weights[0][2], 5);
  ASSERT_EQ(model->kept.size(), 1u);
  EXPECT_EQ(model->kept[0].when[0].values.size(), 2u);
  EXPECT_TRUE(model->kept[0].when[0].or_missing);
}

std::string With(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(CauseFile, HostileTablesAreRefusedWithWhatIsWrong) {
  const struct {
    std::string text, says;
  } cases[] = {
      {With("log_likelihood: 5", "log_likelihood: 7"), "-6 to 6"},
      {With("log_likelihood: 5", "log_likelihood: nan"), "-6 to 6"},
      {With("value: \"all\" log", "value: \"many\" log"), "noise has no value many"},
      {With("feature: \"noise\" value: \"all\"", "feature: \"sound\" value: \"all\""),
       "there is no feature sound"},
      {With("key: \"two\"", "key: \"one\""), "is there twice"},
      {With("version: \"1\"", ""), "version"},
      {With("source: \"x\"", ""), "source"},
      {With("group: CAUSE_GROUP_TECHNICAL", ""), "group"},
      {With("value { key: \"some\" words: \"s\" }", ""), "noise has no value some"},
      {With("feature { key", "feature [ key"), "bad.causes:3"},
  };
  for (const auto& one : cases) {
    const absl::Status status = ParseCauses(one.text, "bad.causes").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << one.says;
    EXPECT_NE(std::string(status.message()).find("bad.causes"), std::string::npos) << status;
    EXPECT_NE(std::string(status.message()).find(one.says), std::string::npos) << status;
  }
}

TEST(CauseFile, HostileFeaturesThatNothingWorksOutAreRefused) {
  std::string text = kSmall;
  for (size_t at = text.find("\"noise\""); at != std::string::npos; at = text.find("\"noise\"")) {
    text.replace(at, 7, "\"odour\"");
  }
  const absl::Status status = ParseCauses(text, "bad.causes").status();
  EXPECT_NE(std::string(status.message()).find("nothing works this out"), std::string::npos);
}

}  // namespace
}  // namespace remora::agent
