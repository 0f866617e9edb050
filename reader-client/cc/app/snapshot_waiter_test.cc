#include "reader-client/cc/app/snapshot_waiter.h"

#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"

namespace remora::reader {
namespace {

absl::StatusOr<v1::Snapshot> Look(SnapshotWaiter& waiter) {
  return waiter.Wait(FakeClock(), Duration());
}

TEST(SnapshotWaiter, GivesTheSnapshotOrSaysThatNoneCameInTime) {
  SnapshotWaiter waiter;
  EXPECT_TRUE(absl::IsUnavailable(Look(waiter).status()));
  v1::Snapshot snapshot;
  snapshot.set_head_seq(7);
  waiter.OnSnapshot(snapshot);
  ASSERT_TRUE(Look(waiter).ok());
  EXPECT_EQ(Look(waiter)->head_seq(), 7u);
}

TEST(SnapshotWaiter, SaysWhyTheFollowIsRefused) {
  SnapshotWaiter waiter;
  v1::Refused refused;
  refused.set_reason(v1::REFUSAL_REASON_NOT_PERMITTED);
  refused.set_follow_id(99);
  waiter.OnRefused(refused);
  EXPECT_TRUE(absl::IsUnavailable(Look(waiter).status())) << "another follow's";
  refused.set_follow_id(SnapshotWaiter::kFollowId);
  waiter.OnRefused(refused);
  EXPECT_TRUE(absl::IsPermissionDenied(Look(waiter).status()));
}

TEST(SnapshotWaiter, SaysWhyTheFollowOrTheLinkEnded) {
  SnapshotWaiter follow;
  v1::FollowEnded ended;
  ended.set_follow_id(SnapshotWaiter::kFollowId);
  ended.set_cause("the case is gone");
  follow.OnFollowEnded(ended);
  EXPECT_EQ(Look(follow).status().message(), "the hub ended this: the case is gone");
  SnapshotWaiter link;
  link.OnEnded(absl::UnauthenticatedError("who?"));
  EXPECT_TRUE(absl::IsUnauthenticated(Look(link).status()));
}

}  // namespace
}  // namespace remora::reader
