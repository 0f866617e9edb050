#include "hub/fanout/credit_window.h"

#include <gtest/gtest.h>

#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

DeviceTime At(int64_t ms) { return DeviceTime::FromNanoseconds(ms * 1'000'000); }

TEST(CreditWindow, NothingMoreThanTheWindowIsOnItsWay) {
  CreditWindow credit;
  EXPECT_EQ(credit.Available(), kBulkWindowBytes);
  credit.OnSent(kBulkWindowBytes, At(0));
  EXPECT_EQ(credit.Available(), 0u);
  credit.OnShown(1000, At(50));
  EXPECT_EQ(credit.Available(), 1000u);
}

TEST(CreditWindow, HostileReportsAreCutToWhatCanBe) {
  CreditWindow credit;
  credit.OnSent(1000, At(0));
  credit.OnShown(~uint64_t{0}, At(1));
  EXPECT_EQ(credit.in_flight(), 0u);
  credit.OnSent(500, At(2));
  credit.OnShown(1000, At(3));  // an old one
  EXPECT_EQ(credit.in_flight(), 500u);
}

// A link of so many bytes a second with a round trip; the reader reports each 50 ms.
size_t WindowOfLink(double bytes_per_second, int round_trip_ms) {
  CreditWindow credit;
  double delivered = 0;
  uint64_t sent = 0;
  for (int64_t ms = 1; ms < 30'000; ++ms) {
    while (credit.Available() >= 4096) {
      credit.OnSent(4096, At(ms));
      sent += 4096;
    }
    delivered = std::min(static_cast<double>(sent), delivered + bytes_per_second / 1000);
    if (ms % 50 == 0 && ms > round_trip_ms) {
      credit.OnShown(static_cast<uint64_t>(delivered), At(ms + round_trip_ms));
    }
  }
  return credit.Window();
}

TEST(CreditWindow, SlowLinkGetsASmallWindowSoThatAlertsWaitLittle) {
  // 2 Mbit/s: 128 KiB would be half a second ahead of an alert.
  const size_t window = WindowOfLink(250'000, 20);
  EXPECT_LT(window, kBulkWindowBytes / 2);
  EXPECT_GE(window, kMinBulkWindowBytes);
}

TEST(CreditWindow, FastLinkKeepsTheWholeWindow) {
  EXPECT_EQ(WindowOfLink(12'500'000, 20), kBulkWindowBytes);
}

TEST(CreditWindow, ManySmallBatchesWithoutReportStayBounded) {
  CreditWindow credit;
  for (int i = 0; i < 100'000; ++i) credit.OnSent(1, At(i));
  EXPECT_EQ(credit.in_flight(), 100'000u);
  credit.OnShown(100'000, At(100'001));
  EXPECT_EQ(credit.in_flight(), 0u);
}

}  // namespace
}  // namespace remora::hub
