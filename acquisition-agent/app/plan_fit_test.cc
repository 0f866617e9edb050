#include "acquisition-agent/app/plan_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/scripted_source.h"

namespace remora::agent {
namespace {

using testing::StartsWith;

TEST(PlanFit, APlanThatFitsPasses) {
  const ScriptedSource source{PatientScript()};
  EXPECT_TRUE(CheckPlanFits(PatientPlan(), source.info()).ok());
}

TEST(PlanFit, HostileWhatOnlyTheAnalysisRefusesNamesFileAndEntry) {
  SourceInfo info = ScriptedSource(PatientScript()).info();
  info.rate_groups[0].sample_rate_hz = 400;
  for (ChannelInfo& channel : info.channels) channel.sample_rate_hz = 400;
  CasePlan plan = PatientPlan();
  plan.plan.clear_evoked();
  const absl::Status status = CheckPlanFits(plan, info);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), StartsWith("patient.plan: emg[0]: "));
}

}  // namespace
}  // namespace remora::agent
