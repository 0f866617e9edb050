#include <string>

#include "gtest/gtest.h"
#include "tests/simulation/simulated_journal.h"
#include "tests/simulation/world.h"

namespace remora::simulation {
namespace {

constexpr uint64_t kPlantedSeeds = 200;

Report RunOf(uint64_t seed, Planted planted = Planted::kNone) {
  RunOptions options;
  options.seed = seed;
  options.planted = planted;
  return RunSeed(options);
}

// The first seed that finds a defect, and what it says; 0: none of kPlantedSeeds does.
uint64_t FirstThatFinds(Planted planted, std::string* finding) {
  for (uint64_t seed = 1; seed <= kPlantedSeeds; ++seed) {
    *finding = RunOf(seed, planted).finding;
    if (!finding->empty()) return seed;
  }
  return 0;
}

TEST(Simulation, FindsAJournalThatLosesWhatItSaidItHadSynced) {
  std::string finding;
  EXPECT_NE(FirstThatFinds(Planted::kLostSync, &finding), 0u);
}

TEST(Simulation, FindsMessagesThatOvertakeEachOther) {
  std::string finding;
  EXPECT_NE(FirstThatFinds(Planted::kSwappedOrder, &finding), 0u);
  EXPECT_NE(finding.find("expected"), std::string::npos) << finding;
}

TEST(Simulation, FindsAQueueWithoutABound) {
  std::string finding;
  EXPECT_NE(FirstThatFinds(Planted::kUnboundedQueue, &finding), 0u);
  EXPECT_NE(finding.find("takes nothing"), std::string::npos) << finding;
}

TEST(Simulation, FindsAGapThatIsNotTold) {
  std::string finding;
  EXPECT_NE(FirstThatFinds(Planted::kSkippedGap, &finding), 0u);
  EXPECT_NE(finding.find("told as gaps"), std::string::npos) << finding;
}

TEST(Simulation, FindsACaseThatIsPurgedAndWasNotKept) {
  std::string finding;
  EXPECT_NE(FirstThatFinds(Planted::kUnkeptArchive, &finding), 0u);
  EXPECT_NE(finding.find("its archive does not hold it"), std::string::npos) << finding;
}

// In one process everything lies at other addresses in the second run.
TEST(Simulation, ASeedIsTheSameRunEachTime) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    EXPECT_EQ(RunOf(seed).fingerprint, RunOf(seed).fingerprint) << "seed " << seed;
  }
}

TEST(EventLoop, TasksOfAProcessKeepTheirOrderAndStandStillWhilePaused) {
  EventLoop loop(1);
  Process process(loop, 1, "p", {});
  std::string order;
  process.Post([&] { order += 'a'; });
  process.Post([&] { order += 'b'; });
  process.PostAfter(Duration::Milliseconds(2), [&] { order += 'd'; });
  process.PostAfter(Duration::Milliseconds(1), [&] { order += 'c'; });
  loop.RunNext(Duration::Seconds(1));
  process.PauseUntil(Duration::Milliseconds(500));
  while (loop.RunNext(Duration::Milliseconds(499))) {
  }
  EXPECT_EQ(order, "a");
  while (loop.RunNext(Duration::Seconds(1))) {
  }
  EXPECT_EQ(order, "abcd");
}

TEST(EventLoop, WhatAKilledProcessHadPlannedNeverRuns) {
  EventLoop loop(1);
  Process process(loop, 1, "p", {});
  int ran = 0;
  process.Post([&] { ++ran; });
  process.Kill();
  process.Post([&] { ran += 10; });
  while (loop.RunNext(Duration::Seconds(1))) {
  }
  EXPECT_EQ(ran, 10);
}

TEST(EventLoop, TimersKeepToTheProcessesOwnClock) {
  EventLoop loop(1);
  SimulatedClock::Plan slow;
  slow.drift_ppb = -100'000;
  Process process(loop, 1, "p", slow);
  const DeviceTime start = process.clock().Now();
  DeviceTime ran;
  process.PostAfter(Duration::Seconds(10), [&] { ran = process.clock().Now(); });
  while (loop.RunNext(Duration::Seconds(20))) {
  }
  EXPECT_GE(ran, start + Duration::Seconds(10));
  EXPECT_LT(ran, start + Duration::Seconds(10) + Duration::Microseconds(1));
}

}  // namespace
}  // namespace remora::simulation
