// Wall clocks that are a day off and step by ten minutes and by a day in a case: agent's, hub's and
// reader's, by libfaketime. Order is by seq, no latency is negative, the record is whole.

#include <filesystem>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/record_codec.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/case_run.h"

namespace remora::testing {
namespace {

constexpr int kSpeed = 5;
constexpr int kDay_s = 86'400;
constexpr const char* kFaketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

// One process's wall clock, off by as much as is said.
class WrongClock {
 public:
  WrongClock(std::string path, int off_by_s) : path_(std::move(path)) { Set(off_by_s); }
  void Set(int off_by_s) const {
    const std::string next = path_ + ".next";
    std::ofstream(next) << (off_by_s < 0 ? "" : "+") << off_by_s << "\n";
    std::filesystem::rename(next, path_);
  }
  std::vector<std::string> environment() const {
    return {absl::StrCat("LD_PRELOAD=", kFaketime), absl::StrCat("FAKETIME_TIMESTAMP_FILE=", path_),
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_CACHE_DURATION=1"};
  }

 private:
  const std::string path_;
};

TEST(Clocks, ThatAreWrongAndStepMakeNoLatencyNegativeAndLoseNothing) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "skipped: a sanitizer goes with no other preloaded library";
#endif
  if (!std::filesystem::exists(kFaketime)) GTEST_SKIP() << "skipped: no libfaketime";
  Rig rig(1);
  const WrongClock hub(rig.Path("hub.clock"), -kDay_s);
  const WrongClock agent(rig.Path("agent.clock"), kDay_s);
  const WrongClock reader(rig.Path("reader.clock"), kDay_s / 2);
  rig.hub_settings().environment = hub.environment();
  rig.agent_settings(1).environment = agent.environment();
  ASSERT_TRUE(rig.StartHub().ok());
  CaseRun run(rig, {1,
                    "sim:cord?seed=1&seconds=150",
                    SourcePath("acquisition-agent/plans/scoliosis.plan"),
                    kSpeed,
                    {},
                    ""});
  const absl::Status begun = run.Begin();
  ASSERT_TRUE(begun.ok()) << begun;
  Process attend("remora",
                 rig.RemoraArguments(
                     "reader", {"attend", "--as", "reader", "--seconds", "24", "--output", "json"}),
                 rig.Path("attend.out"), rig.Path("attend.err"), reader.environment());
  const std::pair<const WrongClock*, int> steps[] = {
      {&agent, kDay_s + 600}, {&hub, -kDay_s - 600}, {&reader, -600}, {&agent, 0}, {&hub, 0},
      {&reader, kDay_s}};
  for (const auto& [clock, off_by_s] : steps) {
    SleepFor(Duration::Seconds(3));
    clock->Set(off_by_s);
  }
  const absl::Status finished = run.Finish(Duration::Seconds(60));
  ASSERT_TRUE(finished.ok()) << finished;
  const absl::StatusOr<int> attended = attend.Wait(Duration::Seconds(30));
  ASSERT_TRUE(attended.ok());
  run.EndFollower();
  ASSERT_TRUE(rig.StopHub().ok());
  const absl::Status whole = run.CheckRecord();
  EXPECT_TRUE(whole.ok()) << whole;

  int64_t last_ns = 0;
  for (const auto& [seq, bytes] : run.journal()) {
    const absl::StatusOr<StampedRecord> record = WalkStamped(bytes);
    ASSERT_TRUE(record.ok()) << record.status();
    ASSERT_GE(record->stamp.recorded_at.nanoseconds(), last_ns) << "at seq " << seq;
    last_ns = record->stamp.recorded_at.nanoseconds();
  }
  const std::vector<std::string> lines = absl::StrSplit(attend.Log(), '\n', absl::SkipWhitespace());
  ASSERT_FALSE(lines.empty()) << ReadAll(rig.Path("attend.err"));
  const nlohmann::json summary = nlohmann::json::parse(lines.back(), nullptr, false);
  ASSERT_TRUE(summary.contains("latency_ms")) << lines.back();
  const nlohmann::json& latency = summary["latency_ms"];
  std::cout << latency.dump() << "\n";
  EXPECT_GT(latency.value("count", 0), 100);
  EXPECT_EQ(latency.value("clock_contradictions", -1), 0);
  EXPECT_LT(latency.value("p99", 1e9), 300'000.) << "no step is taken for a latency";
}

}  // namespace
}  // namespace remora::testing
