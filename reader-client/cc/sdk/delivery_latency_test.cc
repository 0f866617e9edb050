#include "reader-client/cc/sdk/delivery_latency.h"

#include "gtest/gtest.h"

namespace remora::reader {
namespace {

constexpr int64_t kMs = 1'000'000;

struct Fixture {
  OriginId origin = OriginId::FromBytes(std::string(16, 'a'));
  DeliveryLatency latency;

  void Know(int64_t offset_ns, double drift_ppb = 0) {
    v1::ClockEstimate estimate;
    estimate.set_boot_id(1);
    estimate.set_offset_ns(offset_ns);
    estimate.set_error_bound_ns(kMs);
    estimate.set_drift_ppb(drift_ppb);
    latency.OnClockEstimate(origin, estimate);
  }
  std::optional<Duration> Arrive(int64_t captured_ns, int64_t hub_now_ns) {
    v1::CapturedAt captured;
    captured.set_boot_id(1);
    captured.set_monotonic_ns(captured_ns);
    return latency.OnRecord(origin, captured,
                            {HubTime::FromNanoseconds(hub_now_ns), Duration::Milliseconds(2)});
  }
};

TEST(DeliveryLatency, SaysNothingBeforeTheOriginsClockIsKnown) {
  Fixture f;
  EXPECT_EQ(f.Arrive(0, 100 * kMs), std::nullopt);
  EXPECT_EQ(f.latency.count(), 0u);
  EXPECT_EQ(f.latency.QuantileMs(0.5), 0);
}

TEST(DeliveryLatency, IsTakenOnTheHubsTimeWithTheBoundsOfBothClocks) {
  Fixture f;
  f.Know(1'000 * kMs);
  EXPECT_EQ(f.Arrive(500 * kMs, 1'530 * kMs), Duration::Milliseconds(30));
  EXPECT_DOUBLE_EQ(f.latency.largest_bound_ms(), 3);
}

TEST(DeliveryLatency, OneBelowZeroWithinTheBoundsIsSaidToBeLessThanThem) {
  Fixture f;
  f.Know(1'000 * kMs);
  EXPECT_EQ(f.Arrive(500 * kMs, 1'499 * kMs), Duration::Milliseconds(3));
  EXPECT_EQ(f.latency.QuantileText(0.5), "< 3.0");
  for (int i = 0; i < 9; ++i) f.Arrive(500 * kMs, 1'600 * kMs);
  EXPECT_NEAR(std::stod(f.latency.QuantileText(0.5)), 100, 5);
  EXPECT_EQ(f.latency.contradictions(), 0u);
}

TEST(DeliveryLatency, ClocksThatContradictEachOtherGiveNone) {
  Fixture f;
  f.Know(1'000 * kMs);
  EXPECT_EQ(f.Arrive(500 * kMs, 1'496 * kMs), std::nullopt);
  EXPECT_EQ(f.Arrive(600'000 * kMs, 1'500 * kMs), std::nullopt);
  EXPECT_EQ(f.latency.count(), 0u);
  EXPECT_EQ(f.latency.contradictions(), 2u);
}

TEST(DeliveryLatency, FollowsTheOriginsDrift) {
  Fixture f;
  f.Know(0, 1e6);  // a millisecond a second
  EXPECT_EQ(f.Arrive(10'000 * kMs, 10'015 * kMs), Duration::Milliseconds(5));
}

TEST(DeliveryLatency, QuantilesAreWithinTheirBins) {
  Fixture f;
  f.Know(0);
  for (int i = 1; i <= 1000; ++i) f.Arrive(0, i * kMs);
  EXPECT_NEAR(f.latency.QuantileMs(0.5), 500, 30);
  EXPECT_NEAR(f.latency.QuantileMs(0.99), 990, 55);
}

}  // namespace
}  // namespace remora::reader
