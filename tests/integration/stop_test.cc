// SIGSTOP of an agent, a reader and then the hub: processes that are there and do nothing. Nobody
// else is harmed, and when they go on the record is whole.
//
// REMORA_STOP_SECONDS (12) makes each stop as long as wanted.

#include <signal.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kSpeed = 5;

int StopSeconds() {
  int seconds = 12;
  const char* given = std::getenv("REMORA_STOP_SECONDS");
  if (given != nullptr && !absl::SimpleAtoi(given, &seconds)) seconds = 12;
  return seconds;
}

// The `seq` of the last whole line that `remora watch --output ndjson` has printed.
uint64_t LastSeqPrinted(const std::string& output) {
  const std::vector<std::string> lines = absl::StrSplit(output, '\n');
  if (lines.size() < 2) return 0;
  const nlohmann::json json = nlohmann::json::parse(lines[lines.size() - 2], nullptr, false);
  return json.is_object() ? json.value("seq", uint64_t{0}) : 0;
}

bool LinkWasLost(const CaseRun& run, const std::string& participant) {
  for (const v1::Record& record : RecordsOfKind(run.journal(), v1::Record::kLinkState)) {
    if (record.link_state().participant() == participant &&
        record.link_state().condition() == v1::LINK_CONDITION_LOST) {
      return true;
    }
  }
  return false;
}

TEST(Stop, WhoIsStoppedHarmsNobodyElseAndGoesOnWithoutASeam) {
  const int stop_s = StopSeconds();
  Rig rig(2);
  ASSERT_TRUE(rig.StartHub().ok());
  const std::string source = absl::StrCat("sim:cord?seed=1&seconds=", kSpeed * (2 * stop_s + 8));
  const std::string plan = SourcePath("acquisition-agent/plans/scoliosis.plan");
  CaseRun stopped(rig, {1, source, plan, kSpeed, {"--linger", "60"}, ""});
  CaseRun other(rig, {2, source, plan, kSpeed, {"--linger", "60"}, ""});
  for (CaseRun* run : {&stopped, &other}) {
    const absl::Status begun = run->Begin();
    ASSERT_TRUE(begun.ok()) << begun;
  }
  Process watch(
      "remora",
      rig.RemoraArguments("theatre", {"watch", other.case_id().Hex(), "--output", "ndjson"}),
      rig.Path("watch.out"), rig.Path("watch.err"));
  ASSERT_TRUE(Eventually(Duration::Seconds(20), [&] { return LastSeqPrinted(watch.Log()) > 0; }))
      << ReadAll(rig.Path("watch.err"));

  const uint64_t before = other.follower().last_seq();
  stopped.agent().Signal(SIGSTOP);
  watch.Signal(SIGSTOP);
  SleepFor(Duration::Seconds(stop_s));
  stopped.agent().Signal(SIGCONT);
  watch.Signal(SIGCONT);
  const uint64_t after = other.follower().last_seq();
  EXPECT_GT(after, before + 100u * static_cast<uint64_t>(stop_s)) << "the other theatre goes on";
  EXPECT_TRUE(
      Eventually(Duration::Seconds(10), [&] { return LastSeqPrinted(watch.Log()) > after; }))
      << "the reader is at " << LastSeqPrinted(watch.Log()) << ", not live";

  rig.hub().Signal(SIGSTOP);
  SleepFor(Duration::Seconds(stop_s));
  rig.hub().Signal(SIGCONT);
  for (CaseRun* run : {&stopped, &other}) {
    EXPECT_TRUE(absl::StrContains(run->agent().Log(), "link to the hub is lost"))
        << run->agent().Log();
    const absl::Status finished = run->Finish(Duration::Seconds(120));
    EXPECT_TRUE(finished.ok()) << finished;
    run->EndFollower();
  }
  watch.Kill();
  ASSERT_TRUE(rig.StopHub().ok());
  for (CaseRun* run : {&stopped, &other}) {
    const absl::Status whole = run->CheckRecord();
    EXPECT_TRUE(whole.ok()) << whole;
  }
  EXPECT_TRUE(LinkWasLost(stopped, "agent-1"));
}

}  // namespace
}  // namespace remora::testing
