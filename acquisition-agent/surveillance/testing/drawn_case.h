// A case from a plan and a drawn source: one derivation for each channel, by its name. What the
// analysis makes of it is in `sink_`. A second Run after Kill() is a live source that goes on in
// the middle of the case.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
    if (past_) {
      analysis_->Take(SourceEvent{0, 0, "on again", /*is_remark=*/true});
      todo_ = analysis_->Restore(*past_);
    } else {
      analysis_->Begin();
    }
    for (const v1::Record& record : first_inputs_) analysis_->TakeInput(record);
    auto next_input = inputs_.begin();
    for (bool ended = false; !ended;) {
      for (; next_input != inputs_.end() && next_input->first <= analysis_->now_ns();
           ++next_input) {
        analysis_->TakeInput(next_input->second);
      }
      const absl::StatusOr<Item> item = source_->Next();
      ASSERT_TRUE(item.ok());
      ended = std::holds_alternative<EndOfSource>(*item);
      if (!ended || !is_killed_at_end_) analysis_->Take(*item);
    }
  }
  // What is on record is the past of the next run, whose records are `sink_`'s alone.
  void Kill() {
    past_.emplace();
    std::map<uint64_t, CasePast::Alert> on;  // by the record that raised it
    for (const v1::Record& record : sink_.records) {
      const RecordKey key{OriginId::FromBytes(record.origin()), record.lane(), record.origin_seq()};
      if (record.has_baseline_set()) past_->baselines.push_back({key, record.baseline_set()});
      if (!record.has_alert()) continue;
      const v1::Alert& alert = record.alert();
      const bool raised = alert.condition() == v1::ALERT_CONDITION_RAISED;
      const uint64_t raised_by = raised ? key.origin_seq : alert.raised_by().origin_seq();
      on[raised_by] = {key, alert};
      if (alert.condition() == v1::ALERT_CONDITION_RECOVERED) on.erase(raised_by);
    }
    for (auto& [raised_by, alert] : on) past_->alerts.push_back(std::move(alert));
    sink_.records.clear();
  }

  std::string criteria_text_;                  // that the plan names
  std::vector<v1::Record> first_inputs_;       // set before Run: what people wrote down first
  std::multimap<int64_t, v1::Record> inputs_;  // set before Run: by source time in ns
  CasePlan plan_;
  KeepingSink sink_;
  std::unique_ptr<DrawnSource> source_;
  std::unique_ptr<CaseAnalysis> analysis_;
  bool is_killed_at_end_ = false;
  std::optional<CasePast> past_;
  std::vector<std::string> todo_;  // of Restore
};

}  // namespace remora::agent
