#include "acquisition-agent/app/case_clock.h"

#include <gtest/gtest.h>

#include <memory>

#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

using By = CaseTime::By;

constexpr Duration kTenMinutes = Duration::Seconds(600);

// A case that began when the machine stood at 1,000 s, and whose newest record was made 12 s
// later.
class CaseClockTest : public testing::Test {
 protected:
  CaseClockTest() : spool_(OpenSpool(files_)) {
    CaseInfo info;
    info.boot_id = 9;
    info.source = "feed:";
    EXPECT_TRUE(spool_->SetInfo(info).ok());
  }
  void Begin() {
    NoteCaseZero(clock_, clock_.Now().nanoseconds(), *spool_);
    clock_.Advance(Duration::Seconds(12));
    PutRecord(12'000'000'000);
  }
  void PutRecord(int64_t monotonic_ns) {
    v1::Record record;
    record.mutable_source_note()->set_text("x");
    const std::string bytes = EncodeRecord({spool_->case_id(), spool_->origin(), 9}, 1, 1,
                                           monotonic_ns, clock_.WallNow().nanoseconds(), &record);
    EXPECT_TRUE(spool_->AppendRecord(1, 1, 0, bytes).ok());
    EXPECT_TRUE(spool_->Commit().ok());
  }
  void StartMachineAnew(int64_t down_s, int64_t up_s) {
    clock_.Advance(Duration::Seconds(down_s));
    clock_.Reboot(77);
    clock_.Advance(Duration::Seconds(up_s));
  }
  // The clock goes on.
  void ChangeBootId(uint64_t boot_id) {
    const DeviceTime now = clock_.Now();
    clock_.Reboot(boot_id);
    clock_.StepMonotonic(now - DeviceTime());
  }
  CaseTime AfterRestart() {
    spool_.reset();
    spool_ = OpenSpool(files_);
    return CaseTimeOf(*spool_, clock_);
  }

  FakeFileSystem files_;
  FakeClock clock_;
  std::unique_ptr<CaseSpool> spool_;
};

TEST_F(CaseClockTest, GoesOnByTheMachinesClockWhateverTheWallClockDoes) {
  Begin();
  clock_.Advance(Duration::Seconds(5));
  for (const Duration step : {Duration(), kTenMinutes, Duration() - kTenMinutes - kTenMinutes}) {
    clock_.StepWall(step);
    const CaseTime time = AfterRestart();
    EXPECT_EQ(time.by, By::kMachineClock);
    EXPECT_EQ(time.last_ns, 12'000'000'000);
    EXPECT_EQ(time.now_ns, 17'000'000'000);
    EXPECT_EQ(time.away_ns(), 5'000'000'000);
  }
  EXPECT_EQ(spool_->info()->source, "feed:") << "what was noted before stays";
}

TEST_F(CaseClockTest, ASecondRestartKeepsTheZeroOfTheFirst) {
  Begin();
  clock_.Advance(Duration::Seconds(5));
  const CaseTime first = AfterRestart();
  NoteCaseZero(clock_, clock_.Now().nanoseconds() - first.now_ns, *spool_);
  ASSERT_TRUE(spool_->Commit().ok());
  clock_.Advance(Duration::Seconds(3));
  clock_.StepWall(kTenMinutes);
  EXPECT_EQ(AfterRestart().now_ns, 20'000'000'000);
}

TEST_F(CaseClockTest, SleepOfTheMachineIsTimeOfTheCase) {
  Begin();
  // It wakes with a wall clock that stood still meanwhile, until NTP mends it.
  clock_.Advance(Duration::Seconds(3600));
  clock_.StepWall(Duration::Seconds(-3595));
  EXPECT_EQ(AfterRestart().away_ns(), 3'600'000'000'000);
  clock_.StepWall(Duration::Seconds(3595));
  const CaseTime time = AfterRestart();
  EXPECT_EQ(time.by, By::kMachineClock);
  EXPECT_EQ(time.away_ns(), 3'600'000'000'000);
}

TEST_F(CaseClockTest, AMachineThatWasStartedAnewGoesByTheWallClock) {
  Begin();
  StartMachineAnew(/*down_s=*/90, /*up_s=*/40);
  const CaseTime time = AfterRestart();
  EXPECT_EQ(time.by, By::kWallClock);
  EXPECT_EQ(time.away_ns(), 130'000'000'000);
}

TEST_F(CaseClockTest, AWallClockSetForwardAcrossARestartOfTheMachineCountsWithItsStep) {
  Begin();
  StartMachineAnew(90, 40);
  clock_.StepWall(kTenMinutes);
  const CaseTime time = AfterRestart();
  EXPECT_EQ(time.by, By::kWallClock) << "nothing tells the step from time that has passed";
  EXPECT_EQ(time.away_ns(), 730'000'000'000);
}

TEST_F(CaseClockTest, AMachineThatWasStartedAnewWasAwayForAsLongAsItIsUp) {
  Begin();
  StartMachineAnew(90, 40);
  // Set back so that less seems to have gone by, or less than nothing.
  for (const int64_t step_s : {-100, -600}) {
    clock_.StepWall(Duration::Seconds(step_s));
    const CaseTime time = AfterRestart();
    EXPECT_EQ(time.by, By::kLeast) << step_s;
    EXPECT_EQ(time.away_ns(), 40'000'000'000) << step_s;
  }
}

TEST_F(CaseClockTest, AMachineWhoseBatteryWasEmptyIsNotAwayForYears) {
  Begin();
  StartMachineAnew(90, 40);
  for (const int64_t years : {1, 56}) {
    clock_.StepWall(Duration::Seconds(years * 365 * 86'400));
    const CaseTime time = AfterRestart();
    EXPECT_EQ(time.by, By::kLeast);
    EXPECT_EQ(time.away_ns(), 40'000'000'000);
  }
}

// Where the kernel says no id of its boot, one is made of the wall clock, and NTP changes it.
TEST_F(CaseClockTest, AnotherIdOnAClockThatWentOnAddsNotAllTheTimeThatTheMachineIsUp) {
  Begin();
  clock_.Advance(Duration::Seconds(5));
  ChangeBootId(77);
  clock_.StepWall(Duration::Seconds(2));
  CaseTime time = AfterRestart();
  EXPECT_EQ(time.by, By::kWallClock);
  EXPECT_EQ(time.away_ns(), 7'000'000'000);
  clock_.StepWall(Duration::Seconds(-4));
  time = AfterRestart();
  EXPECT_EQ(time.by, By::kLeast);
  EXPECT_EQ(time.away_ns(), 5'000'000'000) << "not the 1,017 s that it is up";
}

TEST_F(CaseClockTest, WithoutANoteItGoesByTheWallClockAndNeverBack) {
  PutRecord(12'000'000'000);
  clock_.Advance(Duration::Seconds(4));
  CaseTime time = AfterRestart();
  EXPECT_EQ(time.by, By::kWallClock);
  EXPECT_EQ(time.away_ns(), 4'000'000'000);
  for (const Duration step : {Duration() - kTenMinutes, kLongestOutage + kTenMinutes}) {
    clock_.StepWall(step);
    time = AfterRestart();
    EXPECT_EQ(time.by, By::kLeast);
    EXPECT_EQ(time.now_ns, 12'000'000'000);
  }
}

TEST_F(CaseClockTest, HostileNotesAndRecordsStayInRange) {
  NoteCaseZero(clock_, INT64_MIN, *spool_);
  v1::Record record;
  record.mutable_source_note()->set_text("x");
  const std::string bytes =
      EncodeRecord({spool_->case_id(), spool_->origin(), 9}, 1, 1, INT64_MAX, INT64_MIN, &record);
  ASSERT_TRUE(spool_->AppendRecord(1, 1, 0, bytes).ok());
  ASSERT_TRUE(spool_->Commit().ok());
  const CaseTime time = AfterRestart();
  EXPECT_GE(time.now_ns, time.last_ns);
  for (const int64_t zero_ns : {INT64_MIN, INT64_MAX}) {
    clock_.Reboot(3);
    NoteCaseZero(clock_, zero_ns, *spool_);
    ASSERT_TRUE(spool_->Commit().ok());
    ChangeBootId(4);
    EXPECT_GE(AfterRestart().away_ns(), 0);
    clock_.Advance(Duration::Seconds(int64_t{1} << 32));
    EXPECT_GE(AfterRestart().away_ns(), 0);
  }
}

}  // namespace
}  // namespace remora::agent
