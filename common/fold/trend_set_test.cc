#include "common/fold/trend_set.h"

#include <gtest/gtest.h>

#include <set>

#include "common/fold/limits.h"

namespace remora {
namespace {

constexpr int64_t kMinute = 60'000'000'000;

v1::Measurement At(v1::MeasurementState state, double percent = 90) {
  v1::Measurement measurement;
  measurement.set_trace_id("SEP/R");
  measurement.set_component("N20-P25");
  measurement.set_amplitude_percent_of_baseline(percent);
  measurement.set_state(state);
  return measurement;
}

TEST(TrendSet, ThinsALongTrendButKeepsBothSidesOfEachCrossing) {
  TrendSet trends;
  std::set<uint64_t> crossings;
  v1::MeasurementState state = v1::MEASUREMENT_STATE_WITHIN_LIMITS;
  for (uint64_t seq = 1; seq <= 20'000; ++seq) {
    if (seq % 997 == 0) {
      state = state == v1::MEASUREMENT_STATE_RED ? v1::MEASUREMENT_STATE_WITHIN_LIMITS
                                                 : v1::MEASUREMENT_STATE_RED;
      crossings.insert(seq - 1);
      crossings.insert(seq);
    }
    trends.Add(At(state), seq, static_cast<int64_t>(seq) * kMinute);
  }
  const auto& points = trends.trends().begin()->second;
  EXPECT_LE(points.size(), kMaxTrendPoints);
  EXPECT_GT(points.size(), kMaxTrendPoints / 3);
  EXPECT_EQ(points.front().seq, 1u);
  EXPECT_EQ(points.back().seq, 20'000u);
  for (const TrendSet::Point& point : points) crossings.erase(point.seq);
  EXPECT_TRUE(crossings.empty());
  for (size_t i = 1; i < points.size(); ++i) EXPECT_LT(points[i - 1].seq, points[i].seq);
}

TEST(TrendSet, TrendOfNothingButCrossingsLetsTheOldestGo) {
  TrendSet trends;
  for (uint64_t seq = 1; seq <= 5'000; ++seq) {
    trends.Add(At(seq % 2 ? v1::MEASUREMENT_STATE_RED : v1::MEASUREMENT_STATE_WITHIN_LIMITS), seq,
               0);
  }
  const auto& points = trends.trends().begin()->second;
  EXPECT_LE(points.size(), kMaxTrendPoints);
  EXPECT_EQ(points.back().seq, 5'000u);
}

TEST(TrendSet, SparklineIsTheWorstOfEachMinuteOfTheLastHour) {
  TrendSet trends;
  trends.Add(At(v1::MEASUREMENT_STATE_RED, 5), 1, 0);  // more than an hour ago
  trends.Add(At(v1::MEASUREMENT_STATE_WITHIN_LIMITS, 95), 2, 50 * kMinute + 1);
  trends.Add(At(v1::MEASUREMENT_STATE_AMBER, 60), 3, 50 * kMinute + 2);
  trends.Add(At(v1::MEASUREMENT_STATE_NOT_INTERPRETABLE, 1), 4, 55 * kMinute);
  trends.Add(At(v1::MEASUREMENT_STATE_RED, 30), 5, 65 * kMinute);
  EXPECT_EQ(trends.WorstOfLastHour(65 * kMinute), (std::vector<float>{60, 30}));
}

// A ramp over screws: the muscles that do not answer have nothing to be compared with.
TEST(TrendSet, SparklineLeavesOutWhatHasNoBaseline) {
  TrendSet trends;
  trends.Add(At(v1::MEASUREMENT_STATE_WITHIN_LIMITS, 95), 1, 50 * kMinute);
  v1::Measurement silent = At(v1::MEASUREMENT_STATE_NO_RESPONSE, 0);
  silent.set_trace_id("PEDICLE_SCREW/L/TA");
  trends.Add(silent, 2, 50 * kMinute + 1);
  EXPECT_EQ(trends.WorstOfLastHour(65 * kMinute), (std::vector<float>{95}));
}

// A response that was there is lost, and nothing at all is left of it.
TEST(TrendSet, SparklineFallsToZeroForALostResponse) {
  TrendSet trends;
  v1::Measurement lost = At(v1::MEASUREMENT_STATE_NO_RESPONSE, 0);
  lost.mutable_baseline()->set_origin_seq(1);
  trends.Add(lost, 1, 50 * kMinute);
  v1::CaseState state;
  trends.FillProto(&state);
  TrendSet restored;
  restored.Restore(state.trends(0));
  for (const TrendSet* each : {&trends, &restored}) {
    const std::vector<float> worst = each->WorstOfLastHour(65 * kMinute);
    ASSERT_EQ(worst.size(), 1u);
    EXPECT_NEAR(worst[0], 0, 1e-6);
  }
}

}  // namespace
}  // namespace remora
