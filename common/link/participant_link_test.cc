#include "common/link/participant_link.h"

#include <functional>
#include <set>

#include "common/link/memory_outbox.h"
#include "common/link/testing/link_harness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ParticipantLinkTest : public LinkHarness {};

TEST_F(ParticipantLinkTest, GreetsFirstAndWaitsForTheWelcome) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  link_->Start();
  executor_.RunUntilIdle();
  std::vector<v1::Up> written = dialer_.TakeWritten();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].hello().origin(), OriginIdForTest(1).bytes());
  EXPECT_EQ(written[0].hello().minimum_version(), 1u);
  EXPECT_EQ(written[0].hello().software(), "test 1");
  dialer_.Deliver(WelcomeDown());
  executor_.RunUntilIdle();
  written = Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].follow().follow_id(), 1u);
  EXPECT_FALSE(written[0].follow().has_cursor());
  EXPECT_THAT(observer_.states,
              ElementsAre(LinkState::kDialing, LinkState::kGreeting, LinkState::kLive));
  EXPECT_EQ(observer_.welcomes, 1);
}

TEST_F(ParticipantLinkTest, RedialsWithAJitteredBackOffWithinItsBounds) {
  dialer_.FailDials(absl::UnavailableError("nobody there"));
  link_->Start();
  std::vector<double> waits_ms;
  DeviceTime last = clock_.Now();
  for (int dial = 1; dial < 14; ++dial) {
    while (dialer_.dials() <= dial) ASSERT_TRUE(executor_.RunNext());
    waits_ms.push_back((clock_.Now() - last).milliseconds());
    last = clock_.Now();
  }
  double whole_ms = 50;
  std::set<double> ratios;
  for (double wait : waits_ms) {
    EXPECT_GE(wait, whole_ms / 2);
    EXPECT_LE(wait, whole_ms + 0.001);
    ratios.insert(wait / whole_ms);
    whole_ms = std::min(2 * whole_ms, 5000.0);
  }
  EXPECT_EQ(ratios.size(), waits_ms.size());  // jittered
  EXPECT_EQ(link_->counters().dials, static_cast<uint64_t>(dialer_.dials()));
}

TEST_F(ParticipantLinkTest, StartsTheBackOffAnewOnlyAfterAGoodSession) {
  StartLive();
  // Sessions that end at once do not make a fast loop.
  for (int i = 0; i < 8; ++i) {
    dialer_.Break(absl::UnavailableError("gone"));
    while (dialer_.dials() < i + 2) ASSERT_TRUE(executor_.RunNext());
    Greet();
  }
  LiveFor(Duration::Seconds(6));
  dialer_.Break(absl::UnavailableError("gone"));
  executor_.RunUntilIdle();
  const int dials = dialer_.dials();
  executor_.RunFor(Duration::Milliseconds(51));
  EXPECT_EQ(dialer_.dials(), dials + 1);
}

TEST_F(ParticipantLinkTest, OffersNoRecordTwiceUnlessTheHubJoinsItAnew) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  }
  StartLive();
  const std::vector<v1::Up> written = Written();
  EXPECT_EQ(written.back().join().theatre(), "OR 3");
  EXPECT_EQ(written.back().records_size(), 0);

  dialer_.Deliver(JoinedDown());
  executor_.RunUntilIdle();
  link_->NotifyPending();
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  link_->NotifyPending();
  LiveFor(Duration::Seconds(5));
  EXPECT_THAT(WrittenSeqs(), ElementsAre(1, 2, 3, 4));

  // Nobody asked for it: a lane came out of order, or the hub records again.
  dialer_.Deliver(JoinedDown(1));
  executor_.RunUntilIdle();
  EXPECT_THAT(WrittenSeqs(), ElementsAre(2, 3, 4));
  EXPECT_EQ(observer_.joined, 2);

  // In the next session, only what the hub lacks.
  dialer_.Break(absl::UnavailableError("gone"));
  executor_.RunFor(Duration::Milliseconds(60));
  Greet();
  dialer_.Deliver(JoinedDown(3));
  executor_.RunUntilIdle();
  EXPECT_THAT(WrittenSeqs(), ElementsAre(4));
  EXPECT_TRUE(outbox.IsAcknowledged({OriginIdForTest(1), 0, 3}));
}

TEST_F(ParticipantLinkTest, GoesOnPublishingWhileAndAfterTheHubCannotRecord) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  StartLive();
  dialer_.Deliver(JoinedDown());
  executor_.RunUntilIdle();
  Written();
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  link_->NotifyPending();
  dialer_.Deliver(RefusedDown(v1::REFUSAL_REASON_TOO_MANY));
  executor_.RunUntilIdle();
  EXPECT_THAT(WrittenSeqs(), ElementsAre(1));
  // Another lane may be in no trouble, so it does not stand still; and nobody joins.
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  link_->NotifyPending();
  LiveFor(Duration::Seconds(30));
  std::vector<v1::Up> written = Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(WalkRecord(written[0].records(0))->origin_seq, 2u);
  dialer_.Deliver(JoinedDown());
  executor_.RunUntilIdle();
  EXPECT_THAT(WrittenSeqs(), ElementsAre(1, 2));
  EXPECT_THAT(observer_.refusals, ElementsAre(v1::REFUSAL_REASON_TOO_MANY));
}

TEST_F(ParticipantLinkTest, TakesAJoinedThatComesBeforeItHasAskedAgain) {
  for (const auto reason : {v1::REFUSAL_REASON_TOO_MANY, v1::REFUSAL_REASON_NO_SUCH_CASE,
                            v1::REFUSAL_REASON_DRAINING, v1::REFUSAL_REASON_THEATRE_CLAIMED}) {
    SCOPED_TRACE(v1::RefusalReason_Name(reason));
    MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
    ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
    ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
    StartLive();
    Written();
    dialer_.Deliver(RefusedDown(reason));
    dialer_.Deliver(JoinedDown());
    executor_.RunUntilIdle();
    EXPECT_THAT(WrittenSeqs(), ElementsAre(1));
    LiveFor(Duration::Seconds(5));
    EXPECT_TRUE(Written().empty());  // there is nothing left to ask
    link_->Stop();
    link_->RemoveOutbox(CaseIdForTest());
  }
}

TEST_F(ParticipantLinkTest, ARefusedJoinStaysRefused) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  StartLive();
  Written();
  dialer_.Deliver(RefusedDown(v1::REFUSAL_REASON_NOT_PERMITTED));
  dialer_.Deliver(JoinedDown());
  LiveFor(Duration::Seconds(5));
  EXPECT_TRUE(Written().empty());
  EXPECT_EQ(observer_.joined, 0);
}

TEST_F(ParticipantLinkTest, AsksToJoinAgainLaterAndLaterForARecordThatIsRefusedForNow) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  StartLive();
  Written();
  dialer_.Deliver(JoinedDown());
  v1::Down refusal;
  refusal.mutable_record_refused()->set_case_id(CaseIdForTest().ToString());
  refusal.mutable_record_refused()->set_origin_seq(1);
  refusal.mutable_record_refused()->set_reason(v1::REFUSAL_REASON_DRAINING);
  int joins = 0;
  int offers = 0;
  for (int step = 0; step < 240; ++step) {  // two minutes
    LiveFor(Duration::Milliseconds(500));
    for (const v1::Up& up : Written()) {
      joins += up.has_join();
      offers += up.records_size();
      if (up.has_join()) dialer_.Deliver(JoinedDown());
      if (up.records_size() > 0) dialer_.Deliver(refusal);
    }
  }
  EXPECT_GE(joins, 5);
  EXPECT_LE(joins, 13);
  EXPECT_GE(offers, joins);
  EXPECT_LE(offers, joins + 1);
  EXPECT_EQ(outbox.waiting_records(), 1u);
}

TEST_F(ParticipantLinkTest, WritesOneMessageAtATimeAndDoesNotSpinMeanwhile) {
  dialer_.set_completes_writes(false);
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  link_->Start();
  executor_.RunUntilIdle();
  dialer_.Deliver(WelcomeDown());
  executor_.RunUntilIdle();
  EXPECT_EQ(dialer_.TakeWritten().size(), 1u);  // the hello is still outstanding
  const int ran = executor_.RunFor(Duration::Seconds(9));
  EXPECT_LT(ran, 20);
  EXPECT_TRUE(dialer_.TakeWritten().empty());
  dialer_.CompleteWrite();
  executor_.RunUntilIdle();
  EXPECT_EQ(dialer_.TakeWritten().size(), 1u);
}

TEST_F(ParticipantLinkTest, AnIdleLinkHardlyRuns) {
  StartLive();
  LiveFor(Duration::Seconds(10));
  int ran = 0;
  for (int i = 0; i < 60; ++i) {
    v1::Down down;
    down.mutable_heartbeat();
    dialer_.Deliver(down);
    ran += executor_.RunFor(Duration::Seconds(1));
  }
  EXPECT_LT(ran, 60 * 8);
  EXPECT_LT(executor_.pending_tasks(), 100u);
}

TEST_F(ParticipantLinkTest, SendsAHeartbeatEachSecondWhenIdle) {
  StartLive();
  LiveFor(Duration::Seconds(4));
  dialer_.TakeWritten();
  int signs = 0;
  LiveFor(Duration::Seconds(10));
  for (const v1::Up& up : dialer_.TakeWritten())
    signs += up.has_heartbeat() || up.has_clock_probe();
  EXPECT_GE(signs, 9);
  EXPECT_LE(signs, 16);
}

TEST_F(ParticipantLinkTest, TurnsStaleLostAndUnsupervisedByLocalAgeAlone) {
  StartLive();
  EXPECT_EQ(link_->condition(), v1::LINK_CONDITION_LIVE);
  dialer_.FailDials(absl::UnavailableError("gone"));
  executor_.RunFor(Duration::Seconds(70));
  EXPECT_THAT(
      observer_.conditions,
      ElementsAre(std::pair(v1::LINK_CONDITION_LIVE, 0), std::pair(v1::LINK_CONDITION_STALE, 2000),
                  std::pair(v1::LINK_CONDITION_LOST, 8000),
                  std::pair(v1::LINK_CONDITION_UNSUPERVISED, 50'000)));
  dialer_.OpenDials();
  executor_.RunFor(Duration::Seconds(6));
  dialer_.Deliver(WelcomeDown());
  executor_.RunUntilIdle();
  EXPECT_EQ(observer_.conditions.back().first, v1::LINK_CONDITION_LIVE);
  EXPECT_LT(link_->age(), Duration::Seconds(1));
}

TEST_F(ParticipantLinkTest, IsStaleWhenTheHubWasNeverReached) {
  dialer_.IgnoreDials();
  link_->Start();
  executor_.RunFor(Duration::Milliseconds(1999));
  EXPECT_EQ(link_->condition(), v1::LINK_CONDITION_UNSPECIFIED);
  executor_.RunFor(Duration::Milliseconds(1));
  EXPECT_EQ(link_->condition(), v1::LINK_CONDITION_STALE);
}

TEST_F(ParticipantLinkTest, ClosesAHalfOpenLinkAndDialsAgain) {
  StartLive();
  executor_.RunFor(Duration::Milliseconds(9'990));
  EXPECT_EQ(dialer_.dials(), 1);
  executor_.RunFor(Duration::Milliseconds(100));
  EXPECT_TRUE(dialer_.ClosedByLink(0));
  EXPECT_EQ(dialer_.dials(), 2);
}

TEST_F(ParticipantLinkTest, GivesUpADialThatIsNeverAnswered) {
  dialer_.IgnoreDials();
  link_->Start();
  executor_.RunFor(Duration::Milliseconds(10'100));
  EXPECT_TRUE(dialer_.ClosedByLink(0));
  EXPECT_EQ(dialer_.dials(), 2);
}

TEST_F(ParticipantLinkTest, ARefusedVersionEndsItWithAClearStatus) {
  link_->Start();
  executor_.RunUntilIdle();
  v1::Down down;
  down.mutable_refused()->set_reason(v1::REFUSAL_REASON_VERSION);
  down.mutable_refused()->set_text("this hub speaks 2 to 3");
  dialer_.Deliver(down);
  executor_.RunFor(Duration::Seconds(60));
  EXPECT_EQ(link_->state(), LinkState::kStopped);
  EXPECT_EQ(dialer_.dials(), 1);
  EXPECT_EQ(observer_.ended.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(observer_.ended.message()), HasSubstr("this hub speaks 2 to 3"));
  // The application may try again.
  link_->Start();
  Greet();
}

TEST_F(ParticipantLinkTest, AnAgentGoesOnTryingSlowlyWhenItIsRefused) {
  LinkOptions options = Options();
  options.end_when_refused = false;
  MakeLink(options);
  dialer_.FailDials(absl::UnauthenticatedError("unknown token"));
  link_->Start();
  executor_.RunFor(Duration::Seconds(60));
  EXPECT_TRUE(observer_.ended.ok());
  EXPECT_GE(dialer_.dials(), 60 / 5);
  EXPECT_LE(dialer_.dials(), 60 / 2.5 + 1);
}

TEST_F(ParticipantLinkTest, AnUnknownTokenEndsIt) {
  dialer_.FailDials(absl::UnauthenticatedError("unknown token"));
  link_->Start();
  executor_.RunFor(Duration::Seconds(60));
  EXPECT_EQ(dialer_.dials(), 1);
  EXPECT_TRUE(absl::IsUnauthenticated(observer_.ended));
}

TEST_F(ParticipantLinkTest, ADrainingHubIsDialledAgain) {
  StartLive();
  v1::Down down;
  down.mutable_refused()->set_reason(v1::REFUSAL_REASON_DRAINING);
  dialer_.Deliver(down);
  executor_.RunFor(Duration::Milliseconds(60));
  EXPECT_EQ(dialer_.dials(), 2);
  EXPECT_THAT(observer_.refusals, ElementsAre(v1::REFUSAL_REASON_DRAINING));
}

TEST_F(ParticipantLinkTest, AClaimedTheatreIsAskedForAgain) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  StartLive();
  Written();
  v1::Down down;
  down.mutable_refused()->set_reason(v1::REFUSAL_REASON_THEATRE_CLAIMED);
  down.mutable_refused()->set_case_id(CaseIdForTest().ToString());
  dialer_.Deliver(down);
  LiveFor(Duration::Milliseconds(1500));
  EXPECT_TRUE(Written().empty());
  LiveFor(Duration::Milliseconds(1000));
  ASSERT_EQ(Written().size(), 1u);
  down.mutable_refused()->set_reason(v1::REFUSAL_REASON_NOT_PERMITTED);
  dialer_.Deliver(down);
  LiveFor(Duration::Seconds(10));
  EXPECT_TRUE(Written().empty());
  EXPECT_EQ(link_->state(), LinkState::kLive);
}

TEST_F(ParticipantLinkTest, ProbesTheClockInABurstAndThenEachTwoSeconds) {
  StartLive();
  int probes = 0;
  const auto answer = [&](Duration time) {
    for (Duration done; done < time; done = done + Duration::Milliseconds(10)) {
      for (const v1::Up& up : dialer_.TakeWritten()) {
        if (!up.has_clock_probe()) continue;
        ++probes;
        executor_.RunFor(Duration::Milliseconds(2));
        v1::Down down;
        v1::ClockReply* reply = down.mutable_clock_reply();
        reply->set_probe_id(up.clock_probe().probe_id());
        reply->set_sent_monotonic_ns(up.clock_probe().sent_monotonic_ns());
        reply->set_received_unix_ns(clock_.WallNow().nanoseconds());
        reply->set_replied_unix_ns(clock_.WallNow().nanoseconds());
        executor_.RunFor(Duration::Milliseconds(2));
        dialer_.Deliver(down);
      }
      executor_.RunFor(Duration::Milliseconds(10));
    }
  };
  answer(Duration::Milliseconds(300));
  EXPECT_EQ(probes, 5);
  answer(Duration::Seconds(20));
  EXPECT_GE(probes, 14);
  EXPECT_LE(probes, 16);
  const auto hub_now = link_->clock_model().ToHub(clock_.Now());
  ASSERT_TRUE(hub_now.has_value());
  EXPECT_LT(hub_now->bound, Duration::Milliseconds(5));
  EXPECT_LE(std::abs(hub_now->time.nanoseconds() - clock_.WallNow().nanoseconds()),
            hub_now->bound.nanoseconds());
  // Another hub answers from now on: what was known of the old one's clock is dropped.
  dialer_.Break(absl::UnavailableError("gone"));
  executor_.RunFor(Duration::Milliseconds(60));
  dialer_.Deliver(WelcomeDown(/*hub_boot_id=*/5));
  executor_.RunUntilIdle();
  EXPECT_FALSE(link_->clock_model().ToHub(clock_.Now()).has_value());
}

TEST_F(ParticipantLinkTest, MayBeStoppedOrLoseAFollowInACallback) {
  for (const bool stops : {true, false}) {
    ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
    observer_.on_record = [this, stops] { stops ? link_->Stop() : link_->CancelFollow(1); };
    observer_.seqs.clear();
    StartLive();
    DeliverRecords({Stamped(v1::Record::kMessage, 1), Stamped(v1::Record::kMessage, 2)});
    EXPECT_THAT(observer_.seqs, ElementsAre(1));
    link_->Stop();
    link_->CancelFollow(1);
    executor_.RunUntilIdle();
    EXPECT_FALSE(dialer_.IsOpen());
  }
}

TEST_F(ParticipantLinkTest, MayBeDestroyedWithTasksOutstanding) {
  StartLive();
  v1::Down down;
  down.mutable_heartbeat();
  dialer_.Deliver(down);
  link_.reset();
  executor_.RunFor(Duration::Seconds(100));
  EXPECT_FALSE(dialer_.IsOpen());
}

TEST_F(ParticipantLinkTest, HostileMessagesEndTheSessionOnly) {
  const std::string good = Stamped(v1::Record::kMessage, 1);
  std::string frame;
  AppendFrame(good.substr(0, good.size() - 1), &frame);
  const std::string messages[] = {
      "\xff\xff",
      std::string("\x0a\x05xx", 4),
      frame,
      std::string(kMaxMessageBytes + 1, '\x0a'),
      WelcomeDown().SerializeAsString(),  // a second welcome
  };
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_COMPLETE)).ok());
  link_->Start();
  uint64_t unreadable = 0;
  for (const std::string& message : messages) {
    Greet();
    dialer_.DeliverBytes(message);
    executor_.RunUntilIdle();
    EXPECT_EQ(link_->state(), LinkState::kWaiting);
    EXPECT_EQ(link_->counters().unreadable, ++unreadable);
    executor_.RunFor(Duration::Seconds(5));
  }
  EXPECT_TRUE(observer_.seqs.empty());
}

TEST_F(ParticipantLinkTest, HostileHubThatSpeaksBeforeItsWelcomeIsLeft) {
  link_->Start();
  executor_.RunUntilIdle();
  DeliverRecords({Stamped(v1::Record::kMessage, 1)});
  EXPECT_EQ(link_->state(), LinkState::kWaiting);
  EXPECT_TRUE(observer_.seqs.empty());
}

TEST_F(ParticipantLinkTest, HostileRequestsAreRefusedAtOnce) {
  v1::Follow follow = CaseFollow(v1::DELIVERY_LIVE, 0);
  EXPECT_TRUE(absl::IsInvalidArgument(link_->AddFollow(follow)));
  follow.set_follow_id(1);
  follow.set_case_id("short");
  EXPECT_TRUE(absl::IsInvalidArgument(link_->AddFollow(follow)));
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE, 1)).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE, 1))));
  EXPECT_TRUE(absl::IsAlreadyExists(link_->AddFollow(CaseFollow(v1::DELIVERY_COMPLETE, 2))));
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "", &outbox).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(link_->AddOutbox(CaseIdForTest(), "", &outbox)));
}

}  // namespace
}  // namespace remora
