#include "acquisition-agent/plan/resolved_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

SourceInfo Source(std::vector<std::string> labels, double rate = 5000) {
  SourceInfo info;
  info.name = "test.edf";
  info.rate_groups.push_back(RateGroup{rate, {}});
  for (const std::string& label : labels) {
    ChannelInfo channel;
    channel.label = label;
    channel.unit = "uV";
    channel.sample_rate_hz = rate;
    channel.uv_per_count = 0.1;
    channel.digital_min = -32768;
    channel.digital_max = 32767;
    info.rate_groups[0].channels.push_back(static_cast<int>(info.channels.size()));
    info.channels.push_back(channel);
  }
  return info;
}

CasePlan PlanOf(const std::string& montage, const std::string& filter = "") {
  CasePlan plan;
  plan.plan_path = "p.plan";
  plan.montage_path = "m.montage";
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: 'D' trigger { "
      "label_prefix: 'MED R' } " +
          filter + "} emg { derivation: 'D' side: SIDE_LEFT }",
      &plan.plan));
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(montage, &plan.montage));
  FillDefaults(&plan.plan);
  return plan;
}

TEST(ResolvedPlan, FindsElectrodesByLabelAliasAndOldName) {
  const CasePlan plan = PlanOf(
      "alias { name: 'Ref' electrode: 'Fz' } derivation { name: 'D' plus: \"C3'\" plus: 'CP4' "
      "minus: 'Ref' }");
  const auto resolved = ResolvePlan(plan, Source({"EEG Fz", "EEG CP3", "EEG C4'"}));
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_THAT(resolved->evoked[0].derivation.plus, ElementsAre(1, 2));
  EXPECT_THAT(resolved->evoked[0].derivation.minus, ElementsAre(0));
  EXPECT_EQ(resolved->evoked[0].trace_id, "SEP_UPPER/R/D");
  EXPECT_EQ(resolved->emg[0].plan.filter().low_pass_hz(), 2000);
  EXPECT_FALSE(resolved->emg[0].filter.empty());
}

TEST(ResolvedPlan, HostileAnUnknownElectrodeListsWhatThereIs) {
  const auto resolved =
      ResolvePlan(PlanOf("derivation { name: 'D' plus: 'CP5' }"), Source({"CP3", "FPz"}));
  EXPECT_TRUE(absl::IsInvalidArgument(resolved.status()));
  EXPECT_THAT(std::string(resolved.status().message()),
              AllOf(HasSubstr("m.montage: derivation[0]"), HasSubstr("test.edf"),
                    HasSubstr("CP3, FPz"), HasSubstr("Did you mean \"CP3\"?")));
}

TEST(ResolvedPlan, HostileACornerOverHalfTheRateIsRefused) {
  const auto resolved =
      ResolvePlan(PlanOf("derivation { name: 'D' plus: 'CP3' }",
                         "filter { order: 4 high_pass_hz: 30 low_pass_hz: 3000 zero_phase: true }"),
                  Source({"CP3"}));
  EXPECT_THAT(std::string(resolved.status().message()),
              AllOf(HasSubstr("p.plan: evoked[0].filter.low_pass_hz"), HasSubstr("2500")));
}

TEST(ResolvedPlan, HostileInputsOfDifferentRatesAreRefused) {
  SourceInfo source = Source({"CP3", "Fz"});
  source.channels[1].rate_group = 1;
  source.channels[1].sample_rate_hz = 1000;
  const auto resolved =
      ResolvePlan(PlanOf("derivation { name: 'D' plus: 'CP3' minus: 'Fz' }"), source);
  EXPECT_THAT(std::string(resolved.status().message()), HasSubstr("must be sampled together"));
}

TEST(ResolvedPlan, HostileAChannelThatIsNoVoltageIsRefused) {
  SourceInfo source = Source({"TEMP"});
  source.channels[0].is_voltage = false;
  source.channels[0].unit = "degC";
  const auto resolved = ResolvePlan(PlanOf("derivation { name: 'D' plus: 'TEMP' }"), source);
  EXPECT_THAT(std::string(resolved.status().message()), HasSubstr("not a voltage"));
}

// As PlanOf, with rising edges of TRIG instead of labels.
CasePlan ChannelPlan(const std::string& threshold = "") {
  CasePlan plan = PlanOf("derivation { name: 'D' plus: 'CP3' }");
  v1::TriggerPlan& trigger = *plan.plan.mutable_evoked(0)->mutable_trigger();
  EXPECT_TRUE(
      google::protobuf::TextFormat::ParseFromString("channel: 'TRIG' " + threshold, &trigger));
  return plan;
}

SourceInfo TriggerSource() {
  SourceInfo source = Source({"CP3", "TRIG"});
  source.channels[1].is_voltage = false;
  source.channels[1].unit = "";
  source.channels[1].physical_max = 3276.7;
  return source;
}

TEST(ResolvedPlan, ADigitalTriggerChannelIsOnAtAnyPulse) {
  const auto resolved = ResolvePlan(ChannelPlan(), TriggerSource());
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->evoked[0].trigger.channel, 1);
  EXPECT_EQ(resolved->evoked[0].trigger.threshold, 0.5);
  EXPECT_EQ(ResolvePlan(ChannelPlan("channel_threshold: 3"), TriggerSource())
                ->evoked[0]
                .trigger.threshold,
            3);
}

TEST(ResolvedPlan, HostileATriggerChannelOfUnknownHeightNeedsAThreshold) {
  SourceInfo source = TriggerSource();
  source.channels[1].is_voltage = true;
  source.channels[1].unit = "uV";
  EXPECT_THAT(std::string(ResolvePlan(ChannelPlan(), source).status().message()),
              AllOf(HasSubstr("p.plan: evoked[0].trigger.channel_threshold: is missing"),
                    HasSubstr("in uV")));
  EXPECT_TRUE(ResolvePlan(ChannelPlan("channel_threshold: 3"), source).ok());
}

TEST(ResolvedPlan, HostileAStatusWordHasNoHeight) {
  SourceInfo source = TriggerSource();
  source.channels[1].is_status_word = true;
  EXPECT_THAT(std::string(ResolvePlan(ChannelPlan(), source).status().message()),
              AllOf(HasSubstr("p.plan: evoked[0].trigger.channel: \"TRIG\" carries codes"),
                    HasSubstr("codes=1:MED R")));
}

TEST(ResolvedPlan, HostileALabelThatNoStimulusOfTheRecordingHasIsRefused) {
  const CasePlan plan = PlanOf("derivation { name: 'D' plus: 'CP3' }");
  SourceInfo source = Source({"CP3"});
  EXPECT_TRUE(ResolvePlan(plan, source).ok());  // a source that does not know
  source.texts = {"TIB L", "STIM MED R 4.7Hz"};
  EXPECT_TRUE(ResolvePlan(plan, source).ok());
  source.texts = {"TIB L", "MED L"};
  EXPECT_THAT(
      std::string(ResolvePlan(plan, source).status().message()),
      AllOf(HasSubstr("p.plan: evoked[0].trigger.label_prefix: \"MED R\""),
            HasSubstr("test.edf, which has: TIB L, MED L"), HasSubstr("Did you mean \"MED L\"?")));
  source.texts->clear();
  EXPECT_THAT(std::string(ResolvePlan(plan, source).status().message()),
              HasSubstr("test.edf has no named stimuli"));
}

}  // namespace
}  // namespace remora::agent
