#include "hub/journal/sqlite/log_checkpointer.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/testing/crash_file_system.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/schema.h"
#include "hub/journal/sqlite/testing/crash_vfs.h"

namespace remora::hub::sqlite {
namespace {

// A table with a log, of which a part was moved and not synced, and then the sync of the rest
// failed.
class LogOfWhichTheMoveFailed : public testing::Test {
 protected:
  void SetUp() override {
    vfs_.Attach(disk_);
    CrashFileSystem files(disk_);
    ASSERT_TRUE(SettleFiles(files, kPath, /*create=*/true).ok());
    writer_ = Open();
    Run("PRAGMA journal_mode = WAL");
    Run("CREATE TABLE t (x)");
    Write(100);
    const std::unique_ptr<Connection> reader = Open();
    ASSERT_TRUE(reader->Execute("BEGIN; SELECT count(*) FROM t").ok());
    Write(200);
    disk_.SetWatcher([this](const CrashDisk::Call& call) { return OnCall(call); });
    ASSERT_TRUE(MoveLog(*writer_, gate_).ok()) << "as far as the reader lets it";
    ASSERT_EQ(file_syncs_, 0) << "and not synced";
    ASSERT_TRUE(reader->Execute("COMMIT").ok());
    fails_ = true;
    ASSERT_FALSE(MoveLog(*writer_, gate_).ok());
    fails_ = false;
  }
  std::unique_ptr<Connection> Open() {
    auto connection = Connection::Open(kPath, vfs_.name());
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }
  void Run(const std::string& sql) { ASSERT_TRUE(writer_->Execute(sql.c_str()).ok()) << sql; }
  // Rows of a page each.
  void Write(int rows) {
    rows_ += rows;
    Run(absl::StrCat("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ", rows,
                     ") INSERT INTO t SELECT zeroblob(4000) FROM n"));
  }
  CrashDisk::Verdict OnCall(const CrashDisk::Call& call) {
    if (!absl::EndsWith(call.path, ".db")) return CrashDisk::Verdict::kGoOn;
    if (call.op == CrashDisk::Op::kWrite) ++file_writes_;
    if (call.op != CrashDisk::Op::kSync) return CrashDisk::Verdict::kGoOn;
    ++file_syncs_;
    return fails_ ? CrashDisk::Verdict::kFail : CrashDisk::Verdict::kGoOn;
  }

  static constexpr char kPath[] = "/journal/live.db";
  CrashVfs vfs_{"moved"};
  CrashDisk disk_{"/journal"};
  LogGate gate_;
  std::unique_ptr<Connection> writer_;
  int rows_ = 0;
  bool fails_ = false;
  int file_writes_ = 0;
  int file_syncs_ = 0;
};

TEST_F(LogOfWhichTheMoveFailed, IsNotMovedFurtherBeforeItIsReadFromItsBeginning) {
  const int moved = file_writes_;
  Write(1);
  ASSERT_TRUE(MoveLog(*writer_, gate_).ok()) << "left for later";
  EXPECT_EQ(file_writes_, moved);
  Write(1);  // would begin the log anew, had it been moved entirely
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  const auto after = disk_.AfterCut(CrashDisk::Remains::kNothing, *random);
  disk_.SetWatcher(nullptr);
  writer_.reset();
  vfs_.Attach(*after);
  EXPECT_EQ(*Open()->QueryNumber("SELECT count(*) FROM t"), rows_);
  EXPECT_EQ(*Open()->QueryNumber("SELECT count(*) FROM pragma_integrity_check WHERE "
                                 "integrity_check <> 'ok'"),
            0);
}

TEST(LogGate, LetsOneInAndNobodyAfterAFailure) {
  LogGate gate;
  ASSERT_TRUE(gate.Enter());
  EXPECT_FALSE(gate.Enter());
  gate.Leave(true);
  ASSERT_TRUE(gate.Enter());
  gate.Leave(false);
  EXPECT_TRUE(gate.has_failed());
  EXPECT_FALSE(gate.Enter());
  gate.Reset();
  EXPECT_TRUE(gate.Enter());
}

}  // namespace
}  // namespace remora::hub::sqlite
