#include "acquisition-agent/plan/planned_traces.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Both hemispheres in turn, looked at in the same muscles.
constexpr char kBothWays[] = R"(
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP C3-C4" }
    stimulus { site: "scalp" electrodes: "C3-C4" voltage_v: 300 }
    muscle { derivation: "APB" side: SIDE_RIGHT } muscle { derivation: "TA" side: SIDE_RIGHT } }
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP C4-C3" }
    stimulus { site: "scalp" electrodes: "C4-C3" voltage_v: 300 }
    muscle { derivation: "TA" side: SIDE_RIGHT } muscle { derivation: "APB" side: SIDE_LEFT } })";

CasePlan PlanOf(const std::string& text) {
  CasePlan plan;
  plan.plan_path = "p.plan";
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &plan.plan));
  for (const char* name : {"APB", "TA"}) {
    v1::Derivation& derivation = *plan.montage.add_derivation();
    derivation.set_name(name);
    derivation.add_plus(name);
  }
  FillDefaults(&plan.plan);
  return plan;
}

SourceInfo Source() {
  SourceInfo info;
  info.rate_groups.push_back(RateGroup{5000, {0, 1}});
  for (const char* label : {"APB", "TA"}) {
    ChannelInfo channel;
    channel.label = label;
    channel.unit = "uV";
    channel.sample_rate_hz = 5000;
    channel.uv_per_count = 0.1;
    info.channels.push_back(channel);
  }
  return info;
}

std::vector<std::string> IdsOf(const v1::Plan& plan) {
  std::vector<std::string> ids;
  for (const PlannedTrace& trace : PlannedTraces(plan)) ids.push_back(trace.trace_id);
  return ids;
}

TEST(PlannedTraces, AMuscleThatIsStimulatedInTwoWaysHasATraceOfEach) {
  const CasePlan plan = PlanOf(kBothWays);
  ASSERT_TRUE(CheckCasePlan(plan).ok()) << CheckCasePlan(plan);
  EXPECT_THAT(IdsOf(plan.plan),
              ElementsAre("MEP_TRANSCRANIAL/R/APB", "MEP_TRANSCRANIAL/R/TA/C3-C4",
                          "MEP_TRANSCRANIAL/R/TA/C4-C3", "MEP_TRANSCRANIAL/L/APB"));
  const auto resolved = ResolvePlan(plan, Source());
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->motor[0].muscles[0].trace_id, "MEP_TRANSCRANIAL/R/APB");
  EXPECT_EQ(resolved->motor[0].muscles[1].trace_id, "MEP_TRANSCRANIAL/R/TA/C3-C4");
  EXPECT_EQ(resolved->motor[1].muscles[0].trace_id, "MEP_TRANSCRANIAL/R/TA/C4-C3");
  EXPECT_EQ(resolved->motor[1].muscles[1].trace_id, "MEP_TRANSCRANIAL/L/APB");
}

TEST(PlannedTraces, WithoutElectrodesTheSiteOrTheTriggerTellsThemApart) {
  EXPECT_THAT(IdsOf(PlanOf(R"(
    motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "STIM SCREW L" }
      muscle { derivation: "TA" side: SIDE_LEFT } }
    motor { modality: MODALITY_PEDICLE_SCREW trigger { code: 7 }
      muscle { derivation: "TA" side: SIDE_LEFT } }
    motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "HOOK" }
      stimulus { site: "hook" } muscle { derivation: "TA" side: SIDE_LEFT } })")
                        .plan),
              ElementsAre("PEDICLE_SCREW/L/TA/SCREW L", "PEDICLE_SCREW/L/TA/code 7",
                          "PEDICLE_SCREW/L/TA/hook"));
}

TEST(PlannedTraces, HostileTheSameStimulusOfTheSameMuscleIsRefused) {
  const absl::Status same =
      CheckCasePlan(PlanOf(absl::StrReplaceAll(kBothWays, {{"\"C4-C3\"", "\"C3-C4\""}})));
  EXPECT_THAT(std::string(same.message()),
              AllOf(HasSubstr("motor[1].muscle[0]"), HasSubstr("TA/C3-C4\""),
                    HasSubstr("stimulus.electrodes must differ")));
  const absl::Status twice = CheckCasePlan(PlanOf(R"(
    motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
      muscle { derivation: "TA" side: SIDE_RIGHT }
      muscle { derivation: "TA" side: SIDE_RIGHT } })"));
  EXPECT_THAT(std::string(twice.message()), HasSubstr("motor[0].muscle[1]"));
  const absl::Status too_long = CheckCasePlan(PlanOf(absl::StrReplaceAll(
      kBothWays, {{"\"C4-C3\"", absl::StrCat("\"", std::string(128, 'x'), "\"")}})));
  EXPECT_THAT(std::string(too_long.message()),
              AllOf(HasSubstr("motor[1].muscle[0]"), HasSubstr("trace_id: at most 128 bytes")));
}

TEST(StimulusName, IsThatOfTheTriggerWhateverItIs) {
  v1::TriggerPlan trigger;
  trigger.set_label_prefix("STIM MED R");
  EXPECT_EQ(StimulusName(trigger), "MED R");
  trigger.Clear();
  trigger.set_channel("TRIG");
  EXPECT_EQ(StimulusName(trigger), "TRIG");
  trigger.Clear();
  trigger.set_code(3);
  EXPECT_EQ(StimulusName(trigger), "code 3");
  EXPECT_EQ(StimulusSubject(trigger), "stimulus/code 3");
}

constexpr char kGradient[] = R"(
  mapping { modality: MODALITY_MAP_MIDLINE strip: "grid" side: SIDE_MIDLINE
    contact_derivation: "APB" contact_derivation: "TA" trigger { label_prefix: "TIB" } })";

TEST(PlannedTraces, AContactOfAGradientHasATraceOfEachLeg) {
  const CasePlan plan = PlanOf(kGradient);
  ASSERT_TRUE(CheckCasePlan(plan).ok()) << CheckCasePlan(plan);
  const auto ids = testing::ElementsAre("MAP_MIDLINE/L/APB/1", "MAP_MIDLINE/L/TA/2",
                                        "MAP_MIDLINE/R/APB/1", "MAP_MIDLINE/R/TA/2");
  EXPECT_THAT(IdsOf(plan.plan), ids);
  const auto resolved = ResolvePlan(plan, Source());
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(resolved->mapping[0].trace_ids, ids);
}

TEST(PlannedTraces, AMidlineIsMappedInOneWay) {
  const CasePlan plan = PlanOf(absl::StrReplaceAll(
      kGradient, {{"contact_derivation: \"TA\"", "scalp_derivation: \"TA\" contact_count: 4"}}));
  EXPECT_THAT(std::string(CheckCasePlan(plan).message()),
              AllOf(HasSubstr("mapping[0].contact_derivation"), HasSubstr("by gradient")));
}

}  // namespace
}  // namespace remora::agent
