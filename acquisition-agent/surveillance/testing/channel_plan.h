// A plan as a test writes it, over named channels: loaded as the agent loads one, with one
// derivation for each channel, by its name; with its criteria, where it has some.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "acquisition-agent/plan/case_plan.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {

inline CasePlan PlanOverChannels(const std::string& plan_text,
                                 const std::vector<std::string>& channels,
                                 const std::string& criteria_text = "") {
  CasePlan plan;
  plan.plan_path = "test.plan";
  plan.montage_path = "test.montage";
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(plan_text, &plan.plan));
  for (const std::string& channel : channels) {
    v1::Derivation& derivation = *plan.montage.add_derivation();
    derivation.set_name(channel);
    derivation.add_plus(channel);
  }
  if (!criteria_text.empty()) {
    plan.criteria_path = "test.criteria";
    plan.plan.set_criteria_file(plan.criteria_path);
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(criteria_text, &plan.criteria));
  }
  FillDefaults(&plan.plan);
  const absl::Status checked = CheckCasePlan(plan);
  EXPECT_TRUE(checked.ok()) << checked;
  return plan;
}

}  // namespace remora::agent
