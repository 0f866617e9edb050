#include "reader-client/cc/sdk/as_seen.h"

#include "gtest/gtest.h"

namespace remora::reader {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class AsSeenTest : public ::testing::Test {
 protected:
  StampedRecord Stamp(uint32_t lane, bool recorded = true) {
    StampedRecord stamped;
    stamped.header.origin = OriginId::FromBytes(std::string(16, 'a'));
    stamped.header.lane = lane;
    stamped.header.origin_seq = ++number_;
    stamped.stamp.seq = recorded ? ++seq_ : 0;
    stamped.stamp.unrecorded = !recorded;
    stamped.stamp.recorded_at = HubTime::FromNanoseconds(100 * kSecond);
    return stamped;
  }
  void ShowSweep(const std::string& trace, bool provisional, int64_t captured_s) {
    v1::Record record;
    record.mutable_sweep()->set_trace_id(trace);
    record.mutable_sweep()->set_provisional(provisional);
    record.mutable_captured_at()->set_boot_id(1);
    record.mutable_captured_at()->set_monotonic_ns(captured_s * kSecond);
    seen_.Show(Stamp(3), record);
  }
  void ShowMessage(bool recorded = true) {
    v1::Record record;
    record.mutable_message()->set_text("x");
    seen_.Show(Stamp(0, recorded), record);
  }
  std::optional<v1::ViewSeen> TakeAt(double s, v1::LinkCondition link = v1::LINK_CONDITION_LIVE) {
    return seen_.Take(DeviceTime::FromNanoseconds(static_cast<int64_t>(s * 1e9)),
                      {link, Duration::Milliseconds(300)},
                      BoundedHubTime{HubTime::FromNanoseconds(105 * kSecond), Duration()});
  }

  uint64_t seq_ = 0;
  uint64_t number_ = 0;
  AsSeen seen_{7, v1::SEEN_MODE_LIVE};
};

TEST_F(AsSeenTest, SaysWhatWasDrawnAndHowOldItWasByTheOriginsClock) {
  v1::Record clock;
  clock.mutable_clock_estimate()->set_boot_id(1);
  clock.mutable_clock_estimate()->set_offset_ns(90 * kSecond);
  seen_.Show(Stamp(1), clock);
  ShowSweep("SEP/L", /*provisional=*/false, 4);  // 94 s, recorded at 100 s
  ShowSweep("SEP/R", /*provisional=*/true, 12);  // 102 s
  const auto view = TakeAt(1);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->screen_id(), 7u);
  EXPECT_EQ(view->control_seq(), 1u);
  EXPECT_EQ(view->head_seq(), 3u);
  EXPECT_EQ(view->link_age_ms(), 300);
  EXPECT_EQ(view->acquisition_age_ms(), 3'000);
  EXPECT_EQ(view->response_age_ms(), 11'000) << "of the trial that ended";
  ASSERT_EQ(view->traces_size(), 2);
  EXPECT_EQ(view->traces(0).trace_id(), "SEP/L");
  EXPECT_EQ(view->traces(0).age_ms(), 11'000);
  EXPECT_EQ(view->traces(0).newest().origin_seq(), 2u);
}

TEST_F(AsSeenTest, IsDueAtMostEach2sAndAtLeastEach30s) {
  EXPECT_TRUE(TakeAt(0).has_value());
  ShowMessage();
  EXPECT_FALSE(TakeAt(1.9).has_value());
  EXPECT_TRUE(TakeAt(2).has_value());
  ShowSweep("SEP/L", /*provisional=*/true, 1);
  EXPECT_FALSE(TakeAt(31.9).has_value()) << "a running average is no change";
  EXPECT_TRUE(TakeAt(32).has_value());
  EXPECT_TRUE(TakeAt(35, v1::LINK_CONDITION_STALE).has_value());
}

TEST_F(AsSeenTest, ViewsAndClocksOfScreensAreNoNews) {
  EXPECT_TRUE(TakeAt(0).has_value());
  v1::Record view;
  view.mutable_view_seen()->set_screen_id(9);
  seen_.Show(Stamp(1), view);
  v1::Record clock;
  clock.mutable_clock_estimate()->set_boot_id(2);
  seen_.Show(Stamp(1), clock);
  EXPECT_FALSE(TakeAt(10).has_value());
}

TEST_F(AsSeenTest, SaysThatSomethingShownIsNotOnRecordAndNamesAtMost64Traces) {
  for (int i = 0; i < 100; ++i) ShowSweep("SEP/" + std::to_string(i), false, 1);
  ShowMessage(/*recorded=*/false);
  const auto view = TakeAt(0);
  ASSERT_TRUE(view.has_value());
  EXPECT_TRUE(view->unrecorded());
  EXPECT_EQ(view->traces_size(), 64);
  ShowMessage();
  EXPECT_TRUE(TakeAt(2)->unrecorded()) << "the other one still is not";
  number_ -= 2;
  ShowMessage();
  EXPECT_FALSE(TakeAt(4)->unrecorded()) << "now it is";
}

TEST_F(AsSeenTest, BacklogThatComesLateIsNotWhatIsBeforeTheReader) {
  v1::Record clock;
  clock.mutable_clock_estimate()->set_boot_id(1);
  clock.mutable_clock_estimate()->set_offset_ns(90 * kSecond);
  seen_.Show(Stamp(1), clock);
  ShowSweep("SEP/L", /*provisional=*/false, 12);
  ShowSweep("SEP/L", /*provisional=*/false, 2);
  const auto view = TakeAt(1);
  EXPECT_EQ(view->response_age_ms(), 3'000);
  EXPECT_EQ(view->acquisition_age_ms(), 3'000);
  EXPECT_EQ(view->traces(0).age_ms(), 3'000);
  EXPECT_EQ(view->traces(0).newest().origin_seq(), 2u);
}

TEST_F(AsSeenTest, AgesAreUnknownBeforeTheHubsTimeIs) {
  ShowSweep("SEP/L", false, 1);
  const auto view = seen_.Take(DeviceTime(), {v1::LINK_CONDITION_LIVE, Duration()}, std::nullopt);
  EXPECT_EQ(view->response_age_ms(), -1);
}

}  // namespace
}  // namespace remora::reader
