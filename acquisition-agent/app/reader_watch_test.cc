#include "acquisition-agent/app/reader_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/app/limits.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReaderWatchTest : public ::testing::Test {
 protected:
  void Presence(const std::string& who, bool here, bool old = false,
                v1::Role role = v1::ROLE_NEUROPHYSIOLOGIST) {
    v1::Record body;
    body.mutable_presence()->set_participant(who);
    body.mutable_presence()->set_display_name("Dr " + who);
    body.mutable_presence()->set_role(role);
    body.mutable_presence()->set_change(here ? v1::PRESENCE_CHANGE_JOINED
                                             : v1::PRESENCE_CHANGE_LEFT);
    watch_.OnRecord(body, hub_now_, old, now_);
  }
  void Link(const std::string& who, v1::LinkCondition condition, double outage_s = 0) {
    v1::Record body;
    body.mutable_link_state()->set_participant(who);
    body.mutable_link_state()->set_condition(condition);
    body.mutable_link_state()->set_outage_ms(outage_s * 1000);
    watch_.OnRecord(body, hub_now_, false, now_);
  }
  std::string Tell() { return watch_.Tell(now_); }
  void Join() {
    watch_.OnJoined(now_);
    now_ = now_ + kReadersSettle;
  }

  DeviceTime now_ = DeviceTime::FromNanoseconds(1'000'000'000);
  // 14:03:32 UTC.
  HubTime hub_now_ = HubTime::FromNanoseconds((20'000LL * 86'400 + 50'612) * 1'000'000'000);
  ReaderWatch watch_{"+41 44 000 00 00"};
};

TEST_F(ReaderWatchTest, CaseThatNobodyHasEverReadIsAFactAndNoAlarm) {
  EXPECT_EQ(Tell(), "") << "not joined";
  Join();
  Presence("agent-1", true, false, v1::ROLE_AGENT);
  Presence("Tom", true, false, v1::ROLE_TECHNOLOGIST);
  EXPECT_EQ(Tell(), "The hub is reached; nobody is reading this theatre yet");
  now_ = now_ + Duration::Seconds(3600);
  EXPECT_EQ(Tell(), "");
}

TEST_F(ReaderWatchTest, LossOfTheOnlyReaderIsAmberThenAnAlarmAndItsEndSaysHowLong) {
  Join();
  Presence("Anna", true);
  EXPECT_EQ(Tell(), "The hub is reached; reading: Dr Anna");
  Link("Anna", v1::LINK_CONDITION_STALE);
  EXPECT_EQ(Tell(), "");
  Presence("Anna", false);
  EXPECT_EQ(Tell(), "") << "the hub has closed the stream of one who is silent";
  Link("Anna", v1::LINK_CONDITION_LOST);
  EXPECT_THAT(Tell(), AllOf(HasSubstr("AMBER nobody is reading"), HasSubstr("+41 44"),
                            HasSubstr("the link of Dr Anna is lost since 14:03:22 UTC")));
  hub_now_ = hub_now_ + Duration::Seconds(50);
  Link("Anna", v1::LINK_CONDITION_UNSUPERVISED);
  EXPECT_THAT(Tell(), AllOf(HasSubstr("ALARM"), HasSubstr("Dr Anna is lost since 14:03:22 UTC"),
                            HasSubstr("Telephone the reader now: +41 44")));
  EXPECT_EQ(Tell(), "");
  Presence("Anna", true);
  Link("Anna", v1::LINK_CONDITION_LIVE, 125);
  EXPECT_EQ(Tell(), "Reading again: Dr Anna, after 2:05 without a reader");
}

TEST_F(ReaderWatchTest, LossOfOneOfTwoIsNoAlarmUntilTheOtherGoesToo) {
  Join();
  Presence("Anna", true);
  Presence("Ben", true);
  Tell();
  Link("Anna", v1::LINK_CONDITION_LOST);
  Link("Anna", v1::LINK_CONDITION_UNSUPERVISED);
  Presence("Anna", false);
  EXPECT_EQ(Tell(), "");
  Presence("Ben", false);
  EXPECT_THAT(Tell(), HasSubstr("ALARM nobody is reading"));
}

TEST_F(ReaderWatchTest, ReaderWhoLeavesInOrderIsAFactAndNoAlarm) {
  Join();
  Presence("Anna", true);
  Tell();
  Presence("Anna", false);
  EXPECT_THAT(Tell(),
              AllOf(HasSubstr("nobody is reading: Dr Anna has gone"), Not(HasSubstr("ALARM"))));
  EXPECT_EQ(Tell(), "");
}

TEST_F(ReaderWatchTest, NothingIsSaidOfWhatIsOver) {
  watch_.OnJoined(now_);
  Presence("Anna", true, /*old=*/true);
  EXPECT_EQ(Tell(), "");
  now_ = now_ + kReadersSettle - Duration::Milliseconds(1);
  Presence("Anna", false, /*old=*/true);
  now_ = now_ + Duration::Milliseconds(500);
  EXPECT_EQ(Tell(), "");
  now_ = now_ + kReadersSettle;
  EXPECT_THAT(Tell(), HasSubstr("nobody is reading: Dr Anna has gone"));
}

TEST_F(ReaderWatchTest, AfterASilenceOfTheHubItIsSaidAgainWhoReads) {
  Join();
  Presence("Anna", true);
  Tell();
  watch_.OnHubLost();
  Link("Anna", v1::LINK_CONDITION_LOST);
  EXPECT_EQ(Tell(), "") << "the hub's own silence is the alarm";
  Link("Anna", v1::LINK_CONDITION_LIVE);
  Join();
  EXPECT_EQ(Tell(), "The hub is reached; reading: Dr Anna");
}

TEST_F(ReaderWatchTest, CrowdOfReadersIsBounded) {
  Join();
  for (size_t i = 0; i < 4 * kMaxReadersKnown; ++i) {
    Presence(std::to_string(i), true);
    Presence(std::to_string(i), false);
  }
  Presence("Anna", true);
  EXPECT_EQ(Tell(), "The hub is reached; reading: Dr Anna");
}

}  // namespace
}  // namespace remora::agent
