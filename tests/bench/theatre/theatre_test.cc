// What the theatre's benchmark says: how late records are, of which samples, of which part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"
#include "tests/bench/theatre/part_plans.h"
#include "tests/bench/theatre/real_time.h"
#include "tests/bench/theatre/result_times.h"

namespace remora::agent {
namespace {

using testing::ElementsAre;

constexpr int64_t kMs = 1'000'000;

TEST(RealTime, TellsTheBlocksLengthApartFromWhatIsAdded) {
  RealTime time;
  time.Begin(20 * kMs, 1000 * kMs);
  const auto late = time.Of(13 * kMs, 1002 * kMs);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->in_block_ns, 7 * kMs);
  EXPECT_EQ(late->added_ns, 2 * kMs);
}

TEST(RealTime, ALaterBlockIsTheAnalysisDoing) {
  RealTime time;
  time.Begin(20 * kMs, 1000 * kMs);
  time.End(1001 * kMs);
  time.Begin(40 * kMs, 1001 * kMs);
  const auto late = time.Of(13 * kMs, 1004 * kMs);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->in_block_ns, 7 * kMs);
  EXPECT_EQ(late->added_ns, 20 * kMs + 3 * kMs);
}

TEST(RealTime, ABlockWaitsForTheWorkOnThoseBefore) {
  RealTime time;
  time.Begin(20 * kMs, 1000 * kMs);
  time.End(1050 * kMs);  // until 70 of device time: the next one came at 40
  time.Begin(40 * kMs, 1050 * kMs);
  EXPECT_EQ(time.Of(39 * kMs, 1051 * kMs)->added_ns, 31 * kMs);
  time.End(1051 * kMs);
  time.Begin(100 * kMs, 1051 * kMs);  // nothing waits any more
  EXPECT_EQ(time.Of(99 * kMs, 1051 * kMs)->added_ns, 0);
}

TEST(RealTime, ASampleAtTheEndOfABlockIsTheNextOnesFirst) {
  RealTime time;
  time.Begin(20 * kMs, 0);
  EXPECT_FALSE(time.Of(20 * kMs, 0));
  time.End(0);
  time.Begin(40 * kMs, 0);
  EXPECT_EQ(time.Of(20 * kMs, 0)->in_block_ns, 20 * kMs);
}

TEST(RealTime, WhatIsForgottenIsNotMeasured) {
  RealTime time;
  for (size_t i = 1; i <= RealTime::kRemembered + 1; ++i) {
    time.Begin(static_cast<int64_t>(i) * kMs, 0);
    time.End(0);
  }
  EXPECT_FALSE(time.Of(0, 0));
  EXPECT_TRUE(time.Of(kMs, 0));
}

class ResultTimesTest : public testing::Test {
 protected:
  ResultTimesTest() : times_(Plan()) {}

  static ResolvedPlan Plan() {
    ResolvedPlan plan;
    ResolvedEvoked evoked;
    evoked.trace_id = "SEP";
    evoked.plan.set_epoch_to_ms(60);
    evoked.derivation.sample_rate_hz = 20'000;
    plan.evoked.push_back(evoked);
    ResolvedTrainOfFour tof;
    tof.trace_id = "TOF";
    tof.plan.set_window_to_ms(40);
    tof.derivation.sample_rate_hz = 10'000;
    plan.train_of_four.push_back(tof);
    ResolvedMapping mapping;
    mapping.plan.set_epoch_to_ms(50);
    mapping.derivations.resize(2);
    for (ResolvedDerivation& derivation : mapping.derivations) derivation.sample_rate_hz = 10'000;
    mapping.trace_ids = {"MAP/1", "MAP/2"};
    plan.mapping.push_back(mapping);
    ResolvedEeg eeg;
    eeg.trace_id = "EEG";
    eeg.plan.set_sent_rate_hz(250);
    plan.eeg.push_back(eeg);
    return plan;
  }

  std::optional<TimedResult> Of(const std::string& text) {
    v1::Record record;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &record));
    return times_.Of(record, RecordKey{{}, 0, ++seq_});
  }

  ResultTimes times_;
  uint64_t seq_ = 0;
};

TEST_F(ResultTimesTest, AMeasurementRestsOnWhatTheInterpolationOfItsSweepReads) {
  // The stimulus lies 30 us, 0.6 samples, behind a sample.
  EXPECT_FALSE(Of("sweep { trace_id: 'SEP' last_stimulus_monotonic_ns: 1000030000 }"));
  const auto result = Of("measurement { modality: MODALITY_SEP_UPPER sweep { origin_seq: 1 } }");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->modality, v1::MODALITY_SEP_UPPER);
  EXPECT_TRUE(result->of_sweep);
  EXPECT_EQ(result->last_sample_ns, 1'000'000'000 + 60 * kMs + 150'000);
}

TEST_F(ResultTimesTest, AGrowingAverageIsNoResult) {
  EXPECT_FALSE(Of("sweep { trace_id: 'SEP' last_stimulus_monotonic_ns: 1 provisional: true }"));
  const auto result = Of("measurement { modality: MODALITY_SEP_UPPER sweep { origin_seq: 1 } }");
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->last_sample_ns);
}

TEST_F(ResultTimesTest, AnAverageThatAPauseEndedWasNotEndedByItsLastSample) {
  const std::string sweep = "sweep { trace_id: 'SEP' last_stimulus_monotonic_ns: 1 ";
  const auto timed = [&](const std::string& more) {
    const std::string number = std::to_string(seq_ + 1);
    Of(sweep + more + "}");
    return Of("measurement { sweep { origin_seq: " + number + " } }")->last_sample_ns.has_value();
  };
  EXPECT_TRUE(timed("requested_count: 60 accepted_count: 60"));
  EXPECT_FALSE(timed("requested_count: 60 accepted_count: 30"));
  EXPECT_TRUE(timed("requested_count: 60 accepted_count: 30 decided: true"));
  EXPECT_TRUE(timed("requested_count: 1 accepted_count: 0"));
}

TEST_F(ResultTimesTest, ATrainOfFourRestsOnItsLastTwitch) {
  for (const int at_ms : {0, 500, 1000, 1500}) {
    Of("sweep { trace_id: 'TOF' last_stimulus_monotonic_ns: " + std::to_string(at_ms * kMs) + "}");
  }
  const std::string sweeps =
      "sweeps { origin_seq: 1 } sweeps { origin_seq: 2 } sweeps { origin_seq: 3 }";
  EXPECT_EQ(Of("train_of_four { " + sweeps + " sweeps { origin_seq: 4 } }")->last_sample_ns,
            1560 * kMs + 300'000);
  EXPECT_FALSE(Of("train_of_four { " + sweeps + "}")->last_sample_ns);
}

TEST_F(ResultTimesTest, AMapRestsOnTheContactThatWasCompleteLast) {
  const std::string modality = "modality: MODALITY_MAP_MIDLINE";
  Of("sweep { trace_id: 'MAP/1' last_stimulus_monotonic_ns: 900000000 " + modality + "}");
  Of("sweep { trace_id: 'MAP/2' last_stimulus_monotonic_ns: 500000000 " + modality + "}");
  Of("sweep { trace_id: 'SEP' last_stimulus_monotonic_ns: 950000000 }");
  EXPECT_EQ(Of("mapping_result { " + modality + "}")->last_sample_ns, 950 * kMs + 300'000);
}

TEST_F(ResultTimesTest, AMapThatWasCutRestsOnNoneThatWasBeforeIt) {
  const std::string modality = "modality: MODALITY_MAP_MIDLINE";
  Of("sweep { trace_id: 'MAP/1' last_stimulus_monotonic_ns: 900000000 " + modality + "}");
  EXPECT_TRUE(Of("mapping_result { " + modality + "}")->last_sample_ns);
  Of("sweep { trace_id: 'MAP/1' last_stimulus_monotonic_ns: 9900000000 requested_count: 50 "
     "accepted_count: 20 " +
     modality + "}");
  EXPECT_FALSE(Of("mapping_result { " + modality + "}")->last_sample_ns);
}

TEST_F(ResultTimesTest, WhatRunsOnEndsWithItsLastSample) {
  const auto block =
      Of("sample_block { modality: MODALITY_EMG_FREE_RUNNING sample_rate_hz: 2500 "
         "started_monotonic_ns: 100000000 samples { sample_count: 251 } }");
  ASSERT_TRUE(block);
  EXPECT_FALSE(block->of_sweep);
  EXPECT_EQ(block->last_sample_ns, 200 * kMs);
  const std::string window = "trace_id: 'EEG' started_monotonic_ns: 2000000000 window_ms: 4000";
  EXPECT_EQ(Of("spectral_edge { " + window + "}")->last_sample_ns, 5996 * kMs);
  EXPECT_FALSE(Of("spectral_edge { quality: QUALITY_FLAG_CLIPPED " + window + "}")->last_sample_ns);
  EXPECT_FALSE(Of("sample_block { modality: MODALITY_EEG sample_rate_hz: 256 }"));
  EXPECT_FALSE(Of("vitals {}"));
}

TEST(PartOf, HasTheEntriesOfOneModality) {
  CasePlan whole;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(evoked { modality: MODALITY_D_WAVE } evoked { modality: MODALITY_VEP }
         relation { modality: MODALITY_D_WAVE } emg { derivation: "TA L" }
         motor { modality: MODALITY_PEDICLE_SCREW muscle {} }
         eeg { modality: MODALITY_ECOG } train_of_four {}
         mapping { modality: MODALITY_MAP_MIDLINE contact_count: 2 })",
      &whole.plan));
  EXPECT_THAT(ModalitiesOf(whole.plan),
              ElementsAre(v1::MODALITY_D_WAVE, v1::MODALITY_EMG_FREE_RUNNING,
                          v1::MODALITY_PEDICLE_SCREW, v1::MODALITY_VEP, v1::MODALITY_ECOG,
                          v1::MODALITY_TRAIN_OF_FOUR, v1::MODALITY_MAP_MIDLINE));
  for (const v1::Modality modality : ModalitiesOf(whole.plan)) {
    EXPECT_THAT(ModalitiesOf(PartOf(whole, modality).plan), ElementsAre(modality));
  }
  EXPECT_EQ(PartOf(whole, v1::MODALITY_D_WAVE).plan.relation_size(), 1);
  EXPECT_EQ(PartOf(whole, v1::MODALITY_VEP).plan.relation_size(), 0);
}

}  // namespace
}  // namespace remora::agent
