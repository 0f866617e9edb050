// A case of a source that runs by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "absl/strings/match.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/testing/theatre.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The small patient, as a live source: an item is there when its time has come on the clock. A new
// one knows nothing of the one before.
class LiveSource : public SignalSource {
 public:
  LiveSource(PatientScript script, const Clock& clock) : source_(std::move(script)), clock_(clock) {
    info_ = source_.info();
    info_.live = true;
    info_.duration_ns.reset();
    info_.live_zero_ns = clock.Now().nanoseconds();
  }
  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override {
    ++asked;
    const int64_t now_ns = clock_.Now().nanoseconds() - info_.live_zero_ns;
    if (now_ns >= static_cast<int64_t>(fails_at_s * 1e9)) return failure;
    while (true) {
      if (!next_) {
        absl::StatusOr<Item> item = source_.Next();
        if (!item.ok()) return item;
        next_ = *std::move(item);
      }
      const int64_t due_ns = DueTimeNs(*next_);
      if (due_ns > now_ns) return NothingYet();
      if (IsLost(due_ns)) {
        if (lost_from_ns_ == 0) lost_from_ns_ = due_ns;
        next_.reset();
        continue;
      }
      if (const int64_t from_ns = std::exchange(lost_from_ns_, 0); from_ns != 0) {
        return Gap{.from_ns = from_ns, .to_ns = due_ns, .cause = "nothing was heard"};
      }
      return *std::exchange(next_, std::nullopt);
    }
  }

  int asked = 0;
  // Between them nothing comes, and what was sent is lost.
  double silent_from_s = 1e9;
  double silent_to_s = 1e9;
  // Not OK: the device goes away for good at that time.
  absl::Status failure;
  double fails_at_s = 1e9;

 private:
  bool IsLost(int64_t due_ns) const {
    const double due_s = static_cast<double>(due_ns) / 1e9;
    return due_s > silent_from_s && due_s <= silent_to_s;
  }

  ScriptedSource source_;
  const Clock& clock_;
  SourceInfo info_;
  std::optional<Item> next_;
  int64_t lost_from_ns_ = 0;
};

// One life of an agent on it.
class LiveTheatre {
 public:
  LiveTheatre(FakeFileSystem& files, FakeClock& clock, double speed = 1,
              PatientScript script = Fall())
      : source(std::move(script), clock),
        executor_(clock),
        plan_(PatientPlan()),
        spool(OpenSpool(files)) {
    if (spool->info() == nullptr) {
      CaseInfo info;
      info.boot_id = 9;
      info.theatre = "OR 3";
      EXPECT_TRUE(spool->SetInfo(info).ok() && spool->Commit().ok());
    }
    SessionOptions options;
    options.theatre = "OR 3";
    options.speed = speed;
    session =
        std::make_unique<AgentSession>(options, plan_, source, *spool, executor_, clock, console);
    EXPECT_TRUE(session->Prepare().ok());
    session->Start([this](absl::Status status) { result = std::move(status); });
  }
  void RunFor(double seconds) { executor_.RunFor(Duration::FromSeconds(seconds)); }
  std::vector<v1::Record> Lane(uint32_t lane) const {
    std::vector<v1::Record> records;
    for (uint64_t seq = 1; seq <= spool->last_seq(lane); ++seq) {
      const auto bytes = spool->Read(lane, seq);
      v1::Record record;
      EXPECT_TRUE(bytes.ok() && record.ParseFromString(*bytes));
      records.push_back(std::move(record));
    }
    return records;
  }

  LiveSource source;

 private:
  ManualExecutor executor_;
  CasePlan plan_;

 public:
  std::unique_ptr<CaseSpool> spool;
  KeepingConsole console;
  std::optional<absl::Status> result;
  std::unique_ptr<AgentSession> session;
};

double LastSweepS(const LiveTheatre& theatre) {
  const std::vector<v1::Record> sweeps = theatre.Lane(3);
  return sweeps.empty() ? -1
                        : static_cast<double>(sweeps.back().captured_at().monotonic_ns()) / 1e9;
}

TEST(AgentSessionLive, TakesWhatIsThereAndAsksAgainSoon) {
  FakeFileSystem files;
  FakeClock clock;
  LiveTheatre theatre(files, clock);
  theatre.RunFor(10);
  EXPECT_FALSE(theatre.result);
  EXPECT_NEAR(LastSweepS(theatre), 10, 1.5);
  // Each 2 ms, not as fast as it can.
  EXPECT_LT(theatre.source.asked, 10 * 500 + 1500);
  EXPECT_GT(theatre.source.asked, 4000);
}

TEST(AgentSessionLive, ItsPaceIsItsOwnWhateverSpeedSays) {
  FakeFileSystem files;
  FakeClock clock;
  LiveTheatre theatre(files, clock, /*speed=*/0);
  theatre.RunFor(10);
  EXPECT_FALSE(theatre.result);
  EXPECT_NEAR(LastSweepS(theatre), 10, 1.5);
}

TEST(AgentSessionLive, AfterARestartTheCaseGoesOnBehindAGapAndNothingIsMadeAgain) {
  FakeFileSystem files;
  FakeClock clock;
  std::array<uint64_t, kLaneCount> before{};
  {
    LiveTheatre theatre(files, clock);
    theatre.RunFor(10);
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) before[lane] = theatre.spool->last_seq(lane);
  }
  clock.Advance(Duration::Seconds(5));
  LiveTheatre theatre(files, clock);
  theatre.RunFor(10);
  EXPECT_FALSE(theatre.result);
  EXPECT_EQ(theatre.session->recorder().mismatches(), 0u);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("Averages begin anew")));
  EXPECT_GT(theatre.spool->last_seq(3), before[3]);
  EXPECT_NEAR(LastSweepS(theatre), 25, 1.5);
  // Times go on; the absence is a gap of its length; the case was opened once.
  int opened = 0;
  int away = 0;
  int64_t last_ns = 0;
  for (const v1::Record& record : theatre.Lane(1)) {
    EXPECT_GE(record.captured_at().monotonic_ns(), last_ns);
    last_ns = record.captured_at().monotonic_ns();
    opened += record.case_lifecycle().transition() == v1::CASE_TRANSITION_OPENED ? 1 : 0;
    if (!record.has_data_gap()) continue;
    ++away;
    EXPECT_EQ(record.data_gap().cause(), v1::DATA_GAP_CAUSE_AGENT_RESTARTED);
    EXPECT_NEAR(static_cast<double>(record.data_gap().to_monotonic_ns() -
                                    record.data_gap().from_monotonic_ns()),
                5e9, 0.3e9);
  }
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(away, 1);
}

// People and NTP set the wall clock; the machine's own went through the agent's restart.
TEST(AgentSessionLive, AStepOfTheWallClockWhileItWasAwayIsNoTimeOfTheCase) {
  for (const int64_t step_s : {600, -600}) {
    FakeFileSystem files;
    FakeClock clock;
    {
      LiveTheatre theatre(files, clock);
      theatre.RunFor(10);
    }
    clock.Advance(Duration::Seconds(5));
    clock.StepWall(Duration::Seconds(step_s));
    LiveTheatre theatre(files, clock);
    theatre.RunFor(10);
    EXPECT_NEAR(LastSweepS(theatre), 25, 1.5) << step_s;
    EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("was away for 5."))) << step_s;
    int64_t last_ns = 0;
    for (const v1::Record& record : theatre.Lane(1)) {
      EXPECT_GE(record.captured_at().monotonic_ns(), last_ns);
      last_ns = record.captured_at().monotonic_ns();
    }
  }
}

// A patient whose response is this large from the start.
PatientScript Sized(double amplitude) {
  PatientScript script;
  script.seconds = 60;
  script.amplitude = [amplitude](double) { return amplitude; };
  return script;
}

template <typename Body>
std::vector<Body> All(const LiveTheatre& theatre, uint32_t lane, bool (v1::Record::*has)() const,
                      const Body& (v1::Record::*get)() const) {
  std::vector<Body> bodies;
  for (const v1::Record& record : theatre.Lane(lane)) {
    if ((record.*has)()) bodies.push_back((record.*get)());
  }
  return bodies;
}
std::vector<v1::BaselineSet> Baselines(const LiveTheatre& theatre) {
  return All(theatre, 1, &v1::Record::has_baseline_set, &v1::Record::baseline_set);
}
std::vector<v1::Alert> PhysiologicalAlerts(const LiveTheatre& theatre) {
  std::vector<v1::Alert> alerts;
  for (const v1::Alert& alert : All(theatre, 0, &v1::Record::has_alert, &v1::Record::alert)) {
    if (alert.alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL) alerts.push_back(alert);
  }
  return alerts;
}

// What an operation has done to a response before the restart is no baseline behind it.
TEST(AgentSessionLive, ARestartInTheMiddleKeepsTheBaselineAndSeesTheFall) {
  FakeFileSystem files;
  FakeClock clock;
  {
    LiveTheatre theatre(files, clock, 1, Sized(1));
    theatre.RunFor(12);
    ASSERT_EQ(Baselines(theatre).size(), 1u);
    ASSERT_THAT(PhysiologicalAlerts(theatre), IsEmpty());
  }
  clock.Advance(Duration::Seconds(5));
  LiveTheatre theatre(files, clock, 1, Sized(0.3));
  theatre.RunFor(20);
  EXPECT_EQ(Baselines(theatre).size(), 1u);
  const std::vector<v1::Alert> alerts = PhysiologicalAlerts(theatre);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_NEAR(alerts[0].evidence().amplitude_percent_of_baseline(), 30, 10);
  EXPECT_EQ(alerts[0].evidence().baseline_amplitude_uv(), Baselines(theatre)[0].amplitude_uv());
}

TEST(AgentSessionLive, AnAlertThatWasOnRecoversInTheNextLife) {
  FakeFileSystem files;
  FakeClock clock;
  {
    LiveTheatre theatre(files, clock);
    theatre.RunFor(20);
    ASSERT_EQ(PhysiologicalAlerts(theatre).back().condition(), v1::ALERT_CONDITION_RAISED);
  }
  LiveTheatre theatre(files, clock, 1, Sized(1));
  theatre.RunFor(20);
  const std::vector<v1::Alert> alerts = PhysiologicalAlerts(theatre);
  EXPECT_EQ(alerts.back().condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_GT(alerts.back().raised_by().origin_seq(), 0u);
}

TEST(AgentSessionLive, ABaselineThatWasAskedForAndNotAnsweredIsToldBehindARestart) {
  FakeFileSystem files;
  FakeClock clock;
  {
    LiveTheatre theatre(files, clock, 1, Sized(1));
    theatre.RunFor(12);
    v1::Record asked;
    asked.set_case_id(theatre.spool->case_id().ToString());
    asked.set_origin(std::string(16, 'p'));
    asked.set_lane(1);
    asked.set_origin_seq(7);
    asked.mutable_baseline_set()->set_trace_id("SEP_UPPER/R/CPc-Front");
    ASSERT_TRUE(theatre.spool->AppendInput(1, asked.SerializeAsString()).ok());
    ASSERT_TRUE(theatre.spool->Commit().ok());
  }
  for (int life = 0; life < 2; ++life) {
    LiveTheatre theatre(files, clock, 1, Sized(1));
    theatre.RunFor(2);
    std::vector<v1::Message> told;
    for (const v1::Record& record : theatre.Lane(0)) {
      if (absl::StrContains(record.message().text(), "not set")) told.push_back(record.message());
    }
    ASSERT_EQ(told.size(), 1u) << "once";
    EXPECT_THAT(told[0].text(), HasSubstr("SEP_UPPER/R/CPc-Front not set: the agent was started"));
  }
}

TEST(AgentSessionLive, WithoutABaselineOnRecordNoneIsCollectedInTheMiddle) {
  FakeFileSystem files;
  FakeClock clock;
  {
    LiveTheatre theatre(files, clock, 1, Sized(1));
    theatre.RunFor(5);
    ASSERT_THAT(Baselines(theatre), IsEmpty());
  }
  LiveTheatre theatre(files, clock, 1, Sized(0.3));
  theatre.RunFor(25);
  EXPECT_THAT(Baselines(theatre), IsEmpty());
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("it has no baseline: set one")));
}

std::vector<v1::Alert> AcquisitionAlerts(const LiveTheatre& theatre) {
  std::vector<v1::Alert> alerts;
  for (const v1::Record& record : theatre.Lane(0)) {
    if (record.alert().trace_id() == "acquisition") alerts.push_back(record.alert());
  }
  return alerts;
}

// The only thing that moves while a device is silent is the clock.
TEST(AgentSessionLive, ASourceThatFallsSilentIsATechnicalAlertThatRecovers) {
  FakeFileSystem files;
  FakeClock clock;
  LiveTheatre theatre(files, clock);
  theatre.source.silent_from_s = 5;
  theatre.source.silent_to_s = 20;
  theatre.RunFor(7.9);
  EXPECT_THAT(AcquisitionAlerts(theatre), IsEmpty());
  theatre.RunFor(0.3);
  std::vector<v1::Alert> alerts = AcquisitionAlerts(theatre);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_EQ(alerts[0].alert_class(), v1::ALERT_CLASS_TECHNICAL);
  EXPECT_EQ(alerts[0].kind(), v1::ALERT_KIND_STALE);
  EXPECT_NEAR(static_cast<double>(alerts[0].onset_monotonic_ns()) / 1e9, 5, 0.1);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("No samples of any channel for 3 s")));
  theatre.RunFor(17);
  alerts = AcquisitionAlerts(theatre);
  ASSERT_EQ(alerts.size(), 3u) << "raised, worse after 10 s, recovered";
  EXPECT_EQ(alerts[1].priority(), v1::ALERT_PRIORITY_MEDIUM);
  EXPECT_EQ(alerts[2].condition(), v1::ALERT_CONDITION_RECOVERED);
  EXPECT_FALSE(theatre.result);
}

TEST(AgentSessionLive, ARestartGoesOnWithTheAlertThatWasOn) {
  FakeFileSystem files;
  FakeClock clock;
  {
    LiveTheatre theatre(files, clock);
    theatre.source.silent_from_s = 5;
    theatre.RunFor(9);
    ASSERT_EQ(AcquisitionAlerts(theatre).size(), 1u);
  }
  LiveTheatre theatre(files, clock);
  theatre.RunFor(5);
  const std::vector<v1::Alert> alerts = AcquisitionAlerts(theatre);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[1].condition(), v1::ALERT_CONDITION_RECOVERED);
}

TEST(AgentSessionLive, ASourceThatFailsIsToldBeforeTheAgentEnds) {
  FakeFileSystem files;
  FakeClock clock;
  LiveTheatre theatre(files, clock);
  theatre.source.fails_at_s = 6;
  theatre.source.failure = absl::UnavailableError("the stream went away");
  theatre.RunFor(8);
  ASSERT_TRUE(theatre.result);
  EXPECT_EQ(theatre.result->code(), absl::StatusCode::kUnavailable);
  const std::vector<v1::Alert> alerts = AcquisitionAlerts(theatre);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].priority(), v1::ALERT_PRIORITY_HIGH);
  EXPECT_THAT(alerts[0].summary(), HasSubstr("the stream went away"));
}

}  // namespace
}  // namespace remora::agent
