// The power goes at every write and sync of the journal, and after a sync that failed: what was
// acknowledged is there.

#include <atomic>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "common/random.h"
#include "common/testing/crash_file_system.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/connection.h"
#include "hub/journal/sqlite/testing/appending_rooms.h"
#include "hub/journal/sqlite/testing/crash_vfs.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"

namespace remora::hub::sqlite {
namespace {

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

}  // namespace
}  // namespace remora::hub::sqlite
