#include "reader-client/cc/app/gap_table.h"

#include <algorithm>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reader-client/cc/app/limits.h"

namespace remora::reader {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kMorningNs = 1'769'846'460 * kSecondNs;  // 2026-01-31T08:01:00Z

ListedGap Gap(uint32_t lane, uint64_t first, uint64_t last, GapReason reason) {
  ListedGap gap;
  gap.participant = "agent-or1";
  gap.lane = lane;
  gap.first = first;
  gap.last = last;
  gap.reason = reason;
  return gap;
}

std::vector<std::string> Lines(const std::vector<ListedGap>& gaps) {
  return absl::StrSplit(GapTable(gaps), '\n', absl::SkipEmpty());
}

TEST(GapTable, SaysWhoseWhichWhyAndWhen) {
  ListedGap told = Gap(5, 341, 352, GapReason::kGivenUp);
  told.cause = v1::DATA_GAP_CAUSE_SPOOL_SHORT;
  told.from_unix_ns = kMorningNs;
  told.to_unix_ns = kMorningNs + 15 * kSecondNs;
  ListedGap hub = Gap(1, 4, 4, GapReason::kMissing);
  hub.participant.clear();
  hub.from_unix_ns = kMorningNs;
  ListedGap night = Gap(3, 7, 9, GapReason::kRefused);
  night.from_unix_ns = kMorningNs;
  night.to_unix_ns = kMorningNs + 86'400 * kSecondNs;
  const std::vector<std::string> lines = Lines({told, hub, night, Gap(3, 2, 3, GapReason::kLate)});
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[1],
              AllOf(StartsWith("agent-or1"), HasSubstr("samples"), HasSubstr("341 to 352"),
                    HasSubstr("12"), HasSubstr("given up: its disk was short of space"),
                    HasSubstr("2026-01-31 08:01:00 to 08:01:15")));
  EXPECT_THAT(lines[2], AllOf(StartsWith("the hub"), HasSubstr("events"), HasSubstr(" 4 "),
                              HasSubstr("missing"), HasSubstr("after 2026-01-31 08:01:00")));
  EXPECT_THAT(lines[3], AllOf(HasSubstr("sweeps"), HasSubstr("refused by the hub"),
                              HasSubstr("2026-01-31 08:01:00 to 2026-02-01 08:01:00")));
  EXPECT_THAT(lines[4], AllOf(HasSubstr("late, and on record"), Not(HasSubstr("2026"))));
  EXPECT_EQ(GapTable({}), "");
}

TEST(GapTable, HostileNamesDoNotMoveTheCursor) {
  ListedGap gap = Gap(5, 1, 1, GapReason::kMissing);
  gap.participant = "a\x1b[2Jb";
  EXPECT_THAT(GapTable({gap}), Not(HasSubstr("\x1b")));
  gap.lane = 77;
  EXPECT_THAT(GapTable({gap}), HasSubstr("an unknown lane"));
}

TEST(GapTable, ListsSoManyAndCountsTheRestWhichJsonHas) {
  const std::vector<ListedGap> gaps(kMaxListedGaps + 3, Gap(5, 1, 2, GapReason::kMissing));
  const std::vector<std::string> lines = Lines(gaps);
  ASSERT_EQ(lines.size(), kMaxListedGaps + 2);
  EXPECT_EQ(lines.back(), "and 3 more, in --output json");
  const nlohmann::ordered_json all = GapsToJson(gaps);
  ASSERT_EQ(all.size(), gaps.size());
  EXPECT_EQ(all[0]["reason"], "missing");
  EXPECT_EQ(all[0]["first"], 1);
  EXPECT_TRUE(all[0]["made_after"].is_null());
}

}  // namespace
}  // namespace remora::reader
