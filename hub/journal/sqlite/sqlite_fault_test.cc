// Every k-th write and sync of the journal fails, once and for ever, and the power goes at every
// k-th: afterwards what was acknowledged is there, whole, and nothing that was reported as failed.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/random.h"
#include "common/testing/crash_file_system.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/connection.h"
#include "hub/journal/sqlite/testing/crash_vfs.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

constexpr int kCases = 2;
constexpr int kRounds = 5;
// Each round is committed by at least one call of a kind; group commit decides how many more.
constexpr uint64_t kFewestCalls = kRounds;
// Few, so that the log is moved within a round or two.
constexpr int kCheckpointPagesForTest = 12;
// So many that it is not moved at all.
constexpr int kManyPages = 1'000'000;

// A case as its room knows it.
struct Room {
  CaseScript acknowledged;
  // All that was offered after that and whose fate the room did not get to know as "in".
  std::vector<CaseScript> offered;
};

std::vector<Room> OpenRooms(JournalBench& bench) {
  std::vector<Room> rooms;
  for (int c = 0; c < kCases; ++c) {
    const absl::StatusOr<uint32_t> epoch = bench.journal().CreateCase(CaseIdOf(c));
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    rooms.push_back({CaseScript(CaseIdOf(c), epoch.value_or(0), c), {}});
  }
  return rooms;
}

// Each room appends twice without waiting, then hears; what failed it offers again next time.
void AppendRound(JournalBench& bench, std::vector<Room>& rooms, bool save_checkpoints = true) {
  int called = 0;
  std::vector<std::vector<bool>> ok(rooms.size());
  for (size_t c = 0; c < rooms.size(); ++c) {
    rooms[c].offered.clear();
    CaseScript script = rooms[c].acknowledged;
    for (int i = 0; i < 2; ++i) {
      CaseAppend append = script.NextDrawn();
      rooms[c].offered.push_back(script);
      bench.journal().Append(std::move(append), [&ok, &called, c](absl::Status status) {
        ok[c].push_back(status.ok());
        ++called;
      });
    }
  }
  bench.executor().RunUntil([&] { return called == 2 * static_cast<int>(rooms.size()); });
  for (size_t c = 0; c < rooms.size(); ++c) {
    EXPECT_FALSE(!ok[c][0] && ok[c][1]) << "a later append went in before the one that failed";
    const size_t in = ok[c][0] + ok[c][1];
    if (in > 0) rooms[c].acknowledged = rooms[c].offered[in - 1];
    rooms[c].offered.erase(rooms[c].offered.begin(), rooms[c].offered.begin() + in);
  }
  for (const Room& room : rooms) {
    if (!save_checkpoints) break;
    bench.journal().SaveCheckpoint(room.acknowledged.case_id(),
                                   {room.acknowledged.last_seq(), "state"});
  }
}

// For when the process ended, or the power, before the journal could look at its file again: an
// append that failed may be there, but only whole.
void ExpectHoldsAcknowledgedOrOffered(JournalBench& bench, const Room& room) {
  const absl::StatusOr<CaseRestore> restore = bench.journal().Restore(room.acknowledged.case_id());
  if (room.acknowledged.last_seq() == 0 && absl::IsNotFound(restore.status())) return;
  ASSERT_TRUE(restore.ok()) << restore.status();
  const CaseScript* held = &room.acknowledged;
  for (const CaseScript& offered : room.offered) {
    if (offered.last_seq() == restore->head.last_seq) held = &offered;
  }
  ExpectHolds(bench.journal(), bench.executor(), *held);
}

void ExpectHoldsAcknowledged(JournalBench& bench, const std::vector<Room>& rooms) {
  for (const Room& room : rooms) {
    const bool absent =
        absl::IsNotFound(bench.journal().Restore(room.acknowledged.case_id()).status());
    if (absent && room.acknowledged.last_seq() == 0) continue;
    ExpectHolds(bench.journal(), bench.executor(), room.acknowledged);
  }
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kStride = 7;  // all would take ten minutes
#else
constexpr uint64_t kStride = 1;
#endif

// Calls `once` with k = 1, 2, ... until the k-th call no longer comes. Returns how many came.
uint64_t Sweep(const std::function<bool(uint64_t k)>& once) {
  uint64_t tried = 0;
  for (uint64_t k = 1; !testing::Test::HasFailure() && once(k); k += kStride) ++tried;
  return tried;
}

class JournalFaultAtEveryCall : public testing::TestWithParam<Fault> {};

TEST_P(JournalFaultAtEveryCall, OnceLeavesExactlyWhatWasAcknowledged) {
  FaultVfs vfs("fault-once");
  const uint64_t tried = Sweep([&](uint64_t k) {
    SCOPED_TRACE(k);
    JournalBench bench(vfs.name(), kCheckpointPagesForTest, ScratchDirectory::kMemory);
    EXPECT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    vfs.Arm(GetParam(), k, false);
    for (int round = 0; round < kRounds; ++round) AppendRound(bench, rooms);
    const bool hit = vfs.hit();
    vfs.Disarm();
    if (GetParam() == Fault::kReadOnly) AppendRound(bench, rooms);
    AppendRound(bench, rooms);
    for (const Room& room : rooms) {
      EXPECT_TRUE(room.offered.empty()) << "appends go on after the error";
    }
    ExpectHoldsAcknowledged(bench, rooms);
    EXPECT_TRUE(bench.Open().ok());
    ExpectHoldsAcknowledged(bench, rooms);
    return hit;
  });
  std::cout << "calls tried: " << tried << "\n";
  EXPECT_GE(tried, kFewestCalls / kStride);
}

// The file as a process leaves it that is killed right after it was told of the failure.
TEST_P(JournalFaultAtEveryCall, OnceAndThenTheEndOfTheProcessLeavesExactlyWhatWasAcknowledged) {
  FaultVfs vfs("fault-once-end");
  const uint64_t tried = Sweep([&](uint64_t k) {
    SCOPED_TRACE(k);
    JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
    EXPECT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    vfs.Arm(GetParam(), k, false);
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
  });
  std::cout << "calls tried: " << tried << "\n";
  EXPECT_GE(tried, kFewestCalls / kStride);
}

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

TEST_P(JournalFaultAtEveryCall, ForEverIsReportedAndEndsWhenTheDiskIsBack) {
  FaultVfs vfs("fault-for-ever");
  const uint64_t tried = Sweep([&](uint64_t k) {
    SCOPED_TRACE(k);
    JournalBench bench(vfs.name(), kCheckpointPagesForTest, ScratchDirectory::kMemory);
    EXPECT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    vfs.Arm(GetParam(), k, true);
    for (int round = 0; round < kRounds; ++round) AppendRound(bench, rooms);
    const bool hit = vfs.hit();
    vfs.Disarm();
    // A file that was opened for reading alone, so that it can be read meanwhile, is found to be so
    // by the first append, and opened again.
    if (GetParam() == Fault::kReadOnly) AppendRound(bench, rooms);
    AppendRound(bench, rooms);
    for (const Room& room : rooms) {
      EXPECT_TRUE(room.offered.empty()) << "appends go on when the disk is back";
    }
    ExpectHoldsAcknowledged(bench, rooms);
    EXPECT_TRUE(bench.Open().ok());
    ExpectHoldsAcknowledged(bench, rooms);
    return hit;
  });
  std::cout << "calls tried: " << tried << "\n";
  EXPECT_GE(tried, kFewestCalls / kStride);
}

TEST_P(JournalFaultAtEveryCall, ForEverAndThenTheEndOfTheProcessLosesNothingAcknowledged) {
  FaultVfs vfs("fault-end");
  const uint64_t tried = Sweep([&](uint64_t k) {
    SCOPED_TRACE(k);
    JournalBench bench(vfs.name(), kCheckpointPagesForTest, ScratchDirectory::kMemory);
    EXPECT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    vfs.Arm(GetParam(), k, true);
    for (int round = 0; round < kRounds && !vfs.hit(); ++round) AppendRound(bench, rooms);
    bench.Close();
    const bool hit = vfs.hit();
    vfs.Disarm();
    const absl::Status opened = bench.Open();
    EXPECT_TRUE(opened.ok()) << opened;
    if (!opened.ok()) return false;
    for (const Room& room : rooms) ExpectHoldsAcknowledgedOrOffered(bench, room);
    return hit;
  });
  std::cout << "calls tried: " << tried << "\n";
  EXPECT_GE(tried, kFewestCalls / kStride);
}

INSTANTIATE_TEST_SUITE_P(All, JournalFaultAtEveryCall,
                         testing::Values(Fault::kNoSpace, Fault::kWriteError, Fault::kTornWrite,
                                         Fault::kLateError, Fault::kReadOnly, Fault::kSyncError));

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

TEST(JournalPowerCut, AtEveryWriteAndSyncLosesNothingAcknowledged) {
  FaultVfs vfs("power-cut");
  int seed = 0;
  const uint64_t tried = Sweep([&](uint64_t k) {
    JournalBench bench(vfs.name(), kCheckpointPagesForTest, ScratchDirectory::kMemory);
    EXPECT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    vfs.Arm(Fault::kPowerCut, k, true);
    for (int round = 0; round < kRounds && !vfs.hit(); ++round) AppendRound(bench, rooms);
    const bool hit = vfs.hit();
    // The same cut, with different sectors of what was not synced on the disk.
    for (int image = 0; image < 3 && hit; ++image) {
      ++seed;
      SCOPED_TRACE(testing::Message() << "cut at call " << k << ", seed " << seed);
      std::unique_ptr<Random> random = MakeSeededRandom(seed);
      JournalBench after("", kCheckpointPages, ScratchDirectory::kMemory);
      for (const auto& [path, bytes] : vfs.ImageAfterPowerCut(*random)) {
        if (path.rfind(bench.path(), 0) != 0) continue;
        std::ofstream file(after.path() + path.substr(bench.path().size()), std::ios::binary);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      }
      const absl::Status opened = after.Open();
      EXPECT_TRUE(opened.ok()) << opened;
      if (!opened.ok()) return false;
      for (const Room& room : rooms) ExpectHoldsAcknowledgedOrOffered(after, room);
    }
    bench.Close();
    vfs.Disarm();
    return hit;
  });
  std::cout << "cuts tried: " << 3 * tried << ", seeds 1-" << seed << "\n";
  EXPECT_GE(tried, 100u / kStride);
}

TEST(JournalPowerCut, WhatAKilledProcessLeftIsSyncedBeforeAnybodyIsToldOfIt) {
  for (const auto plant : {CrashDisk::Plant::kLostSync, CrashDisk::Plant::kLostDirectorySync}) {
    CrashVfs vfs("killed-and-cut");
    JournalBench bench(vfs.name(), kManyPages, ScratchDirectory::kMemory);
    CrashDisk disk(bench.directory().File(""));
    CrashFileSystem files(disk);
    vfs.Attach(disk);
    bench.options().files = &files;
    disk.SetPlant(plant, "");  // killed before it came to that
    ASSERT_TRUE(bench.Open().ok());
    std::vector<Room> rooms = OpenRooms(bench);
    AppendRound(bench, rooms);
    disk.EndProgram();
    bench.Close();
    disk.SetPlant(CrashDisk::Plant::kNone, "");
    disk.StartProgram();
    ASSERT_TRUE(bench.Open().ok());
    ExpectHoldsAcknowledged(bench, rooms);
    std::unique_ptr<Random> random = MakeSeededRandom(1);
    const auto after = disk.AfterCut(CrashDisk::Remains::kNothing, *random);
    disk.EndProgram();
    bench.Close();
    CrashFileSystem found(*after);
    vfs.Attach(*after);
    bench.options().files = &found;
    ASSERT_TRUE(bench.Open().ok());
    for (const Room& room : rooms) {
      ExpectHolds(bench.journal(), bench.executor(), room.acknowledged);
    }
    bench.Close();
  }
}

// A journal on a disk of which a sync fails, and then the power.
class JournalOfWhichASyncFailed : public testing::Test {
 protected:
  explicit JournalOfWhichASyncFailed(int checkpoint_pages)
      : bench_(vfs_.name(), checkpoint_pages, ScratchDirectory::kMemory) {}
  void Attach(CrashDisk& disk) {
    files_ = std::make_unique<CrashFileSystem>(disk);
    vfs_.Attach(disk);
    bench_.options().files = files_.get();
  }
  void ExpectAcknowledgedAfterACut() {
    std::unique_ptr<Random> random = MakeSeededRandom(1);
    const auto after = disk_.AfterCut(CrashDisk::Remains::kNothing, *random);
    disk_.EndProgram();
    bench_.Close();
    Attach(*after);
    ASSERT_TRUE(bench_.Open().ok());
    for (const Room& room : rooms_) ExpectHoldsAcknowledgedOrOffered(bench_, room);
    bench_.Close();
  }

  CrashVfs vfs_{"failed-sync"};
  JournalBench bench_;
  CrashDisk disk_{bench_.directory().File("")};
  std::unique_ptr<CrashFileSystem> files_;
  std::atomic<bool> failed_{false};
  std::vector<Room> rooms_;
};

// A commit's sync fails, and the log cannot be moved into the file either, so that it stays: what
// the sync should have written is in the system's cache alone, and no later sync writes it.
class JournalLogOfWhichASyncFailed : public JournalOfWhichASyncFailed {
 protected:
  JournalLogOfWhichASyncFailed() : JournalOfWhichASyncFailed(kManyPages) {}
  void SetUp() override {
    Attach(disk_);
    ASSERT_TRUE(bench_.Open().ok());
    rooms_ = OpenRooms(bench_);
    AppendRound(bench_, rooms_);
    disk_.SetWatcher([this](const CrashDisk::Call& call) {
      const bool log = absl::EndsWith(call.path, "-wal");
      if (log && call.op == CrashDisk::Op::kSync && !failed_.exchange(true)) {
        return CrashDisk::Verdict::kFail;
      }
      const bool file = absl::EndsWith(call.path, ".db");
      return failed_ && file ? CrashDisk::Verdict::kFail : CrashDisk::Verdict::kGoOn;
    });
    AppendRound(bench_, rooms_);
    ASSERT_TRUE(failed_);
    for (const Room& room : rooms_) ASSERT_FALSE(room.offered.empty()) << "told as failed";
  }
};

TEST_F(JournalLogOfWhichASyncFailed, CarriesNothingThatIsAcknowledgedLater) {
  disk_.SetWatcher(nullptr);
  AppendRound(bench_, rooms_);
  for (const Room& room : rooms_) ASSERT_TRUE(room.offered.empty()) << "the disk is back";
  ExpectAcknowledgedAfterACut();
}

TEST_F(JournalLogOfWhichASyncFailed, CarriesNothingThatTheNextProcessTellsOf) {
  disk_.EndProgram();
  bench_.Close();
  disk_.SetWatcher(nullptr);
  disk_.StartProgram();
  ASSERT_TRUE(bench_.Open().ok());
  for (Room& room : rooms_) {
    const auto restore = bench_.journal().Restore(room.acknowledged.case_id());
    ASSERT_TRUE(restore.ok()) << restore.status();
    for (const CaseScript& offered : room.offered) {
      if (offered.last_seq() != restore->head.last_seq) continue;
      CaseScript found = offered;
      room.acknowledged = std::move(found);
    }
  }
  AppendRound(bench_, rooms_);
  ExpectAcknowledgedAfterACut();
}

// A checkpoint beside a busy writer moves pages without a sync: that comes when the log has been
// moved entirely. When it fails, those pages count as clean, no later sync writes them, and only
// the log still has them.
class JournalFileOfWhichASyncFailed : public JournalOfWhichASyncFailed {
 protected:
  JournalFileOfWhichASyncFailed() : JournalOfWhichASyncFailed(kCheckpointPagesForTest) {}
  void SetUp() override {
    Attach(disk_);
    ASSERT_TRUE(bench_.Open().ok());
    rooms_ = OpenRooms(bench_);
    disk_.SetWatcher([this](const CrashDisk::Call& call) {
      if (!absl::EndsWith(call.path, ".db")) return CrashDisk::Verdict::kGoOn;
      if (call.op == CrashDisk::Op::kWrite) moved_ = true;
      if (call.op != CrashDisk::Op::kSync) return CrashDisk::Verdict::kGoOn;
      moved_ = false;
      return fails_ && !failed_.exchange(true) ? CrashDisk::Verdict::kFail
                                               : CrashDisk::Verdict::kGoOn;
    });
  }
  // Someone who reads keeps the log from being moved entirely.
  void MoveAPart() {
    auto reader = Connection::Open(bench_.path(), vfs_.name());
    ASSERT_TRUE(reader.ok()) << reader.status();
    for (int tries = 0; tries < 100 && !moved_; ++tries) {
      AppendRound(bench_, rooms_);
      ASSERT_TRUE((*reader)->Execute("BEGIN; SELECT count(*) FROM rows").ok());
      for (int round = 0; round < 6; ++round) AppendRound(bench_, rooms_);
      if (moved_) break;
      ASSERT_TRUE((*reader)->Execute("COMMIT").ok());
    }
    ASSERT_TRUE(moved_) << "and not synced";
    fails_ = true;
  }

  std::atomic<bool> moved_{false};
  std::atomic<bool> fails_{false};
};

TEST_F(JournalFileOfWhichASyncFailed, IsWrittenOnceMoreFromItsLog) {
  MoveAPart();
  for (int round = 0; round < 100 && !failed_; ++round) AppendRound(bench_, rooms_);
  ASSERT_TRUE(failed_);
  for (int round = 0; round < 3; ++round) AppendRound(bench_, rooms_);
  for (const Room& room : rooms_) ASSERT_TRUE(room.offered.empty()) << "the disk is back";
  ExpectAcknowledgedAfterACut();
}

TEST_F(JournalFileOfWhichASyncFailed, KeepsItsLogWhenItIsClosed) {
  MoveAPart();
  for (int round = 0; round < 100 && !failed_; ++round) AppendRound(bench_, rooms_);
  ASSERT_TRUE(failed_);
  bench_.Close();
  ExpectAcknowledgedAfterACut();
}

// A bad sector under whose origins they are.
TEST(JournalOfWhichAPageCannotBeRead, ListsItsCasesAllTheSame) {
  FaultVfs vfs("bad-origins");
  JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  for (int i = 0; i < kCases; ++i) {
    const absl::StatusOr<uint32_t> epoch = bench.journal().CreateCase(CaseIdOf(i));
    ASSERT_TRUE(epoch.ok());
    CaseScript script(CaseIdOf(i), *epoch, 1);
    ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.NextDrawn()).ok());
  }
  bench.Close();
  vfs.FailReadsOf(std::string(CaseScript::OriginOfLane(0).bytes()));
  ASSERT_TRUE(bench.Open().ok());
  const absl::StatusOr<std::vector<ListedCase>> cases = bench.journal().ListCases();
  ASSERT_TRUE(cases.ok()) << cases.status();
  EXPECT_EQ(cases->size(), static_cast<size_t>(kCases));
  EXPECT_GT(vfs.failed_reads(), 0u);
  EXPECT_TRUE(absl::IsUnavailable(bench.journal().Restore(CaseIdOf(0)).status()));
  vfs.FailReadsOf("");
  EXPECT_TRUE(bench.journal().Restore(CaseIdOf(0)).ok());
}

// A bad sector under the last row of one case, which its agent comes back to.
TEST(JournalOfWhichAPageCannotBeRead, RecordsTheOthersAllTheSame) {
  FaultVfs vfs("bad-row");
  JournalBench bench(vfs.name(), 64, ScratchDirectory::kMemory);
  ASSERT_TRUE(bench.Open().ok());
  std::vector<CaseScript> scripts;
  for (int i = 0; i < kCases; ++i) {
    const absl::StatusOr<uint32_t> epoch = bench.journal().CreateCase(CaseIdOf(i));
    ASSERT_TRUE(epoch.ok());
    scripts.emplace_back(CaseIdOf(i), *epoch, i);
    const CaseAppend append = scripts[i].Next({3}, 7'500);
    const absl::Status status = AppendAndWait(bench.journal(), bench.executor(), append);
    ASSERT_TRUE(status.ok()) << status;
  }
  bench.Close();
  // Far from its beginning, which lies on one page with others' rows.
  vfs.FailReadsOf(scripts[0].records()[0].frame.substr(6'500, 24));
  ASSERT_TRUE(bench.Open().ok());
  const uint64_t reopenings = bench.journal().reopenings();
  for (int round = 0; round < 5; ++round) {
    CaseScript lost = scripts[0];
    int done = 0;
    absl::Status bad, good;
    bench.journal().Append(lost.Next({0}), [&](absl::Status status) { bad = status, ++done; });
    bench.journal().Append(scripts[1].Next({0}),
                           [&](absl::Status status) { good = status, ++done; });
    bench.executor().RunUntil([&] { return done == 2; });
    EXPECT_TRUE(absl::IsUnavailable(bad)) << bad;
    EXPECT_TRUE(good.ok()) << good;
  }
  EXPECT_EQ(bench.journal().reopenings(), reopenings) << "nobody else waits for it";
  // And one that was known before: the file is opened anew with it.
  vfs.FailReadsOf("");
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), scripts[0].Next({0})).ok());
  vfs.FailReadsOf(scripts[0].records()[0].frame.substr(6'500, 24));
  vfs.Arm(Fault::kSyncError, 1, false);
  CaseScript failed = scripts[1];
  EXPECT_FALSE(AppendAndWait(bench.journal(), bench.executor(), failed.Next({0})).ok());
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), scripts[1].Next({0})).ok());
  EXPECT_GT(bench.journal().reopenings(), reopenings);
  vfs.FailReadsOf("");
  for (const CaseScript& script : scripts) {
    ExpectHolds(bench.journal(), bench.executor(), script);
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
