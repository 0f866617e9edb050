// Followers that come back, ask for what was, or ask for less or for too much.

#include <gtest/gtest.h>

#include "hub/participants/testing/followed_case.h"

namespace remora::hub {
namespace {

class ResumingTest : public FollowingTest {};

TEST_F(ResumingTest, CompleteFollowGoesOnBehindTheOneRecordThatItNames) {
  for (uint32_t i = 0; i < 20; ++i) {
    agent_->Publish(Mixture(i));
    hub_.Run();
  }
  const std::vector<std::string> journal = hub_.JournalRecords(case_id_);
  v1::Follow follow = FollowOf(1, case_id_, v1::DELIVERY_COMPLETE);
  follow.mutable_cursor()->set_epoch(1);
  follow.mutable_cursor()->set_complete_seq(50);
  follow.mutable_cursor()->set_complete_digest(RecordDigest(journal[49]));
  auto reader = Reader();
  reader->Follow(follow);
  hub_.Run();
  ASSERT_EQ(reader->records.size(), journal.size() - 50);
  EXPECT_EQ(reader->Seqs().front(), 51u);

  auto other = Reader("reader-2");
  follow.mutable_cursor()->set_complete_digest(RecordDigest(journal[48]));
  other->Follow(follow);
  hub_.Run();
  ASSERT_NE(other->Last(v1::Down::kFollowEnded), nullptr);
  EXPECT_EQ(other->Last(v1::Down::kFollowEnded)->follow_ended().cause(), "cursor not known");
}

TEST_F(ResumingTest, ResumeGivesLanes0And1ExactlyAfterTheCursorAndTellsTheRest) {
  for (uint32_t i = 0; i < 10; ++i) agent_->Publish(Mixture(i));
  hub_.Run();
  const std::vector<std::string> before = hub_.JournalRecords(case_id_);
  const v1::Cursor cursor = CursorAt(before, 31);
  auto reader = Reader();
  v1::Follow follow = FollowOf(5, case_id_);
  *follow.mutable_cursor() = cursor;
  reader->Follow(follow);
  hub_.Run();
  std::vector<uint64_t> expected;
  for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
    const StampedRecord record = *WalkStamped(bytes);
    if (record.header.lane < 2 && record.stamp.seq > cursor.lanes(record.header.lane).seq()) {
      expected.push_back(record.stamp.seq);
    }
  }
  std::vector<uint64_t> events;
  for (const Received& record : reader->records) {
    if (record.lane() < 2) events.push_back(record.seq());
  }
  EXPECT_EQ(events, expected);
  ASSERT_NE(reader->Last(v1::Down::kSnapshot), nullptr);
  EXPECT_EQ(reader->Last(v1::Down::kSnapshot)->snapshot().cause(), "resumed");
  EXPECT_EQ(reader->CountOf(v1::Down::kGap), 4);
  for (const v1::Down& down : reader->downs) {
    if (!down.has_gap()) continue;
    EXPECT_EQ(down.gap().cause(), v1::GAP_CAUSE_WAS_AWAY);
    EXPECT_EQ(down.gap().from_seq(), cursor.lanes(static_cast<int>(down.gap().lane())).seq() + 1);
    EXPECT_GT(down.gap().count(), 0u);
  }
}

TEST_F(ResumingTest, ResumeFromBehindTheRecentFramesReadsTheJournal) {
  agent_->Publish(Mixture(0));
  hub_.Run();
  const v1::Cursor cursor = CursorAt(hub_.JournalRecords(case_id_), 1000);
  for (uint32_t i = 1; i < 300; ++i) {
    agent_->Publish({Alert(std::string(500, 'x')), writer_.Write(BlockBody("EMG/1", i))});
    hub_.Run();
  }
  hub_.RunFor(kMaxRecentAge + Duration::Seconds(10));
  auto reader = Reader();
  v1::Follow follow = FollowOf(1, case_id_);
  *follow.mutable_cursor() = cursor;
  reader->Follow(follow);
  hub_.Run();
  uint64_t alerts = 0;
  for (const Received& record : reader->OfLane(0)) {
    alerts += record.stamped.header.origin == origin_;
  }
  EXPECT_EQ(alerts, 299u);
  agent_->Publish({Alert("live")});
  hub_.Run();
  EXPECT_EQ(reader->OfLane(0).back().stamped.header.origin_seq, writer_.LastKey(0).origin_seq);
}

TEST_F(ResumingTest, CursorOfAnotherJournalStartsAgainFromASnapshotThatSaysSo) {
  agent_->Publish(Mixture(0));
  hub_.Run();
  const v1::Cursor good = CursorAt(hub_.JournalRecords(case_id_), 1000);
  struct Wrong {
    std::string cause;
    v1::Cursor cursor;
  };
  std::vector<Wrong> wrongs = {
      {"epoch changed", good}, {"cursor not known", good}, {"cursor not known", good}};
  wrongs[0].cursor.set_epoch(2);
  wrongs[1].cursor.mutable_lanes(3)->set_digest(12345);
  wrongs[2].cursor.mutable_lanes(0)->set_seq(1'000'000);
  for (const Wrong& wrong : wrongs) {
    auto reader = Reader();
    v1::Follow follow = FollowOf(1, case_id_);
    *follow.mutable_cursor() = wrong.cursor;
    reader->Follow(follow);
    hub_.Run();
    ASSERT_NE(reader->Last(v1::Down::kSnapshot), nullptr);
    EXPECT_EQ(reader->Last(v1::Down::kSnapshot)->snapshot().cause(), wrong.cause);

    auto recorder = Reader("reader-2");
    follow.set_delivery(v1::DELIVERY_COMPLETE);
    recorder->Follow(follow);
    hub_.Run();
    ASSERT_NE(recorder->Last(v1::Down::kFollowEnded), nullptr);
    EXPECT_EQ(recorder->Last(v1::Down::kFollowEnded)->follow_ended().cause(), wrong.cause);
  }
}

TEST_F(ResumingTest, HistoryComesInPagesBesideLive) {
  for (uint32_t i = 0; i < 50; ++i) agent_->Publish(Mixture(i));
  hub_.Run();
  auto reader = Reader();
  v1::Up up;
  up.mutable_history_request()->set_request_id(9);
  up.mutable_history_request()->set_case_id(case_id_.ToString());
  up.mutable_history_request()->add_lanes(3);
  up.mutable_history_request()->set_from_seq(10);
  up.mutable_history_request()->set_to_seq(200);
  reader->SendUp(up);
  hub_.Run();
  std::vector<uint64_t> got;
  bool last = false;
  for (const v1::Down& down : reader->downs) {
    if (!down.has_history_page()) continue;
    EXPECT_FALSE(last);
    last = down.history_page().last();
    for (const std::string& bytes : down.history_page().records()) {
      got.push_back(WalkStamped(bytes)->stamp.seq);
    }
  }
  EXPECT_TRUE(last);
  std::vector<uint64_t> expected;
  for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
    const StampedRecord record = *WalkStamped(bytes);
    if (record.header.lane == 3 && record.stamp.seq >= 10 && record.stamp.seq <= 200) {
      expected.push_back(record.stamp.seq);
    }
  }
  EXPECT_EQ(got, expected);
  EXPECT_FALSE(expected.empty());
}

TEST_F(ResumingTest, TraceFilterKeepsBulkOfOtherTracesAway) {
  auto reader = Reader();
  v1::Follow follow = FollowOf(1, case_id_);
  follow.add_trace_ids("SEP/R");
  reader->Follow(follow);
  hub_.Run();
  reader->ClearReceived();
  agent_->Publish({writer_.Write(SweepBody("SEP/R", 0, false)),
                   writer_.Write(SweepBody("SEP/L", 0, false)), Alert("any")});
  hub_.Run();
  EXPECT_EQ(reader->OfLane(3).size(), 1u);
  EXPECT_EQ(reader->OfLane(0).size(), 1u);
  EXPECT_EQ(reader->CountOf(v1::Down::kGap), 0) << "what was not asked for is no gap";
}

TEST_F(ResumingTest, BudgetHoldsBulkToItsRateAndSaysSo) {
  auto reader = Reader();
  v1::Follow follow = FollowOf(1, case_id_);
  follow.set_bulk_budget_bytes_per_second(20'000);
  reader->Follow(follow);
  hub_.Run();
  reader->bulk_bytes = 0;
  for (uint32_t i = 0; i < 200; ++i) {  // 5 s of 120 kB/s
    agent_->Publish({writer_.Write(BlockBody("EMG/1", i, 1500))});
    hub_.RunFor(Duration::Milliseconds(25));
  }
  EXPECT_LT(reader->bulk_bytes, 5 * 20'000u + 30'000u);
  EXPECT_GT(reader->bulk_bytes, 4 * 20'000u);
  ASSERT_NE(reader->Last(v1::Down::kGap), nullptr);
  EXPECT_EQ(reader->Last(v1::Down::kGap)->gap().cause(), v1::GAP_CAUSE_BUDGET);
}

TEST_F(ResumingTest, CancelledFollowIsSentNothingMore) {
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  v1::Up up;
  up.mutable_cancel_follow()->set_follow_id(1);
  reader->SendUp(up);
  reader->ClearReceived();
  agent_->Publish(Mixture(0));
  hub_.Run();
  EXPECT_TRUE(reader->records.empty());
}

TEST_F(ResumingTest, HostileFollowsAreRefusedAndTheSessionGoesOn) {
  auto reader = Reader();
  v1::Follow follow;
  reader->Follow(follow);  // no id
  follow.set_follow_id(1);
  reader->Follow(follow);  // no target
  follow.set_case_id("short");
  reader->Follow(follow);
  follow.set_case_id(hub_.DrawCase().ToString());
  reader->Follow(follow);  // no delivery
  follow.set_delivery(v1::DELIVERY_LIVE);
  reader->Follow(follow);  // no such case
  follow.set_case_id(case_id_.ToString());
  follow.add_lanes(6);
  reader->Follow(follow);  // no such lane
  follow.clear_lanes();
  reader->Follow(follow);  // good
  reader->Follow(follow);  // again
  hub_.Run();
  EXPECT_EQ(reader->CountOf(v1::Down::kRefused), 7);
  EXPECT_EQ(reader->CountOf(v1::Down::kSnapshot), 1);
  EXPECT_FALSE(reader->closed);
}

TEST_F(ResumingTest, TooManyFollowsAreRefused) {
  auto reader = Reader();
  std::vector<std::unique_ptr<TestParticipant>> agents;
  for (uint32_t i = 0; i < kMaxFollows + 1; ++i) {
    const CaseId case_id = hub_.DrawCase();
    const OriginId origin = hub_.DrawOrigin();
    RecordWriter writer(case_id, origin);
    agents.push_back(OpenCase(hub_, case_id, &writer, origin, "OR x" + std::to_string(i),
                              "agent-x" + std::to_string(i)));
    reader->FollowLive(i + 1, case_id);
  }
  hub_.Run();
  ASSERT_EQ(reader->CountOf(v1::Down::kRefused), 1);
  EXPECT_EQ(reader->Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_TOO_MANY);
  EXPECT_EQ(reader->CountOf(v1::Down::kSnapshot), static_cast<int>(kMaxFollows));
}

}  // namespace
}  // namespace remora::hub
