#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "tests/faults/runs/memory_slope.h"
#include "tests/faults/runs/restart_promise.h"
#include "tests/faults/runs/run_state.h"
#include "tests/integration/process.h"

namespace remora::testing {
namespace {

TEST(MemorySlope, IsThatOfALine) {
  MemorySlope slope;
  for (int s = 0; s < 3600; s += 10) slope.Add({0, s + 0., 50 + 3.0 * s / 3600});
  EXPECT_NEAR(slope.MebibytesPerHour(), 3, 1e-6);
}

TEST(MemorySlope, TakesNoStepBetweenSegmentsForGrowth) {
  MemorySlope slope;
  for (int s = 0; s < 600; s += 10) slope.Add({0, s + 0., 50});
  for (int s = 600; s < 1200; s += 10) slope.Add({1, s + 0., 80});
  EXPECT_NEAR(slope.MebibytesPerHour(), 0, 1e-6);
}

TEST(MemorySlope, OfNothingIsNothing) {
  EXPECT_EQ(MemorySlope().MebibytesPerHour(), 0);
  MemorySlope slope;
  slope.Add({0, 5, 70});
  EXPECT_EQ(slope.MebibytesPerHour(), 0);
}

TEST(RunState, GoesOnWhereItWas) {
  const TemporaryFolder folder;
  const std::string path = folder.Path("state");
  {
    auto state = RunState::Load(path);
    ASSERT_TRUE(state.ok()) << state.status();
    state->Add("kills", 3);
    state->AddFinding("one");
    ASSERT_TRUE(state->Save().ok());
  }
  auto state = RunState::Load(path);
  ASSERT_TRUE(state.ok()) << state.status();
  state->Add("kills", 4);
  EXPECT_EQ(state->Count("kills"), 7u);
  EXPECT_EQ(state->findings(), 1u);
}

TEST(RunState, HostileFileIsNotTakenForAState) {
  const TemporaryFolder folder;
  std::ofstream(folder.Path("state")) << "{\"kills\": 3";
  EXPECT_FALSE(RunState::Load(folder.Path("state")).ok());
}

TEST(RestartPromise, IsJudgedByTheSlowestButOneOfAHundred) {
  std::vector<double> restarts(100, 300);
  EXPECT_EQ(JudgeRestarts(1'000, restarts), RestartPromise::kMet);
  restarts[17] = 9'000;
  EXPECT_EQ(JudgeRestarts(1'000, restarts), RestartPromise::kMet);
  restarts[60] = 2'001;
  EXPECT_EQ(JudgeRestarts(1'000, restarts), RestartPromise::kNotMet);
}

TEST(RestartPromise, LongRunWithTooFewRestartsHasNotMetIt) {
  EXPECT_EQ(JudgeRestarts(1'000, std::vector<double>(99, 300)), RestartPromise::kNotMet);
  EXPECT_EQ(JudgeRestarts(1'000, {}), RestartPromise::kNotMet);
}

TEST(RestartPromise, ShortRunSaysNothingUnlessItsStateHasEnough) {
  EXPECT_EQ(JudgeRestarts(20, {300, 9'000}), RestartPromise::kNotJudged);
  EXPECT_EQ(JudgeRestarts(20, std::vector<double>(100, 300)), RestartPromise::kMet);
  EXPECT_EQ(JudgeRestarts(20, std::vector<double>(100, 3'000)), RestartPromise::kNotMet);
}

TEST(RestartPromise, LongRunGoesOnUntilAHundredAreTimedAndNotForEver) {
  EXPECT_TRUE(GoesOn(1'000, 999, 100));
  EXPECT_FALSE(GoesOn(1'000, 1'000, 100));
  EXPECT_TRUE(GoesOn(1'000, 1'000, 99));
  EXPECT_TRUE(GoesOn(1'000, 1'999, 99));
  EXPECT_FALSE(GoesOn(1'000, 2'000, 99));
  EXPECT_TRUE(GoesOn(20, 19, 0));
  EXPECT_FALSE(GoesOn(20, 20, 0));
}

TEST(Quantile, IsTheNearestRank) {
  EXPECT_EQ(Quantile({}, 0.5), 0);
  EXPECT_EQ(Quantile({4, 1, 3, 2}, 0.5), 2);
  EXPECT_EQ(Quantile({4, 1, 3, 2}, 0.99), 4);
}

}  // namespace
}  // namespace remora::testing
