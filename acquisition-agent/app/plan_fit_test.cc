#include "acquisition-agent/app/plan_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/channel_plan.h"
#include "acquisition-agent/surveillance/testing/drawn_source.h"
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

TEST(PlanFit, HostileAFaultBehindMirroredEegIsNotLaidToTheMirror) {
  Drawing drawing;
  drawing.channels = {"F3", "F4"};
  const DrawnSource source(drawing);
  // After-discharges are not looked for in so few samples.
  const CasePlan plan = PlanOverChannels(R"(
    eeg { derivation: "F3" side: SIDE_LEFT mirror_derivation: "F4" }
    eeg { derivation: "F4" side: SIDE_RIGHT mirror_derivation: "F3" sent_rate_hz: 64
      after_discharge_trigger { label_prefix: "CORTEX" } })",
                                         drawing.channels);
  const absl::Status status = CheckPlanFits(plan, source.info());
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), StartsWith("test.plan: eeg[1]: "));
}

}  // namespace
}  // namespace remora::agent
