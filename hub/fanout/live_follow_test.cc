#include "hub/fanout/live_follow.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hub/fanout/testing/fake_feed.h"

namespace remora::hub {
namespace {

TEST(LiveFollow, AFreshSnapshotStandsForGapsThatWereNotToldYet) {
  auto owned = std::make_unique<FakeFeed>();
  FakeFeed& feed = *owned;
  feed.Add(0);
  v1::Follow asked;
  asked.set_follow_id(1);
  LiveFollow follow(std::move(owned), asked, LaneSet::All(), true, [] {});
  std::string cause;
  follow.TakeSnapshot(&cause);
  EXPECT_EQ(cause, "joined");
  RecordFrame late;
  late.lane = 5;
  late.late = true;
  late.seq = feed.Add(5);
  follow.OnCommitted(std::array{late});
  EXPECT_TRUE(follow.HasGap(5));
  // The next record of lane 0 has to be read, and cannot be.
  feed.set_recent_from(feed.Add(0) + 1);
  std::vector<SharedBytes> slices;
  size_t count = 0;
  follow.TakeEvents(1000, true, &slices, &count);
  ASSERT_EQ(feed.reads(), 1u);
  feed.Fail(absl::UnavailableError("closed"));
  ASSERT_TRUE(follow.HasSnapshot());
  follow.TakeSnapshot(&cause);
  EXPECT_EQ(cause, "journal cannot be read");
  EXPECT_FALSE(follow.HasGap(5)) << "it would be told beside the snapshot";
  // What comes behind it is told.
  late.seq = feed.Add(5);
  follow.OnCommitted(std::array{late});
  EXPECT_EQ(follow.TakeGap(5, DeviceTime()).from_seq(), late.seq);
}

}  // namespace
}  // namespace remora::hub
