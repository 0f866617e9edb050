#include "acquisition-agent/pipelines/emg_discharges.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr double kRateHz = 2000;

// A muscle at 2 kHz, quiet but for what is added, in pieces of 100 ms and less.
class EmgDischargesTest : public testing::Test {
 protected:
  EmgDischargesTest() : muscle_(Muscle()) {
    // The detector learns its floor.
    for (int i = 0; i < 20; ++i) Give(100, 0);
  }

  static EmgDischarges Muscle() {
    ResolvedEmg plan;
    plan.trace_id = "EMG_FREE_RUNNING/L/TA";
    plan.derivation.sample_rate_hz = kRateHz;
    return *EmgDischarges::Create(plan, kRateHz);
  }
  // 130 Hz of this amplitude, over noise.
  void Give(int ms, double uv, uint32_t hints = dsp::kNoArtefact, bool stimulated = false) {
    Piece piece;
    piece.first_position = position_;
    piece.starts_segment = std::exchange(starts_segment_, false);
    piece.hints = hints;
    piece.stimulated = stimulated;
    for (int i = 0; i < ms * 2; ++i, ++position_) {
      const auto n = static_cast<double>(position_);
      piece.uv.push_back(2 * std::sin(n * n) +
                         uv * std::sin(2 * std::numbers::pi * 130 * n / kRateHz));
    }
    muscle_.Take(piece, {}, &events_);
  }
  // As a source cuts it that leaves out samples: in a segment of its own.
  void Spike() {
    Give(20, 0);
    Give(4, 200);
    Give(20, 0);
    Break();
  }
  void Break() {
    muscle_.EndSegment(&events_);
    starts_segment_ = true;
  }
  std::vector<v1::EmgActivity> Told(v1::EmgActivityKind kind) const {
    std::vector<v1::EmgActivity> told;
    for (const EmgEvent& event : events_) {
      if (event.activity.kind() == kind) told.push_back(event.activity);
    }
    return told;
  }

  EmgDischarges muscle_;
  std::vector<EmgEvent> events_;
  int64_t position_ = 0;
  bool starts_segment_ = true;
};

TEST_F(EmgDischargesTest, ABurstBehindManySpikesIsTold) {
  for (int i = 0; i < 12; ++i) Spike();
  ASSERT_THAT(Told(v1::EMG_ACTIVITY_KIND_SPIKE), SizeIs(kMaxSpikesPerSecond));
  Give(100, 200);
  Give(100, 200);
  Give(100, 0);
  Give(70, 0);
  const auto bursts = Told(v1::EMG_ACTIVITY_KIND_BURST);
  ASSERT_THAT(bursts, SizeIs(1));
  EXPECT_NEAR(bursts[0].duration_ms(), 200, 10);
  EXPECT_THAT(bursts[0].reason(), HasSubstr("2 spikes before it were not told one by one"));
}

TEST_F(EmgDischargesTest, TheEndOfAnArtefactIsTold) {
  for (int i = 0; i < 9; ++i) Spike();
  Give(50, 0, dsp::kArtefactClipping);
  Give(100, 0);
  Give(100, 0);
  const auto artefacts = Told(v1::EMG_ACTIVITY_KIND_ARTEFACT);
  ASSERT_THAT(artefacts, SizeIs(2));
  EXPECT_TRUE(artefacts[0].ongoing());
  EXPECT_FALSE(artefacts[1].ongoing());
  EXPECT_EQ(artefacts[0].started_monotonic_ns(), artefacts[1].started_monotonic_ns());
}

TEST_F(EmgDischargesTest, SpikesThatWereNotToldAreSaidWhenTheirSecondIsOver) {
  for (int i = 0; i < 14; ++i) Spike();
  for (int i = 0; i < 10; ++i) Give(100, 0);
  const auto spikes = Told(v1::EMG_ACTIVITY_KIND_SPIKE);
  ASSERT_THAT(spikes, SizeIs(kMaxSpikesPerSecond + 1));
  EXPECT_THAT(spikes.back().reason(), HasSubstr("3 spikes before it were not told"));
  EXPECT_GT(spikes.back().started_monotonic_ns(), spikes[9].started_monotonic_ns());
}

TEST_F(EmgDischargesTest, SpikesThatWereNotToldAreSaidAtTheEnd) {
  for (int i = 0; i < 14; ++i) Spike();
  ASSERT_THAT(Told(v1::EMG_ACTIVITY_KIND_SPIKE), SizeIs(kMaxSpikesPerSecond));
  muscle_.End(&events_);
  const auto spikes = Told(v1::EMG_ACTIVITY_KIND_SPIKE);
  ASSERT_THAT(spikes, SizeIs(kMaxSpikesPerSecond + 1));
  EXPECT_THAT(spikes.back().reason(), HasSubstr("3 spikes before it were not told"));
}

// Told as ever, and marked: it may be an answer, or a nerve.
TEST_F(EmgDischargesTest, ATrainUnderAStimulationOfTheCortexIsToldAndSaysSo) {
  for (int i = 0; i < 20; ++i) Give(100, 0);
  for (int i = 0; i < 15; ++i) Give(100, 100, dsp::kNoArtefact, /*stimulated=*/i < 3);
  for (int i = 0; i < 5; ++i) Give(100, 0);
  for (int i = 0; i < 15; ++i) Give(100, 100);
  for (int i = 0; i < 5; ++i) Give(100, 0);
  std::vector<EmgEvent> ends;
  for (const EmgEvent& event : events_) {
    if (event.train_ended) ends.push_back(event);
  }
  ASSERT_THAT(ends, SizeIs(2));
  EXPECT_TRUE(ends[0].stimulated);
  EXPECT_THAT(ends[0].activity.reason(), HasSubstr("while the cortex was stimulated"));
  EXPECT_NEAR(ends[0].activity.duration_ms(), 1500, 20);
  EXPECT_FALSE(ends[1].stimulated);
  EXPECT_EQ(ends[1].activity.reason(), "");
}

// An artefact of its own, behind one that all muscles explained, is not explained by that.
TEST_F(EmgDischargesTest, AnExplanationEndsWithItsArtefact) {
  Piece drill;
  drill.first_position = position_;
  drill.uv.assign(100, 0);
  dsp::ArtefactVerdict verdict;
  verdict.kind = dsp::NonMuscle::kDrill;
  muscle_.Take(drill, verdict, &events_);
  position_ += 100;
  for (int i = 0; i < 5; ++i) Give(100, 0);
  Give(50, std::nan(""));
  const auto artefacts = Told(v1::EMG_ACTIVITY_KIND_ARTEFACT);
  ASSERT_THAT(artefacts, SizeIs(3));
  EXPECT_EQ(artefacts[0].artefact_class(), v1::ARTEFACT_CLASS_DRILL);
  EXPECT_EQ(artefacts[1].artefact_class(), v1::ARTEFACT_CLASS_DRILL);
  EXPECT_EQ(artefacts[2].artefact_class(), v1::ARTEFACT_CLASS_UNSPECIFIED);
}

}  // namespace
}  // namespace remora::agent
