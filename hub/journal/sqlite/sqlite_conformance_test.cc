#include "gtest/gtest.h"
#include "hub/journal/journal_conformance_test.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"

namespace remora::hub {
namespace {

class SqliteBench {
 public:
  SqliteBench() {
    const absl::Status status = bench_.Open();
    EXPECT_TRUE(status.ok()) << status;
  }

  Journal& journal() { return bench_.journal(); }
  WaitingExecutor& executor() { return bench_.executor(); }
  bool Reopen() { return bench_.Open().ok(); }
  void FailCommits(bool disk_full) {
    vfs_.Arm(disk_full ? sqlite::Fault::kNoSpace : sqlite::Fault::kSyncError, 1, true);
  }
  void StopFailing() { vfs_.Disarm(); }

 private:
  sqlite::FaultVfs vfs_{"conformance"};
  sqlite::JournalBench bench_{"conformance"};
};

REMORA_INSTANTIATE_JOURNAL_CONFORMANCE(Sqlite, SqliteBench);

}  // namespace
}  // namespace remora::hub
