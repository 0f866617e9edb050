#include "acquisition-agent/spool/space_forecast.h"

#include <gtest/gtest.h>

#include "acquisition-agent/spool/limits.h"

namespace remora::agent {
namespace {

constexpr LaneRates kPlanned = {10, 10, 80, 900, 1'000, 8'000};  // 10 kB/s

DeviceTime At(double seconds) { return DeviceTime() + Duration::FromSeconds(seconds); }

TEST(SpaceForecast, IsAsPlannedBeforeAnythingIsMeasured) {
  SpaceForecast forecast(kPlanned);
  EXPECT_FALSE(forecast.is_measured());
  EXPECT_DOUBLE_EQ(forecast.BytesPerSecond(), 10'000);
  EXPECT_DOUBLE_EQ(forecast.TimeLeft(36'000'000).seconds(), 3'600);
  forecast.Measure(At(0), {});
  forecast.Measure(At(30), {0, 0, 0, 0, 0, 1'000'000});
  EXPECT_DOUBLE_EQ(forecast.BytesPerSecond(), 10'000) << "too short to tell";
}

TEST(SpaceForecast, MeasuresEachLaneOnceItHasAnything) {
  SpaceForecast forecast(kPlanned);
  LaneBytes written{};
  for (int s = 0; s <= 120; s += 10) {
    written[5] = 20'000u * static_cast<uint64_t>(s);
    forecast.Measure(At(s), written);
  }
  EXPECT_TRUE(forecast.is_measured());
  EXPECT_DOUBLE_EQ(forecast.BytesPerSecond(5), 20'000);
  // No average yet: what the plan will make is counted.
  EXPECT_DOUBLE_EQ(forecast.BytesPerSecond(3), 900);
  EXPECT_DOUBLE_EQ(forecast.BytesPerSecond(), 22'000);
}

TEST(SpaceForecast, FollowsWhatWasWrittenInTheLastMinutes) {
  SpaceForecast forecast(kPlanned);
  LaneBytes written{};
  double s = 0;
  for (; s < 1'000; s += kForecastSample.seconds()) {
    written[5] += 300'000;
    forecast.Measure(At(s), written);
  }
  EXPECT_NEAR(forecast.BytesPerSecond(5), 30'000, 1);
  const double faster = s;
  for (; s < faster + 2 * kForecastWindow.seconds(); s += kForecastSample.seconds()) {
    written[5] += 600'000;
    forecast.Measure(At(s), written);
  }
  EXPECT_NEAR(forecast.BytesPerSecond(5), 60'000, 1);
}

TEST(SpaceForecast, NothingWrittenLastsAsLongAsItIsTold) {
  const SpaceForecast forecast(LaneRates{});
  EXPECT_EQ(forecast.TimeLeft(1), kLongestForecast);
  EXPECT_EQ(SpaceForecast(kPlanned).TimeLeft(~uint64_t{0}), kLongestForecast);
}

}  // namespace
}  // namespace remora::agent
