// EmgWatch behind a restart: alerts that were on.
#include "acquisition-agent/surveillance/emg_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "acquisition-agent/surveillance/testing/keeping_sink.h"

namespace remora::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EmgWatchTest : public testing::Test {
 protected:
  EmgWatchTest() {
    muscle_.trace_id = "EMG_FREE_RUNNING/L/TA";
    muscle_.plan.set_derivation("TA");
    muscle_.plan.set_side(v1::SIDE_LEFT);
    row_.set_key("EMG.train");
    row_.set_source("test");
    row_.set_amber_train_ms(1000);
    row_.set_red_train_ms(5000);
    Begin();
  }
  void Begin() { watch_ = std::make_unique<EmgWatch>(muscle_, std::vector{row_}, "1", sink_); }
  // The alerts that are on are the past of a new watch.
  void Restart() {
    CasePast past;
    for (const v1::Record& record : sink_.records) {
      past.alerts.push_back(
          {RecordKey{OriginId::FromBytes(record.origin()), record.lane(), record.origin_seq()},
           record.alert()});
    }
    sink_.records.clear();
    Begin();
    watch_->Restore(past);
  }
  void Train(double lasted_ms, bool ended = false) {
    EmgOutput output;
    EmgEvent& event = output.events.emplace_back();
    event.activity.set_started_monotonic_ns(1'000'000'000);
    event.activity.set_duration_ms(lasted_ms);
    event.activity.set_peak_uv(300);
    event.activity.set_discharge_rate_hz(40);
    event.train_ongoing = !ended;
    event.train_ended = ended;
    watch_->OnOutput(&output, now_ns_ += 1'000'000'000);
  }
  void State(double silent_ms, double unassessed_ms) {
    EmgOutput output;
    output.state.emplace();
    output.state->silent_ms = silent_ms;
    output.state->unassessed_ms = unassessed_ms;
    watch_->OnOutput(&output, now_ns_ += 1'000'000'000);
  }
  std::vector<v1::Alert> Alerts() const {
    return sink_.All(&v1::Record::has_alert, &v1::Record::alert);
  }

  ResolvedEmg muscle_;
  v1::Criterion row_;
  KeepingSink sink_;
  std::unique_ptr<EmgWatch> watch_;
  int64_t now_ns_ = 0;
};

TEST_F(EmgWatchTest, ATrainThatGoesOnBehindARestartIsTheSameOne) {
  Train(2000);
  ASSERT_THAT(Alerts(), SizeIs(1));
  Restart();
  Train(1000);
  EXPECT_THAT(Alerts(), IsEmpty()) << "3 s are less than twice 2 s";
  Train(3500);
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_EQ(Alerts()[0].priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_EQ(Alerts()[0].raised_by().origin_seq(), 1u);
  EXPECT_EQ(Alerts()[0].evidence().duration_ms(), 5500);
  EXPECT_EQ(Alerts()[0].onset_monotonic_ns(), 1'000'000'000);
  Train(4000, /*ended=*/true);
  ASSERT_THAT(Alerts(), SizeIs(2));
  EXPECT_EQ(Alerts()[1].condition(), v1::ALERT_CONDITION_RECOVERED);
}

TEST_F(EmgWatchTest, SilenceBehindARestartEndsTheTrainOfBefore) {
  Train(6000);
  Restart();
  State(/*silent_ms=*/10, 0);
  EXPECT_THAT(Alerts(), IsEmpty());
  State(/*silent_ms=*/5000, 0);
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_EQ(Alerts()[0].raised_by().origin_seq(), 1u);
  EXPECT_THAT(Alerts()[0].summary(), HasSubstr("train ended after 6.0 s"));
  // And the next one is another.
  Train(1500);
  ASSERT_THAT(Alerts(), SizeIs(2));
  EXPECT_EQ(Alerts()[1].evidence().duration_ms(), 1500);
}

TEST_F(EmgWatchTest, AnAlertThatHadRecoveredLeavesNoTrainBehindARestart) {
  Train(6000, /*ended=*/true);
  ASSERT_THAT(Alerts(), SizeIs(2));
  sink_.records.erase(sink_.records.begin(), sink_.records.end() - 1);
  Restart();
  Train(2000);
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].condition(), v1::ALERT_CONDITION_UPDATED);
  EXPECT_EQ(Alerts()[0].episode(), 1u);
  EXPECT_EQ(Alerts()[0].evidence().duration_ms(), 2000) << "of its own";
}

TEST_F(EmgWatchTest, AMuscleThatCouldNotBeAssessedIsOnItsAlertOfBefore) {
  State(0, 20'000);
  ASSERT_THAT(Alerts(), SizeIs(1));
  Restart();
  State(0, 12'000);
  EXPECT_THAT(Alerts(), IsEmpty());
  State(0, 0);
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].condition(), v1::ALERT_CONDITION_RECOVERED);
}

}  // namespace
}  // namespace remora::agent
