#include "hub/fanout/history.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/status/status.h"
#include "hub/fanout/limits.h"
#include "hub/fanout/testing/fake_feed.h"

namespace remora::hub {
namespace {

class HistoryTest : public ::testing::Test {
 protected:
  HistoryTest() {
    auto feed = std::make_unique<FakeFeed>();
    feed_ = feed.get();
    for (int i = 0; i < 6; ++i) feed->Add(i % 2 == 0 ? 0 : 3);
    v1::HistoryRequest request;
    request.set_request_id(9);
    request.set_from_seq(2);
    request.set_to_seq(100);
    Begin(std::move(feed), request, LaneSet::All());
  }
  void Begin(std::unique_ptr<FakeFeed> feed, const v1::HistoryRequest& request, LaneSet lanes) {
    history_ = std::make_unique<History>(
        std::move(feed), request, lanes, [this] { return page_bytes_; }, [] {});
  }
  v1::HistoryPage Page() {
    v1::HistoryPage page;
    EXPECT_TRUE(history_->HasPage());
    EXPECT_TRUE(page.ParseFromString(history_->TakePage()));
    EXPECT_EQ(page.request_id(), 9u);
    return page;
  }

  size_t page_bytes_ = kHistoryPageBytes;
  FakeFeed* feed_;
  std::unique_ptr<History> history_;
};

TEST_F(HistoryTest, ComesInPagesOfWhichOnlyTheLastSaysSo) {
  feed_->Answer(3);
  v1::HistoryPage page = Page();
  EXPECT_EQ(page.records_size(), 3);
  EXPECT_FALSE(page.last());
  EXPECT_FALSE(history_->HasPage());
  feed_->Answer();
  page = Page();
  EXPECT_EQ(page.records_size(), 2);
  EXPECT_TRUE(page.last());
  EXPECT_EQ(page.error(), "");
  EXPECT_TRUE(history_->done());
}

TEST_F(HistoryTest, PagesAreNoLargerThanTheLinkAllowsButHaveARecord) {
  page_bytes_ = 1;
  feed_->Answer();
  for (int i = 0; i < 5; ++i) {
    const v1::HistoryPage page = Page();
    EXPECT_EQ(page.records_size(), 1);
    EXPECT_EQ(page.last(), i == 4);
  }
}

TEST_F(HistoryTest, WhatNobodyAskedForFillsNoPage) {
  auto feed = std::make_unique<FakeFeed>();
  feed_ = feed.get();
  for (const uint32_t lane : {5, 5, 5, 5, 3}) feed->Add(lane);
  v1::HistoryRequest request;
  request.set_request_id(9);
  LaneSet lanes{};
  lanes.wanted[3] = true;
  Begin(std::move(feed), request, lanes);
  feed_->Answer(2);
  EXPECT_FALSE(history_->HasPage()) << "reads on";
  feed_->Answer();
  const v1::HistoryPage page = Page();
  EXPECT_EQ(page.records_size(), 1);
  EXPECT_TRUE(page.last());
}

TEST_F(HistoryTest, WhatCannotBeReadIsToldAndNotTakenForTheEnd) {
  feed_->Answer(3);
  Page();
  feed_->Fail(absl::DataLossError("row 7 is damaged"));
  const v1::HistoryPage page = Page();
  EXPECT_TRUE(page.last());
  EXPECT_EQ(page.error(), "row 7 is damaged");
  EXPECT_TRUE(history_->done());
}

}  // namespace
}  // namespace remora::hub
