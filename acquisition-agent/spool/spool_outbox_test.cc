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
  std::string Batch(size_t max_bytes, bool* backlog) {
    std::string frames;
    *backlog = outbox_->NextBatch(max_bytes, &frames);
    absl::string_view rest = frames;
    std::string all;
    while (!rest.empty()) absl::StrAppend(&all, all.empty() ? "" : " ", *TakeFrame(&rest));
    return all;
  }
  std::string Offered(size_t max_bytes) {
    bool backlog;
    return Batch(max_bytes, &backlog);
  }
  // All batches.
  std::string Offered() {
    std::string all;
    for (std::string next; !(next = Offered(1 << 20)).empty();) {
      absl::StrAppend(&all, all.empty() ? "" : " ", next);
    }
    return all;
  }
  static v1::LaneRanges Ranges(uint32_t lane, uint64_t first, uint64_t last) {
    v1::LaneRanges ranges;
    ranges.set_lane(lane);
    v1::SeqRange& range = *ranges.add_ranges();
    range.set_first(first);
    range.set_last(last);
    return ranges;
  }
  void Join(uint32_t lane = 0, uint64_t first = 0, uint64_t last = 0) {
    v1::Joined joined;
    if (last > 0) *joined.add_held() = Ranges(lane, first, last);
    outbox_->OnJoined(joined);
  }
  void Refuse(uint32_t lane, uint64_t seq, v1::RefusalReason reason) {
    v1::RecordRefused refused;
    refused.set_lane(lane);
    refused.set_origin_seq(seq);
    refused.set_reason(reason);
    outbox_->OnRefused(refused);
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

TEST_F(SpoolOutboxTest, TheBacklogComesInBatchesOfItsOwnThatSaySo) {
  Make(5, 2);
  Make(0);
  Join();
  Make(5);
  bool backlog = true;
  EXPECT_EQ(Batch(1 << 20, &backlog), "0/1 5/3");
  EXPECT_FALSE(backlog);
  EXPECT_EQ(Batch(1 << 20, &backlog), "5/2 5/1");
  EXPECT_TRUE(backlog);
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

TEST_F(SpoolOutboxTest, OffersAgainWhatIsRefusedForNowWhateverTheReason) {
  int number = 0;
  for (const v1::RefusalReason reason :
       {v1::REFUSAL_REASON_OUT_OF_ORDER, v1::REFUSAL_REASON_NO_SUCH_CASE,
        v1::REFUSAL_REASON_TOO_MANY, v1::REFUSAL_REASON_DRAINING}) {
    SCOPED_TRACE(v1::RefusalReason_Name(reason));
    Make(1);
    const std::string record = absl::StrCat("1/", ++number);
    Join(1, 1, number - 1);
    EXPECT_EQ(Offered(), record);
    Refuse(1, number, reason);
    EXPECT_FALSE(outbox_->HasPending());  // the next Joined asks for it
    EXPECT_FALSE(spool_->AllSettled());
    Join(1, 1, number - 1);
    EXPECT_EQ(Offered(), record);
  }
  EXPECT_EQ(outbox_->counters().refused_records, 0u);
}

TEST_F(SpoolOutboxTest, PassesOverWhatIsRefusedForGoodWhateverTheReason) {
  uint64_t number = 0;
  for (const v1::RefusalReason reason :
       {v1::REFUSAL_REASON_NOT_PERMITTED, v1::REFUSAL_REASON_MALFORMED,
        v1::REFUSAL_REASON_TOO_LARGE, v1::REFUSAL_REASON_WRONG_STAGE,
        v1::REFUSAL_REASON_THEATRE_CLAIMED, v1::REFUSAL_REASON_ID_REUSED}) {
    SCOPED_TRACE(v1::RefusalReason_Name(reason));
    Join(0, 1, number);
    Make(0);
    Refuse(0, ++number, reason);
    EXPECT_EQ(outbox_->counters().refused_records, number);
    EXPECT_TRUE(spool_->AllSettled());
    EXPECT_TRUE(spool_->held(0).empty());
    // A hub that counts it as held says nothing else of it.
    Join(0, 1, number);
    EXPECT_EQ(Offered(), "");
    EXPECT_TRUE(spool_->held(0).empty());
    Refuse(0, number, reason);
    EXPECT_EQ(outbox_->counters().refused_records, number);
  }
}

TEST_F(SpoolOutboxTest, WhatTheHubListsAsRefusedIsOverAndNotOnRecord) {
  Make(0, 3);
  Make(4, 5);
  v1::Joined joined;
  *joined.add_held() = Ranges(0, 1, 1);
  *joined.add_held() = Ranges(4, 1, 4);
  *joined.add_refused() = Ranges(0, 2, 2);
  *joined.add_refused() = Ranges(4, 2, 3);  // both: refused
  outbox_->OnJoined(joined);
  EXPECT_EQ(Offered(), "0/3 4/5");
  EXPECT_EQ(outbox_->counters().refused_records, 3u);
  EXPECT_EQ(spool_->held(0).count(), 1u);
  EXPECT_EQ(spool_->held(4).count(), 2u);
  EXPECT_FALSE(spool_->AllSettled());
  v1::Acknowledge acknowledge;
  *acknowledge.add_held() = Ranges(4, 5, 5);
  *acknowledge.add_refused() = Ranges(0, 2, 3);
  outbox_->OnAcknowledged(acknowledge);
  EXPECT_TRUE(spool_->AllSettled());
  EXPECT_EQ(spool_->held(0).count(), 1u);
  EXPECT_EQ(outbox_->counters().refused_records, 4u);
}

TEST_F(SpoolOutboxTest, OffersAgainWhatAHubThatHasGoneBackKnowsNeitherAsHeldNorAsRefused) {
  Make(0, 3);
  v1::Joined joined;
  *joined.add_held() = Ranges(0, 2, 3);
  *joined.add_refused() = Ranges(0, 1, 1);
  outbox_->OnJoined(joined);
  EXPECT_TRUE(spool_->AllSettled());
  v1::Joined back;  // a case that is not there (any more): nothing to wait for
  outbox_->OnJoined(back);
  EXPECT_EQ(Offered(), "0/2 0/3");
  // A lane of a journal waits for number 1: without it nothing behind would be taken.
  back.set_epoch(2);
  outbox_->OnJoined(back);
  EXPECT_FALSE(spool_->AllSettled());
  EXPECT_EQ(Offered(), "0/1 0/2 0/3");
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
