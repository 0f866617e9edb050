#include "acquisition-agent/app/feed_commands.h"

#include "acquisition-agent/sources/feed/testing/fake_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::HasSubstr;

TEST(FeedCommands, ListensForItsTimeAndKeepsTheLastNotice) {
  FakeClock clock;
  feed::FakeTransport transport(clock, 1);
  feed::TestDevice device({});
  for (const feed::Sent& sent : device.RunUntil(5'000'000'000)) transport.Deliver(0, sent, 100'000);
  transport.Notice(0, "connected", 0);
  transport.Notice(0, "the connection was lost", 2'000'000'000);
  const DeviceTime start = clock.Now();
  feed::ConformanceJudge judge;
  EXPECT_EQ(Listen(transport, clock, Duration::Seconds(3), &judge), "the connection was lost");
  EXPECT_NEAR((clock.Now() - start).seconds(), 3, 0.1);
  EXPECT_TRUE(judge.heard());
}

TEST(FeedCommands, TheChecklistHasALineEachAndWhatToDo) {
  const std::string text =
      FormatFindings({{feed::Verdict::kPass, "sequence dense", "0 of 9 lost", ""},
                      {feed::Verdict::kFail, "delays", "p99 90 ms", "wire instead of radio"},
                      {feed::Verdict::kSkip, "triggers in time", "none came", "stimulate"}});
  EXPECT_EQ(text,
            "PASS  sequence dense            0 of 9 lost\n"
            "FAIL  delays                    p99 90 ms\n"
            "      wire instead of radio\n"
            "SKIP  triggers in time          none came\n"
            "      stimulate\n"
            "1 pass, 1 fail, 1 skipped\n");
}

TEST(FeedCommands, OtherArgumentsAreNotTheirs) {
  char program[] = "remora-agent";
  char option[] = "--dry-run";
  char* arguments[] = {program, option};
  EXPECT_FALSE(RunFeedCommand(2, arguments));
  EXPECT_FALSE(RunFeedCommand(1, arguments));
}

}  // namespace
}  // namespace remora::agent
