#include "acquisition-agent/app/hub_watch.h"

#include "acquisition-agent/app/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remora::agent {
namespace {

using testing::HasSubstr;

DeviceTime At(double s) { return DeviceTime::FromNanoseconds(static_cast<int64_t>(s * 1e9)); }

TEST(HubWatch, SaysWhatToDoAtEachStepAndHowLongItWasInTheEnd) {
  HubWatch watch("+41 44 000 00 00");
  EXPECT_EQ(watch.OnCondition(v1::LINK_CONDITION_LIVE, Duration(), At(100)), "The hub is reached");
  EXPECT_THAT(watch.OnCondition(v1::LINK_CONDITION_STALE, Duration::Seconds(2), At(102)),
              HasSubstr("AMBER"));
  EXPECT_THAT(watch.OnCondition(v1::LINK_CONDITION_LOST, Duration::Seconds(10), At(110)),
              HasSubstr("Call the reader: +41 44 000 00 00"));
  EXPECT_THAT(watch.OnCondition(v1::LINK_CONDITION_UNSUPERVISED, Duration::Seconds(60), At(160)),
              HasSubstr("telephone the reader now: +41 44 000 00 00"));
  EXPECT_FALSE(watch.TakeOutage().has_value()) << "it is not over";
  EXPECT_THAT(watch.OnCondition(v1::LINK_CONDITION_LIVE, Duration(), At(225)),
              HasSubstr("after 2:05"));
  EXPECT_EQ(watch.TakeOutage(), Duration::Seconds(125));
  EXPECT_FALSE(watch.TakeOutage().has_value()) << "one record for one outage";
}

TEST(HubWatch, WithoutANumberItSaysWhereOneIsGiven) {
  HubWatch watch("");
  EXPECT_THAT(watch.OnCondition(v1::LINK_CONDITION_UNSUPERVISED, Duration::Seconds(60), At(160)),
              HasSubstr("--reader-phone"));
}

TEST(HubWatch, EachOutageIsToldThoughTwoWereOverBeforeOneCouldBeRecorded) {
  HubWatch watch("");
  watch.WasAway(Duration::Seconds(90));
  watch.OnCondition(v1::LINK_CONDITION_STALE, Duration::Seconds(2), At(2));
  watch.OnCondition(v1::LINK_CONDITION_LIVE, Duration(), At(5));
  EXPECT_EQ(watch.TakeOutage(), Duration::Seconds(90));
  EXPECT_EQ(watch.TakeOutage(), Duration::Seconds(5));
  EXPECT_FALSE(watch.TakeOutage().has_value());
  for (int i = 0; i < 1'000; ++i) watch.WasAway(Duration::Seconds(10 + i));
  size_t kept = 0;
  while (watch.TakeOutage()) ++kept;
  EXPECT_EQ(kept, kMaxOutagesKept);
}

TEST(HubWatch, AHubThatCannotRecordIsAnAlarmOnce) {
  HubWatch watch("");
  v1::Recording recording;
  recording.set_condition(v1::RECORDING_CONDITION_RECORDING);
  EXPECT_EQ(watch.OnRecording(recording), "");
  recording.set_condition(v1::RECORDING_CONDITION_UNRECORDED);
  recording.set_cause("disk full");
  EXPECT_THAT(watch.OnRecording(recording), HasSubstr("ALARM the hub cannot record: disk full"));
  EXPECT_EQ(watch.OnRecording(recording), "");
  recording.set_condition(v1::RECORDING_CONDITION_RECORDING);
  EXPECT_THAT(watch.OnRecording(recording), HasSubstr("records again"));
}

TEST(HubWatch, AHubThatCanRecordAgainBeforeTheNextSessionSaysNothingOfIt) {
  HubWatch watch("");
  v1::Recording recording;
  recording.set_condition(v1::RECORDING_CONDITION_UNRECORDED);
  watch.OnRecording(recording);
  EXPECT_EQ(watch.OnJoined(), "") << "joined again in the same session";
  watch.OnWelcome();
  watch.OnRecording(recording);
  EXPECT_EQ(watch.OnJoined(), "");
  watch.OnWelcome();
  EXPECT_THAT(watch.OnJoined(), HasSubstr("records again"));
  EXPECT_EQ(watch.OnJoined(), "");
}

}  // namespace
}  // namespace remora::agent
