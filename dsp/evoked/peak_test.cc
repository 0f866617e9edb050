#include "dsp/evoked/peak.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

const Timebase kTimebase{4000.0, 0.0};

void AddBump(std::vector<double>& sweep, double at_ms, double width_ms, double amplitude_uv) {
  for (std::size_t i = 0; i < sweep.size(); ++i) {
    const double z = (kTimebase.LatencyMs(static_cast<double>(i)) - at_ms) / width_ms;
    sweep[i] += amplitude_uv * std::exp(-0.5 * z * z);
  }
}

ComponentPair MedianNerve() {
  return {"N20", "P25", Polarity::kTrough, {16.0, 26.0}, {21.0, 36.0}, 2.0, 15.0};
}

std::vector<double> Response(double n20_ms = 19.6, double p25_ms = 25.3) {
  std::vector<double> sweep(240, 0.0);
  AddBump(sweep, n20_ms, 1.2, -3.0);
  AddBump(sweep, p25_ms, 1.6, 2.0);
  return sweep;
}

TEST(FindExtrema, PlacesAPeakBetweenSamples) {
  for (double at = 19.5; at < 19.75; at += 0.01) {
    std::vector<double> sweep(240, 0.0);
    AddBump(sweep, at, 1.2, 4.0);
    const auto peaks = FindExtrema(sweep, kTimebase, {15.0, 25.0}, Polarity::kPeak);
    ASSERT_EQ(peaks.size(), 1u);
    EXPECT_NEAR(peaks[0].latency_ms, at, 0.0025);  // 1 % of a sample
    EXPECT_NEAR(peaks[0].value_uv, 4.0, 0.005);
    EXPECT_NEAR(peaks[0].prominence_uv, 4.0, 0.1);
  }
}

TEST(FindExtrema, WindowEdgesAndSlopesAreNoExtremes) {
  std::vector<double> sweep(240, 0.0);
  AddBump(sweep, 30.0, 3.0, 4.0);
  EXPECT_TRUE(FindExtrema(sweep, kTimebase, {20.0, 29.0}, Polarity::kPeak).empty());
  EXPECT_TRUE(FindExtrema(sweep, kTimebase, {200.0, 300.0}, Polarity::kPeak).empty());
  EXPECT_TRUE(FindExtrema({}, kTimebase, {20.0, 29.0}, Polarity::kPeak).empty());
  EXPECT_TRUE(
      FindExtrema(std::vector<double>(240, 1.0), kTimebase, {0.0, 60.0}, Polarity::kPeak).empty());
}

TEST(FindExtrema, FlatTopCountsOnceInItsMiddle) {
  std::vector<double> sweep(100, 0.0);
  for (std::size_t i = 40; i < 45; ++i) sweep[i] = -2.0;
  const auto troughs = FindExtrema(sweep, kTimebase, {0.0, 25.0}, Polarity::kTrough);
  ASSERT_EQ(troughs.size(), 1u);
  EXPECT_NEAR(troughs[0].latency_ms, 10.5, 1e-12);
}

TEST(MarkPair, MeasuresFirstToSecond) {
  const PairMarking marking = MarkPair(Response(), kTimebase, MedianNerve(), 0.1);
  EXPECT_EQ(marking.presence, Presence::kPresent) << DoubtText(marking.doubts);
  EXPECT_NEAR(marking.first.latency_ms, 19.6, 0.05);
  EXPECT_NEAR(marking.second.latency_ms, 25.3, 0.05);
  EXPECT_NEAR(marking.amplitude_uv, 5.0, 0.05);
  EXPECT_NEAR(marking.inter_peak_ms, 5.7, 0.1);
  EXPECT_GT(marking.confidence, 0.9);
}

TEST(MarkPair, WorksForInvertedPolarity) {
  std::vector<double> sweep = Response();
  for (double& value : sweep) value = -value;
  ComponentPair pair = MedianNerve();
  pair.first_polarity = Polarity::kPeak;
  const PairMarking marking = MarkPair(sweep, kTimebase, pair, 0.1);
  EXPECT_EQ(marking.presence, Presence::kPresent);
  EXPECT_NEAR(marking.first.latency_ms, 19.6, 0.05);
  EXPECT_NEAR(marking.amplitude_uv, 5.0, 0.05);
}

TEST(MarkPair, SaysAbsentUncertainAndUnknownNoise) {
  EXPECT_EQ(MarkPair(Response(), kTimebase, MedianNerve(), 2.6).presence, Presence::kAbsent);
  const PairMarking low = MarkPair(Response(), kTimebase, MedianNerve(), 1.5);
  EXPECT_EQ(low.presence, Presence::kUncertain);
  EXPECT_EQ(low.doubts, kDoubtLowSignal);
  const PairMarking unknown = MarkPair(Response(), kTimebase, MedianNerve(), kNaN);
  EXPECT_EQ(unknown.presence, Presence::kUncertain);
  EXPECT_EQ(unknown.doubts, kDoubtNoiseUnknown);
  const PairMarking flat = MarkPair(std::vector<double>(240, 0.0), kTimebase, MedianNerve(), 0.1);
  EXPECT_EQ(flat.presence, Presence::kAbsent);
  EXPECT_EQ(flat.doubts, kDoubtNoExtremum);
}

TEST(MarkPair, NotchIsNoRivalButASecondTroughIs) {
  std::vector<double> notched = Response();
  AddBump(notched, 21.4, 0.4, -1.4);
  const PairMarking marking = MarkPair(notched, kTimebase, MedianNerve(), 0.05);
  EXPECT_EQ(marking.doubts & kDoubtRival, 0u);
  EXPECT_NEAR(marking.first.latency_ms, 19.6, 0.2);

  std::vector<double> doubled(240, 0.0);
  AddBump(doubled, 18.0, 0.8, -3.0);
  AddBump(doubled, 23.0, 0.8, -3.1);
  AddBump(doubled, 28.0, 1.6, 2.0);
  const PairMarking rival = MarkPair(doubled, kTimebase, MedianNerve(), 0.05);
  EXPECT_EQ(rival.presence, Presence::kUncertain);
  EXPECT_NE(rival.doubts & kDoubtRival, 0u);
  EXPECT_NEAR(rival.first.latency_ms, 18.0, 0.1);  // the earlier of equals
  EXPECT_FALSE(DoubtText(rival.doubts).empty());
}

TEST(MarkPair, HostileSweepsAreDoubted) {
  std::vector<double> sweep = Response();
  sweep[3] = kNaN;
  const PairMarking marking = MarkPair(sweep, kTimebase, MedianNerve(), 0.1);
  EXPECT_EQ(marking.presence, Presence::kUncertain);  // not a loss
  EXPECT_EQ(marking.doubts, kDoubtBadInput);
  EXPECT_TRUE(std::isnan(marking.amplitude_uv));
  EXPECT_EQ(MarkPair({}, kTimebase, MedianNerve(), 0.1).presence, Presence::kAbsent);
}

TEST(ValidateComponentPair, HostilePairsAreRefused) {
  EXPECT_TRUE(ValidateComponentPair(MedianNerve()).ok());
  ComponentPair pair = MedianNerve();
  pair.first_window = {26.0, 16.0};
  EXPECT_FALSE(ValidateComponentPair(pair).ok());
  pair = MedianNerve();
  pair.second_window.end_ms = kNaN;
  EXPECT_FALSE(ValidateComponentPair(pair).ok());
  pair = MedianNerve();
  pair.min_inter_peak_ms = 0.0;
  EXPECT_FALSE(ValidateComponentPair(pair).ok());
  pair = MedianNerve();
  pair.second_window = {60.0, 80.0};
  EXPECT_FALSE(ValidateComponentPair(pair).ok());
}

}  // namespace
}  // namespace remora::dsp
