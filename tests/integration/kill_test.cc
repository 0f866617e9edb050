// kill -9 of hub or agent at 20 random moments of a case: nothing is missing or doubled in the
// journal, of what the agent makes of the recording when nobody kills it, and a follower resumes
// without a seam.

#include <cstdlib>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/journal_reader.h"
#include "tests/integration/rig.h"

namespace remora::testing {
namespace {

constexpr int kKills = 20;

uint64_t Seed() {
  uint64_t seed = 0;
  const char* given = std::getenv("REMORA_SEED");
  if (given == nullptr || !absl::SimpleAtoi(given, &seed)) seed = MakeSystemRandom()->Uint64();
  return seed;
}

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string recording = DataPath("hybrid_sep_alarm/hybrid_sep.edf");
    if (recording.empty()) GTEST_SKIP() << "skipped: no data";
    source_ = "edf:" + recording;
  }

  // Starts hub, follower and agent; sets case_id_.
  void StartCase() {
    ASSERT_TRUE(rig_.StartHub().ok());
    auto client = reader::Client::Connect(rig_.Identity("reader"), &follower_);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    StartAgent();
    ASSERT_TRUE(Eventually(Duration::Seconds(20), [&] {
      const auto found = client_->FindCase("OR 1", Duration::Seconds(5));
      if (found.ok()) case_id_ = found->case_id();
      return found.ok();
    })) << rig_.agent(1).Log();
    ASSERT_TRUE(FollowCompletely(*client_, case_id_).ok());
  }

  void StartAgent() { rig_.StartAgent(1, source_, plan_, {"--speed", "10"}); }

  // The agent's numbers in the journal begin with 1, have no hole, and end where they should: by a
  // dry run, to the record in lanes 2 to 5; lanes 0 and 1 also tell of the restarts.
  void CheckAgainstWhatIsMade(const std::map<uint64_t, std::string>& journal) {
    const auto made = RecordsMadeOf(source_, plan_);
    ASSERT_TRUE(made.ok()) << made.status();
    ASSERT_TRUE(made->contains(3)) << "no sweeps: what is an agent's is not known";
    std::map<OriginId, std::map<uint32_t, uint64_t>> last;
    for (const auto& [origin_lane, held] : HeldNumbers(journal)) {
      const auto& [origin, lane] = origin_lane;
      EXPECT_EQ(held.contiguous(), held.largest()) << "origin " << origin.Hex() << " lane " << lane;
      last[origin][lane] = held.largest();
    }
    int agents = 0;
    for (const auto& [origin, lanes] : last) {
      if (!lanes.contains(3)) continue;
      ++agents;
      for (const auto& [lane, count] : *made) {
        const uint64_t on_record = lanes.contains(lane) ? lanes.at(lane) : 0;
        EXPECT_GE(on_record, count) << "lane " << lane;
        if (lane >= 2) {
          EXPECT_LE(on_record, count) << "lane " << lane;
        }
      }
    }
    EXPECT_EQ(agents, 1) << "the agent goes on with its origin";
  }

  // Waits for the agent's end, then compares what was made, journalled and followed.
  void FinishAndCheck() {
    const absl::StatusOr<int> ended = rig_.agent(1).Wait(Duration::Seconds(120));
    ASSERT_TRUE(ended.ok()) << rig_.agent(1).Log();
    ASSERT_EQ(*ended, 0) << rig_.agent(1).Log();
    uint64_t head = 0;
    ASSERT_TRUE(Eventually(Duration::Seconds(30),
                           [&] {
                             const auto found = client_->FindCase(CaseId::FromBytes(case_id_).Hex(),
                                                                  Duration::Seconds(10));
                             if (!found.ok()) return false;
                             const bool quiet =
                                 found->head_seq() == head && follower_.last_seq() == head;
                             head = found->head_seq();
                             SleepFor(Duration::Milliseconds(500));
                             return quiet && head > 0;
                           }))
        << "head " << head << ", follower " << follower_.last_seq() << "\n"
        << rig_.hub().Log();
    client_.reset();
    ASSERT_TRUE(rig_.StopHub().ok());
    const auto journal = ReadJournal(rig_.journal_path(), CaseId::FromBytes(case_id_));
    ASSERT_TRUE(journal.ok()) << journal.status();
    EXPECT_EQ(journal->rbegin()->first, journal->size()) << "seq is dense";
    EXPECT_EQ(DoubledIds(*journal), 0u);
    CheckAgainstWhatIsMade(*journal);
    const std::map<uint64_t, std::string> followed = follower_.records();
    EXPECT_EQ(follower_.duplicates(), 0u);
    EXPECT_EQ(follower_.disorder(), 0u);
    EXPECT_EQ(follower_.gaps(), 0u);
    ASSERT_GE(followed.size(), head);
    EXPECT_EQ(followed.rbegin()->first, followed.size()) << "the follower has no seam";
    for (const auto& [seq, bytes] : followed) ASSERT_EQ(bytes, journal->at(seq)) << "seq " << seq;
  }

  Rig rig_{1};
  Collector follower_;
  std::unique_ptr<reader::Client> client_;
  std::string source_;
  const std::string plan_ = SourcePath("acquisition-agent/plans/hybrid_sep.plan");
  std::string case_id_;
};

TEST_F(KillTest, HubOrAgentAtRandomMomentsLosesAndDoublesNothing) {
  const uint64_t seed = Seed();
  std::cout << "REMORA_SEED=" << seed << "\n";
  const std::unique_ptr<Random> random = MakeSeededRandom(seed);
  StartCase();
  if (HasFatalFailure()) return;
  int hub_kills = 0, agent_kills = 0;
  double slowest_ms = 0;
  for (int kill = 0; kill < kKills && rig_.agent(1).running(); ++kill) {
    SleepFor(Duration::Milliseconds(200 + static_cast<int64_t>(random->Below(1500))));
    if (!rig_.agent(1).running()) break;
    if (random->Below(2) == 0) {
      rig_.KillHub();
      const absl::StatusOr<Duration> serving = rig_.StartHub();
      ASSERT_TRUE(serving.ok()) << serving.status();
      slowest_ms = std::max(slowest_ms, serving->milliseconds());
      ++hub_kills;
    } else {
      rig_.agent(1).Kill();
      StartAgent();
      ++agent_kills;
    }
  }
  RecordProperty("hub_kills", hub_kills);
  RecordProperty("agent_kills", agent_kills);
  std::cout << hub_kills << " kills of the hub, " << agent_kills
            << " of the agent; slowest start of the hub " << slowest_ms << " ms\n";
  EXPECT_EQ(hub_kills + agent_kills, kKills) << "the case was over too soon";
  FinishAndCheck();
}

}  // namespace
}  // namespace remora::testing
