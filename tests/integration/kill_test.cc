// kill -9 of hub or agent at 20 random moments of a case: nothing is missing or doubled in the
// journal, of what the agent makes of the recording when nobody kills it, and a follower resumes
// without a seam.

#include <cstdlib>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kKills = 20;

uint64_t Seed() {
  uint64_t seed = 0;
  const char* given = std::getenv("REMORA_SEED");
  if (given == nullptr || !absl::SimpleAtoi(given, &seed)) seed = MakeSystemRandom()->Uint64();
  return seed;
}

TEST(KillTest, HubOrAgentAtRandomMomentsLosesAndDoublesNothing) {
  const std::string recording = DataPath("hybrid_sep_alarm/hybrid_sep.edf");
  if (recording.empty()) GTEST_SKIP() << "skipped: no data";
  const uint64_t seed = Seed();
  std::cout << "REMORA_SEED=" << seed << "\n";
  const std::unique_ptr<Random> random = MakeSeededRandom(seed);
  Rig rig(1);
  ASSERT_TRUE(rig.StartHub().ok());
  CaseRun run(
      rig,
      {1, "edf:" + recording, SourcePath("acquisition-agent/plans/hybrid_sep.plan"), 10, {}, ""});
  const absl::Status begun = run.Begin();
  ASSERT_TRUE(begun.ok()) << begun;
  int hub_kills = 0, agent_kills = 0;
  double slowest_ms = 0;
  for (int kill = 0; kill < kKills && run.agent().running(); ++kill) {
    SleepFor(Duration::Milliseconds(200 + static_cast<int64_t>(random->Below(1500))));
    if (!run.agent().running()) break;
    if (random->Below(2) == 0) {
      rig.KillHub();
      const absl::StatusOr<Duration> serving = rig.StartHub();
      ASSERT_TRUE(serving.ok()) << serving.status();
      slowest_ms = std::max(slowest_ms, serving->milliseconds());
      ++hub_kills;
    } else {
      run.agent().Kill();
      run.StartAgent();
      ++agent_kills;
    }
  }
  RecordProperty("hub_kills", hub_kills);
  RecordProperty("agent_kills", agent_kills);
  std::cout << hub_kills << " kills of the hub, " << agent_kills
            << " of the agent; slowest start of the hub " << slowest_ms << " ms\n";
  EXPECT_EQ(hub_kills + agent_kills, kKills) << "the case was over too soon";
  const absl::Status whole = run.FinishWhole(Duration::Seconds(120));
  ASSERT_TRUE(whole.ok()) << whole;
}

}  // namespace
}  // namespace remora::testing
