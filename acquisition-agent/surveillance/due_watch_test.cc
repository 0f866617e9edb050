#include "acquisition-agent/surveillance/due_watch.h"

#include <gtest/gtest.h>

#include <vector>

namespace remora::agent {
namespace {

constexpr int64_t kMinute = 60'000'000'000;

class DueWatchTest : public ::testing::Test, public RecordSink {
 protected:
  static ResolvedPlan Plan() {
    ResolvedPlan plan;
    for (const v1::Modality modality :
         {v1::MODALITY_SEP_UPPER, v1::MODALITY_MEP_TRANSCRANIAL, v1::MODALITY_BAEP}) {
      plan.evoked.emplace_back().plan.set_modality(modality);
    }
    return plan;
  }
  RecordKey Put(v1::Record* record, int64_t) override {
    told.push_back(record->alert());
    return {OriginId(), 0, told.size()};
  }
  // Time goes on to this minute, with each piece of signal.
  void Until(int64_t minute) {
    for (; now_ns <= minute * kMinute; now_ns += kMinute / 60) watch.OnTime(now_ns);
  }

  std::vector<v1::Alert> told;
  int64_t now_ns = 0;
  ResolvedPlan plan = Plan();
  DueWatch watch{plan, *this};
};

TEST_F(DueWatchTest, NothingIsOverdueWithoutARisk) {
  watch.OnPhase(v1::PHASE_EXPOSURE, 0);
  Until(60);
  EXPECT_TRUE(told.empty());
}

TEST_F(DueWatchTest, InARiskStageEachModalityIsOverdueAfterItsOwnTimeAndOnce) {
  Until(5);
  watch.OnPhase(v1::PHASE_CORRECTION, now_ns);
  Until(7);
  EXPECT_TRUE(told.empty()) << "awaited from the stage's beginning on";
  Until(14);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].trace_id(), "due/SEP_UPPER");
  EXPECT_EQ(told[0].alert_class(), v1::ALERT_CLASS_TECHNICAL);
  EXPECT_EQ(told[0].condition(), v1::ALERT_CONDITION_RAISED);
  watch.OnTrial(v1::MODALITY_SEP_UPPER, now_ns);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].condition(), v1::ALERT_CONDITION_RECOVERED);
  Until(16);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].trace_id(), "due/MEP_TRANSCRANIAL") << "after 10 min";
}

TEST_F(DueWatchTest, TheEndOfTheStageEndsIt) {
  watch.OnPhase(v1::PHASE_CORRECTION, 0);
  Until(4);
  ASSERT_EQ(told.size(), 1u);
  watch.OnPhase(v1::PHASE_CLOSURE, now_ns);
  EXPECT_EQ(told.back().condition(), v1::ALERT_CONDITION_RECOVERED);
  Until(60);
  EXPECT_EQ(told.size(), 2u);
}

}  // namespace
}  // namespace remora::agent
