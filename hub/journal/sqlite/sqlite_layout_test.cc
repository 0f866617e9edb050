// Files of earlier layouts, as their programs left them: raised to this one, whatever happens
// meanwhile.

#include <sqlite3.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/schema.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

// Frozen: what the programs of layouts 3, 4 and 5 made, and not what this one would make.
constexpr char kTables[] = R"(
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1380799050;
CREATE TABLE journal (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  epoch INTEGER NOT NULL
);
CREATE TABLE cases (
  case_key INTEGER PRIMARY KEY,
  case_id BLOB NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_recorded_unix_ns INTEGER NOT NULL,
  chain BLOB NOT NULL,
  lane_seq BLOB NOT NULL,
  origin_lanes INTEGER NOT NULL,
  digest BLOB NOT NULL
);
CREATE TABLE rows (
  row_key INTEGER PRIMARY KEY,
  after_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  digest BLOB NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE origins (
  case_key INTEGER NOT NULL,
  origin BLOB NOT NULL,
  lane INTEGER NOT NULL,
  digest BLOB NOT NULL,
  participant BLOB NOT NULL,
  ranges BLOB NOT NULL,
  refused BLOB NOT NULL,
  counts BLOB NOT NULL,
  PRIMARY KEY (case_key, origin, lane)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  case_key INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  digest BLOB NOT NULL,
  state BLOB NOT NULL
);
CREATE VIEW runs AS
  SELECT row_key >> 41 AS case_key,
         CASE (row_key >> 40) & 1 WHEN 0 THEN 'control' ELSE 'bulk' END AS class,
         after_seq, row_key & 0xffffffffff AS first_seq, last_seq, count,
         length(payload) AS payload_bytes
  FROM rows;
)";
// Case 1: four records, of which one came late.
constexpr char kRows[] =
    "INSERT INTO journal VALUES (1, 7); "
    "INSERT INTO cases VALUES (1, x'57d0a8a80d69281a8ad5edda4280bbb9', 7, 4, 176722560000400000"
    "0, x'321f491cf31c6e92c626a3a3ab981a270bbff196732275e1d67f3a37dbae4551', x'0100000000000000"
    "00000000000000000000000000000000030000000000000000000000000000000400000000000000', 3, x'd8"
    "cef3ce9eb4b3f9'); "
    "INSERT INTO rows VALUES (2199023255553, 0, 1, 1, x'c3f6dd506aeaec8a', x'0a4c0a1057d0a8a80d"
    "69281a8ad5edda4280bbb91210d1e17e82b7ffd7c6a8027e409468c60f180020018201088512beb7a0556fc67a"
    "170d0700000011010000000000000019404209ee51728618'); "
    "INSERT INTO rows VALUES (3298534883330, 0, 2, 1, x'39258a38500135b1', x'0a4c0a1057d0a8a80d"
    "69281a8ad5edda4280bbb91210a2bc22fabe706f5850df122d8e5aa92618032001820508dd7bc9b30a45e97b7a"
    "170d0700000011020000000000000019808418ee51728618'); "
    "INSERT INTO rows VALUES (3298534883331, 2, 4, 2, x'3104cdd58f187369', x'0a4c0a1057d0a8a80d"
    "69281a8ad5edda4280bbb91210a2bc22fabe706f5850df122d8e5aa9261803200282050835e3d4ae733663317a"
    "170d0700000011030000000000000019c0c627ee517286180a4c0a1057d0a8a80d69281a8ad5edda4280bbb912"
    "10a2bc22fabe706f5850df122d8e5aa926180520018207088e4bdfa9dd27dce67a170d07000000110400000000"
    "00000019000937ee51728618'); "
    "INSERT INTO origins VALUES (1, x'a2bc22fabe706f5850df122d8e5aa926', 3, x'47792ce8f8faedbd'"
    ", x'6167656e742d37', x'0101', x'', x'01000000000000000000000000000000'); "
    "INSERT INTO origins VALUES (1, x'a2bc22fabe706f5850df122d8e5aa926', 5, x'4d81d9b5313eb717'"
    ", x'6167656e742d37', x'0100', x'', x'00000000000000000000000000000000'); "
    "INSERT INTO origins VALUES (1, x'd1e17e82b7ffd7c6a8027e409468c60f', 0, x'b71b147f3a4c718e'"
    ", x'6167656e742d37', x'0100', x'', x'00000000000000000000000000000000'); "
    "INSERT INTO checkpoints VALUES (1, 2, x'a42163275a81c22a', x'7374617465'); ";

// From layout 4 on. That of layout 5 is the same: its `counts` may end with a list.
constexpr char kTombstones[] = R"(
CREATE TABLE tombstones (
  case_key INTEGER PRIMARY KEY,
  case_id BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  chain BLOB NOT NULL,
  theatre BLOB NOT NULL,
  opened_unix_ns INTEGER NOT NULL,
  closed_unix_ns INTEGER NOT NULL,
  purged_unix_ns INTEGER NOT NULL,
  archive BLOB NOT NULL,
  archive_sha256 BLOB NOT NULL,
  rows_left INTEGER NOT NULL,
  digest BLOB NOT NULL
);
)";
// Case 2, which is gone.
constexpr char kPurged[] =
    "INSERT INTO tombstones VALUES (2, x'c08c66e5daabcdb0ee64185eea1dfda3', 7, 1, x'73968bf3138"
    "7924d824a839691f4486a4610af6db603ad328c2b3fe696e31388', x'4f522031', 1000, 2000, 3000, x'6"
    "3303863363665356461616263646230656536343138356565613164666461332e7265636f7264', x'07070707"
    "07070707070707070707070707070707070707070707070707070707', 0, x'a14370300d341b11'); ";

constexpr uint32_t kEpoch = 7;

void Execute(const std::string& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

std::string Sql(int layout) {
  return absl::StrCat(kTables, kRows, layout >= 4 ? kTombstones : "", layout >= 4 ? kPurged : "",
                      "PRAGMA user_version = ", layout);
}

// The case that is in those files.
CaseScript Frozen() {
  CaseScript script(CaseIdOf(1), kEpoch, 1);
  script.Next({0, 3}, 8);
  script.Next({3, 5}, 8);
  return script;
}

// Head and every record; of its origins the script does not know what came late.
void ExpectIsThere(JournalBench& bench, const CaseScript& script) {
  const absl::StatusOr<CaseRestore> restore = bench.journal().Restore(script.case_id());
  ASSERT_TRUE(restore.ok()) << restore.status();
  EXPECT_EQ(restore->head.epoch, kEpoch);
  EXPECT_EQ(restore->head.last_seq, script.last_seq());
  EXPECT_EQ(restore->head.chain, script.Head().chain);
  ReadRequest request;
  request.case_id = script.case_id();
  request.from_seq = 1;
  request.to_seq = script.last_seq();
  const absl::StatusOr<std::string> frames =
      ReadWholeRange(bench.journal(), bench.executor(), request);
  ASSERT_TRUE(frames.ok()) << frames.status();
  EXPECT_EQ(*frames, script.Frames(1, script.last_seq()));
  uint64_t late = 0;
  for (const OriginLaneHeld& held : restore->origins) late += held.late_count;
  EXPECT_EQ(late, 1u);
}

class JournalOfLayout : public testing::TestWithParam<int> {};

TEST_P(JournalOfLayout, IsReadAsItWasLeftAndGoesOn) {
  JournalBench bench;
  Execute(bench.path(), Sql(GetParam()));
  ASSERT_TRUE(bench.Open().ok());
  CaseScript script = Frozen();
  ExpectIsThere(bench, script);
  EXPECT_EQ(bench.journal().Restore(script.case_id())->checkpoint.state, "state");
  ASSERT_EQ(bench.journal().ListCases()->size(), 1u);
  EXPECT_EQ(bench.journal().ListCases()->at(0).note, "");
  const std::vector<Tombstone> tombstones = *bench.journal().ListTombstones();
  ASSERT_EQ(tombstones.size(), GetParam() >= 4 ? 1u : 0u);
  for (const Tombstone& tombstone : tombstones) EXPECT_EQ(tombstone.theatre, "OR 1");
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.Next({0, 5})).ok());
  bench.journal().SaveCheckpoint(script.case_id(), {script.last_seq(), "later", "note"});
  ASSERT_TRUE(bench.Open().ok());
  ExpectIsThere(bench, script);
  EXPECT_EQ(bench.journal().ListCases()->at(0).note, "note");
  ASSERT_TRUE(PurgeAndWait(bench.journal(), bench.executor(), TombstoneOf(script)).ok());
  EXPECT_EQ(bench.journal().ListTombstones()->size(), tombstones.size() + 1);
}

// It fails as a whole, and the next opening does it: whatever the disk did.
TEST_P(JournalOfLayout, IsRaisedWholeOrNotAtAllWhateverCallOfTheDiskFails) {
  FaultVfs vfs("layout-fault");
  int failed = 0;
  for (const Fault fault : {Fault::kNoSpace, Fault::kWriteError, Fault::kTornWrite,
                            Fault::kLateError, Fault::kSyncError}) {
    for (uint64_t k = 1; k < 100; ++k) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(fault) << " at " << k);
      JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
      Execute(bench.path(), Sql(GetParam()));
      vfs.Arm(fault, k, false);
      const absl::Status opened = bench.Open();
      const bool hit = vfs.hit();
      failed += !opened.ok();
      if (fault == Fault::kNoSpace && !opened.ok()) {
        EXPECT_TRUE(absl::IsResourceExhausted(opened)) << opened;
      }
      bench.Close();
      vfs.Disarm();
      ASSERT_TRUE(bench.Open().ok()) << opened;
      ExpectIsThere(bench, Frozen());
      if (!hit || HasFailure()) break;
    }
  }
  EXPECT_GT(failed, 5);
}

TEST_P(JournalOfLayout, IsRaisedWholeOrNotAtAllWhereverThePowerGoes) {
  FaultVfs vfs("layout-cut");
  int cuts = 0;
  for (uint64_t k = 1; k < 100 && !HasFailure(); ++k) {
    JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
    Execute(bench.path(), Sql(GetParam()));
    vfs.Arm(Fault::kPowerCut, k, true);
    bench.Open().IgnoreError();
    if (!vfs.hit()) break;
    for (uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(testing::Message() << "cut at call " << k << ", seed " << seed);
      ++cuts;
      const std::unique_ptr<Random> random = MakeSeededRandom(4 * k + seed);
      JournalBench after("", 64, ScratchDirectory::kMemory);
      for (const auto& [path, bytes] : vfs.ImageAfterPowerCut(*random)) {
        if (!absl::StartsWith(path, bench.path())) continue;
        std::ofstream file(after.path() + path.substr(bench.path().size()), std::ios::binary);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      }
      ASSERT_TRUE(after.Open().ok());
      ExpectIsThere(after, Frozen());
    }
    bench.Close();
    vfs.Disarm();
  }
  EXPECT_GT(cuts, 8);
}

INSTANTIATE_TEST_SUITE_P(Each, JournalOfLayout, testing::Values(3, 4, 5),
                         [](const auto& layout) { return absl::StrCat("Is", layout.param); });

}  // namespace
}  // namespace remora::hub::sqlite
