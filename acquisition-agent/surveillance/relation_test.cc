// What two averaged traces of a drawn case say together.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/relation_watch.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kPeriodS = 0.2137;

class RelationTest : public DrawnCaseTest {
 protected:
  // A negative wave at the neck and one at the scalp, 4 ms wide, each of its own amplitude.
  void RunSep(double neck_uv, double scalp_uv) {
    const std::string plan =
        R"(evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "Cv5"
             trigger { label_prefix: "MED R" } stimulus { rate_hz: 4.68 } sweep_count: 100
             component { label: "N13" polarity: POLARITY_NEGATIVE
               window_from_ms: 10 window_to_ms: 17 }
             component { label: "P17" polarity: POLARITY_POSITIVE
               window_from_ms: 14 window_to_ms: 22 } }
           evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "CPc"
             trigger { label_prefix: "MED R" } stimulus { rate_hz: 4.68 } sweep_count: 100
             component { label: "N20" polarity: POLARITY_NEGATIVE
               window_from_ms: 16 window_to_ms: 25 }
             component { label: "P25" polarity: POLARITY_POSITIVE
               window_from_ms: 20 window_to_ms: 32 } }
           relation { name: "central conduction N13-N20"
             modality: MODALITY_SEP_UPPER side: SIDE_RIGHT
             first_derivation: "Cv5" second_derivation: "CPc" }
           relation { name: "ratio" modality: MODALITY_SEP_UPPER side: SIDE_RIGHT is_ratio: true
             first_derivation: "Cv5" second_derivation: "CPc" })";
    Drawing drawing;
    drawing.channels = {"Cv5", "CPc"};
    drawing.noise_uv = 0.4;
    constexpr int kStimuli = 210;
    drawing.seconds = kStimuli * kPeriodS + 1;
    for (int i = 0; i < kStimuli; ++i) {
      StimulusTrigger trigger;
      trigger.time_ns = static_cast<int64_t>((0.5 + i * kPeriodS) * 1e9);
      trigger.label = "MED R";
      drawing.items.push_back(trigger);
    }
    drawing.uv = [=](int channel, double time_s) {
      if (time_s < 0.5) return 0.0;
      const double since_s = std::fmod(time_s - 0.5, kPeriodS);
      return channel == 0 ? -Biphasic(since_s, 0.0134, neck_uv)
                          : -Biphasic(since_s, 0.0196, scalp_uv);
    };
    Run(plan, std::move(drawing));
  }

  std::vector<v1::Relation> Relations(v1::RelationKind kind) const {
    std::vector<v1::Relation> found;
    for (const v1::Relation& one : sink_.All(&v1::Record::has_relation, &v1::Record::relation)) {
      if (one.kind() == kind) found.push_back(one);
    }
    return found;
  }
};

TEST_F(RelationTest, CentralConductionTimeAndRatioOfTwoTraces) {
  RunSep(4, 6);
  const auto intervals = Relations(v1::RELATION_KIND_INTERVAL);
  ASSERT_THAT(intervals, SizeIs(2)) << "one a trial";
  for (const v1::Relation& relation : intervals) {
    EXPECT_NEAR(relation.value(), 6.2, 0.1);
    EXPECT_EQ(relation.confidence(), v1::MARK_CONFIDENCE_CLEAR) << relation.reason();
    EXPECT_EQ(relation.relation_id(), "SEP_UPPER/R/central conduction N13-N20");
    EXPECT_EQ(relation.name(), "central conduction N13-N20");
    EXPECT_THAT(relation.reason(), IsEmpty());
  }
  // Each names its own two measurements.
  EXPECT_LT(intervals[0].first().origin_seq(), intervals[1].first().origin_seq());
  EXPECT_NE(intervals[0].first().origin_seq(), intervals[0].second().origin_seq());
  const auto ratios = Relations(v1::RELATION_KIND_RATIO);
  ASSERT_THAT(ratios, SizeIs(2));
  EXPECT_NEAR(ratios[0].value(), 1.5, 0.1);
}

TEST_F(RelationTest, OneComponentThatIsAbsentGivesNoValueAndIsNamed) {
  RunSep(4, 0);
  const auto intervals = Relations(v1::RELATION_KIND_INTERVAL);
  ASSERT_THAT(intervals, SizeIs(2));
  for (const v1::Relation& relation : intervals) {
    EXPECT_NE(relation.confidence(), v1::MARK_CONFIDENCE_CLEAR);
    EXPECT_THAT(relation.reason(), HasSubstr("N20-P25 of CPc: "));
    EXPECT_THAT(relation.reason(), testing::Not(HasSubstr("Cv5")));
    if (relation.confidence() == v1::MARK_CONFIDENCE_NO_RESPONSE) {
      EXPECT_EQ(relation.value(), 0);
    }
  }
}

// Which averages belong together, without samples.
class RelationWatchTest : public testing::Test {
 protected:
  RelationWatchTest() {
    v1::Plan plan;
    v1::RelationPlan& relation = *plan.add_relation();
    relation.set_name("caudal over rostral");
    relation.set_is_ratio(true);
    relation.set_modality(v1::MODALITY_D_WAVE);
    relation.set_side(v1::SIDE_MIDLINE);
    relation.set_first_derivation("rostral");
    relation.set_second_derivation("caudal");
    watch_ = std::make_unique<RelationWatch>(plan, sink_);
  }

  // An average over stimuli at these seconds.
  void Tell(const std::string& derivation, double from_s, double to_s, double amplitude_uv = 10,
            v1::MarkConfidence confidence = v1::MARK_CONFIDENCE_CLEAR,
            const std::string& reason = "") {
    MeasuredAverage measured;
    measured.record = {OriginId::FromBytes(std::string(16, 'o')), 2, ++count_};
    measured.measurement.set_trace_id(TraceId(v1::MODALITY_D_WAVE, v1::SIDE_MIDLINE, derivation));
    measured.measurement.set_component("D-D'");
    measured.measurement.set_amplitude_uv(amplitude_uv);
    measured.measurement.set_confidence(confidence);
    measured.measurement.set_reason(reason);
    measured.first_stimulus_ns = static_cast<int64_t>(from_s * 1e9);
    measured.last_stimulus_ns = static_cast<int64_t>(to_s * 1e9);
    watch_->OnMeasured(measured, measured.last_stimulus_ns);
  }
  std::vector<v1::Relation> Relations() const {
    return sink_.All(&v1::Record::has_relation, &v1::Record::relation);
  }

  KeepingSink sink_;
  std::unique_ptr<RelationWatch> watch_;
  uint64_t count_ = 0;
};

TEST_F(RelationWatchTest, OnlyAveragesOfOneTrialAreCompared) {
  Tell("rostral", 0, 8, 20);
  EXPECT_THAT(Relations(), IsEmpty()) << "the other one is not there yet";
  Tell("caudal", 8, 16);
  EXPECT_THAT(Relations(), IsEmpty()) << "of the next stimuli";
  Tell("rostral", 9, 17, 40);
  ASSERT_THAT(Relations(), SizeIs(1));
  EXPECT_NEAR(Relations()[0].value(), 0.25, 1e-9);
  EXPECT_EQ(Relations()[0].first().origin_seq(), 3u);
  EXPECT_EQ(Relations()[0].second().origin_seq(), 2u);
  // Both are used up.
  Tell("caudal", 12, 18);
  EXPECT_THAT(Relations(), SizeIs(1));
}

TEST_F(RelationWatchTest, AnAverageThatWasDecidedEarlyBelongsToTheLongOne) {
  Tell("rostral", 0, 10);
  Tell("rostral", 10.2, 20);
  Tell("caudal", 0, 30, 5);
  ASSERT_THAT(Relations(), SizeIs(1));
  EXPECT_EQ(Relations()[0].first().origin_seq(), 2u) << "the newest";
}

TEST_F(RelationWatchTest, IsAsUncertainAsTheWorseOfTheTwo) {
  Tell("rostral", 0, 8);
  Tell("caudal", 0, 8, 3, v1::MARK_CONFIDENCE_UNCERTAIN, "low signal");
  ASSERT_THAT(Relations(), SizeIs(1));
  EXPECT_EQ(Relations()[0].confidence(), v1::MARK_CONFIDENCE_UNCERTAIN);
  EXPECT_EQ(Relations()[0].reason(), "D-D' of caudal: low signal");
  EXPECT_NEAR(Relations()[0].value(), 0.3, 1e-9);
  Tell("rostral", 9, 17, 0.1, v1::MARK_CONFIDENCE_NO_RESPONSE);
  Tell("caudal", 9, 17, 3, v1::MARK_CONFIDENCE_UNCERTAIN, "low signal");
  ASSERT_THAT(Relations(), SizeIs(2));
  EXPECT_EQ(Relations()[1].confidence(), v1::MARK_CONFIDENCE_NO_RESPONSE);
  EXPECT_EQ(Relations()[1].value(), 0) << "a large ratio to nothing is none";
  EXPECT_THAT(Relations()[1].reason(),
              AllOf(HasSubstr("rostral: no response"), HasSubstr("caudal: low signal")));
}

TEST_F(RelationWatchTest, WhatDoesNotReproduceIsNotClear) {
  MeasuredAverage measured;
  Tell("rostral", 0, 8);
  measured.record = {OriginId::FromBytes(std::string(16, 'o')), 2, 9};
  measured.measurement.set_trace_id("D_WAVE/M/caudal");
  measured.measurement.set_component("D-D'");
  measured.measurement.set_amplitude_uv(5);
  measured.measurement.set_confidence(v1::MARK_CONFIDENCE_CLEAR);
  measured.measurement.add_quality(v1::QUALITY_FLAG_NOT_REPRODUCIBLE);
  measured.last_stimulus_ns = 8'000'000'000;
  watch_->OnMeasured(measured, 0);
  ASSERT_THAT(Relations(), SizeIs(1));
  EXPECT_EQ(Relations()[0].confidence(), v1::MARK_CONFIDENCE_UNCERTAIN);
  EXPECT_THAT(Relations()[0].reason(), HasSubstr("odd and even averages differ"));
}

TEST_F(RelationWatchTest, HostileAMeasurementWithoutAmplitudeGivesAFiniteRatio) {
  Tell("rostral", 0, 8, 0);
  Tell("caudal", 0, 8, 0);
  ASSERT_THAT(Relations(), SizeIs(1));
  EXPECT_EQ(Relations()[0].value(), 0);
}

}  // namespace
}  // namespace remora::agent
