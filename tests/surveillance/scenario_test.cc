// Scenarios from signals to the cause that is told first: simulator, pipelines, criteria,
// differential, with the plan that ships for spinal deformity. What each should come to is written
// in its file (acquisition-agent/sources/simulator/scenarios) and in docs/differential.md.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/simulator_source.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/file_system.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;

std::string SourcePath(const std::string& path) {
  const char* root = std::getenv("REMORA_SOURCE_DIR");
  return (root != nullptr ? std::string(root) + "/" : "") + path;
}

// Keeps alerts, rankings and requests.
class ToldSink : public RecordSink {
 public:
  RecordKey Put(v1::Record* record, int64_t at_ns) override {
    const uint32_t lane = LaneOfKind(static_cast<uint32_t>(record->body_case()));
    const RecordKey key{OriginId::FromBytes(std::string(16, 'o')), lane, ++counts_[lane]};
    if (record->has_alert()) alerts.emplace_back(at_ns, record->alert());
    if (record->has_differential()) {
      rankings.emplace_back(at_ns, record->differential().ranking());
    }
    if (record->has_request()) requests.push_back(record->request());
    return key;
  }

  std::vector<std::pair<int64_t, v1::Alert>> alerts;
  std::vector<std::pair<int64_t, v1::CauseRanking>> rankings;
  std::vector<v1::Request> requests;

 private:
  std::map<uint32_t, uint64_t> counts_;
};

class ScenarioTest : public testing::Test {
 protected:
  void Run(const std::string& name, int64_t until_ns, uint64_t seed = 1) {
    const auto files = MakePosixFileSystem();
    auto plan = LoadCasePlan(*files, SourcePath("acquisition-agent/plans/deformity.plan"));
    ASSERT_TRUE(plan.ok()) << plan.status();
    plan_ = *std::move(plan);
    sim::SimulatorOptions options;
    options.scenario = *sim::ParseScenario(sim::ShippedScenario(name), name);
    options.seed = seed;
    const auto source = sim::SimulatorSource::Create(std::move(options));
    ASSERT_TRUE(source.ok()) << source.status();
    auto analysis = CaseAnalysis::Create(plan_, (*source)->info(), sink_);
    ASSERT_TRUE(analysis.ok()) << analysis.status();
    (*analysis)->Begin();
    while ((*analysis)->now_ns() < until_ns) {
      const absl::StatusOr<Item> item = (*source)->Next();
      ASSERT_TRUE(item.ok()) << item.status();
      if (std::holds_alternative<EndOfSource>(*item)) break;
      (*analysis)->Take(*item);
    }
  }
  // Alerts of responses, raised or louder, from then on.
  std::vector<v1::Alert> Physiological(int64_t from_ns = 0) const {
    std::vector<v1::Alert> found;
    for (const auto& [at_ns, alert] : sink_.alerts) {
      if (at_ns >= from_ns && alert.alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL &&
          alert.kind() != v1::ALERT_KIND_TRAIN &&
          alert.condition() != v1::ALERT_CONDITION_RECOVERED) {
        found.push_back(alert);
      }
    }
    return found;
  }
  // The cause that most rankings between two times have first.
  std::string FirstCause(int64_t from_ns, int64_t to_ns) const {
    std::map<std::string, int> count;
    for (const auto& [at_ns, ranking] : sink_.rankings) {
      if (at_ns >= from_ns && at_ns <= to_ns && !ranking.causes().empty()) {
        ++count[ranking.causes(0).key()];
      }
    }
    const auto most =
        std::max_element(count.begin(), count.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == count.end() ? "" : most->first;
  }
  int64_t FirstAlertNs() const {
    for (const auto& [at_ns, alert] : sink_.alerts) {
      if (alert.alert_class() == v1::ALERT_CLASS_PHYSIOLOGICAL) return at_ns;
    }
    return 0;
  }

  CasePlan plan_;
  ToldSink sink_;
};

TEST_F(ScenarioTest, S01ALeadThatIsOffIsTechnicalAndNoRed) {
  Run("S01", 9 * kMinute);
  EXPECT_THAT(Physiological(), IsEmpty());
  EXPECT_THAT(sink_.alerts,
              Contains(testing::Pair(testing::_, testing::Property(&v1::Alert::summary,
                                                                   HasSubstr("Electrode APB L")))));
}

TEST_F(ScenarioTest, S02AStimulatorThatFailsIsStimulation) {
  Run("S02", 8 * kMinute);
  EXPECT_EQ(FirstCause(5 * kMinute, 7 * kMinute), "stimulation");
}

TEST_F(ScenarioTest, S03DiathermyRaisesNothing) {
  Run("S03", 9 * kMinute);
  EXPECT_THAT(Physiological(), IsEmpty());
}

TEST_F(ScenarioTest, S04ABolusIsAnaesthetic) {
  Run("S04", 10 * kMinute);
  EXPECT_EQ(FirstCause(6 * kMinute, 10 * kMinute), "anaesthetic");
}

TEST_F(ScenarioTest, S06LowPressureIsHypotension) {
  Run("S06", 15 * kMinute);
  EXPECT_EQ(FirstCause(0, 15 * kMinute), "hypotension");
}

TEST_F(ScenarioTest, S07ARelaxantIsHeldOrRankedAndNeverAnInjury) {
  Run("S07", 12 * kMinute);
  const std::string first = FirstCause(0, 12 * kMinute);
  EXPECT_TRUE(first.empty() || first == "relaxant") << first;
}

TEST_F(ScenarioTest, S08AStretchedPlexusIsPositioning) {
  Run("S08", 24 * kMinute);
  EXPECT_EQ(FirstCause(0, 24 * kMinute), "positioning");
}

TEST_F(ScenarioTest, S09ALossInADerotationIsTheCordWithinTwoTrials) {
  Run("S09", 16 * kMinute);
  const auto alerts = Physiological(12 * kMinute);
  ASSERT_FALSE(alerts.empty());
  // The event is at 12 min, trials of a side each 30 s.
  EXPECT_LE(alerts[0].last_stimulus_monotonic_ns(), 12 * kMinute + 30 * kSecond);
  EXPECT_TRUE(std::any_of(alerts.begin(), alerts.end(), [](const v1::Alert& alert) {
    return alert.priority() == v1::ALERT_PRIORITY_HIGH && alert.limb() == "left leg" &&
           alert.last_stimulus_monotonic_ns() <= 13 * kMinute + 30 * kSecond;
  }));
  for (const v1::Alert& alert : alerts) {
    EXPECT_THAT(alert.limb(), Not(HasSubstr("arm"))) << alert.summary();
  }
  EXPECT_EQ(FirstCause(12 * kMinute, 16 * kMinute), "cord");
  EXPECT_THAT(sink_.requests, Not(IsEmpty())) << "a repeat is asked for";
  EXPECT_THAT(Physiological(0).front().last_stimulus_monotonic_ns(), testing::Ge(12 * kMinute))
      << "nothing before the event";
}

TEST_F(ScenarioTest, S09IsFoundWithOtherSeedsToo) {
  for (const uint64_t seed : {2, 3}) {
    sink_ = ToldSink();
    Run("S09", 14 * kMinute, seed);
    EXPECT_EQ(FirstCause(12 * kMinute, 14 * kMinute), "cord") << seed;
  }
}

}  // namespace
}  // namespace remora::agent
