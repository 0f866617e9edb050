#include "acquisition-agent/app/case_clock.h"

#include <gtest/gtest.h>

#include <memory>

#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

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
    v1::Record record;
    record.mutable_source_note()->set_text("x");
    const std::string bytes = EncodeRecord({spool_->case_id(), spool_->origin(), 9}, 1, 1,
                                           12'000'000'000, clock_.WallNow().nanoseconds(), &record);
    EXPECT_TRUE(spool_->AppendRecord(1, 1, 0, bytes).ok());
    EXPECT_TRUE(spool_->Commit().ok());
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
    EXPECT_FALSE(time.by_wall_clock);
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

TEST_F(CaseClockTest, AMachineThatWasStartedAnewGoesByTheWallClock) {
  Begin();
  clock_.Reboot(77);
  clock_.Advance(Duration::Seconds(40));
  const CaseTime time = AfterRestart();
  EXPECT_TRUE(time.by_wall_clock);
  EXPECT_EQ(time.away_ns(), 40'000'000'000);
  // And was away for as long as it is up, whatever its wall clock says.
  clock_.StepWall(Duration() - kTenMinutes);
  EXPECT_EQ(AfterRestart().away_ns(), 40'000'000'000);
}

TEST_F(CaseClockTest, WithoutANoteItGoesByTheWallClockAndNeverBack) {
  v1::Record record;
  record.mutable_source_note()->set_text("x");
  const std::string bytes = EncodeRecord({spool_->case_id(), spool_->origin(), 9}, 1, 1,
                                         12'000'000'000, clock_.WallNow().nanoseconds(), &record);
  ASSERT_TRUE(spool_->AppendRecord(1, 1, 0, bytes).ok());
  ASSERT_TRUE(spool_->Commit().ok());
  clock_.Advance(Duration::Seconds(4));
  EXPECT_EQ(AfterRestart().away_ns(), 4'000'000'000);
  clock_.StepWall(Duration() - kTenMinutes);
  const CaseTime time = AfterRestart();
  EXPECT_TRUE(time.by_wall_clock);
  EXPECT_EQ(time.now_ns, 12'000'000'000);
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
  clock_.Reboot(3);
  EXPECT_GE(AfterRestart().away_ns(), 0);
}

}  // namespace
}  // namespace remora::agent
