// When a link reports what was shown (docs/backpressure.md, "Credit").

#include <vector>

#include "common/link/limits.h"
#include "common/link/testing/link_harness.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

class ShownReportTest : public LinkHarness {
 protected:
  ShownReportTest() { hub_version_ = 2; }
  // To a live follow whose application says what was shown.
  void DeliverToOneThatShowsLater(const std::string& record) {
    LinkOptions options = Options();
    options.shown_at_once = false;
    MakeLink(options);
    EXPECT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
    StartLive();
    DeliverRecords({record});
  }
};

TEST_F(ShownReportTest, ReportsWhatWasShownTwiceASecondUnlessMuchCame) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  Written();
  uint64_t bulk_bytes = 0, seq = 0;
  const auto deliver = [&] {
    const std::string record = Stamped(v1::Record::kSampleBlock, ++seq);
    bulk_bytes += record.size();
    DeliverRecords({record, Stamped(v1::Record::kMessage, 100'000 + seq)});
  };
  for (int i = 0; i < 30; ++i) {
    deliver();
    executor_.RunFor(Duration::Milliseconds(5));
  }
  ASSERT_LT(bulk_bytes, kShownBytes);
  EXPECT_TRUE(Written().empty());
  executor_.RunFor(kLatestShown);
  std::vector<v1::Up> written = Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].shown().bulk_bytes_total(), bulk_bytes);  // messages do not count
  for (const uint64_t before = bulk_bytes; bulk_bytes < before + kShownBytes;) deliver();
  executor_.RunFor(kShownInterval);
  written = Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].shown().bulk_bytes_total(), bulk_bytes);
}

TEST_F(ShownReportTest, AnswersEachHeartbeatWithWhatWasShown) {
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  const std::string block = Stamped(v1::Record::kSampleBlock, 1);
  DeliverRecords({block});
  v1::Down heartbeat;
  heartbeat.mutable_heartbeat()->set_hub_unix_ns(1);
  for (int i = 0; i < 2; ++i) {  // also when it was said before
    Written();
    dialer_.Deliver(heartbeat);
    executor_.RunUntilIdle();
    const std::vector<v1::Up> written = Written();
    ASSERT_EQ(written.size(), 1u);
    EXPECT_EQ(written[0].shown().bulk_bytes_total(), block.size());
  }
}

TEST_F(ShownReportTest, GivesTheHubsQuestionBackAlsoWithoutAFollow) {
  StartLive();
  Written();
  v1::Down question;
  question.mutable_heartbeat()->set_question_id(3);
  v1::Down heartbeat;
  heartbeat.mutable_heartbeat()->set_hub_unix_ns(1);
  dialer_.Deliver(question);
  executor_.RunUntilIdle();
  std::vector<v1::Up> written = Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].shown().answered_question_id(), 3u);
  dialer_.Deliver(heartbeat);
  executor_.RunUntilIdle();
  EXPECT_TRUE(Written().empty()) << "it does not ask, and nothing is followed";
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  executor_.RunUntilIdle();
  Written();
  dialer_.Deliver(heartbeat);
  executor_.RunUntilIdle();
  written = Written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].shown().answered_question_id(), 3u);
}

TEST_F(ShownReportTest, LetsTheApplicationSayWhatWasShown) {
  const std::string block = Stamped(v1::Record::kSampleBlock, 1);
  DeliverToOneThatShowsLater(block);
  LiveFor(Duration::Seconds(1));
  for (const v1::Up& up : Written()) EXPECT_EQ(up.shown().bulk_bytes_total(), 0u);
  link_->MarkShown(observer_.sessions.back(), block.size());
  executor_.RunFor(kShownInterval);
  EXPECT_EQ(Written().back().shown().bulk_bytes_total(), block.size());
  // What comes twice never reaches the application, and must not use up the window.
  DeliverRecords({block});
  executor_.RunFor(kLatestShown);
  EXPECT_EQ(Written().back().shown().bulk_bytes_total(), 2 * block.size());
  // Of a session that has ended: of no matter.
  link_->MarkShown(99, 1000);
  executor_.RunFor(Duration::Milliseconds(60));
  EXPECT_TRUE(Written().empty());
}

TEST_F(ShownReportTest, WhatHadComeWhenTheHubAskedIsReportedAsItIsShown) {
  const std::string block = Stamped(v1::Record::kSampleBlock, 1);
  DeliverToOneThatShowsLater(block);
  LiveFor(Duration::Milliseconds(500));
  Written();
  link_->MarkShown(observer_.sessions.back(), block.size());
  executor_.RunFor(kShownInterval);
  ASSERT_EQ(Written().size(), 1u);
  // What came later waits for the next question, or for kLatestShown.
  DeliverRecords({Stamped(v1::Record::kSampleBlock, 2)});
  link_->MarkShown(observer_.sessions.back(), block.size());
  executor_.RunFor(kShownInterval * 5);
  EXPECT_TRUE(Written().empty());
}

TEST_F(ShownReportTest, AHubOfVersion1DoesNotAskAndIsToldEach50Ms) {
  hub_version_ = 1;
  ASSERT_TRUE(link_->AddFollow(CaseFollow(v1::DELIVERY_LIVE)).ok());
  StartLive();
  Written();
  LiveFor(Duration::Seconds(1));
  EXPECT_TRUE(Written().empty());
  uint64_t bulk_bytes = 0;
  for (uint64_t seq = 1; seq <= 100; ++seq) {
    const std::string record = Stamped(v1::Record::kSampleBlock, seq);
    bulk_bytes += record.size();
    DeliverRecords({record});
    executor_.RunFor(Duration::Milliseconds(5));
  }
  executor_.RunFor(kShownIntervalVersion1);
  const std::vector<v1::Up> written = Written();
  EXPECT_GE(written.size(), 9u);
  EXPECT_LE(written.size(), 12u);
  EXPECT_EQ(written.back().shown().bulk_bytes_total(), bulk_bytes);
}

}  // namespace
}  // namespace remora
