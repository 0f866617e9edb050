// What a follower missed, behind a thin link: complete follows and history use what the live path
// leaves, and delay no alert.

#include <gtest/gtest.h>

#include "hub/participants/testing/thin_link.h"

namespace remora::hub {
namespace {

TEST_F(ThinLinkTest, ACompleteFollowDelaysNoAlertOfALiveOne) {
  const CaseId other = CaseWithBlocks(200);
  Follow(kLinkOf256Kbit);
  RunFor(Duration::Seconds(1), kLightBytes);
  reader_->FollowComplete(2, other);
  Measure(Duration::Seconds(20), kLightBytes);
  EXPECT_LT(AgeMs(0, 99), 500);
  EXPECT_LT(longest_silence_.seconds(), 1) << "nobody takes the hub for stale";
  EXPECT_GT(CameOf(other), 50u) << "it uses the link";
  EXPECT_LT(CameOf(other), 200u);
  RunFor(Duration::Seconds(40), kLightBytes);
  EXPECT_GT(CameOf(other), 200u) << "whole, with what is in it beside the blocks";
}

TEST_F(ThinLinkTest, ACompleteFollowGoesOnBesideALiveOneThatFillsTheLink) {
  const CaseId other = CaseWithBlocks(200);
  Follow(kLinkOf256Kbit);
  RunFor(Duration::Seconds(5), kTheatreBytes);
  reader_->FollowComplete(2, other);
  Measure(Duration::Seconds(30), kTheatreBytes);
  EXPECT_LT(AgeMs(0, 99), 600);
  EXPECT_LT(longest_silence_.seconds(), 1) << "nobody takes the hub for stale";
  EXPECT_GT(CameOf(other), 50u);
}

TEST_F(ThinLinkTest, ACompleteFollowThatIsBehindIsToldHowFarAndHearsTheHubAllTheTime) {
  const CaseId other = CaseWithBlocks(200);
  Follow(kLinkOf256Kbit);
  v1::Up cancel;
  cancel.mutable_cancel_follow()->set_follow_id(1);
  reader_->SendUp(cancel);
  reader_->FollowComplete(2, other);
  RunFor(Duration::Seconds(1), 0);
  longest_silence_ = Duration();
  RunFor(Duration::Seconds(10), 0);
  EXPECT_LT(longest_silence_.seconds(), 1);
  int heads = 0;
  for (const v1::Down& down : reader_->downs) {
    for (const v1::CaseHead& head : down.heartbeat().heads()) {
      heads += head.case_id() == other.ToString() && head.head_seq() >= 200;
    }
  }
  EXPECT_GE(heads, 8) << "each second";
}

TEST_F(ThinLinkTest, ACompleteFollowerThatNeverSaysWhatItHasShownNeedsNoCredit) {
  const CaseId other = CaseWithBlocks(200);
  TestParticipant silent(hub_, ReaderIdentity("reader-2"));
  silent.shows = false;
  silent.Hello();
  silent.FollowComplete(1, other);
  hub_.RunFor(Duration::Milliseconds(500));
  EXPECT_LE(silent.bulk_bytes, kFirstBulkWindowBytes + kMaxBlockBytes);
  hub_.RunFor(kReportPatience);
  EXPECT_EQ(silent.OfLane(5).size(), 200u);
}

TEST_F(ThinLinkTest, HistoryBesideALiveFollowDelaysNoAlert) {
  Follow(kLinkOf256Kbit);
  RunFor(Duration::Seconds(5), kTheatreBytes);
  AskForHistory(case_id_);
  Measure(Duration::Seconds(30), kLightBytes);
  EXPECT_LT(AgeMs(0, 99), 600);
  EXPECT_GT(HistoryPages(), 20);
}

TEST_F(ThinLinkTest, HistoryGoesOnBesideALiveFollowThatFillsTheLink) {
  Follow(kLinkOf256Kbit);
  RunFor(Duration::Seconds(5), kTheatreBytes);
  AskForHistory(case_id_);
  Measure(Duration::Seconds(30), kTheatreBytes);
  EXPECT_LT(AgeMs(0, 99), 600);
  EXPECT_GT(HistoryPages(), 20);
}

// What the live follow has to send says nothing of what the link carries.
TEST_F(ThinLinkTest, HistoryBesideALightLiveFollowUsesTheLink) {
  const CaseId other = CaseWithBlocks(600);  // 2.4 MB: 2 s of the link
  Follow(kLinkOf10Mbit);
  RunFor(Duration::Seconds(5), kTheatreBytes);
  AskForHistory(other);
  Measure(Duration::Seconds(4), kTheatreBytes);
  EXPECT_TRUE(HasAllHistory()) << HistoryPages() << " pages";
  EXPECT_LT(AgeMs(0, 99), 100);
  EXPECT_LT(AgeMs(5, 99), 200);
}

TEST_F(ThinLinkTest, HistoryOfAFollowerThatGivesNoQuestionBackGoesOnAndDelaysNoAlert) {
  const CaseId other = CaseWithBlocks(20);
  Follow(kLinkOf256Kbit);
  answers_ = false;
  RunFor(Duration::Seconds(5), kLightBytes);
  AskForHistory(other);
  Measure(Duration::Seconds(20), kLightBytes);
  EXPECT_LT(AgeMs(0, 99), 600);
  EXPECT_TRUE(HasAllHistory()) << HistoryPages() << " pages";
}

TEST_F(ThinLinkTest, HistoryOfAFollowerOfVersion1GoesOnAlsoWhenNothingElseIsShown) {
  const CaseId other = CaseWithBlocks(20);
  Follow(kLinkOf256Kbit, 0, 1);
  RunFor(Duration::Seconds(5), 20'000);
  IdleFor(Duration::Seconds(1));
  AskForHistory(other);
  IdleFor(Duration::Seconds(20));
  EXPECT_TRUE(HasAllHistory()) << HistoryPages() << " pages";
}

TEST_F(ThinLinkTest, HistoryTakesNoMoreThanItsPartOfALinkOf64Kbit) {
  Follow(kLinkOf64Kbit);
  RunFor(Duration::Seconds(20), kTheatreBytes);
  AskForHistory(case_id_);
  Measure(Duration::Seconds(60), kTheatreBytes);
  EXPECT_LT(AgeMs(0, 95), 1'000);
  EXPECT_LT(AgeMs(2, 95), 1'500);
  EXPECT_GT(ShownOf(2), 50u);
  EXPECT_GT(HistoryPages(), 20);
}

// The hub's own sign of life before there was anything to follow asks as well.
TEST_F(ThinLinkTest, ControlRecordsAloneGoByTheCreditAlsoOfASessionThatWasIdle) {
  const CaseId other = CaseWithMessages(3'000);
  link_ = kLinkOf256Kbit;
  reader_->Hello();
  IdleFor(Duration::Seconds(3));
  reader_->FollowComplete(2, other);
  IdleFor(Duration::Seconds(1));
  for (int i = 0; i < 10; ++i) {
    IdleFor(Duration::Seconds(1));
    EXPECT_LT((free_at_ - hub_.clock().Now()).milliseconds(), 500) << "in the buffers";
  }
  EXPECT_GT(CameOf(other), 500u) << "it uses the link";
}

TEST_F(ThinLinkTest, AlertsOvertakeACompleteFollowOfControlRecordsAlone) {
  const CaseId other = CaseWithMessages(3'000);
  Follow(kLinkOf256Kbit);
  RunFor(Duration::Seconds(2), kLightBytes);
  reader_->FollowComplete(2, other);
  Measure(Duration::Seconds(20), kLightBytes);
  EXPECT_LT(AgeMs(0, 99), 500);
  EXPECT_LT(longest_silence_.seconds(), 1) << "nobody takes the hub for stale";
  EXPECT_GT(CameOf(other), 500u) << "it uses the link";
  EXPECT_LT(CameOf(other), 3'000u);
}

// A sign of life is no report: one that shows nothing is not sent megabytes for its answers.
TEST_F(ThinLinkTest, ACompleteFollowerThatShowsNothingMoreGetsABatchASecond) {
  const CaseId other = CaseWithBlocks(200);
  TestParticipant stuck(hub_, ReaderIdentity("reader-2"));
  stuck.shows = false;
  stuck.Hello();
  stuck.Shown(0);
  stuck.FollowComplete(1, other);
  for (int ms = 0; ms < 10'000; ms += 100) {
    hub_.RunFor(Duration::Milliseconds(100));
    stuck.Shown(0);
  }
  EXPECT_GT(stuck.bulk_bytes, 2 * kFirstBulkWindowBytes);
  EXPECT_LE(stuck.bulk_bytes, kFirstBulkWindowBytes + 10 * kMaxBatchBytes);
}

TEST_F(ThinLinkTest, ACompleteFollowerThatStoppedShowingGetsABatchASecond) {
  const CaseId other = CaseWithBlocks(2'000);
  TestParticipant stuck(hub_, ReaderIdentity("reader-2"));
  stuck.reads = stuck.shows = false;
  stuck.Hello();
  stuck.FollowComplete(1, other);
  uint64_t shown = 0;
  const auto run = [&](int ms, bool shows) {
    for (; ms > 0; ms -= 2) {
      hub_.RunFor(Duration::Milliseconds(2));
      while (stuck.ReadOne()) {
      }
      if (shows) shown = stuck.bulk_bytes;
      stuck.Shown(shown);
    }
  };
  run(20, true);
  EXPECT_GT(stuck.bulk_bytes, 4 * kFirstBulkWindowBytes) << "its rate is known";
  run(2'000, false);
  const uint64_t before = stuck.bulk_bytes;
  run(10'000, false);
  EXPECT_GT(stuck.bulk_bytes, before);
  EXPECT_LE(stuck.bulk_bytes - before, 11 * kMaxBatchBytes);
}

}  // namespace
}  // namespace remora::hub
