#include "acquisition-agent/app/acquisition_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/app/spooled_past.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Two devices: an amplifier of three channels, one of eight.
class AcquisitionWatchTest : public ::testing::Test {
 protected:
  AcquisitionWatchTest() {
    const std::vector<size_t> sizes = {3, 8};
    for (const size_t size : sizes) {
      RateGroup group;
      group.sample_rate_hz = 1000;
      for (size_t i = 0; i < size; ++i) {
        group.channels.push_back(static_cast<int>(source_.channels.size()));
        source_.channels.emplace_back();
        source_.channels.back().label = "E" + std::to_string(source_.channels.size());
      }
      source_.rate_groups.push_back(group);
    }
    source_.live = true;
    Start();
  }
  void Start() {
    watch_.reset();
    recorder_.reset();
    spool_.reset();
    spool_ = OpenSpool(files_);
    recorder_ = std::make_unique<SpoolRecorder>(
        CaseIdentity{spool_->case_id(), spool_->origin(), 9}, *spool_, clock_, nullptr);
    recorder_->SkipRecovered();
    watch_ = std::make_unique<AcquisitionWatch>(source_);
    watch_->Restore(PastOf(*spool_));
  }
  // Both devices send until `now_s`, but those that fell silent before.
  void RunUntil(double now_s) {
    OnceSink sink(*recorder_);
    for (; now_s_ < now_s; now_s_ += 0.1) {
      const auto now_ns = static_cast<int64_t>(now_s_ * 1e9);
      for (int group = 0; group < 2; ++group) {
        if (silent_[group]) continue;
        SampleBlock block;
        block.rate_group = group;
        block.end_time_ns = now_ns;
        watch_->OnItem(block);
      }
      watch_->Look(now_ns, sink);
    }
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
  std::vector<v1::AlertPriority> Priorities() const {
    std::vector<v1::AlertPriority> priorities;
    for (const v1::Alert& alert : Alerts()) priorities.push_back(alert.priority());
    return priorities;
  }

  FakeFileSystem files_;
  FakeClock clock_;
  SourceInfo source_;
  std::unique_ptr<CaseSpool> spool_;
  std::unique_ptr<SpoolRecorder> recorder_;
  std::unique_ptr<AcquisitionWatch> watch_;
  double now_s_ = 100;
  bool silent_[2] = {false, false};
};

TEST_F(AcquisitionWatchTest, SaysNothingWhileAllFlows) {
  RunUntil(200);
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(AcquisitionWatchTest, OneDeviceOfTwoIsNamedByItsChannels) {
  RunUntil(110);
  silent_[1] = true;
  RunUntil(114);
  ASSERT_EQ(Alerts().size(), 1u);
  EXPECT_THAT(Alerts()[0].summary(),
              HasSubstr("No samples of E4, E5, E6, E7, E8, E9 and 2 more for 3 s. What uses them"));
  EXPECT_THAT(Alerts()[0].summary(), Not(HasSubstr("E3")));
}

TEST_F(AcquisitionWatchTest, CallsAgainAsItLastsAndWhenMoreStandStill) {
  silent_[0] = true;
  RunUntil(105);
  silent_[1] = true;
  RunUntil(109);
  ASSERT_EQ(Alerts().size(), 2u);
  EXPECT_THAT(Alerts()[1].summary(), HasSubstr("Nothing is monitored"));
  RunUntil(200);
  EXPECT_THAT(Priorities(), ElementsAre(v1::ALERT_PRIORITY_LOW, v1::ALERT_PRIORITY_LOW,
                                        v1::ALERT_PRIORITY_MEDIUM, v1::ALERT_PRIORITY_HIGH));
}

TEST_F(AcquisitionWatchTest, WhatNeverCameIsMissedFromTheFirstLookOn) {
  silent_[1] = true;
  RunUntil(102.5);
  EXPECT_THAT(Alerts(), IsEmpty());
  RunUntil(104);
  EXPECT_EQ(Alerts().size(), 1u);
}

// A loose cable: what comes for a second between two silences has not recovered.
TEST_F(AcquisitionWatchTest, ABriefReturnIsNoRecovery) {
  for (int time = 0; time < 5; ++time) {
    silent_[0] = true;
    RunUntil(now_s_ + 4);
    silent_[0] = false;
    RunUntil(now_s_ + 1);
  }
  EXPECT_EQ(Alerts().size(), 1u);
  RunUntil(now_s_ + 2);
  ASSERT_EQ(Alerts().size(), 2u);
  EXPECT_EQ(Alerts()[1].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(Alerts()[1].raised_by().origin_seq(), 1u);
}

TEST_F(AcquisitionWatchTest, WhatStandsStillThroughARestartIsAsBadAsItHasLasted) {
  silent_[0] = silent_[1] = true;
  RunUntil(104);
  EXPECT_THAT(Priorities(), ElementsAre(v1::ALERT_PRIORITY_LOW));
  // Killed again and again before 10 s are over.
  for (const double until_s : {109, 114, 119}) {
    Start();
    RunUntil(until_s);
  }
  EXPECT_THAT(Priorities(), ElementsAre(v1::ALERT_PRIORITY_LOW, v1::ALERT_PRIORITY_MEDIUM));
  Start();
  now_s_ = 170;
  RunUntil(172);
  EXPECT_EQ(Priorities().size(), 2u) << "a device is given its time to come";
  RunUntil(174);
  EXPECT_THAT(Priorities(), ElementsAre(v1::ALERT_PRIORITY_LOW, v1::ALERT_PRIORITY_MEDIUM,
                                        v1::ALERT_PRIORITY_HIGH));
  EXPECT_THAT(Alerts().back().summary(), HasSubstr("No samples of any channel for 7"));
}

TEST_F(AcquisitionWatchTest, AnotherLifeGoesOnWithItsAlert) {
  silent_[1] = true;
  RunUntil(112);
  EXPECT_EQ(Alerts().size(), 2u);
  Start();
  RunUntil(123);
  EXPECT_EQ(Alerts().size(), 2u) << "nothing new to say at 10 s";
  silent_[1] = false;
  RunUntil(130);
  ASSERT_EQ(Alerts().size(), 3u);
  EXPECT_EQ(Alerts()[2].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(Alerts()[2].raised_by().origin_seq(), 1u);
}

}  // namespace
}  // namespace remora::agent
