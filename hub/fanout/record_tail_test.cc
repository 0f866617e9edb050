#include "hub/fanout/record_tail.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "hub/fanout/testing/fake_feed.h"

namespace remora::hub {
namespace {

class RecordTailTest : public ::testing::Test {
 protected:
  RecordTail Tail(LaneSet lanes, std::array<uint64_t, kLaneCount> after = {}) {
    return RecordTail(feed_, lanes, after, [this] { ++woken_; });
  }
  // The numbers given, as far as they can be had now.
  static std::vector<uint64_t> Take(RecordTail& tail, size_t max_bytes = 100'000) {
    std::vector<SharedBytes> slices;
    size_t count = 0;
    tail.Take(max_bytes, true, &slices, &count);
    std::vector<uint64_t> seqs;
    for (const SharedBytes& slice : slices) {
      absl::string_view rest = slice.view();
      while (!rest.empty()) seqs.push_back(WalkStamped(*TakeFrame(&rest))->stamp.seq);
    }
    EXPECT_EQ(seqs.size(), count);
    return seqs;
  }
  using Seqs = std::vector<uint64_t>;

  FakeFeed feed_;
  int woken_ = 0;
};

TEST_F(RecordTailTest, GivesEachWantedRecordOnceFromJournalIntoLive) {
  for (int i = 0; i < 6; ++i) feed_.Add(i % 2 == 0 ? 0 : 3);  // 1 3 5 in lane 0, 2 4 6 in lane 3
  feed_.set_recent_from(5);
  RecordTail tail = Tail({{true, false, false, true, false, false}});
  EXPECT_EQ(Take(tail), Seqs());
  ASSERT_EQ(feed_.reads(), 1u);
  feed_.Answer(4);
  EXPECT_EQ(woken_, 1);
  feed_.Add(5);  // 7: not wanted
  feed_.Add(0);  // 8
  EXPECT_EQ(Take(tail), (Seqs{1, 2, 3, 4, 5, 6, 8}));
  EXPECT_EQ(feed_.reads(), 0u) << "the rest is recent";
  EXPECT_FALSE(tail.IsBehind());
  feed_.Add(3);
  EXPECT_EQ(Take(tail), Seqs{9});
}

TEST_F(RecordTailTest, AfterIsByLane) {
  for (int i = 0; i < 6; ++i) feed_.Add(i % 2 == 0 ? 0 : 3);
  RecordTail tail = Tail(LaneSet::All(), {3, 0, 0, 4, 0, 0});
  EXPECT_EQ(Take(tail), (Seqs{5, 6}));
}

TEST_F(RecordTailTest, APageIsGivenInPiecesThatFit) {
  for (int i = 0; i < 5; ++i) feed_.Add(0);
  feed_.set_recent_from(100);
  RecordTail tail = Tail(LaneSet::All());
  Take(tail);
  feed_.Answer();
  EXPECT_EQ(Take(tail, 1), Seqs{1}) << "one that is larger is given when it is the first";
  EXPECT_EQ(Take(tail), (Seqs{2, 3, 4, 5}));
  EXPECT_FALSE(tail.IsBehind());
}

TEST_F(RecordTailTest, PageThatComesAfterTheTailIsGoneHarmsNothing) {
  feed_.Add(0);
  feed_.set_recent_from(100);
  {
    RecordTail tail = Tail(LaneSet::All());
    Take(tail);
  }
  feed_.Answer();
  EXPECT_EQ(woken_, 0);
}

TEST_F(RecordTailTest, UnreadableJournalEndsItWithTheReason) {
  feed_.Add(0);
  feed_.set_recent_from(100);
  RecordTail tail = Tail(LaneSet::All());
  Take(tail);
  feed_.Fail(absl::DataLossError("row 7 is damaged"));
  EXPECT_EQ(tail.status().message(), "row 7 is damaged");
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(Take(tail), Seqs());
  EXPECT_EQ(feed_.reads(), 0u);
}

}  // namespace
}  // namespace remora::hub
