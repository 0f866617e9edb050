#include "hub/rooms/origin_ledger.h"

#include <gtest/gtest.h>

#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using Verdict = OriginLedger::Verdict;

const OriginId kOrigin = OriginId::FromBytes("0123456789abcdef");

RecordKey Control(uint64_t number) { return {kOrigin, 1, number}; }
RecordKey Bulk(uint64_t number) { return {kOrigin, 5, number}; }

TEST(OriginLedger, ControlLanesAreStrictlyInOrder) {
  OriginLedger ledger;
  EXPECT_EQ(ledger.Judge(Control(2), 0), Verdict::kOutOfOrder);
  EXPECT_EQ(ledger.Judge(Control(1), 0), Verdict::kNew);
  ledger.Accept(Control(1), 7, "agent-1");
  EXPECT_EQ(ledger.Judge(Control(1), 7), Verdict::kDuplicate);
  EXPECT_EQ(ledger.Judge(Control(1), 8), Verdict::kReusedId);
  EXPECT_EQ(ledger.Judge(Control(3), 0), Verdict::kOutOfOrder);
  ledger.Refuse(Control(2), "agent-1");
  EXPECT_EQ(ledger.Judge(Control(3), 0), Verdict::kNew) << "a refused number is used up";
  EXPECT_EQ(ledger.Next(kOrigin, 1), 3u);
}

TEST(OriginLedger, BulkLanesTakeAnyNumberOnce) {
  OriginLedger ledger;
  ledger.Accept(Bulk(9), 1, "agent-1");
  ledger.Accept(Bulk(4), 2, "agent-1");
  EXPECT_EQ(ledger.Judge(Bulk(4), 2), Verdict::kDuplicate);
  EXPECT_EQ(ledger.Judge(Bulk(5), 2), Verdict::kNew);
}

TEST(OriginLedger, NothingIsDurableBeforeItsAppendIs) {
  OriginLedger ledger;
  ledger.Accept(Bulk(1), 1, "agent-1");
  ledger.Accept(Bulk(2), 2, "agent-1");
  ledger.Accept(Control(1), 3, "agent-1");
  const auto advances = ledger.TakeAdvances();
  ASSERT_EQ(advances.size(), 2u);
  EXPECT_FALSE(ledger.has_advances());
  EXPECT_TRUE(ledger.Durable(kOrigin, 5).empty());
  ledger.Accept(Bulk(3), 3, "agent-1");
  ledger.Commit(advances);
  EXPECT_EQ(ledger.Durable(kOrigin, 5).contiguous(), 2u);
  EXPECT_EQ(ledger.TakeAdvances()[0].added, (std::vector<SeqRanges::Range>{{3, 3}}));
}

TEST(OriginLedger, RestoredNumbersAreDuplicatesAlsoWhenTheirBytesAreForgotten) {
  OriginLedger ledger;
  SeqRanges held;
  held.InsertRange(1, 5000);
  ledger.Restore({kOrigin, 1, held, {}, "agent-1"});
  ledger.Remember(Control(4999), 12);
  EXPECT_EQ(ledger.Judge(Control(4999), 13), Verdict::kReusedId);
  EXPECT_EQ(ledger.Judge(Control(1), 99), Verdict::kDuplicate);
  EXPECT_EQ(ledger.Judge(Control(5001), 99), Verdict::kNew);
}

TEST(OriginLedger, RefusedNumbersAreUsedUpButNeverHeld) {
  OriginLedger ledger;
  ledger.Refuse(Control(1), "agent-1");
  ledger.Accept(Control(2), 7, "agent-1");
  EXPECT_EQ(ledger.Judge(Control(1), 0), Verdict::kRefusing);
  const auto advances = ledger.TakeAdvances();
  ASSERT_EQ(advances.size(), 1u);
  EXPECT_EQ(advances[0].added, (std::vector<SeqRanges::Range>{{2, 2}}));
  EXPECT_EQ(advances[0].refused, (std::vector<SeqRanges::Range>{{1, 1}}));
  EXPECT_EQ(advances[0].participant, "agent-1");
  ledger.Commit(advances);
  EXPECT_EQ(ledger.Judge(Control(1), 0), Verdict::kRefused);
  EXPECT_FALSE(ledger.Durable(kOrigin, 1).Contains(1));
  EXPECT_TRUE(ledger.DurablyRefused(kOrigin, 1).Contains(1));
  OriginLedger restored;
  restored.Restore({kOrigin, 1, ledger.Durable(kOrigin, 1), ledger.DurablyRefused(kOrigin, 1), ""});
  EXPECT_EQ(restored.Judge(Control(1), 0), Verdict::kRefused);
  EXPECT_EQ(restored.Judge(Control(2), 9), Verdict::kDuplicate);
  EXPECT_EQ(restored.Next(kOrigin, 1), 3u);
}

TEST(OriginLedger, RefusedNumberMakesNobodyLate) {
  OriginLedger ledger;
  ledger.Refuse(Bulk(9), "agent-1");
  ledger.Accept(Bulk(8), 1, "agent-1");
  EXPECT_EQ(ledger.CountsOf(kOrigin, 5).late, 0u);
  ledger.Accept(Bulk(7), 2, "agent-1");
  EXPECT_EQ(ledger.CountsOf(kOrigin, 5).late, 1u);
}

TEST(OriginLedger, ListsWhatWasLateAndCountsWhatIsTooMuchToList) {
  OriginLedger ledger;
  const uint64_t newest = 3 * kMaxLateRanges + 10;
  ledger.Accept(Bulk(newest), 1, "agent-1");
  for (uint64_t i = 1; i <= kMaxLateRanges; ++i) ledger.Accept(Bulk(3 * i), i, "agent-1");
  ledger.Accept(Bulk(4), 1, "agent-1");
  ledger.Accept(Bulk(newest - 2), 1, "agent-1");
  const SeqRanges& late = ledger.Late(kOrigin, 5);
  EXPECT_EQ(late.ranges().size(), kMaxLateRanges);
  EXPECT_TRUE(late.Contains(4)) << "joins a range that is listed";
  EXPECT_FALSE(late.Contains(newest - 2)) << "would be one more";
  EXPECT_EQ(late.count(), kMaxLateRanges + 1);
  EXPECT_EQ(ledger.CountsOf(kOrigin, 5).late, kMaxLateRanges + 2);
  const std::vector<OriginAdvance> advances = ledger.TakeAdvances();
  ASSERT_EQ(advances.size(), 1u);
  EXPECT_EQ(advances[0].late, late.ranges());
}

TEST(OriginLedger, HostileHolesAndOriginsAreBounded) {
  OriginLedger ledger;
  for (uint64_t i = 1; i <= kMaxHeldRanges; ++i) ledger.Accept(Bulk(2 * i), i, "agent-1");
  EXPECT_EQ(ledger.Judge(Bulk(2 * kMaxHeldRanges + 2), 0), Verdict::kTooMany);
  for (size_t i = 1; i < kMaxOrigins; ++i) {
    std::string id(16, 'o');
    id[0] = static_cast<char>(i);
    id[1] = static_cast<char>(i >> 8);
    ledger.Accept({OriginId::FromBytes(id), 0, 1}, 0, "agent-1");
  }
  EXPECT_EQ(ledger.Judge({OriginId::FromBytes("one origin extra"), 0, 1}, 0), Verdict::kTooMany);
  EXPECT_EQ(ledger.Judge(Control(1), 0), Verdict::kNew);
}

}  // namespace
}  // namespace remora::hub
