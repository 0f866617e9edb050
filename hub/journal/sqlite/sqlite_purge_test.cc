// Purged cases: their space comes back beside whoever appends, whatever happens meanwhile.

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/schema.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/sqlite/tombstones.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

int64_t Number(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  int64_t number = -1;
  const auto take = [](void* out, int, char** columns, char**) {
    if (columns[0] != nullptr) *static_cast<int64_t*>(out) = std::stoll(columns[0]);
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), take, &number, nullptr), SQLITE_OK) << sql;
  sqlite3_close(handle);
  return number;
}

// A case of some 2 MB, so that it takes several steps to free.
CaseScript AppendCase(JournalBench& bench, uint64_t number, int appends = 40) {
  const absl::StatusOr<uint32_t> epoch = bench.journal().CreateCase(CaseIdOf(number));
  EXPECT_TRUE(epoch.ok()) << epoch.status();
  CaseScript script(CaseIdOf(number), epoch.value_or(0), number);
  for (int i = 0; i < appends; ++i) {
    EXPECT_TRUE(AppendAndWait(bench.journal(), bench.executor(),
                              script.Next(std::vector<uint32_t>(12, 5), 4000))
                    .ok());
  }
  return script;
}

// What is freed is freed between appends, so these are what time passes by.
void AppendUntilFreed(JournalBench& bench, CaseScript& other) {
  for (int i = 0; i < 100'000 && bench.journal().purges_under_way() > 0; ++i) {
    ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), other.Next({0})).ok());
  }
  ASSERT_EQ(bench.journal().purges_under_way(), 0u);
}

TEST(JournalPurge, PagesOfPurgedCasesAreUsedAgainAndTheFileDoesNotGrow) {
  JournalBench bench;
  ASSERT_TRUE(bench.Open().ok());
  CaseScript other(CaseIdOf(99), *bench.journal().CreateCase(CaseIdOf(99)), 99);
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), other.Next({0})).ok());
  std::vector<int64_t> pages;
  for (uint64_t number = 1; number <= 5; ++number) {
    const CaseScript script = AppendCase(bench, number);
    ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(script)).ok());
    AppendUntilFreed(bench, other);
    pages.push_back(Number(bench.path(), "PRAGMA page_count"));
  }
  // The other case grows, too.
  EXPECT_LT(pages.back(), pages[0] * 3 / 2)
      << "freed pages are used again, and not five times as many";
  EXPECT_EQ(Number(bench.path(), "SELECT count(*) FROM rows WHERE row_key >> 41 != 1"), 0);
  EXPECT_EQ(Number(bench.path(), "SELECT count(*) FROM origins WHERE case_key != 1"), 0);
  EXPECT_EQ(Number(bench.path(), "SELECT sum(rows_left) FROM tombstones"), 0);
  ExpectHolds(bench.journal(), bench.executor(), other);
}

TEST(JournalPurge, WhatWasNotFreedIsFreedAfterTheNextStart) {
  JournalBench bench;
  ASSERT_TRUE(bench.Open().ok());
  const CaseScript script = AppendCase(bench, 1);
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(script)).ok());
  bench.Close();
  ASSERT_GT(Number(bench.path(), "SELECT count(*) FROM rows"), 0) << "too fast for this test";
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().purges_under_way(), 1u);
  const CaseScript next = AppendCase(bench, 2, 2);
  EXPECT_EQ(Number(bench.path(), "SELECT max(case_key) FROM cases"), 2)
      << "no case gets the key of one whose rows are left";
  CaseScript other = next;
  AppendUntilFreed(bench, other);
  EXPECT_EQ(Number(bench.path(), "SELECT count(*) FROM rows WHERE row_key >> 41 = 1"), 0);
  ExpectHolds(bench.journal(), bench.executor(), other);
}

// Appends to `other`, a second apart; none of them is held up by what fails beside it.
void AppendForSeconds(JournalBench& bench, FakeClock& clock, CaseScript& other, int seconds) {
  for (int i = 0; i < seconds; ++i) {
    clock.Advance(Duration::Seconds(1));
    ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), other.Next({0})).ok());
  }
}

// A sector went bad under what a purged case has left. The archive had no need to read it.
TEST(JournalPurge, WhatCannotBeFreedIsTriedEverMoreSeldomAndHoldsNobodyUp) {
  constexpr char kBadSector[] = "on a bad sector";
  FaultVfs vfs("bad-sector");
  FakeClock clock;
  JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
  bench.UseClock(clock);
  ASSERT_TRUE(bench.Open().ok());
  const CaseScript bad = AppendCase(bench, 1, 2);
  const CaseScript good = AppendCase(bench, 2, 2);
  CaseScript other = AppendCase(bench, 3, 1);
  // Far from its beginning, which lies on one page with other cases' checkpoints.
  std::string state(20'000, 'x');
  while (state.size() < 40'000) state += kBadSector;
  bench.journal().SaveCheckpoint(bad.case_id(), {bad.last_seq(), state});
  ASSERT_TRUE(bench.journal().Flush().ok());
  ASSERT_TRUE(bench.Open().ok());
  vfs.FailReadsOf(kBadSector);
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(bad)).ok());
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(good)).ok());
  AppendForSeconds(bench, clock, other, 600);
  EXPECT_GT(vfs.failed_reads(), 0u);
  EXPECT_EQ(bench.journal().purges_under_way(), 1u) << "the other case is freed in spite of it";
  // After 0, 1, 3, 7, 15, 31, 63, 127, 255 and 511 s, each some steps late.
  EXPECT_GE(bench.journal().purge_failures(), 8u);
  EXPECT_LE(bench.journal().purge_failures(), 10u);
  EXPECT_LE(bench.journal().reopenings(), 10u);
  const uint64_t before = bench.journal().purge_failures();
  AppendForSeconds(bench, clock, other, 3600);
  EXPECT_GE(bench.journal().purge_failures() - before, 5u) << "it is not given up";
  EXPECT_LE(bench.journal().purge_failures() - before, 7u);
  vfs.FailReadsOf("");
  AppendForSeconds(bench, clock, other, 605);
  EXPECT_EQ(bench.journal().purges_under_way(), 0u) << "the sector can be read again";
  ExpectHolds(bench.journal(), bench.executor(), other);
}

TEST(JournalPurge, AFileThatIsClosedIsNotOpenedToFreeWhatIsLeft) {
  FaultVfs vfs("purge-closed");
  FakeClock clock;
  JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
  bench.UseClock(clock);
  ASSERT_TRUE(bench.Open().ok());
  const CaseScript gone = AppendCase(bench, 1);
  CaseScript other = AppendCase(bench, 2, 1);
  const uint64_t before = bench.journal().reopenings();
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(gone)).ok());
  ASSERT_TRUE(bench.journal().Flush().ok());
  vfs.FailReadsOf("SQLite format 3");
  vfs.Arm(Fault::kSyncError, 1, false);
  CaseScript lost = other;
  EXPECT_FALSE(AppendAndWait(bench.journal(), bench.executor(), lost.Next({0})).ok());
  const uint64_t closed = bench.journal().reopenings();
  EXPECT_GT(closed, before);
  for (int i = 0; i < 100; ++i) {
    clock.Advance(Duration::Seconds(1));
    // Wakes the writer, and asks nothing of the file.
    bench.journal().SaveCheckpoint(CaseIdOf(77), {1, "of no case"});
    bench.journal().Flush().IgnoreError();
  }
  // By itself after 1, 3, 7, 15, 31, 61 and 91 s.
  EXPECT_LE(bench.journal().reopenings(), closed + 7);
  EXPECT_EQ(bench.journal().purge_failures(), 0u) << "nothing of the case has failed";
  vfs.FailReadsOf("");
  AppendForSeconds(bench, clock, other, 100);
  EXPECT_EQ(bench.journal().purges_under_way(), 0u);
  ExpectHolds(bench.journal(), bench.executor(), other);
}

// What each layout before lacked, taken away.
class JournalOfALayoutBefore : public testing::TestWithParam<std::pair<int, const char*>> {};

TEST_P(JournalOfALayoutBefore, IsRaisedWhereItStands) {
  const auto [version, lacks] = GetParam();
  JournalBench bench;
  ASSERT_TRUE(bench.Open().ok());
  const CaseScript script = AppendCase(bench, 1, 3);
  bench.Close();
  Number(bench.path(), absl::StrCat(lacks, "PRAGMA user_version = ", version));
  ASSERT_TRUE(bench.Open().ok());
  ExpectHolds(bench.journal(), bench.executor(), script);
  CaseScript more = script;
  CaseAppend append = more.Next({3, 3});
  append.origins[0].late_count = 1;
  append.origins[0].late = {append.origins[0].added.front()};
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), append).ok());
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().Restore(script.case_id())->head.last_seq, more.last_seq());
  bench.journal().SaveCheckpoint(script.case_id(), {more.last_seq(), "state", "note"});
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().ListCases()->at(0).note, "note");
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(more)).ok());
  EXPECT_EQ(Number(bench.path(), "PRAGMA user_version"), kSchemaVersion);
}

// Layout 4 had counts without a list behind them, as a lane without late records still has.
INSTANTIATE_TEST_SUITE_P(
    JournalPurge, JournalOfALayoutBefore,
    testing::Values(std::pair<int, const char*>(3, "DROP TABLE notes; DROP TABLE tombstones; "),
                    std::pair<int, const char*>(4, "DROP TABLE notes; "),
                    std::pair<int, const char*>(5, "DROP TABLE notes; ")),
    [](const auto& before) { return absl::StrCat("Layout", before.param.first); });

TEST(JournalLayout, EachBeforeThisOneIsTried) {
  EXPECT_EQ(kOldestSchemaVersion, 3);
  EXPECT_EQ(kSchemaVersion, 6) << "a new one: try the one before it, too";
}

TEST(JournalPurge, HostileTombstoneStillSaysThatTheCaseIsGone) {
  JournalBench bench;
  ASSERT_TRUE(bench.Open().ok());
  const CaseScript script = AppendCase(bench, 1, 3);
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(script)).ok());
  bench.Close();
  Number(bench.path(), "UPDATE tombstones SET archive = x'2f6574632f706173737764'");
  ASSERT_TRUE(bench.Open().ok());
  ASSERT_EQ(bench.journal().ListTombstones()->size(), 1u);
  EXPECT_EQ(bench.journal().ListTombstones()->at(0).case_id, script.case_id());
  EXPECT_EQ(bench.journal().ListTombstones()->at(0).archive, "");
  EXPECT_TRUE(bench.journal().IsPurged(script.case_id()));
  const absl::StatusOr<Tombstone> found =
      FindTombstoneAndWait(bench.journal(), bench.executor(), script.case_id());
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->archive, "");
  EXPECT_EQ(bench.journal().CountPurges()->count, 1u);
  EXPECT_EQ(bench.journal().CountPurges()->newest_unix_ns, 0) << "no word of it is believed";
}

// A year of thirty theatres.
TEST(JournalPurge, TombstonesOfManyCasesAreFoundByTheirKeysAndADamagedOneSetsNoClock) {
  constexpr uint64_t kMany = 10'000;
  JournalBench bench("", kCheckpointPages, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  CaseScript stays = AppendCase(bench, kMany + 1, 1);
  bench.Close();
  const auto tombstone_of = [](uint64_t number) {
    Tombstone tombstone = TombstoneOf(CaseScript(CaseIdOf(number), 1, number));
    tombstone.purged_unix_ns = static_cast<int64_t>(number);
    return tombstone;
  };
  {
    NullCipher cipher;
    auto connection = *Connection::Open(bench.path(), "");
    ASSERT_TRUE(connection->Execute("BEGIN").ok());
    for (uint64_t number = 1; number <= kMany; ++number) {
      const int64_t key = static_cast<int64_t>(number) + 1;
      ASSERT_TRUE(ReplaceByTombstone(*connection, key, tombstone_of(number), cipher).ok());
    }
    ASSERT_TRUE(connection->Execute("UPDATE tombstones SET rows_left = 0").ok());
    ASSERT_TRUE(connection->Execute("COMMIT").ok());
  }
  Number(bench.path(), absl::StrCat("UPDATE tombstones SET purged_unix_ns = ", INT64_MAX / 2,
                                    " WHERE case_key = 5001"));
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().purges_under_way(), 0u);
  EXPECT_EQ(bench.journal().ListCases()->size(), 1u);
  EXPECT_EQ(bench.journal().CountPurges()->count, kMany);
  EXPECT_EQ(bench.journal().CountPurges()->newest_unix_ns, static_cast<int64_t>(kMany));
  for (uint64_t number = 1; number <= kMany; ++number) {
    ASSERT_TRUE(bench.journal().IsPurged(CaseIdOf(number))) << number;
  }
  for (const uint64_t number : {uint64_t{1}, kMany / 3, kMany}) {
    const absl::StatusOr<Tombstone> found =
        FindTombstoneAndWait(bench.journal(), bench.executor(), CaseIdOf(number));
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, tombstone_of(number));
  }
  EXPECT_TRUE(absl::IsAlreadyExists(bench.journal().CreateCase(CaseIdOf(7)).status()));
  // More at a time than may wait: each has its answer.
  size_t found = 0;
  size_t refused = 0;
  for (uint64_t number = 1; number <= kMany; ++number) {
    bench.journal().FindTombstone(CaseIdOf(number), [&](const absl::StatusOr<Tombstone>& one) {
      (one.ok() ? found : refused) += 1;
      EXPECT_TRUE(one.ok() || absl::IsResourceExhausted(one.status())) << one.status();
    });
  }
  bench.executor().RunUntil([&] { return found + refused == kMany; });
  EXPECT_GE(found, kMaxQueuedLookups);
  ExpectHolds(bench.journal(), bench.executor(), stays);
}

// A case is purged while another goes on, and the `k`-th call of the disk fails, or is the last.
// Whether the purge was acknowledged.
struct Round {
  CaseScript gone;
  CaseScript stays;
  bool purged = false;
  // Was offered when the power went.
  CaseScript offered;
};
Round PurgeRound(JournalBench& bench, FaultVfs& vfs, Fault fault, uint64_t k, bool for_ever) {
  EXPECT_TRUE(bench.Open().ok());
  Round round{AppendCase(bench, 1, 12), AppendCase(bench, 2, 1), false, CaseScript(CaseId(), 1, 1)};
  round.offered = round.stays;
  vfs.Arm(fault, k, for_ever);
  round.purged = PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(round.gone)).ok();
  for (int i = 0; i < 3 || (!vfs.hit() && bench.journal().purges_under_way() > 0); ++i) {
    CaseScript next = round.stays;
    CaseAppend append = next.Next({0});
    round.offered = next;
    if (AppendAndWait(bench.journal(), bench.executor(), std::move(append)).ok()) {
      round.stays = next;
    } else if (vfs.hit() && for_ever) {
      break;
    }
  }
  return round;
}

// Either whole or purged, never in between; what was acknowledged is so.
void ExpectWholeOrPurged(JournalBench& bench, const Round& round, bool exactly) {
  const bool gone = absl::IsNotFound(bench.journal().Restore(round.gone.case_id()).status());
  EXPECT_TRUE(gone || !round.purged) << "the purge was acknowledged";
  EXPECT_TRUE(!gone || round.purged || !exactly) << "the purge was reported as failed";
  EXPECT_EQ(bench.journal().ListTombstones()->size(), gone ? 1u : 0u);
  if (!gone) ExpectHolds(bench.journal(), bench.executor(), round.gone);
  const auto stays = bench.journal().Restore(round.stays.case_id());
  ASSERT_TRUE(stays.ok()) << stays.status();
  const bool more = !exactly && stays->head.last_seq == round.offered.last_seq();
  ExpectHolds(bench.journal(), bench.executor(), more ? round.offered : round.stays);
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kStride = 7;
#else
constexpr uint64_t kStride = 1;
#endif
constexpr uint64_t kMostCalls = 60;

class JournalPurgeFault : public testing::TestWithParam<Fault> {};

TEST_P(JournalPurgeFault, AtEveryCallLeavesTheCaseWholeOrPurged) {
  FaultVfs vfs("purge-fault");
  uint64_t hits = 0;
  for (uint64_t k = 1; k <= kMostCalls && !HasFailure(); k += kStride) {
    SCOPED_TRACE(k);
    JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
    Round round = PurgeRound(bench, vfs, GetParam(), k, false);
    hits += vfs.hit();
    vfs.Disarm();
    // The next append has the file opened anew where that is needed.
    ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), round.stays.Next({0})).ok());
    round.offered = round.stays;
    ExpectWholeOrPurged(bench, round, true);
    ASSERT_TRUE(bench.Open().ok());
    ExpectWholeOrPurged(bench, round, true);
  }
  EXPECT_GT(hits, 5u / kStride);
}

INSTANTIATE_TEST_SUITE_P(All, JournalPurgeFault,
                         testing::Values(Fault::kNoSpace, Fault::kWriteError, Fault::kTornWrite,
                                         Fault::kLateError, Fault::kSyncError));

TEST(JournalPurgePowerCut, AtEveryWriteAndSyncLeavesTheCaseWholeOrPurged) {
  FaultVfs vfs("purge-cut");
  uint64_t cuts = 0;
  for (uint64_t k = 1; k <= kMostCalls && !testing::Test::HasFailure(); k += kStride) {
    JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
    const Round round = PurgeRound(bench, vfs, Fault::kPowerCut, k, true);
    if (!vfs.hit()) break;
    for (uint64_t image = 0; image < 2; ++image) {
      const uint64_t seed = 2 * k + image;
      SCOPED_TRACE(testing::Message() << "cut at call " << k << ", seed " << seed);
      ++cuts;
      std::unique_ptr<Random> random = MakeSeededRandom(seed);
      JournalBench after("", 64, ScratchDirectory::kMemory);
      for (const auto& [path, bytes] : vfs.ImageAfterPowerCut(*random)) {
        if (path.rfind(bench.path(), 0) != 0) continue;
        std::ofstream file(after.path() + path.substr(bench.path().size()), std::ios::binary);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      }
      ASSERT_TRUE(after.Open().ok());
      ExpectWholeOrPurged(after, round, false);
    }
    bench.Close();
    vfs.Disarm();
  }
  std::cout << "cuts tried: " << cuts << "\n";
  EXPECT_GT(cuts, 20u / kStride);
}

}  // namespace
}  // namespace remora::hub::sqlite
