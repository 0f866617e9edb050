// A disk of which a page cannot be read: it costs what is on that page, and nothing else.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

constexpr int kTwoCases = 2;

class JournalOfWhichAPageCannotBeRead : public testing::Test {
 protected:
  absl::Status Append(CaseAppend append) {
    return AppendAndWait(bench_.journal(), bench_.executor(), std::move(append));
  }
  // One append a case, in a file that is closed again.
  void WriteCases(const std::function<CaseAppend(CaseScript&)>& next) {
    ASSERT_TRUE(bench_.Open().ok());
    for (int i = 0; i < kTwoCases; ++i) {
      const absl::StatusOr<uint32_t> epoch = bench_.journal().CreateCase(CaseIdOf(i));
      ASSERT_TRUE(epoch.ok());
      scripts_.emplace_back(CaseIdOf(i), *epoch, i + 1);
      const absl::Status status = Append(next(scripts_[i]));
      ASSERT_TRUE(status.ok()) << status;
    }
    bench_.Close();
  }

  FaultVfs vfs_{"bad-page"};
  JournalBench bench_{vfs_.name(), 64, ScratchDirectory::kMemory};
  std::vector<CaseScript> scripts_;
};

// A bad sector under whose origins they are.
TEST_F(JournalOfWhichAPageCannotBeRead, ListsItsCasesAllTheSame) {
  ASSERT_NO_FATAL_FAILURE(WriteCases([](CaseScript& script) { return script.NextDrawn(); }));
  vfs_.FailReadsOf(std::string(CaseScript::OriginOfLane(0).bytes()));
  ASSERT_TRUE(bench_.Open().ok());
  const absl::StatusOr<std::vector<ListedCase>> cases = bench_.journal().ListCases();
  ASSERT_TRUE(cases.ok()) << cases.status();
  EXPECT_EQ(cases->size(), static_cast<size_t>(kTwoCases));
  EXPECT_GT(vfs_.failed_reads(), 0u);
  EXPECT_TRUE(absl::IsUnavailable(bench_.journal().Restore(CaseIdOf(0)).status()));
  vfs_.FailReadsOf("");
  EXPECT_TRUE(bench_.journal().Restore(CaseIdOf(0)).ok());
}

// A bad sector under the last row of one case, which its agent comes back to.
TEST_F(JournalOfWhichAPageCannotBeRead, RecordsTheOthersAllTheSame) {
  ASSERT_NO_FATAL_FAILURE(WriteCases([](CaseScript& script) { return script.Next({3}, 7'500); }));
  // Far from its beginning, which lies on one page with others' rows.
  vfs_.FailReadsOf(scripts_[0].records()[0].frame.substr(6'500, 24));
  ASSERT_TRUE(bench_.Open().ok());
  const uint64_t reopenings = bench_.journal().reopenings();
  for (int round = 0; round < 5; ++round) {
    CaseScript lost = scripts_[0];
    int done = 0;
    absl::Status bad, good;
    bench_.journal().Append(lost.Next({0}), [&](absl::Status status) { bad = status, ++done; });
    bench_.journal().Append(scripts_[1].Next({0}),
                            [&](absl::Status status) { good = status, ++done; });
    bench_.executor().RunUntil([&] { return done == 2; });
    EXPECT_TRUE(absl::IsUnavailable(bad)) << bad;
    EXPECT_TRUE(good.ok()) << good;
  }
  EXPECT_EQ(bench_.journal().reopenings(), reopenings) << "nobody else waits for it";
  // And one that was known before: the file is opened anew with it.
  vfs_.FailReadsOf("");
  ASSERT_TRUE(Append(scripts_[0].Next({0})).ok());
  vfs_.FailReadsOf(scripts_[0].records()[0].frame.substr(6'500, 24));
  vfs_.Arm(Fault::kSyncError, 1, false);
  CaseScript failed = scripts_[1];
  EXPECT_FALSE(Append(failed.Next({0})).ok());
  ASSERT_TRUE(Append(scripts_[1].Next({0})).ok());
  EXPECT_GT(bench_.journal().reopenings(), reopenings);
  vfs_.FailReadsOf("");
  for (const CaseScript& script : scripts_) {
    ExpectHolds(bench_.journal(), bench_.executor(), script);
  }
}

}  // namespace
}  // namespace remora::hub::sqlite
