// Every k-th write and sync of the journal fails, once and for ever: afterwards what was
// acknowledged is there, whole, and nothing that was reported as failed.

#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/appending_rooms.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"

namespace remora::hub::sqlite {
namespace {

class JournalFaultAtEveryCall : public testing::TestWithParam<Fault> {
 protected:
  // Rooms on a disk of which a call will fail. False: the next call need not be tried.
  using Rounds = std::function<bool(FaultVfs& vfs, JournalBench& bench, std::vector<Room>& rooms)>;

  // Makes the rounds for each call that comes in them.
  void AtEveryCall(const std::string& name, int checkpoint_pages, bool for_ever,
                   const Rounds& rounds) {
    FaultVfs vfs(name);
    const uint64_t tried = Sweep([&](uint64_t k) {
      SCOPED_TRACE(k);
      JournalBench bench(vfs.name(), checkpoint_pages, ScratchDirectory::kMemory);
      EXPECT_TRUE(bench.Open().ok());
      std::vector<Room> rooms = OpenRooms(bench);
      vfs.Arm(GetParam(), k, for_ever);
      return rounds(vfs, bench, rooms);
    });
    std::cout << "calls tried: " << tried << "\n";
    EXPECT_GE(tried, kFewestCalls / kStride);
  }
  static bool GoesOnWhenTheDiskIsBack(FaultVfs& vfs, JournalBench& bench,
                                      std::vector<Room>& rooms) {
    for (int round = 0; round < kRounds; ++round) AppendRound(bench, rooms);
    const bool hit = vfs.hit();
    vfs.Disarm();
    // A file that was opened for reading alone, so that it can be read meanwhile, is found to be so
    // by the first append, and opened again.
    if (GetParam() == Fault::kReadOnly) AppendRound(bench, rooms);
    AppendRound(bench, rooms);
    for (const Room& room : rooms) EXPECT_TRUE(room.offered.empty()) << "appends go on";
    ExpectHoldsAcknowledged(bench, rooms);
    EXPECT_TRUE(bench.Open().ok());
    ExpectHoldsAcknowledged(bench, rooms);
    return hit;
  }
};

TEST_P(JournalFaultAtEveryCall, OnceLeavesExactlyWhatWasAcknowledged) {
  AtEveryCall("fault-once", kCheckpointPagesForTest, false, GoesOnWhenTheDiskIsBack);
}

TEST_P(JournalFaultAtEveryCall, ForEverIsReportedAndEndsWhenTheDiskIsBack) {
  AtEveryCall("fault-for-ever", kCheckpointPagesForTest, true, GoesOnWhenTheDiskIsBack);
}

// The file as a process leaves it that is killed right after it was told of the failure.
TEST_P(JournalFaultAtEveryCall, OnceAndThenTheEndOfTheProcessLeavesExactlyWhatWasAcknowledged) {
  const auto rounds = [](FaultVfs& vfs, JournalBench& bench, std::vector<Room>& rooms) {
    for (int round = 0; round < kRounds && !vfs.hit(); ++round) {
      // Nothing is written after the failure that could cover its traces.
      AppendRound(bench, rooms, false);
    }
    JournalBench after("", kCheckpointPages, ScratchDirectory::kMemory);
    for (const char* suffix : {"", "-wal"}) {
      if (!std::filesystem::exists(bench.path() + suffix)) continue;  // closed, and moved entirely
      std::filesystem::copy_file(bench.path() + suffix, after.path() + suffix);
    }
    EXPECT_TRUE(after.Open().ok());
    ExpectHoldsAcknowledged(after, rooms);
    const bool hit = vfs.hit();
    vfs.Disarm();
    return hit;
  };
  AtEveryCall("fault-once-end", kManyPages, false, rounds);
}

TEST_P(JournalFaultAtEveryCall, ForEverAndThenTheEndOfTheProcessLosesNothingAcknowledged) {
  const auto rounds = [](FaultVfs& vfs, JournalBench& bench, std::vector<Room>& rooms) {
    for (int round = 0; round < kRounds && !vfs.hit(); ++round) AppendRound(bench, rooms);
    bench.Close();
    const bool hit = vfs.hit();
    vfs.Disarm();
    const absl::Status opened = bench.Open();
    EXPECT_TRUE(opened.ok()) << opened;
    if (!opened.ok()) return false;
    for (const Room& room : rooms) ExpectHoldsAcknowledgedOrOffered(bench, room);
    return hit;
  };
  AtEveryCall("fault-end", kCheckpointPagesForTest, true, rounds);
}

INSTANTIATE_TEST_SUITE_P(All, JournalFaultAtEveryCall,
                         testing::Values(Fault::kNoSpace, Fault::kWriteError, Fault::kTornWrite,
                                         Fault::kLateError, Fault::kReadOnly, Fault::kSyncError));

TEST(JournalFault, ASyncThatFailedHasTheFileOpenedAnew) {
  FaultVfs vfs("fault-anew");
  JournalBench bench(vfs.name());
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Room> rooms = OpenRooms(bench);
  AppendRound(bench, rooms);
  EXPECT_EQ(bench.journal().reopenings(), 0u);
  vfs.Arm(Fault::kNoSpace, 1, false);
  AppendRound(bench, rooms);
  EXPECT_EQ(bench.journal().reopenings(), 0u) << "no space leaves the file as it was";
  vfs.Arm(Fault::kSyncError, 1, false);
  AppendRound(bench, rooms);
  EXPECT_GT(bench.journal().reopenings(), 0u);
}

// Where no case is open nobody appends; who reads history waits.
TEST(JournalFault, AFileThatCouldNotBeOpenedIsOpenedWhenTheDiskIsBackThoughNobodyAppends) {
  FaultVfs vfs("fault-alone");
  FakeClock clock;
  JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
  bench.UseClock(clock);
  ASSERT_TRUE(bench.Open().ok());
  std::vector<Room> rooms = OpenRooms(bench);
  AppendRound(bench, rooms);
  vfs.FailReadsOf("SQLite format 3");
  vfs.Arm(Fault::kSyncError, 1, false);
  AppendRound(bench, rooms);
  ASSERT_FALSE(bench.journal().ListTombstones().ok()) << "the file is closed";
  const auto seconds = [&](int count) {
    for (int s = 0; s < count; ++s) {
      clock.Advance(Duration::Seconds(1));
      // Wakes the writer, and asks nothing of the file.
      bench.journal().SaveCheckpoint(CaseIdOf(77), {1, "of no case"});
      bench.journal().Flush().IgnoreError();
    }
  };
  const uint64_t before = bench.journal().reopenings();
  seconds(300);
  EXPECT_FALSE(bench.journal().ListTombstones().ok());
  EXPECT_GE(bench.journal().reopenings() - before, 10u) << "at 1, 3, 7, 15, 31, 61 s and so on";
  EXPECT_LE(bench.journal().reopenings() - before, 15u);
  vfs.FailReadsOf("");
  seconds(31);
  EXPECT_TRUE(bench.journal().ListTombstones().ok()) << bench.journal().ListTombstones().status();
  const uint64_t opened = bench.journal().reopenings();
  seconds(60);
  EXPECT_EQ(bench.journal().reopenings(), opened) << "it stays open";
  AppendRound(bench, rooms);
  ExpectHoldsAcknowledged(bench, rooms);
}

TEST(JournalFault, ASyncThatHangsDelaysItsAppendAndLosesNothing) {
  for (const bool fails : {false, true}) {
    FaultVfs vfs("hangs");
    JournalBench bench(vfs.name());
    ASSERT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    AppendRound(bench, rooms, false);
    ASSERT_TRUE(bench.journal().Flush().ok());
    vfs.HoldSyncs();
    if (fails) vfs.Arm(Fault::kSyncError, 1, false);
    std::vector<absl::Status> told;
    CaseScript script = rooms[0].acknowledged;
    const CaseAppend append = script.NextDrawn();
    bench.journal().Append(append, [&](absl::Status status) { told.push_back(status); });
    vfs.WaitForHeldSync();
    bench.executor().RunUntil([] { return true; });
    EXPECT_TRUE(told.empty()) << "nothing is on disk before the sync is over";
    vfs.ReleaseSyncs();
    bench.executor().RunUntil([&] { return told.size() == 1; });
    EXPECT_EQ(told[0].ok(), !fails);
    EXPECT_EQ(bench.journal().reopenings() > 0, fails) << "never synced again as if nothing was";
    if (fails) {
      bench.journal().Append(append, [&](absl::Status status) { told.push_back(status); });
      bench.executor().RunUntil([&] { return told.size() == 2; });
      EXPECT_TRUE(told[1].ok());
    }
    rooms[0].acknowledged = script;
    ExpectHoldsAcknowledged(bench, rooms);
  }
}

TEST(JournalFaultVfs, CountsAndStrikesAsArmed) {
  FaultVfs vfs("armed");
  vfs.Arm(Fault::kWriteError, 2, false);
  EXPECT_EQ(vfs.BeforeWrite("f", 0, "ab").result, 0);
  EXPECT_FALSE(vfs.hit());
  EXPECT_NE(vfs.BeforeWrite("f", 0, "cd").result, 0);
  EXPECT_TRUE(vfs.hit());
  EXPECT_EQ(vfs.BeforeWrite("f", 2, "ef").result, 0);
  EXPECT_EQ(vfs.BeforeSync("f").result, 0);
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  EXPECT_EQ(vfs.ImageAfterPowerCut(*random)["f"], "abef");
  vfs.Arm(Fault::kSyncError, 1, true);
  EXPECT_EQ(vfs.BeforeWrite("f", 0, "xx").result, 0);
  EXPECT_NE(vfs.BeforeSync("f").result, 0);
  EXPECT_NE(vfs.BeforeSync("f").result, 0);
}

}  // namespace
}  // namespace remora::hub::sqlite
