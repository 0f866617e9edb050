#include "acquisition-agent/app/space_watch.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/app/spooled_past.h"
#include "acquisition-agent/app/testing/keeping_console.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"
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
    watch_->Restore(PastOf(*spool_));
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

TEST_F(SpaceWatchTest, ARestartInTheMiddleOfTheOperationDoesNotAskForSpaceBeforeTheIncision) {
  CasePast past;
  past.phase = v1::PHASE_CORRECTION;
  watch_->Restore(past);
  SetHours(2);
  LookAt(2);
  EXPECT_THAT(Alerts(), IsEmpty());
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

// What a case writes of each lane in a second, beside what was planned.
class PlannedRatesTest : public DrawnCaseTest {
 protected:
  // Stimuli of `label` each `period_s`, `per_train` of them 0.5 s apart.
  static Drawing Stimulated(std::vector<std::string> channels, double seconds, const char* label,
                            double period_s, int per_train = 1) {
    Drawing drawing;
    drawing.channels = std::move(channels);
    drawing.rate_hz = 5000;
    drawing.seconds = seconds;
    drawing.noise_uv = 5;
    for (double t = 1; t + 1 < seconds; t += period_s) {
      for (int i = 0; i < per_train; ++i) {
        StimulusTrigger pulse;
        pulse.time_ns = static_cast<int64_t>((t + 0.5 * i) * 1e9);
        pulse.label = label;
        drawing.items.push_back(pulse);
      }
    }
    return drawing;
  }
  // Within a third and three times of what came: an estimate, and none that is of nothing.
  void ExpectNear(const std::vector<size_t>& lanes, double seconds) const {
    std::map<uint32_t, double> bytes;
    for (const v1::Record& record : sink_.records) {
      // Beside it the spool's own.
      bytes[record.lane()] += static_cast<double>(record.ByteSizeLong()) + 40;
    }
    const LaneRates planned = PlannedRates(analysis_->resolved_plan());
    for (const size_t lane : lanes) {
      const double came = bytes[static_cast<uint32_t>(lane)] / seconds;
      EXPECT_GT(planned[lane], came / 3) << "lane " << lane;
      EXPECT_LT(planned[lane], came * 3) << "lane " << lane;
    }
  }
};

TEST_F(PlannedRatesTest, OfEeg) {
  Run(R"(eeg { derivation: "F3" side: SIDE_LEFT } eeg { derivation: "F4" side: SIDE_RIGHT })",
      Stimulated({"F3", "F4"}, 30, "NONE", 100));
  ExpectNear({2, 4, 5}, 30);
}

TEST_F(PlannedRatesTest, OfSingleResponses) {
  Run(R"(motor { modality: MODALITY_RLN_CONTINUOUS trigger { label_prefix: "RLN" }
           muscle { derivation: "VOC L" side: SIDE_LEFT }
           muscle { derivation: "VOC R" side: SIDE_RIGHT } })",
      Stimulated({"VOC L", "VOC R"}, 30, "RLN", 1));
  ExpectNear({2, 3}, 30);
}

TEST_F(PlannedRatesTest, OfASearchForAThreshold) {
  Drawing drawing = Stimulated({"TA"}, 60, "SCREW", 5);
  for (size_t i = 0; i < drawing.items.size(); ++i) {
    std::get<StimulusTrigger>(drawing.items[i]).delivered_ma = static_cast<double>(i + 1);
  }
  Run(R"(motor { modality: MODALITY_PEDICLE_SCREW trigger { label_prefix: "SCREW" }
           threshold { step: 1 maximum: 30 } muscle { derivation: "TA" side: SIDE_LEFT } })",
      std::move(drawing));
  ExpectNear({2, 3}, 60);
}

TEST_F(PlannedRatesTest, OfTrainsOfFour) {
  Run(R"(train_of_four { derivation: "APB" side: SIDE_LEFT limb: "left hand"
           trigger { label_prefix: "TOF" } })",
      Stimulated({"APB"}, 120, "TOF", 60, 4));
  ExpectNear({2, 3}, 120);
}

TEST_F(PlannedRatesTest, OfMaps) {
  Run(R"(mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "grid"
           contact_derivation: "G1" contact_derivation: "G2" contact_derivation: "G3"
           trigger { label_prefix: "MED" } })",
      Stimulated({"G1", "G2", "G3"}, 42, "MED", 0.2));
  ExpectNear({2, 3}, 42);
}

}  // namespace
}  // namespace remora::agent
