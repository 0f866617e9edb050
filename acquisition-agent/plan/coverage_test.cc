// What plans cannot see, each gap by a plan that has it, and by one that has not.
#include "acquisition-agent/plan/coverage.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kWhole[] = R"(
  procedure_kind: PROCEDURE_KIND_SPINAL_DEFORMITY operated_from: "T4" operated_to: "L2"
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_LEFT level_role: LEVEL_ROLE_ABOVE
    derivation: "CP4-Fz" criterion: "s" }
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT level_role: LEVEL_ROLE_ABOVE
    derivation: "CP3-Fz" criterion: "s" }
  evoked { modality: MODALITY_SEP_LOWER side: SIDE_LEFT level_role: LEVEL_ROLE_BELOW
    derivation: "CPz-Fz" criterion: "s" }
  evoked { modality: MODALITY_SEP_LOWER side: SIDE_RIGHT level_role: LEVEL_ROLE_BELOW
    derivation: "CPz-Fz" criterion: "s" }
  evoked { modality: MODALITY_SEP_LOWER side: SIDE_LEFT level_role: LEVEL_ROLE_PERIPHERAL_CONTROL
    derivation: "PF L" }
  emg { derivation: "TA L" side: SIDE_LEFT }
  train_of_four { derivation: "APB L" side: SIDE_LEFT limb: "left hand" }
  motor { modality: MODALITY_MEP_TRANSCRANIAL criterion: "m"
    muscle { derivation: "APB L" side: SIDE_LEFT level_role: LEVEL_ROLE_ABOVE myotome: "C8-T1" }
    muscle { derivation: "TA L" side: SIDE_LEFT level_role: LEVEL_ROLE_BELOW myotome: "L4-L5" }
    muscle { derivation: "TA R" side: SIDE_RIGHT level_role: LEVEL_ROLE_BELOW myotome: "L4-L5" } }
)";

std::vector<v1::CoverageGap> Gaps(const std::string& from, const std::string& to,
                                  const std::string& more = "") {
  std::string text = kWhole;
  for (size_t at = text.find(from); !from.empty() && at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  CasePlan plan;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text + more, &plan.plan)) << text;
  for (const char* key : {"s", "m"}) {
    v1::Criterion& row = *plan.criteria.add_criterion();
    row.set_key(key);
    row.set_only_when_named(true);
  }
  return CoverageGapsOf(plan);
}

std::vector<std::string> Keys(const std::string& from, const std::string& to,
                              const std::string& more = "") {
  std::vector<std::string> keys;
  for (const v1::CoverageGap& gap : Gaps(from, to, more)) {
    EXPECT_FALSE(gap.words().empty());
    EXPECT_FALSE(gap.source().empty());
    keys.push_back(gap.key());
  }
  return keys;
}

TEST(Coverage, AWholePlanHasNoGap) { EXPECT_THAT(Keys("", ""), IsEmpty()); }

TEST(Coverage, WhatLacksIsNamed) {
  EXPECT_THAT(Keys("LEVEL_ROLE_ABOVE", "LEVEL_ROLE_AT"), Contains("above_level_control"));
  EXPECT_THAT(Keys("LEVEL_ROLE_BELOW", "LEVEL_ROLE_AT"), Contains("below_level"));
  EXPECT_THAT(Keys("SIDE_RIGHT", "SIDE_LEFT"), Contains("bilateral_pair"));
  EXPECT_THAT(Keys("LEVEL_ROLE_PERIPHERAL_CONTROL", "LEVEL_ROLE_BELOW"),
              Contains("peripheral_control"));
  EXPECT_THAT(Keys("MODALITY_MEP_TRANSCRANIAL", "MODALITY_EMG_TRIGGERED"),
              Contains("cord_single_modality"));
  EXPECT_THAT(Keys("", "", "sets_screws: true"), Contains("screws_without_triggered_emg"));
  EXPECT_THAT(Keys("", "", R"(sets_screws: true motor { modality: MODALITY_PEDICLE_SCREW })"),
              Not(Contains("screws_without_triggered_emg")));
  EXPECT_THAT(Keys("SPINAL_DEFORMITY", "INTRAMEDULLARY_TUMOUR"), Contains("d_wave"));
  EXPECT_THAT(Keys("SPINAL_DEFORMITY", "UNSPECIFIED"), Contains("procedure_kind"));
  EXPECT_THAT(Keys("operated_from: \"T4\"", ""), Contains("operated_level"));
  EXPECT_THAT(Keys("SPINAL_DEFORMITY", "THYROID"), Contains("larynx"));
  EXPECT_THAT(Keys("criterion: \"m\"", ""), Contains("no_criterion"));
}

TEST(Coverage, MotorEvokedResponsesAloneAreNotEnough) {
  CasePlan plan;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(procedure_kind: PROCEDURE_KIND_SPINAL_DEFORMITY
         motor { modality: MODALITY_MEP_TRANSCRANIAL
           muscle { derivation: "TA L" side: SIDE_LEFT } })",
      &plan.plan));
  std::vector<std::string> keys;
  for (const v1::CoverageGap& gap : CoverageGapsOf(plan)) keys.push_back(gap.key());
  EXPECT_THAT(keys, Contains("mep_alone"));
  EXPECT_THAT(keys, Contains("train_of_four"));
}

TEST(Coverage, LevelsThatDoNotMatchTheMontageAreNamed) {
  // Muscles of the hand are no control from above in an operation on the neck.
  const auto gaps = Gaps("\"T4\"", "\"C5\"");
  const auto named = [&](const std::string& words) {
    return std::any_of(gaps.begin(), gaps.end(), [&](const v1::CoverageGap& gap) {
      return gap.key() == "level_mismatch" && gap.words().find(words) != std::string::npos;
    });
  };
  EXPECT_TRUE(named("APB L"));
  EXPECT_TRUE(named("nerves of the arm"));
  EXPECT_FALSE(named("TA L"));
  EXPECT_THAT(Keys("", ""), Not(Contains("level_mismatch")));
}

TEST(Coverage, RootsCountFromTheNeckDown) {
  EXPECT_EQ(RootNumber("C5", false), 5);
  EXPECT_EQ(RootNumber("C8-T1", true), 9);
  EXPECT_EQ(RootNumber("L4-L5", false), 24);
  EXPECT_EQ(RootNumber("L4-L5", true), 25);
  EXPECT_EQ(RootNumber("S5", false), 30);
  EXPECT_EQ(RootNumber("T13", false), 0);
  EXPECT_EQ(RootNumber("", false), 0);
  EXPECT_EQ(RootNumber("VII", false), 0);
}

}  // namespace
}  // namespace remora::agent
