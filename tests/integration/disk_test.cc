// The hub's disk is full, or fails, in the middle of a case; then it is well again and the record
// is whole. An agent's disk is full while its hub is away: what it gives up is named.
//
// REMORA_DISK_SECONDS (6) makes each failure as long as wanted.

#include <cerrno>
#include <cstdlib>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/case_run.h"
#include "tests/integration/disk_faults.h"

namespace remora::testing {
namespace {

constexpr int kSpeed = 5;
constexpr int kHubDiskMebibytes = 64;

int FailureSeconds() {
  int seconds = 6;
  const char* given = std::getenv("REMORA_DISK_SECONDS");
  if (given != nullptr && !absl::SimpleAtoi(given, &seconds)) seconds = 6;
  return seconds;
}

class DiskTest : public ::testing::Test {
 protected:
  void Begin() {
    ASSERT_TRUE(rig_.StartHub().ok());
    const absl::Status begun = run_.Begin();
    ASSERT_TRUE(begun.ok()) << begun;
    SleepFor(Duration::Seconds(3));
  }
  // Nothing new comes on record while the failure lasts, then it does.
  template <typename Fail, typename Pass>
  void Through(Fail fail, Pass pass) {
    fail();
    SleepFor(Duration::Seconds(1));
    const uint64_t before = run_.follower().last_seq();
    SleepFor(Duration::Seconds(failure_s_ - 1));
    EXPECT_EQ(run_.follower().last_seq(), before) << "nothing is shown as recorded";
    EXPECT_TRUE(rig_.hub().running()) << rig_.hub().Log();
    pass();
    EXPECT_TRUE(Eventually(Duration::Seconds(10),
                           [&] { return run_.follower().last_seq() > before + 1000; }))
        << "stands at " << run_.follower().last_seq() << ", " << before << " before\n"
        << rig_.hub().Log();
  }
  void FinishWhole() {
    const absl::Status whole = run_.FinishWhole(Duration::Seconds(120 + 3 * failure_s_));
    ASSERT_TRUE(whole.ok()) << whole;
    const std::vector<v1::Record> intervals =
        RecordsOfKind(run_.journal(), v1::Record::kUnrecordedInterval);
    uint64_t shown = 0;
    for (const v1::Record& record : intervals) shown += record.unrecorded_interval().shown_count();
    std::cout << run_.journal().size() << " records; " << intervals.size()
              << " unrecorded intervals with " << shown << " records shown\n";
    EXPECT_GE(intervals.size(), 1u) << "what was not recorded is on record";
    EXPECT_TRUE(absl::StrContains(run_.agent().Log(), "the hub cannot record"))
        << run_.agent().Log();
  }

  const int failure_s_ = FailureSeconds();
  Rig rig_{1};
  CaseRun run_{rig_,
               {1,
                absl::StrCat("sim:cord?seed=1&seconds=", kSpeed*(3 * failure_s_ + 12)),
                SourcePath("acquisition-agent/plans/scoliosis.plan"),
                kSpeed,
                {"--linger", "60"},
                ""}};
};

TEST_F(DiskTest, AFullDiskOfTheHubLeavesTheCaseWhole) {
  const SmallDisk disk(rig_.Path("disk"), kHubDiskMebibytes);
  if (!disk.mounted()) GTEST_SKIP() << "skipped: no right to mount";
  rig_.hub_settings().folder = disk.path();
  Begin();
  if (HasFatalFailure()) return;
  Through([&] { disk.Fill(); }, [&] { disk.Free(); });
  FinishWhole();
}

TEST_F(DiskTest, SyncsAndWritesThatFailLeaveTheCaseWhole) {
  if (!FailingCalls::available()) GTEST_SKIP() << "skipped: no libfiu, or a sanitizer";
  const FailingCalls calls(rig_.Path("fiu"));
  rig_.hub_settings().environment = calls.environment();
  Begin();
  if (HasFatalFailure()) return;
  const std::pair<const char*, int> faults[] = {
      {"posix/io/sync/fdatasync", EIO}, {"posix/io/rw/pwrite", EIO}, {"posix/io/rw/pwrite", EROFS}};
  for (const auto& fault : faults) {
    const auto& name = fault.first;
    const auto& error = fault.second;
    SCOPED_TRACE(absl::StrCat(name, " fails with ", error));
    Through(
        [&] {
          const absl::Status failing = calls.Fail(rig_.hub(), name, error);
          ASSERT_TRUE(failing.ok()) << failing;
        },
        [&] { EXPECT_TRUE(calls.Pass(rig_.hub(), name).ok()); });
  }
  FinishWhole();
}

}  // namespace
}  // namespace remora::testing
