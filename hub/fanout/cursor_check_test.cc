#include "hub/fanout/cursor_check.h"

#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "hub/fanout/complete_follow.h"
#include "hub/fanout/live_follow.h"
#include "hub/fanout/testing/fake_feed.h"

namespace remora::hub {
namespace {

// The cursor of who has all up to `seq`, with a digest that has to be read.
v1::Cursor CompleteCursor(uint64_t seq, uint64_t digest) {
  v1::Cursor cursor;
  cursor.set_epoch(1);
  cursor.set_complete_seq(seq);
  cursor.set_complete_digest(digest);
  return cursor;
}

class CursorCheckTest : public testing::Test {
 protected:
  CursorCheckTest() {
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) feed_->Add(lane);
    feed_->set_recent_from(100);
  }
  absl::Status Checked(const v1::Cursor& cursor, const absl::Status& read) {
    std::optional<absl::Status> result;
    CursorCheck check(*feed_, cursor, [&result](const absl::Status& status) { result = status; });
    check.Start();
    if (!result) read.ok() ? feed_->Answer() : feed_->Fail(read);
    return result ? *result : absl::InternalError("no answer");
  }
  v1::Follow Resumed(v1::Delivery delivery) const {
    v1::Follow follow;
    follow.set_follow_id(1);
    follow.set_delivery(delivery);
    *follow.mutable_cursor() = CompleteCursor(3, 7);
    return follow;
  }

  std::unique_ptr<FakeFeed> feed_ = std::make_unique<FakeFeed>();
};

TEST_F(CursorCheckTest, OneRecordSaysWhetherACompleteCursorIsOfThisJournal) {
  std::string third;
  feed_->set_recent_from(1);
  feed_->VisitRecent(3, true, true, [&third](const RecordFrame& frame) {
    third = std::string(frame.record());
    return false;
  });
  feed_->set_recent_from(100);
  EXPECT_TRUE(Checked(CompleteCursor(3, RecordDigest(third)), absl::OkStatus()).ok());
  EXPECT_EQ(Checked(CompleteCursor(3, 7), absl::OkStatus()).message(), kCursorNotKnown);
  EXPECT_EQ(Checked(CompleteCursor(7, 7), absl::OkStatus()).message(), kCursorNotKnown);
}

TEST_F(CursorCheckTest, AJournalThatCannotBeReadSaysNothingAboutTheCursor) {
  for (const absl::Status& trouble :
       {absl::UnavailableError("closed"), absl::DataLossError("damaged")}) {
    EXPECT_EQ(Checked(CompleteCursor(3, 7), trouble), trouble);
  }
}

TEST_F(CursorCheckTest, AScreenStartsFromASnapshotThatSaysWhatCouldNotBeRead) {
  FakeFeed& feed = *feed_;
  LiveFollow follow(std::move(feed_), Resumed(v1::DELIVERY_LIVE), LaneSet::All(), true, [] {});
  EXPECT_FALSE(follow.HasSnapshot());
  feed.Fail(absl::UnavailableError("closed"));
  ASSERT_TRUE(follow.HasSnapshot());
  std::string cause;
  follow.TakeSnapshot(&cause);
  EXPECT_EQ(cause, "journal cannot be read");
}

TEST_F(CursorCheckTest, AFollowOfADamagedJournalEndsWithTheReason) {
  FakeFeed& feed = *feed_;
  LiveFollow follow(std::move(feed_), Resumed(v1::DELIVERY_LIVE), LaneSet::All(), true, [] {});
  feed.Fail(absl::DataLossError("damaged"));
  EXPECT_FALSE(follow.HasSnapshot());
  EXPECT_EQ(follow.status(), absl::DataLossError("damaged"));

  auto own = std::make_unique<FakeFeed>();
  for (int i = 0; i < 6; ++i) own->Add(0);
  own->set_recent_from(100);
  FakeFeed& other = *own;
  CompleteFollow complete(std::move(own), Resumed(v1::DELIVERY_COMPLETE), LaneSet::All(), [] {});
  other.Fail(absl::DataLossError("damaged"));
  EXPECT_EQ(complete.status(), absl::DataLossError("damaged"));
}

}  // namespace
}  // namespace remora::hub
