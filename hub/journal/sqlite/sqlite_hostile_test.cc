// Files that are no journal, of another version, cut, or with any byte changed: an error that says
// what and where, never a crash, and never a record that was not written.

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/row_format.h"
#include "hub/journal/sqlite/schema.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void RunSql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(database);
}

// A closed journal of two cases, the first with a checkpoint.
std::vector<CaseScript> WriteJournal(JournalBench& bench) {
  EXPECT_TRUE(bench.Open().ok());
  std::vector<CaseScript> scripts;
  for (int c = 0; c < 2; ++c) {
    EXPECT_TRUE(bench.journal().CreateCase(CaseIdOf(c)).ok());
    scripts.emplace_back(CaseIdOf(c), 1, c);
    for (int i = 0; i < 8; ++i) {
      EXPECT_TRUE(AppendAndWait(bench.journal(), bench.executor(), scripts[c].NextDrawn()).ok());
    }
  }
  bench.journal().SaveCheckpoint(CaseIdOf(0), {5, std::string(3000, 's')});
  EXPECT_TRUE(bench.journal().Flush().ok());
  bench.Close();
  return scripts;
}

// Opens what was changed: each case is as it was, or says that it is not. Returns how many errors.
int ExpectTruthOrError(JournalBench& bench, const std::vector<CaseScript>& scripts) {
  const absl::Status opened = bench.Open();
  if (!opened.ok()) {
    EXPECT_TRUE(absl::StrContains(opened.message(), bench.path())) << opened;
    return 1;
  }
  int errors = 0;
  // The hub's clock never goes below these.
  int64_t newest = 0;
  for (const CaseScript& script : scripts) {
    newest = std::max(newest, script.Head().last_recorded_unix_ns);
  }
  const absl::StatusOr<std::vector<ListedCase>> cases = bench.journal().ListCases();
  if (cases.ok()) {
    for (const ListedCase& listed : *cases) EXPECT_LE(listed.last_recorded_unix_ns, newest);
  }
  for (const CaseScript& script : scripts) {
    const absl::StatusOr<CaseRestore> restore = bench.journal().Restore(script.case_id());
    ReadRequest all;
    all.case_id = script.case_id();
    const absl::StatusOr<std::string> frames =
        ReadWholeRange(bench.journal(), bench.executor(), all);
    if (restore.ok() && restore->checkpoint.seq != 0) {
      EXPECT_EQ(restore->checkpoint.state, std::string(3000, 's'));
    }
    if (restore.ok() && frames.ok()) {
      EXPECT_EQ(restore->head.last_seq, script.last_seq());
      EXPECT_EQ(restore->head.chain, script.Head().chain);
      EXPECT_EQ(restore->head.lane_seq, script.Head().lane_seq);
      EXPECT_EQ(restore->origins, script.Origins());
      EXPECT_TRUE(*frames == script.Frames(1, script.last_seq())) << "other bytes than written";
    } else {
      ++errors;
    }
    CaseScript next = script;
    AppendAndWait(bench.journal(), bench.executor(), next.NextDrawn()).IgnoreError();
  }
  return errors;
}

TEST(SqliteJournalHostile, AFileThatIsNoJournalIsRefused) {
  JournalBench bench;
  WriteFile(bench.path(), std::string(8192, 'x'));
  absl::Status status = bench.Open();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), bench.path())) << status;
  WriteFile(bench.path(), "");
  std::filesystem::remove(bench.path());
  RunSql(bench.path(), "CREATE TABLE songs (name); INSERT INTO songs VALUES ('x')");
  const std::string before = ReadFile(bench.path());
  status = bench.Open();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(ReadFile(bench.path()) == before) << "somebody else's file is not touched";
}

TEST(SqliteJournalHostile, ANewerJournalIsRefusedAndLeftAlone) {
  JournalBench bench;
  WriteJournal(bench);
  RunSql(bench.path(), absl::StrCat("PRAGMA user_version = ", kSchemaVersion + 1));
  const absl::Status status = bench.Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), absl::StrCat("layout ", kSchemaVersion + 1)))
      << status;
}

TEST(SqliteJournalHostile, NoDirectoryIsAnError) {
  JournalBench bench;
  bench.options().path = bench.directory().File("missing/live.db");
  EXPECT_TRUE(absl::IsUnavailable(bench.Open()));
}

TEST(SqliteJournalHostile, ADamagedCaseLeavesTheOthersUsable) {
  JournalBench bench;
  std::vector<CaseScript> scripts = WriteJournal(bench);
  RunSql(bench.path(), "UPDATE cases SET last_seq = last_seq + 1 WHERE case_key = 1");
  ASSERT_TRUE(bench.Open().ok());
  const absl::Status damage = bench.journal().Restore(CaseIdOf(0)).status();
  EXPECT_TRUE(absl::IsDataLoss(damage)) << damage;
  EXPECT_TRUE(absl::StrContains(damage.message(), CaseIdOf(0).Hex())) << damage;
  EXPECT_TRUE(
      absl::IsDataLoss(AppendAndWait(bench.journal(), bench.executor(), scripts[0].NextDrawn())));
  EXPECT_EQ(bench.journal().ListCases()->size(), 2u);
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), scripts[1].NextDrawn()).ok());
  ExpectHolds(bench.journal(), bench.executor(), scripts[1]);
}

// The hub's clock never goes below what cases say of it.
TEST(SqliteJournalHostile, ADamagedHeadSaysNothingOfTheTime) {
  JournalBench bench;
  WriteJournal(bench);
  RunSql(bench.path(),
         "UPDATE cases SET last_recorded_unix_ns = last_recorded_unix_ns + (1 << 58) "
         "WHERE case_key = 1");
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().ListCases()->at(0).last_recorded_unix_ns, 0);
  EXPECT_GT(bench.journal().ListCases()->at(1).last_recorded_unix_ns, 0);
}

TEST(SqliteJournalHostile, ADamagedNoteIsNone) {
  JournalBench bench;
  const std::vector<CaseScript> scripts = WriteJournal(bench);
  ASSERT_TRUE(bench.Open().ok());
  bench.journal().SaveCheckpoint(CaseIdOf(1), {scripts[1].last_seq(), "state", "note"});
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_EQ(bench.journal().ListCases()->at(1).note, "note");
  bench.Close();
  RunSql(bench.path(), "UPDATE notes SET note = x'6e6f7465'");
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().ListCases()->at(1).note, "note") << "what was written";
  bench.Close();
  RunSql(bench.path(), "UPDATE notes SET note = x'6e6f7466'");
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().ListCases()->at(1).note, "");
  EXPECT_FALSE(bench.journal().ListCases()->at(1).owners.empty());
  EXPECT_EQ(bench.journal().Restore(CaseIdOf(1))->checkpoint.state, "state");
}

class JournalThatLacksItsTail : public testing::Test {
 protected:
  JournalThatLacksItsTail() : scripts_(WriteJournal(bench_)) {
    RunSql(bench_.path(), "DELETE FROM rows WHERE row_key = (SELECT max(row_key) FROM rows)");
    EXPECT_TRUE(bench_.Open().ok());
  }
  static void ExpectDamage(const absl::Status& status) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "its head says")) << status;
  }
  absl::Status Append() {
    return AppendAndWait(bench_.journal(), bench_.executor(), scripts_[1].NextDrawn());
  }

  JournalBench bench_;
  std::vector<CaseScript> scripts_;
};

TEST_F(JournalThatLacksItsTail, SaysSoWhenTheCaseIsRestoredAndFromThenOn) {
  EXPECT_EQ(bench_.journal().ListCases()->size(), 2u);
  ExpectDamage(bench_.journal().Restore(CaseIdOf(1)).status());
  ReadRequest first;
  first.case_id = CaseIdOf(1);
  first.to_seq = 1;
  ExpectDamage(ReadAndWait(bench_.journal(), bench_.executor(), first).status());
  ExpectDamage(Append());
  ExpectHolds(bench_.journal(), bench_.executor(), scripts_[0]);
}

TEST_F(JournalThatLacksItsTail, TakesNoRecordBehindTheHole) {
  ExpectDamage(Append());
  ExpectDamage(bench_.journal().Restore(CaseIdOf(1)).status());
}

TEST_F(JournalThatLacksItsTail, PurgesNoCaseThatIsNotWhole) {
  const absl::Status purged =
      PurgeAndWait(bench_.journal(), bench_.executor(), TombstoneOf(scripts_[1]));
  ExpectDamage(purged);
  EXPECT_TRUE(bench_.journal().ListTombstones()->empty());
}

TEST(SqliteJournalHostile, ARowWithOtherBytesIsFoundWhenItIsRead) {
  JournalBench bench;
  const std::vector<CaseScript> scripts = WriteJournal(bench);
  RunSql(bench.path(),
         "UPDATE rows SET payload = zeroblob(length(payload)) "
         "WHERE row_key = (SELECT min(row_key) FROM rows)");
  ASSERT_TRUE(bench.Open().ok());
  ReadRequest request;
  request.case_id = CaseIdOf(0);
  const absl::Status status = ReadAndWait(bench.journal(), bench.executor(), request).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), CaseIdOf(0).Hex())) << status;
  ExpectHolds(bench.journal(), bench.executor(), scripts[1]);
}

TEST(SqliteJournalHostile, NoChangedByteShowsAsARecord) {
  JournalBench bench("", kCheckpointPages, ScratchDirectory::kMemory);
  const std::vector<CaseScript> scripts = WriteJournal(bench);
  const std::string good = ReadFile(bench.path());
  constexpr uint64_t kSeed = 11;
  constexpr int kFlips = 1500;
  std::cout << "seed " << kSeed << ", file of " << good.size() << " bytes\n";
  std::unique_ptr<Random> random = MakeSeededRandom(kSeed);
  int found = 0;
  for (int i = 0; i < kFlips && !testing::Test::HasFailure(); ++i) {
    std::string bad = good;
    // The file's header and the pages of the schema in full, then anywhere.
    const size_t at = i < 100 ? i : random->Below(good.size());
    bad[at] = static_cast<char>(bad[at] ^ (1 << random->Below(8)));
    SCOPED_TRACE(testing::Message() << "byte " << at);
    bench.Close();
    WriteFile(bench.path(), bad);
    found += ExpectTruthOrError(bench, scripts) > 0;
    bench.Close();
    std::filesystem::remove(bench.path() + "-wal");
    std::filesystem::remove(bench.path() + "-shm");
  }
  std::cout << found << " of " << kFlips << " flips found; the others hit bytes of no meaning\n";
  EXPECT_GT(found, kFlips / 4);
}

TEST(SqliteJournalHostile, ACutFileIsFound) {
  JournalBench bench("", kCheckpointPages, ScratchDirectory::kMemory);
  const std::vector<CaseScript> scripts = WriteJournal(bench);
  const std::string good = ReadFile(bench.path());
  for (size_t size = 1; size < good.size(); size += 509) {
    SCOPED_TRACE(testing::Message() << "cut to " << size);
    bench.Close();
    WriteFile(bench.path(), good.substr(0, size));
    EXPECT_GT(ExpectTruthOrError(bench, scripts), 0);
    bench.Close();
    std::filesystem::remove(bench.path() + "-wal");
    std::filesystem::remove(bench.path() + "-shm");
  }
}

TEST(RowFormat, RangesComeBackAsTheyWere) {
  constexpr uint64_t kSeed = 5;
  std::cout << "seed " << kSeed << "\n";
  std::unique_ptr<Random> random = MakeSeededRandom(kSeed);
  for (int round = 0; round < 300; ++round) {
    SeqRanges ranges;
    for (uint64_t n = random->Below(20); n > 0; --n) {
      const uint64_t first = 1 + (random->Uint64() >> random->Below(64));
      ranges.InsertRange(first, first + random->Below(~uint64_t{0} - first + 1));
    }
    const std::string blob = EncodeRanges(ranges);
    SeqRanges back;
    ASSERT_TRUE(DecodeRanges(blob, &back));
    EXPECT_EQ(back, ranges);
  }
}

TEST(RowFormat, HostileRangesAreRefused) {
  SeqRanges ranges;
  const std::string max_varint = std::string(9, '\xff') + '\x01';
  for (const std::string& blob :
       {std::string("\x00\x00", 2), std::string("\x01", 1), std::string("\x80\x80", 2),
        std::string("\x01\x00\x01\x00", 4), max_varint + '\x01',
        std::string("\x02", 1) + max_varint, std::string(11, '\xff')}) {
    EXPECT_FALSE(DecodeRanges(blob, &ranges)) << blob.size();
  }
}

}  // namespace
}  // namespace remora::hub::sqlite
