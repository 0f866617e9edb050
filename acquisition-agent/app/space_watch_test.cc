#include "acquisition-agent/app/space_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/app/testing/keeping_console.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/testing/fake_clock.h"

namespace remora::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kPlannedRate = 50'000;
constexpr double kHour = 3'600;

// One life of the program after another, on the same disk.
class SpaceWatchTest : public ::testing::Test {
 protected:
  SpaceWatchTest() { Start(); }

  void Start() {
    watch_.reset();
    recorder_.reset();
    spool_.reset();
    spool_ = OpenSpool(files_);
    recorder_ =
        std::make_unique<SpoolRecorder>(CaseIdentity{spool_->case_id(), spool_->origin(), 9},
                                        *spool_, clock_, [](const v1::Record&, int64_t) {});
    SpaceWatchOptions watch;
    watch.planned[5] = kPlannedRate;
    watch_ = std::make_unique<SpaceWatch>(watch, *spool_, clock_, console_);
  }
  // The disk has room for so many hours at the planned rate.
  void SetHours(double hours) {
    files_.SetFreeBytes(kControlReserveBytes + static_cast<uint64_t>(hours * kHour * kPlannedRate));
  }
  void LookAt(double case_hours) {
    OnceSink sink(*recorder_);
    watch_->Look(static_cast<int64_t>(case_hours * kHour * 1e9), sink);
    EXPECT_TRUE(spool_->Commit().ok());
  }
  std::vector<v1::Alert> Alerts() const {
    std::vector<v1::Alert> alerts;
    for (uint64_t seq = 1; seq <= spool_->committed_seq(0); ++seq) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(*spool_->Read(0, seq)));
      alerts.push_back(record.alert());
    }
    return alerts;
  }
  std::vector<v1::AlertCondition> Conditions() const {
    std::vector<v1::AlertCondition> conditions;
    for (const v1::Alert& alert : Alerts()) conditions.push_back(alert.condition());
    return conditions;
  }

  FakeClock clock_;
  FakeFileSystem files_;
  KeepingConsole console_;
  std::unique_ptr<CaseSpool> spool_;
  std::unique_ptr<SpoolRecorder> recorder_;
  std::unique_ptr<SpaceWatch> watch_;
};

TEST_F(SpaceWatchTest, ADiskThatLastsForThePlanIsSaidAndNoAlert) {
  SetHours(20);
  LookAt(0);
  EXPECT_THAT(Alerts(), IsEmpty());
  EXPECT_THAT(console_.lines, ElementsAre("The disk lasts 20.0 h at 50 kB/s (planned)"));
  LookAt(0.1);
  EXPECT_EQ(console_.lines.size(), 1u) << "said now and then";
  clock_.Advance(kSpaceStatusInterval);
  LookAt(0.5);
  EXPECT_EQ(console_.lines.size(), 2u);
}

TEST_F(SpaceWatchTest, ADiskThatIsTooSmallForThePlanIsAnAlertBeforeTheIncision) {
  SetHours(5);
  LookAt(0);
  ASSERT_EQ(Alerts().size(), 1u);
  EXPECT_EQ(Alerts()[0].priority(), v1::ALERT_PRIORITY_LOW);
  EXPECT_THAT(Alerts()[0].summary(), HasSubstr("lasts 5.0 h"));
  EXPECT_THAT(Alerts()[0].summary(), HasSubstr("8.0 h are planned"));
  LookAt(1);
  EXPECT_EQ(Alerts().size(), 1u) << "said once";
  SetHours(20);
  LookAt(1);
  EXPECT_THAT(Conditions(), ElementsAre(v1::ALERT_CONDITION_RAISED, v1::ALERT_CONDITION_RECOVERED));
}

TEST_F(SpaceWatchTest, OnceTheOperationIsUnderWayOnlyTheLastHourIs) {
  watch_->OnPhase(v1::PHASE_EXPOSURE);
  SetHours(2);
  LookAt(2);
  EXPECT_THAT(Alerts(), IsEmpty());
  SetHours(0.99);
  LookAt(3);
  SetHours(0.5);
  LookAt(3.5);
  SetHours(0.24);
  LookAt(3.8);
  SetHours(0);
  LookAt(4);
  ASSERT_THAT(Conditions(), ElementsAre(v1::ALERT_CONDITION_RAISED, v1::ALERT_CONDITION_UPDATED));
  EXPECT_EQ(Alerts()[0].priority(), v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_THAT(Alerts()[0].summary(), HasSubstr("lasts 59 min"));
  EXPECT_EQ(Alerts()[1].priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_THAT(Alerts()[1].summary(), HasSubstr("lasts 14 min"));
}

TEST_F(SpaceWatchTest, ADiskAtTheLimitDoesNotFlicker) {
  watch_->OnPhase(v1::PHASE_EXPOSURE);
  for (int i = 0; i < 20; ++i) {
    SetHours(i % 2 == 0 ? 0.99 : 1.01);
    LookAt(3);
  }
  EXPECT_EQ(Alerts().size(), 1u);
}

TEST_F(SpaceWatchTest, AfterARestartTheAlertGoesOnAndIsNotRaisedAgain) {
  SetHours(5);
  LookAt(0);
  Start();
  EXPECT_TRUE(watch_->is_alarm_on());
  LookAt(0.1);
  EXPECT_EQ(Alerts().size(), 1u);
  SetHours(0.2);
  LookAt(0.2);
  Start();
  LookAt(0.2);
  ASSERT_EQ(Alerts().size(), 2u);
  EXPECT_EQ(Alerts()[1].raised_by().origin_seq(), 1u);
  SetHours(20);
  LookAt(0.3);
  Start();
  EXPECT_FALSE(watch_->is_alarm_on());
  LookAt(0.3);
  EXPECT_THAT(Conditions(), ElementsAre(v1::ALERT_CONDITION_RAISED, v1::ALERT_CONDITION_UPDATED,
                                        v1::ALERT_CONDITION_RECOVERED));
}

TEST_F(SpaceWatchTest, WhatIsWrittenCountsOnceItIsMeasured) {
  SetHours(20);
  LookAt(0);
  const std::string block(4'000, 'b');
  for (int s = 0; s < 120; ++s) {
    // Ten times what was planned.
    for (int i = 0; i < 125; ++i) {
      const uint64_t seq = spool_->last_seq(5) + 1;
      ASSERT_TRUE(spool_->AppendRecord(5, seq, static_cast<uint32_t>(seq), block).ok());
    }
    clock_.Advance(Duration::Seconds(1));
    LookAt(s / kHour);
  }
  EXPECT_THAT(watch_->status_line(), HasSubstr(" min at 504 kB/s"));
  ASSERT_EQ(Alerts().size(), 1u);
  EXPECT_THAT(Alerts()[0].summary(), HasSubstr("are planned"));
}

}  // namespace
}  // namespace remora::agent
