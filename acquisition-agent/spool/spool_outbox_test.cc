#include "acquisition-agent/spool/spool_outbox.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

class SpoolOutboxTest : public testing::Test {
 protected:
  SpoolOutboxTest() {
    SpoolOptions options;
    options.directory = "/spool/case";
    RecoveryReport report;
    spool_ = *CaseSpool::Open(files_, options, &report);
    outbox_ = std::make_unique<SpoolOutbox>(*spool_);
  }

  void Make(uint32_t lane, int count = 1) {
    for (int i = 0; i < count; ++i) {
      const uint64_t seq = spool_->last_seq(lane) + 1;
      ASSERT_TRUE(spool_->AppendRecord(lane, seq, 0, absl::StrCat(lane, "/", seq)).ok());
    }
    ASSERT_TRUE(spool_->Commit().ok());
  }
  // "1/1 0/1 ..." in the order offered.
  std::string Offered(size_t max_bytes = 1 << 20) {
    std::string frames;
    outbox_->NextBatch(max_bytes, &frames);
    absl::string_view rest = frames;
    std::string all;
    while (!rest.empty()) absl::StrAppend(&all, all.empty() ? "" : " ", *TakeFrame(&rest));
    return all;
  }
  void Join(uint32_t lane = 0, uint64_t first = 0, uint64_t last = 0) {
    v1::Joined joined;
    if (last > 0) {
      v1::LaneRanges& held = *joined.add_held();
      held.set_lane(lane);
      v1::SeqRange& range = *held.add_ranges();
      range.set_first(first);
      range.set_last(last);
    }
    outbox_->OnJoined(joined);
  }

  FakeFileSystem files_;
  std::unique_ptr<CaseSpool> spool_;
  std::unique_ptr<SpoolOutbox> outbox_;
};

TEST_F(SpoolOutboxTest, OffersControlInTheOrderMadeThenLiveThenBacklogNewestFirst) {
  Make(1);
  Make(5, 2);
  Make(0);
  Make(3, 3);
  Make(2);
  Make(1);
  Join();
  Make(5);
  Make(3);
  EXPECT_TRUE(outbox_->HasPending());
  EXPECT_EQ(Offered(), "1/1 0/1 1/2 2/1 3/4 5/3 3/3 3/2 3/1 5/2 5/1");
  EXPECT_FALSE(outbox_->HasPending());
  EXPECT_EQ(Offered(), "");
}

TEST_F(SpoolOutboxTest, AnAlertOvertakesWhatWaits) {
  Join();
  Make(3, 2);
  Make(0);
  EXPECT_EQ(Offered(1), "0/1");
  EXPECT_EQ(Offered(1), "3/1");
}

TEST_F(SpoolOutboxTest, DoesNotOfferWhatTheHubHolds) {
  Make(3, 5);
  Make(1, 2);
  Join(3, 2, 4);
  EXPECT_EQ(Offered(), "1/1 1/2 3/5 3/1");
}

TEST_F(SpoolOutboxTest, OffersAgainInTheNextSessionWhatWasNotAcknowledged) {
  Join();
  Make(0, 3);
  EXPECT_EQ(Offered(), "0/1 0/2 0/3");
  Join(0, 1, 2);
  EXPECT_EQ(Offered(), "0/3");
}

TEST_F(SpoolOutboxTest, NothingBeforeTheHubHasSaidWhatItHolds) {
  Make(0);
  EXPECT_FALSE(outbox_->HasPending());
  EXPECT_EQ(Offered(), "");
}

TEST_F(SpoolOutboxTest, ARefusedRecordIsPassedOver) {
  Join();
  Make(0, 2);
  v1::RecordRefused refused;
  refused.set_lane(0);
  refused.set_origin_seq(1);
  outbox_->OnRefused(refused);
  EXPECT_EQ(Offered(), "0/2");
  EXPECT_EQ(outbox_->counters().refused_records, 1u);
}

TEST_F(SpoolOutboxTest, LiveBulkThatLagsBecomesBacklog) {
  Join();
  Make(5, 10);
  EXPECT_EQ(Offered(1), "5/1");
  Make(5, kMaxLiveRecords + 100);
  const std::string next = Offered(1);
  EXPECT_EQ(next, absl::StrCat("5/", 10 + 100 + 1));
  // All of it comes in the end, each once.
  std::string rest = Offered();
  EXPECT_NE(rest.find("5/2"), std::string::npos);
  EXPECT_EQ(std::count(rest.begin(), rest.end(), '/') + 2, 10 + kMaxLiveRecords + 100);
  EXPECT_EQ(Offered(), "");
}

TEST_F(SpoolOutboxTest, UncommittedRecordsWait) {
  Join();
  ASSERT_TRUE(spool_->AppendRecord(0, 1, 0, "0/1").ok());
  EXPECT_FALSE(outbox_->HasPending());
  EXPECT_EQ(Offered(), "");
  ASSERT_TRUE(spool_->Commit().ok());
  EXPECT_EQ(Offered(), "0/1");
}

TEST_F(SpoolOutboxTest, ARecordLargerThanTheBatchGoesAlone) {
  Join();
  const std::string large(3000, 'x');
  ASSERT_TRUE(spool_->AppendRecord(1, 1, 0, large).ok());
  ASSERT_TRUE(spool_->AppendRecord(1, 2, 0, "1/2").ok());
  ASSERT_TRUE(spool_->Commit().ok());
  EXPECT_EQ(Offered(1000), large);
  EXPECT_EQ(Offered(1000), "1/2");
}

TEST_F(SpoolOutboxTest, HostileRangesFromTheHubDoNoHarm) {
  Make(3, 2);
  v1::Joined joined;
  v1::LaneRanges& nonsense = *joined.add_held();
  nonsense.set_lane(99);
  nonsense.add_ranges()->set_last(5);
  v1::LaneRanges& inverted = *joined.add_held();
  inverted.set_lane(3);
  v1::SeqRange& range = *inverted.add_ranges();
  range.set_first(9);
  range.set_last(1);
  outbox_->OnJoined(joined);
  EXPECT_EQ(Offered(), "3/2 3/1");
}

}  // namespace
}  // namespace remora::agent
