#include "acquisition-agent/surveillance/context_watch.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/channel_plan.h"
#include "acquisition-agent/surveillance/testing/drawn_source.h"
#include "acquisition-agent/surveillance/testing/keeping_sink.h"

namespace remora::agent {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// What a screw is touched with is the technologist's: the plan names no current.
constexpr char kScrews[] = R"(
  motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "SCREW" }
    threshold { step: 1 maximum: 30 } muscle { derivation: "TA" side: SIDE_LEFT } })";
constexpr char kMep[] = R"(
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
    stimulus { electrodes: "C3-C4" voltage_v: 300 pulse_count: 5 }
    muscle { derivation: "TA" side: SIDE_LEFT } })";

class ContextWatchTest : public ::testing::Test {
 protected:
  void Load(const std::string& text) {
    Drawing drawing;
    drawing.channels = {"TA", "APB", "CP3"};
    const DrawnSource source(drawing);
    auto resolved = ResolvePlan(PlanOverChannels(text, drawing.channels), source.info());
    ASSERT_TRUE(resolved.ok()) << resolved.status();
    plan_ = *std::move(resolved);
    watch_ = std::make_unique<ContextWatch>(plan_, sink_);
  }
  // Every listener's; time goes on in pieces of signal until then.
  void Give(double at_s, StimulusTrigger told) {
    Pass(at_s);
    told.time_ns = now_ns_;
    Stimulus stimulus;
    stimulus.time_ns = now_ns_;
    stimulus.own.assign(plan_.triggers().size(), true);
    stimulus.told = told;
    watch_->OnStimulus(stimulus, now_ns_);
  }
  void Pass(double until_s) {
    const auto until_ns = static_cast<int64_t>(until_s * 1e9);
    for (; now_ns_ + 100'000'000 < until_ns; now_ns_ += 100'000'000) watch_->Flush(now_ns_);
    now_ns_ = until_ns;
    watch_->Flush(now_ns_);
  }
  std::vector<v1::StimulusChange> Changes() const {
    return sink_.All(&v1::Record::has_stimulus_change, &v1::Record::stimulus_change);
  }
  static StimulusTrigger Asked(double ma) {
    StimulusTrigger told;
    told.commanded_ma = ma;
    return told;
  }
  static StimulusTrigger Volts(double asked, double delivered = 0) {
    StimulusTrigger told;
    told.commanded_v = asked;
    if (delivered > 0) told.delivered_v = delivered;
    return told;
  }

  ResolvedPlan plan_;
  KeepingSink sink_;
  std::unique_ptr<ContextWatch> watch_;
  int64_t now_ns_ = 0;
};

TEST_F(ContextWatchTest, ARampIsToldFromItsFirstStepToItsLastAndNotEachStep) {
  Load(kScrews);
  for (int ma = 1; ma <= 30; ++ma) Give(ma, Asked(ma));
  Pass(60);
  const auto changes = Changes();
  ASSERT_THAT(changes, SizeIs(testing::AllOf(testing::Ge(6u), testing::Le(8u))));
  EXPECT_FALSE(changes[0].has_previous());
  EXPECT_EQ(changes[0].stimulus().current_ma(), 1);
  EXPECT_EQ(changes[0].modality(), v1::MODALITY_PEDICLE_SCREW);
  for (size_t i = 1; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].previous().current_ma(), changes[i - 1].stimulus().current_ma());
  }
  EXPECT_EQ(changes.back().stimulus().current_ma(), 30);
}

TEST_F(ContextWatchTest, ARampOfWhatWasDeliveredAloneIsToldToo) {
  Load(kScrews);
  for (int ma = 1; ma <= 10; ++ma) {
    StimulusTrigger told;
    told.delivered_ma = ma;
    Give(6.0 * ma, told);
  }
  ASSERT_THAT(Changes(), SizeIs(10));
  EXPECT_EQ(Changes()[4].previous().delivered_ma(), 4);
}

TEST_F(ContextWatchTest, WhatThePlanSaysIsNoChangeAndIsWhatItWas) {
  Load(kMep);
  Give(1, Volts(300));
  EXPECT_THAT(Changes(), IsEmpty());
  Give(10, Volts(400));
  ASSERT_THAT(Changes(), SizeIs(1));
  EXPECT_EQ(Changes()[0].previous().voltage_v(), 300);
  EXPECT_EQ(Changes()[0].previous().electrodes(), "C3-C4");
}

TEST_F(ContextWatchTest, AFirstStimulusThatIsNotThePlansHasNothingBefore) {
  Load(kMep);
  Give(1, Volts(450));
  ASSERT_THAT(Changes(), SizeIs(1));
  EXPECT_FALSE(Changes()[0].has_previous());
}

TEST_F(ContextWatchTest, AllThatASourceSaysCounts) {
  Load(kMep);
  StimulusTrigger told = Volts(300);
  told.pulses = 5;
  told.pulse_interval_ms = 4;
  told.pulse_us = 500;
  told.rate_hz = 2;
  double at_s = 10;
  const auto give = [&] { Give(at_s += 10, told); };
  give();
  EXPECT_THAT(Changes(), SizeIs(1)) << "the interval, the width and the rate are known now";
  told.pulse_interval_ms = 2;
  give();
  ASSERT_THAT(Changes(), SizeIs(2));
  EXPECT_EQ(Changes()[1].stimulus().pulse_interval_ms(), 2);
  EXPECT_EQ(Changes()[1].previous().pulse_interval_ms(), 4);
  told.pulses = 7;
  give();
  told.pulse_us = 50;
  give();
  told.rate_hz = 1;
  give();
  told.delivered_v = 295;
  give();
  EXPECT_THAT(Changes(), SizeIs(6));
  told.delivered_v = 300;
  give();
  EXPECT_THAT(Changes(), SizeIs(6)) << "what is measured varies";
}

TEST_F(ContextWatchTest, WhatIsLeftUnsaidIsNoChange) {
  Load(kScrews);
  Give(1, Asked(8));
  Give(10, StimulusTrigger());
  Give(20, Asked(8));
  EXPECT_THAT(Changes(), SizeIs(1));
}

TEST_F(ContextWatchTest, AStimulatorThatFailsInARampIsToldAtOnce) {
  Load(kMep);
  Give(1, Volts(400, 400));
  Give(2, Volts(410, 200));
  ASSERT_THAT(Changes(), SizeIs(2));
  EXPECT_TRUE(Changes()[1].not_as_asked());
  Give(3, Volts(410, 410));
  ASSERT_THAT(Changes(), SizeIs(3));
  EXPECT_FALSE(Changes()[2].not_as_asked());
}

TEST_F(ContextWatchTest, TracesOfOneStimulusTellItOnceAndTheEndTellsWhatWaits) {
  Load(R"(
    motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
      muscle { derivation: "TA" side: SIDE_LEFT } }
    motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
      muscle { derivation: "APB" side: SIDE_LEFT } })");
  Give(1, Volts(300));
  EXPECT_THAT(Changes(), SizeIs(1));
  Give(2, Volts(350));
  EXPECT_THAT(Changes(), SizeIs(1));
  watch_->OnEnd(now_ns_);
  ASSERT_THAT(Changes(), SizeIs(2));
  EXPECT_EQ(Changes()[1].stimulus().voltage_v(), 350);
}

TEST_F(ContextWatchTest, AStepThatWasTakenBackIsNotToldLater) {
  Load(kScrews);
  Give(1, Asked(8));
  Give(2, Asked(12));
  Give(3, Asked(8));
  Pass(20);
  EXPECT_THAT(Changes(), SizeIs(1));
}

TEST_F(ContextWatchTest, HostileNumbersThatAreNoneAreNotKnown) {
  Load(kScrews);
  StimulusTrigger told;
  told.commanded_ma = std::nan("");
  told.delivered_ma = std::numeric_limits<double>::infinity();
  told.pulse_us = -5;
  told.rate_hz = 0;
  Give(1, told);
  EXPECT_THAT(Changes(), IsEmpty());
}

}  // namespace
}  // namespace remora::agent
