#include "common/verify/gap_list.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "common/fold/case_fold.h"
#include "common/origin_seq.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"

namespace remora {
namespace {

// The hub's time less the agent's.
constexpr int64_t kOffsetNs = 1'000'000'000;
constexpr uint64_t kBoot = 7;  // RecordWriter's; its record n is made at n ms
constexpr uint32_t kBlocks = 5;

int64_t Ms(int64_t ms) { return kOffsetNs + ms * 1'000'000; }

class GapListTest : public ::testing::Test {
 protected:
  // A block of the agent, recorded long after it was made.
  void Take(uint64_t origin_seq) {
    Note(agent_.WriteAs(origin_seq, BlockBody("EMG/L", origin_seq * 8, 8)));
  }
  void Tell(v1::Record body) { Note(agent_.Write(std::move(body))); }
  void KnowClock(uint64_t boot = kBoot) {
    v1::ClockEstimate estimate;
    estimate.set_boot_id(boot);
    estimate.set_offset_ns(kOffsetNs);
    list_.NoteClock(origin_, estimate);
  }
  v1::OriginLaneHead* Head() {
    v1::OriginLaneHead* head = certificate_.add_heads();
    head->set_origin(origin_.ToString());
    head->set_participant("agent-or1");
    head->set_lane(kBlocks);
    return head;
  }
  static void Name(v1::OriginLaneHead* head, uint64_t first, uint64_t last,
                   v1::NamedGapCause cause) {
    v1::NamedGap* gap = head->add_gaps();
    gap->set_first_origin_seq(first);
    gap->set_last_origin_seq(last);
    gap->set_cause(cause);
  }
  std::vector<ListedGap> List() { return list_.List(certificate_, told_); }

  const OriginId origin_ = OriginIdForTest(0x0a);
  RecordWriter agent_{CaseIdForTest(), origin_};
  GapList list_;
  ToldBooks told_;
  v1::Certificate certificate_;

 private:
  void Note(const std::string& bytes) {
    const int64_t recorded = Ms(3'600'000);
    const FoldedRecord folded = StampedForFold(bytes, ++seq_, recorded);
    const StampedRecord stamped = *WalkStamped(folded.bytes.view());
    SeqRanges& held = held_[stamped.header.lane];
    held.Insert(stamped.header.origin_seq);
    list_.Note(stamped, held);
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    told_.Note(stamped.header.key(), record, recorded);
  }

  uint64_t seq_ = 0;
  std::map<uint32_t, SeqRanges> held_;
};

// Any number may be in a file.
TEST_F(GapListTest, HostileNumbersAtTheEndOfTheirRangeAreNotedAndLeft) {
  for (const uint64_t before : {uint64_t{3}, uint64_t{2}, uint64_t{1}, uint64_t{0}}) {
    Take(kMaxOriginSeq - before);
  }
  Take(1);
  Name(Head(), 2, kMaxOriginSeq - 4, v1::NAMED_GAP_CAUSE_MISSING);
  ASSERT_EQ(List().size(), 1u);
  EXPECT_EQ(List()[0].first, 2u);
}

TEST_F(GapListTest, GapIsDatedByTheRecordsOnEitherSideWhicheverCameFirst) {
  KnowClock();
  for (const uint64_t seq : {1, 2, 3, 20, 21, 10, 11, 9}) Take(seq);
  v1::OriginLaneHead* head = Head();
  Name(head, 4, 8, v1::NAMED_GAP_CAUSE_MISSING);
  Name(head, 12, 15, v1::NAMED_GAP_CAUSE_MISSING);
  Name(head, 16, 19, v1::NAMED_GAP_CAUSE_REFUSED);
  const std::vector<ListedGap> gaps = List();
  ASSERT_EQ(gaps.size(), 3u);
  EXPECT_EQ(gaps[0].participant, "agent-or1");
  EXPECT_EQ(gaps[0].lane, kBlocks);
  EXPECT_EQ(gaps[0].count(), 5u);
  EXPECT_EQ(gaps[0].reason, GapReason::kMissing);
  EXPECT_EQ(gaps[0].from_unix_ns, Ms(3));
  EXPECT_EQ(gaps[0].to_unix_ns, Ms(9));
  // Neighbours of another reason lie between the same records.
  for (const int i : {1, 2}) {
    EXPECT_EQ(gaps[i].from_unix_ns, Ms(11));
    EXPECT_EQ(gaps[i].to_unix_ns, Ms(20));
  }
  EXPECT_EQ(gaps[2].reason, GapReason::kRefused);
}

TEST_F(GapListTest, SideWithoutARecordHasNoTime) {
  KnowClock();
  Take(5);
  v1::OriginLaneHead* head = Head();
  Name(head, 1, 4, v1::NAMED_GAP_CAUSE_MISSING);
  Name(head, 6, 9, v1::NAMED_GAP_CAUSE_MISSING);
  const std::vector<ListedGap> gaps = List();
  EXPECT_EQ(gaps[0].from_unix_ns, 0);
  EXPECT_EQ(gaps[0].to_unix_ns, Ms(5));
  EXPECT_EQ(gaps[1].from_unix_ns, Ms(5));
  EXPECT_EQ(gaps[1].to_unix_ns, 0);
}

TEST_F(GapListTest, TimeOfRecordingIsNotTakenForTheTimeOfMaking) {
  KnowClock(kBoot + 1);
  Take(1);
  Take(4);
  Name(Head(), 2, 3, v1::NAMED_GAP_CAUSE_MISSING);
  EXPECT_EQ(List()[0].from_unix_ns, 0);
  EXPECT_EQ(List()[0].to_unix_ns, 0);
}

TEST_F(GapListTest, WhatItsOriginToldHasItsCauseAndItsOwnTimes) {
  KnowClock();
  KnowClock(kBoot + 1);  // since started again
  Take(1);
  Take(4);
  v1::Record told;
  told.mutable_data_gap()->set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
  told.mutable_data_gap()->set_lane(kBlocks);
  told.mutable_data_gap()->set_first_origin_seq(2);
  told.mutable_data_gap()->set_last_origin_seq(3);
  Tell(told);
  v1::OriginLaneHead* head = Head();
  Name(head, 2, 3, v1::NAMED_GAP_CAUSE_DATA_GAP);
  *head->mutable_gaps(0)->mutable_data_gap() = ToProto(agent_.LastKey(1));
  EXPECT_EQ(List()[0].reason, GapReason::kGivenUp);
  EXPECT_EQ(List()[0].cause, v1::DATA_GAP_CAUSE_SPOOL_SHORT);
  EXPECT_EQ(List()[0].from_unix_ns, Ms(1));

  told.mutable_data_gap()->set_from_monotonic_ns(2'000'000);
  told.mutable_data_gap()->set_to_monotonic_ns(3'500'000);
  Tell(told);
  *head->mutable_gaps(0)->mutable_data_gap() = ToProto(agent_.LastKey(1));
  EXPECT_EQ(List()[0].from_unix_ns, Ms(2));
  EXPECT_EQ(List()[0].to_unix_ns, Ms(3) + 500'000);
}

TEST_F(GapListTest, LateRangesComeBehindWhatIsLost) {
  v1::OriginLaneHead* head = Head();
  head->add_late()->set_first_origin_seq(2);
  head->mutable_late(0)->set_last_origin_seq(4);
  Name(Head(), 7, 7, v1::NAMED_GAP_CAUSE_MISSING);
  const std::vector<ListedGap> gaps = List();
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].first, 7u);
  EXPECT_EQ(gaps[1].reason, GapReason::kLate);
  EXPECT_EQ(gaps[1].count(), 3u);
}

}  // namespace
}  // namespace remora
