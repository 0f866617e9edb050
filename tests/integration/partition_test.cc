// Five theatres lose their link in five ways at once: cut, partitioned, half open, and partitioned
// one way or the other. Each goes on alone, both ends say so, and when the link is back the record
// is whole and the newest came first.
//
// REMORA_OUTAGE_SECONDS (16) makes it as long as wanted: at 60 and more, UNSUPERVISED is told too.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/link/limits.h"
#include "common/record_codec.h"
#include "gtest/gtest.h"
#include "tests/faults/fault_proxy.h"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kSpeed = 5;
// Before the outage, and for the backlog after it.
constexpr int kSecondsBefore = 3;
constexpr int kSecondsAfter = 10;

int OutageSeconds() {
  int seconds = 16;
  const char* given = std::getenv("REMORA_OUTAGE_SECONDS");
  if (given != nullptr && !absl::SimpleAtoi(given, &seconds)) seconds = 16;
  return seconds;
}

struct Outage {
  const char* what;
  bool agent_notices;  // it hears nothing
  bool hub_notices;    // at once; else only when the agent, who hears nothing, has hung up
};
const Outage kOutages[] = {{"cut rst", true, true},
                           {"stall", true, true},
                           {"swallow", true, true},
                           {"stall up", false, true},
                           {"stall down", true, false}};

// What of an outage the hub sees as one.
int SeenSeconds(const Outage& outage, int outage_s) {
  const int until_hung_up_s = static_cast<int>(kHalfOpenAge.seconds());
  return outage_s - (outage.hub_notices ? 2 : until_hung_up_s + 2);
}

// The longest step forward in the numbers of lane 5, as they came on record.
uint64_t LongestStep(const std::map<uint64_t, std::string>& journal) {
  uint64_t longest = 0, last = 0;
  for (const auto& [seq, bytes] : journal) {
    const absl::StatusOr<StampedRecord> record = WalkStamped(bytes);
    if (!record.ok() || record->header.lane != 5) continue;
    const uint64_t number = record->header.origin_seq;
    if (last > 0 && number > last) longest = std::max(longest, number - last);
    last = number;
  }
  return longest;
}

class PartitionTest : public ::testing::Test {
 protected:
  static constexpr int kTheatres = 5;

  void SetUp() override {
    ASSERT_TRUE(rig_.StartHub().ok());
    const int seconds = kSpeed * (kSecondsBefore + outage_s_ + kSecondsAfter);
    for (int k = 1; k <= kTheatres; ++k) {
      const auto port = proxy_.AddLink(Link(k), rig_.grpc_port());
      ASSERT_TRUE(port.ok()) << port.status();
      rig_.agent_settings(k).hub = absl::StrCat("127.0.0.1:", *port);
      runs_.push_back(std::make_unique<CaseRun>(
          rig_, CasePlanOfRun{k,
                              absl::StrCat("sim:cord?seed=1&seconds=", seconds),
                              SourcePath("acquisition-agent/plans/scoliosis.plan"),
                              kSpeed,
                              {"--linger", "60"},
                              ""}));
      const absl::Status begun = runs_.back()->Begin();
      ASSERT_TRUE(begun.ok()) << begun;
    }
  }
  static std::string Link(int theatre) { return absl::StrCat("or", theatre); }

  void CheckBothEndsWereTold(int theatre) {
    CaseRun& run = *runs_[theatre - 1];
    double longest_outage_ms = 0, own_view_ms = 0;
    std::set<v1::LinkCondition> told;
    for (const v1::Record& record : RecordsOfKind(run.journal(), v1::Record::kLinkState)) {
      if (record.link_state().participant() != absl::StrCat("agent-", theatre)) continue;
      if (record.link_state().own_view()) {
        own_view_ms = std::max(own_view_ms, record.link_state().outage_ms());
        continue;
      }
      told.insert(record.link_state().condition());
      longest_outage_ms = std::max(longest_outage_ms, record.link_state().outage_ms());
    }
    const Outage& outage = kOutages[theatre - 1];
    const int seen_s = SeenSeconds(outage, outage_s_);
    EXPECT_EQ(told.contains(v1::LINK_CONDITION_LOST), seen_s > 10) << "the hub's view";
    EXPECT_EQ(told.contains(v1::LINK_CONDITION_UNSUPERVISED), seen_s > 60);
    EXPECT_GE(longest_outage_ms, seen_s * 1000.);
    const std::string log = run.agent().Log();
    if (outage.agent_notices) {
      EXPECT_GE(own_view_ms, (outage_s_ - 2) * 1000.) << "the agent's view is on record";
      EXPECT_TRUE(absl::StrContains(log, "the reader's feed is delayed")) << log;
      EXPECT_TRUE(absl::StrContains(log, "link to the hub is lost")) << log;
      EXPECT_EQ(absl::StrContains(log, "no remote supervision"), outage_s_ > 62) << log;
    }
  }

  const int outage_s_ = OutageSeconds();
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::unique_ptr<Random> random_ = MakeSystemRandom();
  Rig rig_{kTheatres};
  FaultProxy proxy_{*clock_, *random_};
  std::vector<std::unique_ptr<CaseRun>> runs_;
};

TEST_F(PartitionTest, EveryWayToLoseALinkIsToldAndLeavesTheRecordWhole) {
  SleepFor(Duration::Seconds(kSecondsBefore));
  for (int k = 1; k <= kTheatres; ++k) {
    const absl::Status told = proxy_.Tell(
        absl::StrCat("on ", Link(k), " ", kOutages[k - 1].what, " for ", outage_s_, " s"));
    ASSERT_TRUE(told.ok()) << told;
  }
  SleepFor(Duration::Seconds(outage_s_));
  for (auto& run : runs_) {
    const absl::Status finished = run->Finish(Duration::Seconds(120));
    EXPECT_TRUE(finished.ok()) << finished;
    run->EndFollower();
  }
  ASSERT_TRUE(rig_.StopHub().ok());
  for (int k = 1; k <= kTheatres; ++k) {
    SCOPED_TRACE(kOutages[k - 1].what);
    const absl::Status whole = runs_[k - 1]->CheckRecord();
    EXPECT_TRUE(whole.ok()) << whole;
    CheckBothEndsWereTold(k);
    const uint64_t step = LongestStep(runs_[k - 1]->journal());
    std::cout << kOutages[k - 1].what << ": " << runs_[k - 1]->journal().size()
              << " records, longest step of blocks " << step << "\n";
    // 300 blocks a second are made: what came first after the outage is new.
    EXPECT_GT(step, 100u * static_cast<uint64_t>(SeenSeconds(kOutages[k - 1], outage_s_)));
  }
}

}  // namespace
}  // namespace remora::testing
