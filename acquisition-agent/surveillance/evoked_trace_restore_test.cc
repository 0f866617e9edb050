// EvokedTrace behind a restart in the middle of a case: its alerts, and baselines that do not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/surveillance/case_analysis.h"
#include "acquisition-agent/surveillance/testing/keeping_sink.h"
#include "acquisition-agent/surveillance/testing/scripted_source.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

PatientScript Sized(double amplitude) {
  PatientScript script;
  script.amplitude = [amplitude](double) { return amplitude; };
  return script;
}

class EvokedTraceRestoreTest : public testing::Test {
 protected:
  // Falls to 0.3 at 12 s.
  void RunUntilTheFallIsTold() {
    PatientScript script;
    script.amplitude = [](double s) { return s > 12 ? 0.3 : 1.0; };
    Make(std::move(script));
    analysis_->Begin();
    GoOn(25);
    ASSERT_THAT(Alerts(), SizeIs(testing::Ge(1)));
    ASSERT_THAT(Baselines(), SizeIs(1));
    ASSERT_TRUE(trace().has_open_alert());
  }
  // What is on record is the past of the next life.
  CasePast Past() const {
    CasePast past;
    for (const v1::Record& record : sink_.records) {
      const RecordKey key{OriginId::FromBytes(record.origin()), record.lane(), record.origin_seq()};
      if (record.has_baseline_set()) past.baselines.push_back({key, record.baseline_set()});
      if (!record.has_alert() || record.alert().alert_class() != v1::ALERT_CLASS_PHYSIOLOGICAL) {
        continue;
      }
      past.alerts = {{key, record.alert()}};
      past.alerts[0].called_by = key;
    }
    return past;
  }
  std::vector<std::string> Restart(const CasePast& past, PatientScript script) {
    sink_.records.clear();
    Make(std::move(script));
    analysis_->Take(SourceEvent{0, 0, "on again", /*is_remark=*/true});
    return analysis_->Restore(past);
  }
  void GoOn(double until_s) {
    while (static_cast<double>(analysis_->now_ns()) < until_s * 1e9) {
      const absl::StatusOr<Item> item = source_->Next();
      ASSERT_TRUE(item.ok());
      analysis_->Take(*item);
    }
  }
  void Dismiss(const CasePast::Alert& alert) {
    v1::Record record;
    record.mutable_alert_action()->set_kind(v1::ALERT_ACTION_KIND_DISMISSED);
    *record.mutable_alert_action()->mutable_alert() =
        alert.last.has_raised_by() ? alert.last.raised_by() : ToProto(alert.key);
    analysis_->TakeInput(record);
  }
  void AskForBaseline() {
    v1::Record record;
    record.set_origin(std::string(16, 'p'));
    record.set_lane(1);
    record.set_origin_seq(3);
    record.mutable_baseline_set()->set_trace_id("SEP_UPPER/R/CPc-Front");
    record.mutable_baseline_set()->set_kind(v1::BASELINE_KIND_REBASELINE);
    analysis_->TakeInput(record);
  }
  std::vector<v1::AlertCondition> Alerts() const {
    std::vector<v1::AlertCondition> conditions;
    for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
      if (alert.alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL) {
        conditions.push_back(alert.condition());
      }
    }
    return conditions;
  }
  std::vector<v1::BaselineSet> Baselines() const {
    return sink_.All(&v1::Record::has_baseline_set, &v1::Record::baseline_set);
  }
  const EvokedTrace& trace() const { return *analysis_->traces()[0]; }

  KeepingSink sink_;

 private:
  void Make(PatientScript script) {
    source_ = std::make_unique<ScriptedSource>(std::move(script));
    auto analysis = CaseAnalysis::Create(plan_, source_->info(), sink_);
    ASSERT_TRUE(analysis.ok()) << analysis.status();
    analysis_ = *std::move(analysis);
  }

  const CasePlan plan_ = PatientPlan();
  std::unique_ptr<ScriptedSource> source_;

 protected:
  std::unique_ptr<CaseAnalysis> analysis_;
};

TEST_F(EvokedTraceRestoreTest, AnAlertThatIsOnRecovers) {
  RunUntilTheFallIsTold();
  EXPECT_THAT(Restart(Past(), Sized(1)), IsEmpty());
  EXPECT_TRUE(trace().has_open_alert());
  GoOn(20);
  EXPECT_EQ(Alerts().back(), v1::ALERT_CONDITION_RECOVERED);
}

TEST_F(EvokedTraceRestoreTest, AnAlertWhoseBaselineDoesNotFitIsOnUntilAPersonClosesIt) {
  RunUntilTheFallIsTold();
  CasePast past = Past();
  past.baselines[0].set.set_latency_ms(1.3 * past.baselines[0].set.latency_ms());
  EXPECT_THAT(Restart(past, Sized(0.3)),
              ElementsAre(testing::AllOf(HasSubstr("does not fit"),
                                         HasSubstr("once its alert is resolved or dismissed"))));
  EXPECT_TRUE(trace().has_open_alert());
  GoOn(20);
  EXPECT_THAT(Alerts(), IsEmpty()) << "nothing can be said of it";
  AskForBaseline();
  EXPECT_THAT(Baselines(), IsEmpty()) << "an alert is on";
  Dismiss(past.alerts[0]);
  EXPECT_FALSE(trace().has_open_alert());
  AskForBaseline();
  ASSERT_THAT(Baselines(), SizeIs(1));
  GoOn(40);
  EXPECT_THAT(Alerts(), ElementsAre(v1::ALERT_CONDITION_RECOVERED));
}

TEST_F(EvokedTraceRestoreTest, AnAlertThatAPersonClosedIsNotRaisedAgain) {
  RunUntilTheFallIsTold();
  CasePast past = Past();
  past.alerts[0].closed = true;
  Restart(past, Sized(0.3));
  EXPECT_FALSE(trace().has_open_alert());
  GoOn(20);
  EXPECT_THAT(Alerts(), testing::Each(v1::ALERT_CONDITION_UPDATED));
  EXPECT_FALSE(trace().has_open_alert());
}

TEST_F(EvokedTraceRestoreTest, AnAlertThatHadRecoveredIsNotOn) {
  RunUntilTheFallIsTold();
  CasePast past = Past();
  *past.alerts[0].last.mutable_raised_by() = ToProto(past.alerts[0].key);
  past.alerts[0].last.set_condition(v1::ALERT_CONDITION_RECOVERED);
  past.alerts[0].last.set_priority(v1::ALERT_PRIORITY_INFORMATION);
  Restart(past, Sized(0.3));
  EXPECT_FALSE(trace().has_open_alert());
  GoOn(20);
  ASSERT_FALSE(Alerts().empty());
  EXPECT_EQ(Alerts()[0], v1::ALERT_CONDITION_UPDATED) << "it came back";
}

TEST_F(EvokedTraceRestoreTest, OfTwoBaselinesTheOneThatFitsCounts) {
  RunUntilTheFallIsTold();
  for (const size_t bad : {0, 1}) {
    CasePast past = Past();
    past.alerts.clear();
    past.baselines.push_back(past.baselines[0]);
    past.baselines[bad].set.set_latency_ms(1.3 * past.baselines[0].set.latency_ms());
    const std::vector<v1::Record> kept = sink_.records;
    EXPECT_THAT(Restart(past, Sized(0.3)), ElementsAre(HasSubstr("the other one counts")));
    EXPECT_TRUE(trace().has_baseline());
    GoOn(20);
    EXPECT_THAT(Alerts(), SizeIs(testing::Ge(1))) << "its fall is seen";
    sink_.records = kept;
  }
}

// Red against the baseline of before the incision, and well against the newer one alone.
TEST_F(EvokedTraceRestoreTest, AnAlertWhoseOwnBaselineDoesNotFitDoesNotRecoverByAnother) {
  RunUntilTheFallIsTold();
  for (const bool fits : {false, true}) {
    CasePast past = Past();
    past.baselines.push_back(past.baselines[0]);
    past.baselines[1].key.origin_seq += 1000;
    if (!fits) past.baselines[0].set.set_latency_ms(1.3 * past.baselines[0].set.latency_ms());
    const std::vector<v1::Record> kept = sink_.records;
    Restart(past, Sized(1));
    GoOn(30);
    EXPECT_THAT(Alerts(), SizeIs(fits ? 1 : 0)) << "recovered";
    EXPECT_EQ(trace().has_open_alert(), !fits);
    if (!fits) {
      Dismiss(past.alerts[0]);
      GoOn(40);
      EXPECT_FALSE(trace().has_open_alert()) << "a person has closed it";
    }
    sink_.records = kept;
  }
}

TEST_F(EvokedTraceRestoreTest, HostileBaselinesWithoutNumbersDoNotFit) {
  RunUntilTheFallIsTold();
  const CasePast good = Past();
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    CasePast past = good;
    past.baselines[0].set.set_amplitude_uv(bad);
    EXPECT_THAT(Restart(past, Sized(1)), ElementsAre(HasSubstr("does not fit"))) << bad;
    EXPECT_FALSE(trace().has_baseline());
    EXPECT_TRUE(trace().has_open_alert());
    GoOn(15);
    EXPECT_THAT(Alerts(), IsEmpty()) << "nothing has recovered";
  }
}

}  // namespace
}  // namespace remora::agent
