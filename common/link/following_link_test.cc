#include <functional>
#include <set>

#include "common/link/memory_outbox.h"
#include "common/link/testing/link_harness.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

using testing::ElementsAre;

// What a link follows, and goes on with after a session has ended.
class FollowingLinkTest : public LinkHarness {};

TEST_F(FollowingLinkTest, ResumesACompleteFollowWithoutASeam) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_COMPLETE)).ok());
  StartLive();
  const std::string first = Stamped(v1::Record::kMessage, 1);
  const std::string second = Stamped(v1::Record::kSweep, 2);
  DeliverRecords({first, second});
  dialer_.Break(absl::UnavailableError("gone"));
  executor_.RunFor(Duration::Milliseconds(60));
  Greet();
  const std::vector<v1::Up> written = Written();
  ASSERT_EQ(written.size(), 2u);  // hello, follow
  const v1::Cursor& cursor = written[1].follow().cursor();
  EXPECT_EQ(cursor.epoch(), 1u);
  ASSERT_EQ(cursor.lanes_size(), 6);
  for (const v1::LaneCursor& lane : cursor.lanes()) {
    // Of each lane the last record that it has, as the hub compares them.
    EXPECT_EQ(lane.seq(), lane.lane() == 0 ? 1u : lane.lane() == 3 ? 2u : 0u);
    EXPECT_EQ(lane.digest(), lane.lane() == 0   ? RecordDigest(first)
                             : lane.lane() == 3 ? RecordDigest(second)
                                                : 0u);
  }
  // The hub sends one again that was on its way when the session ended.
  DeliverRecords({second, Stamped(v1::Record::kSampleBlock, 3)});
  EXPECT_THAT(observer_.seqs, ElementsAre(1, 2, 3));
  EXPECT_THAT(observer_.sessions, ElementsAre(1, 1, 2));
  EXPECT_EQ(observer_.bytes[1], second);
  EXPECT_EQ(link_->counters().duplicates_dropped, 1u);
  EXPECT_EQ(link_->counters().sequence_holes, 0u);
}

TEST_F(FollowingLinkTest, CountsAHoleInACompleteFollow) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_COMPLETE)).ok());
  StartLive();
  DeliverRecords({Stamped(v1::Record::kMessage, 1), Stamped(v1::Record::kMessage, 3)});
  EXPECT_EQ(link_->counters().sequence_holes, 1u);
}

TEST_F(FollowingLinkTest, ALiveFollowHasAPlacePerLaneBecauseLanesOvertake) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  v1::Down down;
  down.mutable_snapshot()->set_follow_id(1);
  down.mutable_snapshot()->set_cause("joined");
  down.mutable_snapshot()->mutable_cursor()->set_epoch(1);
  v1::LaneCursor* lane = down.mutable_snapshot()->mutable_cursor()->add_lanes();
  lane->set_lane(5);
  lane->set_seq(10);
  lane->set_digest(77);
  dialer_.Deliver(down);
  // An alert overtakes a block; the block that the snapshot had is dropped.
  DeliverRecords({Stamped(v1::Record::kAlert, 20), Stamped(v1::Record::kSampleBlock, 10),
                  Stamped(v1::Record::kSampleBlock, 12), Stamped(v1::Record::kAlert, 20)});
  EXPECT_THAT(observer_.causes, ElementsAre("joined"));
  EXPECT_THAT(observer_.seqs, ElementsAre(20, 12));
  const v1::Cursor cursor = link_->CursorOf(1);
  EXPECT_EQ(cursor.lanes(0).seq(), 20u);
  EXPECT_EQ(cursor.lanes(1).seq(), 0u);
  EXPECT_EQ(cursor.lanes(5).seq(), 12u);
  EXPECT_EQ(cursor.lanes(5).digest(), RecordDigest(Stamped(v1::Record::kSampleBlock, 12)));
}

TEST_F(FollowingLinkTest, KeepsTheDigestsOfASnapshotUntilARecordComes) {
  v1::Follow follow = CaseFollow(v1::DELIVERY_LIVE);
  follow.mutable_cursor()->set_epoch(3);
  follow.mutable_cursor()->add_lanes()->set_seq(5);
  follow.mutable_cursor()->mutable_lanes(0)->set_digest(99);
  ASSERT_TRUE(link_->AddFollow(follow).ok());
  StartLive();
  const std::vector<v1::Up> written = Written();
  EXPECT_EQ(written.back().follow().cursor().epoch(), 3u);
  EXPECT_EQ(written.back().follow().cursor().lanes(0).digest(), 99u);
}

TEST_F(FollowingLinkTest, TakesARecordAgainInANewEpochAndAfterItWasUnrecorded) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_COMPLETE)).ok());
  StartLive();
  DeliverRecords({Stamped(v1::Record::kMessage, 1), Stamped(v1::Record::kMessage, 2),
                  Stamped(v1::Record::kMessage, 3)});
  // The journal went back to 1; what was 2 is another record now.
  DeliverRecords({Stamped(v1::Record::kAnnotation, 2, 2), Stamped(v1::Record::kMessage, 3, 2)});
  EXPECT_THAT(observer_.seqs, ElementsAre(1, 2, 3, 2, 3));
  EXPECT_EQ(link_->counters().sequence_holes, 0u);
  // Shown unrecorded, once; then recorded.
  const std::string unrecorded = Stamped(v1::Record::kMessage, 4, 2, /*unrecorded=*/true);
  DeliverRecords({unrecorded, unrecorded, Stamped(v1::Record::kMessage, 4, 2)});
  EXPECT_THAT(observer_.seqs, ElementsAre(1, 2, 3, 2, 3, 0, 4));
}

TEST_F(FollowingLinkTest, ShowsWhatIsUnrecordedAgainBehindASnapshot) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  v1::Down snapshot;
  snapshot.mutable_snapshot()->set_follow_id(1);
  snapshot.mutable_snapshot()->set_case_id(CaseIdForTest().ToString());
  snapshot.mutable_snapshot()->mutable_cursor()->set_epoch(1);
  dialer_.Deliver(snapshot);
  const std::string unrecorded = Stamped(v1::Record::kMessage, 4, 1, /*unrecorded=*/true);
  DeliverRecords({unrecorded, unrecorded});
  dialer_.Deliver(snapshot);
  DeliverRecords({unrecorded, unrecorded});
  EXPECT_THAT(observer_.seqs, ElementsAre(0, 0));
}

TEST_F(FollowingLinkTest, ARefusedHistoryRequestTouchesNothingElse) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  dialer_.Deliver(JoinedDown());
  v1::HistoryRequest request;
  EXPECT_TRUE(absl::IsInvalidArgument(link_->RequestHistory(request)));  // no id, no answer
  request.set_request_id(3);
  ASSERT_TRUE(link_->RequestHistory(request).ok());
  executor_.RunUntilIdle();
  Written();
  for (const auto reason : {v1::REFUSAL_REASON_TOO_MANY, v1::REFUSAL_REASON_NO_SUCH_CASE,
                            v1::REFUSAL_REASON_NOT_PERMITTED, v1::REFUSAL_REASON_MALFORMED}) {
    v1::Down down = RefusedDown(reason);
    down.mutable_refused()->set_request_id(3);
    dialer_.Deliver(down);
    down.mutable_refused()->clear_case_id();
    dialer_.Deliver(down);
  }
  LiveFor(Duration::Seconds(5));
  EXPECT_TRUE(Written().empty());
  EXPECT_EQ(link_->state(), LinkState::kLive);
  EXPECT_EQ(observer_.refusals.size(), 8u);
  EXPECT_TRUE(observer_.ends.empty());
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  link_->NotifyPending();
  executor_.RunUntilIdle();
  EXPECT_THAT(WrittenSeqs(), ElementsAre(1));
}

TEST_F(FollowingLinkTest, AsksAgainLaterAndLaterForAFollowThatIsRefusedForNow) {
  for (const auto reason : {v1::REFUSAL_REASON_TOO_MANY, v1::REFUSAL_REASON_NO_SUCH_CASE,
                            v1::REFUSAL_REASON_DRAINING}) {
    SCOPED_TRACE(v1::RefusalReason_Name(reason));
    ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
    StartLive();
    int asked = 0;
    for (int step = 0; step < 240; ++step) {  // two minutes
      for (const v1::Up& up : Written()) {
        if (!up.has_follow()) continue;
        ++asked;
        v1::Down down = RefusedDown(reason);
        down.mutable_refused()->set_follow_id(1);
        dialer_.Deliver(down);
      }
      LiveFor(Duration::Milliseconds(500));
    }
    EXPECT_GE(asked, 6);
    EXPECT_LE(asked, 14);
    EXPECT_TRUE(observer_.ends.empty());
    EXPECT_EQ(observer_.refusals.size(), static_cast<size_t>(asked));
    observer_.refusals.clear();
    DeliverRecords({Stamped(v1::Record::kMessage, 1)});
    EXPECT_THAT(observer_.seqs, ElementsAre(1));
    observer_.seqs.clear();
    link_->Stop();
    link_->CancelFollow(1);
  }
}

TEST_F(FollowingLinkTest, AFollowThatIsRefusedForGoodEndsAndItsCaseGoesOnPublishing) {
  MemoryOutbox outbox(clock_, CaseIdForTest(), OriginIdForTest(1));
  ASSERT_TRUE(link_->AddOutbox(CaseIdForTest(), "OR 3", &outbox).ok());
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  dialer_.Deliver(JoinedDown());
  v1::Down down = RefusedDown(v1::REFUSAL_REASON_NOT_PERMITTED);
  down.mutable_refused()->set_follow_id(1);
  down.mutable_refused()->set_text("your role may not");
  dialer_.Deliver(down);
  executor_.RunUntilIdle();
  EXPECT_THAT(observer_.refusals, ElementsAre(v1::REFUSAL_REASON_NOT_PERMITTED));
  EXPECT_THAT(observer_.ends, ElementsAre("your role may not"));
  Written();
  LiveFor(Duration::Seconds(60));
  EXPECT_TRUE(Written().empty());
  ASSERT_TRUE(outbox.Publish(SampleRecord(v1::Record::kMessage)).ok());
  link_->NotifyPending();
  executor_.RunUntilIdle();
  EXPECT_THAT(WrittenSeqs(), ElementsAre(1));
  EXPECT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
}

TEST_F(FollowingLinkTest, CancelsAFollowAndDropsWhatStillComesOfIt) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  link_->CancelFollow(1);
  executor_.RunUntilIdle();
  EXPECT_EQ(Written().back().cancel_follow().follow_id(), 1u);
  DeliverRecords({Stamped(v1::Record::kMessage, 1)});
  EXPECT_TRUE(observer_.seqs.empty());
  EXPECT_EQ(link_->counters().not_followed, 1u);
  EXPECT_EQ(link_->state(), LinkState::kLive);
}

TEST_F(FollowingLinkTest, FollowsTheDirectoryAndPassesOnTheRest) {
  v1::Follow follow;
  follow.set_follow_id(7);
  follow.set_directory(true);
  ASSERT_TRUE(link_->AddFollow(follow).ok());
  StartLive();
  EXPECT_TRUE(Written().back().follow().directory());
  v1::HistoryRequest request;
  request.set_request_id(3);
  EXPECT_TRUE(link_->RequestHistory(request).ok());
  executor_.RunUntilIdle();
  EXPECT_EQ(Written().back().history_request().request_id(), 3u);
  v1::Down down;
  down.mutable_directory()->set_complete(true);
  dialer_.Deliver(down);
  down.mutable_directory()->set_complete(false);  // its second page
  dialer_.Deliver(down);
  down.mutable_gap();
  dialer_.Deliver(down);
  down.mutable_history_page()->set_error("the journal cannot be read");
  dialer_.Deliver(down);
  down.mutable_record_refused();
  dialer_.Deliver(down);
  down.mutable_follow_ended()->set_cause("it is gone");
  down.mutable_follow_ended()->set_follow_id(7);
  dialer_.Deliver(down);
  executor_.RunUntilIdle();
  EXPECT_THAT(observer_.directories, ElementsAre(true, false));
  EXPECT_EQ(observer_.gaps, 1);
  EXPECT_THAT(observer_.page_errors, ElementsAre("the journal cannot be read"));
  EXPECT_EQ(observer_.records_refused, 1);
  EXPECT_THAT(observer_.ends, ElementsAre("it is gone"));
  link_->Stop();
  EXPECT_TRUE(absl::IsUnavailable(link_->RequestHistory(request)));
}

}  // namespace
}  // namespace remora
