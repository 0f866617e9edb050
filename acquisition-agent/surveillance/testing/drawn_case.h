// A case from a plan and a drawn source: one derivation for each channel, by its name. What the
// analysis makes of it is in `sink_`.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/case_analysis.h"
#include "acquisition-agent/surveillance/testing/channel_plan.h"
#include "acquisition-agent/surveillance/testing/drawn_source.h"
#include "acquisition-agent/surveillance/testing/keeping_sink.h"

namespace remora::agent {

class DrawnCaseTest : public testing::Test {
 protected:
  void Run(const std::string& plan_text, Drawing drawing) {
    plan_ = PlanOverChannels(plan_text, drawing.channels, criteria_text_);
    ASSERT_FALSE(HasFailure());
    source_ = std::make_unique<DrawnSource>(std::move(drawing));
    auto analysis = CaseAnalysis::Create(plan_, source_->info(), sink_);
    ASSERT_TRUE(analysis.ok()) << analysis.status();
    analysis_ = *std::move(analysis);
    analysis_->Begin();
    for (bool ended = false; !ended;) {
      const absl::StatusOr<Item> item = source_->Next();
      ASSERT_TRUE(item.ok());
      ended = std::holds_alternative<EndOfSource>(*item);
      analysis_->Take(*item);
    }
  }

  std::string criteria_text_;  // that the plan names
  CasePlan plan_;
  KeepingSink sink_;
  std::unique_ptr<DrawnSource> source_;
  std::unique_ptr<CaseAnalysis> analysis_;
};

}  // namespace remora::agent
