#include "common/fold/case_life.h"

#include <gtest/gtest.h>

#include <map>

namespace remora {
namespace {

using Table = std::map<std::pair<v1::CaseStage, v1::CaseTransition>, v1::CaseStage>;

// Every step that case.proto draws; whatever is not here is refused.
const Table& Allowed() {
  static const Table table = {
      {{v1::CASE_STAGE_UNSPECIFIED, v1::CASE_TRANSITION_SCHEDULED}, v1::CASE_STAGE_SCHEDULED},
      {{v1::CASE_STAGE_UNSPECIFIED, v1::CASE_TRANSITION_OPENED}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_UNSPECIFIED, v1::CASE_TRANSITION_OPENED_EMERGENCY}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_SCHEDULED, v1::CASE_TRANSITION_OPENED}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_SCHEDULED, v1::CASE_TRANSITION_ABANDONED}, v1::CASE_STAGE_ABANDONED},
      {{v1::CASE_STAGE_OPEN, v1::CASE_TRANSITION_MOVED}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_OPEN, v1::CASE_TRANSITION_CORRECTED}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_OPEN, v1::CASE_TRANSITION_CLOSING}, v1::CASE_STAGE_CLOSING},
      {{v1::CASE_STAGE_OPEN, v1::CASE_TRANSITION_ABANDONED}, v1::CASE_STAGE_ABANDONED},
      {{v1::CASE_STAGE_CLOSING, v1::CASE_TRANSITION_CLOSED}, v1::CASE_STAGE_CLOSED},
      {{v1::CASE_STAGE_CLOSING, v1::CASE_TRANSITION_REOPENED}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_CLOSED, v1::CASE_TRANSITION_REOPENED}, v1::CASE_STAGE_OPEN},
      {{v1::CASE_STAGE_CLOSED, v1::CASE_TRANSITION_SEALED}, v1::CASE_STAGE_SEALED},
  };
  return table;
}

v1::CaseLifecycle Step(v1::CaseTransition transition) {
  v1::CaseLifecycle step;
  step.set_transition(transition);
  step.set_theatre("OR 1");
  step.set_reason("as it is");
  return step;
}

TEST(CaseLife, EveryStepFromEveryStageIsAllowedOrRefusedAsDrawn) {
  for (int stage = v1::CaseStage_MIN; stage <= v1::CaseStage_MAX; ++stage) {
    for (int transition = 0; transition <= v1::CaseTransition_MAX + 1; ++transition) {
      const auto from = static_cast<v1::CaseStage>(stage);
      const auto by = static_cast<v1::CaseTransition>(transition);
      const auto it = Allowed().find({from, by});
      const v1::CaseStage expected =
          it == Allowed().end() ? v1::CASE_STAGE_UNSPECIFIED : it->second;
      EXPECT_EQ(StageAfter(from, by), expected) << StageName(from) << " " << TransitionName(by);
      CaseLife life{from, ""};
      EXPECT_EQ(CheckTransition(life, Step(by)).ok(), it != Allowed().end());
      TakeTransition(Step(by), &life);
      EXPECT_EQ(life.stage, it == Allowed().end() ? from : expected);
    }
  }
}

TEST(CaseLife, StepsSayWhichTheatreAndWhy) {
  const CaseLife open{v1::CASE_STAGE_OPEN, "OR 1"};
  v1::CaseLifecycle moved = Step(v1::CASE_TRANSITION_MOVED);
  moved.clear_theatre();
  EXPECT_EQ(CheckTransition(open, moved).code(), absl::StatusCode::kInvalidArgument);
  v1::CaseLifecycle abandoned = Step(v1::CASE_TRANSITION_ABANDONED);
  abandoned.clear_reason();
  EXPECT_EQ(CheckTransition(open, abandoned).code(), absl::StatusCode::kInvalidArgument);
  v1::CaseLifecycle closing = Step(v1::CASE_TRANSITION_CLOSING);
  closing.clear_theatre();
  closing.clear_reason();
  EXPECT_TRUE(CheckTransition(open, closing).ok());
}

TEST(CaseLife, CaseThatIsOverTakesItsLateAnnexAndAPlannedOneNoData) {
  for (uint32_t lane = 0; lane < 6; ++lane) {
    EXPECT_TRUE(StageTakesLane(v1::CASE_STAGE_SEALED, lane));
    EXPECT_TRUE(StageTakesLane(v1::CASE_STAGE_ABANDONED, lane));
    EXPECT_TRUE(StageTakesLane(v1::CASE_STAGE_OPEN, lane));
    EXPECT_TRUE(StageTakesLane(v1::CASE_STAGE_CLOSING, lane));
    EXPECT_EQ(StageTakesLane(v1::CASE_STAGE_SCHEDULED, lane), lane < 2);
  }
}

}  // namespace
}  // namespace remora
