#include "reader-client/cc/app/rate.h"

#include "gtest/gtest.h"

namespace remora::reader {
namespace {

TEST(ParseRate, TakesBytesAndBitsAsPeopleWriteThem) {
  EXPECT_EQ(*ParseRate("20kB/s"), 20'000u);
  EXPECT_EQ(*ParseRate("160 kbit/s"), 20'000u);
  EXPECT_EQ(*ParseRate("0.2MB"), 200'000u);
  EXPECT_EQ(*ParseRate("2Mbit/s"), 250'000u);
  EXPECT_EQ(*ParseRate("500 B/s"), 500u);
  EXPECT_EQ(*ParseRate("20000"), 20'000u);
}

TEST(ParseRate, HostileTextsAreNoRate) {
  for (const char* text : {"", "kB/s", "-3kB/s", "0", "nan", "inf", "5000MB/s", "20 apples", "1e99",
                           "/s", "20kB/s/s"}) {
    EXPECT_FALSE(ParseRate(text).ok()) << text;
  }
}

}  // namespace
}  // namespace remora::reader
