#include "hub/rooms/attendance.h"

#include <gtest/gtest.h>

#include "common/testing/record_writer.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

const CaseId kCase = CaseId::FromBytes("case of the test");
const OriginId kHub = OriginId::FromBytes("origin of a hub.");
constexpr int64_t kSecond = 1'000'000'000;
// Hub time at which the restarted hub restores the case.
constexpr int64_t kHubNow = 1'000'000 * kSecond;

class AttendanceTest : public ::testing::Test {
 protected:
  // What the journal holds of the time before the restart.
  void RecordedPresence(const std::string& name, v1::Role role, bool here, int64_t ago_s) {
    v1::Record body;
    body.mutable_presence()->set_participant(name);
    body.mutable_presence()->set_display_name("Agent");
    body.mutable_presence()->set_role(role);
    body.mutable_presence()->set_change(here ? v1::PRESENCE_CHANGE_JOINED
                                             : v1::PRESENCE_CHANGE_LEFT);
    Recorded(body, ago_s);
  }
  void RecordedLink(const std::string& name, v1::LinkCondition condition, int64_t ago_s,
                    v1::Role role = v1::ROLE_UNSPECIFIED) {
    v1::Record body;
    body.mutable_link_state()->set_role(role);
    body.mutable_link_state()->set_participant(name);
    body.mutable_link_state()->set_condition(condition);
    Recorded(body, ago_s);
  }
  void Recorded(const v1::Record& body, int64_t ago_s) {
    last_recorded_ = HubTime::FromNanoseconds(kHubNow - ago_s * kSecond);
    fold_.Apply(StampedForFold(writer_.Write(body), ++seq_, last_recorded_.nanoseconds()));
  }
  void Restore() {
    attendance_.Restore(fold_, {now_, HubTime::FromNanoseconds(kHubNow), last_recorded_});
  }
  void Pass(Duration time, bool open = true) {
    for (const DeviceTime end = now_ + time; now_ < end;) {
      now_ = now_ + Duration::Milliseconds(100);
      attendance_.Update(now_, open, head_seq_);
    }
  }
  std::vector<v1::LinkCondition> Conditions() const {
    std::vector<v1::LinkCondition> conditions;
    for (const v1::LinkState& link : links_) conditions.push_back(link.condition());
    return conditions;
  }

  using Expected = std::vector<v1::LinkCondition>;

  RecordWriter writer_{kCase, kHub};
  CaseFold fold_{kCase};
  uint64_t seq_ = 0;
  uint64_t head_seq_ = 100;
  HubTime last_recorded_;
  DeviceTime now_ = DeviceTime::FromNanoseconds(50 * kSecond);
  bool records_ = true;
  std::vector<v1::LinkState> links_;
  std::vector<v1::Presence> presences_;
  Attendance attendance_{{[this](const v1::Presence& presence) {
                            if (records_) presences_.push_back(presence);
                            return records_;
                          },
                          [this](const v1::LinkState& link) {
                            if (records_) links_.push_back(link);
                            return records_;
                          }}};
};

TEST_F(AttendanceTest, OutageSaysFromWhereOnWhatCameLateLies) {
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Seconds(1));
  ASSERT_EQ(links_.size(), 1u);
  EXPECT_EQ(links_[0].first_seq(), 0u);
  attendance_.SignOfLife("agent-1", now_);
  Pass(Duration::Seconds(12));
  // What others write meanwhile, and its backlog, which comes before the next look.
  head_seq_ = 150;
  Pass(Duration::Seconds(1));
  attendance_.SignOfLife("agent-1", now_);
  head_seq_ = 180;
  Pass(Duration::Milliseconds(100));
  EXPECT_EQ(links_.back().condition(), v1::LINK_CONDITION_LIVE);
  EXPECT_EQ(links_.back().first_seq(), 101u);
  // A silence that ends before anybody looked.
  attendance_.SignOfLife("agent-1", now_ + Duration::Seconds(20));
  now_ = now_ + Duration::Seconds(20);
  head_seq_ = 300;
  Pass(Duration::Milliseconds(100));
  EXPECT_EQ(links_.back().first_seq(), 181u);
}

TEST_F(AttendanceTest, SilentAgentIsNotCalledLiveByAHubThatRestarts) {
  RecordedPresence("agent-1", v1::ROLE_AGENT, true, 500);
  RecordedLink("agent-1", v1::LINK_CONDITION_LOST, 8);
  Restore();
  Pass(Duration::Seconds(40));
  EXPECT_EQ(Conditions(), Expected{});
  Pass(Duration::Seconds(5));  // lost 8 s ago after 10 s: silent for 60 s after 42 s more
  EXPECT_EQ(Conditions(), Expected{v1::LINK_CONDITION_UNSUPERVISED});
  EXPECT_NEAR(links_[0].previous_duration_ms(), 50'000, 200);
}

TEST_F(AttendanceTest, AgentThatHadLeftIsStillEscalatedAfterARestart) {
  RecordedPresence("agent-1", v1::ROLE_AGENT, true, 500);
  RecordedLink("agent-1", v1::LINK_CONDITION_STALE, 7);
  RecordedPresence("agent-1", v1::ROLE_AGENT, false, 4);
  Restore();
  Pass(Duration::Seconds(60));
  EXPECT_EQ(Conditions(), (Expected{v1::LINK_CONDITION_LOST, v1::LINK_CONDITION_UNSUPERVISED}));
  EXPECT_TRUE(presences_.empty()) << "it had left before";
}

TEST_F(AttendanceTest, LiveAgentIsSilentSinceTheHubKnewOfItLast) {
  RecordedPresence("agent-1", v1::ROLE_AGENT, true, 500);
  RecordedLink("agent-1", v1::LINK_CONDITION_LIVE, 500);
  RecordedPresence("anna", v1::ROLE_NEUROPHYSIOLOGIST, true, 11);
  Restore();
  Pass(Duration::Milliseconds(100));
  EXPECT_EQ(Conditions(), Expected{v1::LINK_CONDITION_LOST});
}

TEST_F(AttendanceTest, SignOfLifeAfterARestartIsLive) {
  RecordedPresence("agent-1", v1::ROLE_AGENT, true, 500);
  RecordedLink("agent-1", v1::LINK_CONDITION_UNSUPERVISED, 100);
  Restore();
  Pass(Duration::Seconds(1));
  EXPECT_TRUE(links_.empty());
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Milliseconds(100));
  ASSERT_EQ(Conditions(), Expected{v1::LINK_CONDITION_LIVE});
  EXPECT_NEAR(links_[0].previous_duration_ms(), 101'000, 200);
}

TEST_F(AttendanceTest, HubTimeThatWentBackDoesNotMakeTheFuture) {
  RecordedLink("agent-1", v1::LINK_CONDITION_LIVE, -100);
  Restore();
  Pass(Duration::Milliseconds(2'100));
  EXPECT_EQ(Conditions(), Expected{v1::LINK_CONDITION_STALE});
}

TEST_F(AttendanceTest, LinkGoesStaleLostUnsupervisedAndLiveWithASign) {
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Seconds(61));
  attendance_.SignOfLife("agent-1", now_);
  Pass(Duration::Milliseconds(100));
  EXPECT_EQ(Conditions(),
            (Expected{v1::LINK_CONDITION_LIVE, v1::LINK_CONDITION_STALE, v1::LINK_CONDITION_LOST,
                      v1::LINK_CONDITION_UNSUPERVISED, v1::LINK_CONDITION_LIVE}));
}

TEST_F(AttendanceTest, LiveSaysHowLongTheLinkWasAway) {
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Milliseconds(100));
  EXPECT_EQ(links_.back().outage_ms(), 0) << "the first sign ends nothing";
  Pass(Duration::Seconds(25));
  attendance_.SignOfLife("agent-1", now_);
  Pass(Duration::Milliseconds(100));
  ASSERT_EQ(links_.back().condition(), v1::LINK_CONDITION_LIVE);
  EXPECT_NEAR(links_.back().outage_ms(), 25'100, 1) << "from the last sign of life on";
  EXPECT_NEAR(links_.back().previous_duration_ms(), 15'100, 200) << "LOST alone";
}

TEST_F(AttendanceTest, OutageEndsWithTheFirstSignOfLifeWheneverThatCanBeRecorded) {
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Seconds(25));
  records_ = false;
  for (int second = 0; second < 30; ++second) {
    attendance_.SignOfLife("agent-1", now_);
    Pass(Duration::Seconds(1));
  }
  records_ = true;
  attendance_.SignOfLife("agent-1", now_);
  Pass(Duration::Milliseconds(100));
  ASSERT_EQ(links_.back().condition(), v1::LINK_CONDITION_LIVE);
  EXPECT_NEAR(links_.back().outage_ms(), 25'000, 1);
  // The next one is told by itself.
  Pass(Duration::Seconds(5));
  attendance_.SignOfLife("agent-1", now_);
  Pass(Duration::Milliseconds(100));
  EXPECT_NEAR(links_.back().outage_ms(), 5'100, 1);
}

TEST_F(AttendanceTest, OutageThatAHubSleptThroughIsStillToldWithItsLength) {
  RecordedPresence("agent-1", v1::ROLE_AGENT, true, 500);
  RecordedLink("agent-1", v1::LINK_CONDITION_LIVE, 500);
  RecordedPresence("anna", v1::ROLE_NEUROPHYSIOLOGIST, true, 30);
  Restore();
  // The agent is back before the hub has looked once.
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Milliseconds(100));
  ASSERT_EQ(Conditions(), Expected{v1::LINK_CONDITION_LIVE});
  EXPECT_NEAR(links_[0].outage_ms(), 30'000, 1);
}

TEST_F(AttendanceTest, OutageGoesOnThroughARestartOfTheHub) {
  RecordedLink("agent-1", v1::LINK_CONDITION_LOST, 20);
  Restore();
  Pass(Duration::Seconds(5));
  attendance_.SignOfLife("agent-1", now_);
  Pass(Duration::Milliseconds(100));
  ASSERT_EQ(Conditions(), Expected{v1::LINK_CONDITION_LIVE});
  EXPECT_NEAR(links_[0].outage_ms(), 35'000, 1) << "10 s before LOST, 20 s since, 5 s here";
}

TEST_F(AttendanceTest, NothingIsSaidOfLinksWhileTheCaseIsNotOpen) {
  RecordedLink("agent-1", v1::LINK_CONDITION_STALE, 7);
  Restore();
  Pass(Duration::Seconds(100), /*open=*/false);
  EXPECT_TRUE(links_.empty());
}

TEST_F(AttendanceTest, WhatCannotBeRecordedIsOfferedAgain) {
  records_ = false;
  attendance_.Arrive({"agent-1", "Agent", v1::ROLE_AGENT}, now_);
  Pass(Duration::Seconds(1));
  records_ = true;
  Pass(Duration::Milliseconds(100));
  EXPECT_EQ(Conditions(), Expected{v1::LINK_CONDITION_LIVE});
  EXPECT_EQ(presences_.size(), 1u);
}

TEST_F(AttendanceTest, PresenceIsSaidOnceAndItsEndAfterAGrace) {
  const Attendee anna{"anna", "Dr Anna", v1::ROLE_NEUROPHYSIOLOGIST};
  attendance_.Arrive(anna, now_);
  attendance_.Arrive(anna, now_);
  Pass(Duration::Milliseconds(100));
  attendance_.Depart("anna", false, now_);
  Pass(Duration::Seconds(10));
  EXPECT_EQ(presences_.size(), 1u);
  attendance_.Depart("anna", false, now_);
  Pass(kPresenceGrace - Duration::Seconds(1));
  EXPECT_EQ(presences_.size(), 1u);
  Pass(Duration::Seconds(2));
  ASSERT_EQ(presences_.size(), 2u);
  EXPECT_EQ(presences_[1].change(), v1::PRESENCE_CHANGE_LEFT);
  EXPECT_TRUE(links_.empty());
}

const Attendee kReader{"anna", "Dr Anna", v1::ROLE_NEUROPHYSIOLOGIST, /*answers=*/true};

TEST_F(AttendanceTest, LinkOfAReaderIsSaidFromLostOnAndUntilItIsBack) {
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(9));
  attendance_.SignOfLife("anna", now_);
  Pass(Duration::Milliseconds(9'500));
  EXPECT_EQ(Conditions(), Expected{}) << "neither LIVE nor STALE";
  Pass(Duration::Seconds(1));
  ASSERT_EQ(Conditions(), Expected{v1::LINK_CONDITION_LOST});
  EXPECT_EQ(links_[0].role(), v1::ROLE_NEUROPHYSIOLOGIST);
  // The stream is found dead.
  Pass(Duration::Seconds(10));
  attendance_.Depart("anna", true, now_);
  Pass(Duration::Seconds(40));
  ASSERT_EQ(presences_.size(), 2u);
  EXPECT_EQ(Conditions(), (Expected{v1::LINK_CONDITION_LOST, v1::LINK_CONDITION_UNSUPERVISED}));
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(1));
  ASSERT_EQ(links_.size(), 3u);
  EXPECT_EQ(links_[2].condition(), v1::LINK_CONDITION_LIVE);
  EXPECT_NEAR(links_[2].outage_ms(), 60'500, 1) << "since the last sign of life";
}

TEST_F(AttendanceTest, ReaderWhoLeavesInOrderLosesNoLink) {
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(8));
  attendance_.Depart("anna", true, now_);
  Pass(Duration::Seconds(100));
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(5));
  EXPECT_TRUE(links_.empty());
  EXPECT_EQ(presences_.size(), 3u);
}

TEST_F(AttendanceTest, ReaderIsJudgedOnlyWhileASessionOfItAnswers) {
  const Attendee mute{"anna", "Dr Anna", v1::ROLE_NEUROPHYSIOLOGIST, /*answers=*/false};
  attendance_.Arrive(mute, now_);
  Pass(Duration::Seconds(100));
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(5));
  attendance_.Depart("anna", true, now_);
  Pass(Duration::Seconds(100));
  attendance_.Arrive({"tom", "Tom", v1::ROLE_TECHNOLOGIST}, now_);
  Pass(Duration::Seconds(100));
  EXPECT_TRUE(links_.empty());
}

TEST_F(AttendanceTest, LostReaderStaysLostThroughARestartAndALiveOneIsNotCalledLost) {
  RecordedPresence("anna", v1::ROLE_NEUROPHYSIOLOGIST, true, 500);
  RecordedPresence("ben", v1::ROLE_CENTRE, true, 500);
  RecordedLink("ben", v1::LINK_CONDITION_LIVE, 400, v1::ROLE_CENTRE);
  RecordedLink("anna", v1::LINK_CONDITION_LOST, 20, v1::ROLE_NEUROPHYSIOLOGIST);
  Restore();
  Pass(Duration::Seconds(31));
  EXPECT_EQ(Conditions(), Expected{v1::LINK_CONDITION_UNSUPERVISED});
  EXPECT_EQ(links_[0].participant(), "anna");
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(1));
  ASSERT_EQ(Conditions().back(), v1::LINK_CONDITION_LIVE);
  EXPECT_NEAR(links_.back().outage_ms(), 61'000, 1);
}

TEST_F(AttendanceTest, ReaderWhoIsBackWhenTheCaseIsOpenAgainIsLiveOnRecord) {
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(11));
  attendance_.Depart("anna", true, now_);
  Pass(Duration::Seconds(100), /*open=*/false);
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(1));
  EXPECT_EQ(Conditions(), (Expected{v1::LINK_CONDITION_LOST, v1::LINK_CONDITION_LIVE}));
}

TEST_F(AttendanceTest, SilenceOfAReaderThatNoLostWasSaidOfEndsWithoutAWord) {
  attendance_.Arrive(kReader, now_);
  Pass(Duration::Seconds(1));
  // Nobody judged while the case was not open.
  Pass(Duration::Seconds(100), /*open=*/false);
  attendance_.SignOfLife("anna", now_);
  Pass(Duration::Seconds(1));
  // The hub itself was away.
  now_ = now_ + Duration::Seconds(30);
  attendance_.SignOfLife("anna", now_);
  Pass(Duration::Seconds(1));
  // LOST could not be recorded.
  records_ = false;
  Pass(Duration::Seconds(30));
  attendance_.SignOfLife("anna", now_);
  records_ = true;
  Pass(Duration::Seconds(9));
  EXPECT_TRUE(links_.empty());
  // The next silence is said, and ended, with its own length.
  Pass(Duration::Seconds(11));
  attendance_.SignOfLife("anna", now_);
  Pass(Duration::Seconds(1));
  ASSERT_EQ(Conditions(), (Expected{v1::LINK_CONDITION_LOST, v1::LINK_CONDITION_LIVE}));
  EXPECT_NEAR(links_[0].previous_duration_ms(), 10'000, 1) << "live since the last sign of life";
  EXPECT_NEAR(links_[1].outage_ms(), 20'000, 1);
}

}  // namespace
}  // namespace remora::hub
