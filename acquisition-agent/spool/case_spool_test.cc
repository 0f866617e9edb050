#include "acquisition-agent/spool/case_spool.h"

#include <gtest/gtest.h>

#include "acquisition-agent/spool/testing/spool_case.h"

namespace remora::agent {
namespace {

TEST(CaseSpool, GoesOnWithTheNextNumberAfterARestart) {
  FakeFileSystem files;
  const CaseInfo info{
      .boot_id = 5, .setup_digest = 6, .source = "sim:cord", .theatre = "OR 3", .procedure = "a"};
  {
    auto spool = OpenSpool(files);
    ASSERT_TRUE(spool->SetInfo(info).ok());
    for (int i = 0; i < 10; ++i) {
      for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
        ASSERT_TRUE(AppendNext(*spool, lane, lane < 2 && i % 2 == 0 ? i / 2 + 1 : 0).ok());
      }
      ASSERT_TRUE(spool->AppendInput(100 + i, "command").ok());
    }
    ASSERT_TRUE(spool->Commit().ok());
  }
  RecoveryReport report;
  auto spool = OpenSpool(files, &report);
  EXPECT_TRUE(report.found);
  EXPECT_TRUE(report.missing.empty());
  ASSERT_NE(spool->info(), nullptr);
  EXPECT_EQ(*spool->info(), info);
  EXPECT_FALSE(spool->closed());
  ASSERT_EQ(spool->recovered_inputs().size(), 10u);
  EXPECT_EQ(spool->recovered_inputs()[9].position, 109u);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) EXPECT_EQ(spool->last_seq(lane), 10u);
  EXPECT_EQ(spool->last_ordinal(1), 5u);
  EXPECT_EQ(spool->SeqOfOrdinal(1, 3), 5u);
  EXPECT_EQ(spool->SeqOfOrdinal(4, 3), 3u);
  ExpectWhole(*spool);
  ASSERT_TRUE(AppendNext(*spool, 4).ok());
  ASSERT_TRUE(spool->Commit().ok());
  ExpectWhole(*spool);
}

TEST(CaseSpool, AnInputKnowsBehindWhichRecordsItCame) {
  FakeFileSystem files;
  {
    auto spool = OpenSpool(files);
    ASSERT_TRUE(spool->AppendInput(7, "first of all").ok());
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(AppendNext(*spool, 2).ok());
    ASSERT_TRUE(AppendNext(*spool, 5).ok());
    ASSERT_TRUE(spool->AppendInput(8, "between").ok());
    ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(AppendNext(*spool, 1).ok());
    ASSERT_TRUE(spool->Commit().ok());
    ASSERT_TRUE(spool->AppendInput(3, "of the next life").ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  const auto spool = OpenSpool(files);
  using After = std::array<uint64_t, kControlLaneCount>;
  ASSERT_EQ(spool->recovered_inputs().size(), 3u);
  EXPECT_EQ(spool->recovered_inputs()[0].after, (After{0, 0, 0}));
  EXPECT_EQ(spool->recovered_inputs()[1].after, (After{3, 0, 1}));
  EXPECT_EQ(spool->recovered_inputs()[2].after, (After{4, 1, 1}));
}

TEST(CaseSpool, NothingIsOfferedBeforeItIsCommitted) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  ASSERT_TRUE(AppendNext(*spool, 0).ok());
  EXPECT_EQ(spool->last_seq(0), 1u);
  EXPECT_EQ(spool->committed_seq(0), 0u);
  EXPECT_FALSE(spool->Holds(0, 1));
  EXPECT_TRUE(spool->has_uncommitted_alert());
  ASSERT_TRUE(spool->Commit().ok());
  EXPECT_TRUE(spool->Holds(0, 1));
  EXPECT_FALSE(spool->has_uncommitted());
}

TEST(CaseSpool, RefusesAHoleAndARepetition) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  EXPECT_TRUE(absl::IsInvalidArgument(spool->AppendRecord(3, 2, 0, "x")));
  ASSERT_TRUE(AppendNext(*spool, 3).ok());
  ASSERT_TRUE(spool->Commit().ok());
  EXPECT_TRUE(absl::IsAlreadyExists(spool->AppendRecord(3, 1, 0, "x")));
}

TEST(CaseSpool, RefusesARecordThatItCouldNotReadAgain) {
  FakeFileSystem files;
  {
    auto spool = OpenSpool(files);
    EXPECT_TRUE(absl::IsInvalidArgument(
        spool->AppendRecord(5, 1, 0, std::string(kMaxEntryPayloadBytes + 1, 'x'))));
    ASSERT_TRUE(spool->AppendRecord(5, 1, 0, std::string(kMaxEntryPayloadBytes, 'x')).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  EXPECT_EQ(OpenSpool(files)->last_seq(5), 1u);
}

TEST(CaseSpool, RefusesADirectoryOfAnotherCase) {
  FakeFileSystem files;
  {
    auto spool = OpenSpool(files);
    ASSERT_TRUE(AppendNext(*spool, 1).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  SpoolOptions other = Options();
  other.case_id = CaseId::FromBytes(std::string(16, 'z'));
  RecoveryReport report;
  const auto opened = CaseSpool::Open(files, other, &report);
  EXPECT_TRUE(absl::IsInvalidArgument(opened.status())) << opened.status();
}

TEST(CaseSpool, KeepsWhatWasCommittedThroughPowerCuts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    FakeFileSystem files;
    uint64_t promised[kLaneCount] = {};
    uint64_t inputs = 0;
    for (int life = 0; life < 3; ++life) {
      auto spool = OpenSpool(files);
      ASSERT_NE(spool, nullptr);
      for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
        ASSERT_GE(spool->committed_seq(lane), promised[lane]) << "lane " << lane;
        // Control before bulk: no sweep without the events that led to it.
        ASSERT_EQ(spool->recovered_inputs().size() >= inputs, true);
      }
      ExpectWhole(*spool);
      for (int group = 0; group < 8; ++group) {
        for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
          for (uint64_t i = 0; i < (seed + group * lane) % 5; ++i) {
            ASSERT_TRUE(AppendNext(*spool, lane).ok());
          }
        }
        ASSERT_TRUE(spool->AppendInput(8 * life + group, "input").ok());
        if (group == 7) break;  // the last group is in memory when the power goes
        ASSERT_TRUE(spool->Commit().ok());
        for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
          promised[lane] = spool->committed_seq(lane);
        }
        inputs = spool->recovered_inputs().size() + group + 1;
      }
      files.SimulatePowerCut(seed * 100 + life);
    }
  }
}

TEST(CaseSpool, SyncsWhatAKilledProgramLeftBeforeItIsOffered) {
  for (const auto plant : {CrashDisk::Plant::kLostSync, CrashDisk::Plant::kLostDirectorySync}) {
    CrashDisk disk(kDirectory);
    CrashFileSystem files(disk);
    disk.SetPlant(plant, "");  // killed before it came to that
    {
      auto spool = OpenSpool(files);
      for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
        ASSERT_TRUE(AppendNext(*spool, lane).ok());
      }
      ASSERT_TRUE(spool->Commit().ok());
    }
    disk.SetPlant(CrashDisk::Plant::kNone, "");
    auto spool = OpenSpool(files);
    ASSERT_EQ(spool->committed_seq(5), 1u);
    const auto random = MakeSeededRandom(1);
    const auto after = disk.AfterCut(CrashDisk::Remains::kNothing, *random);
    CrashFileSystem found(*after);
    auto again = OpenSpool(found);
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) EXPECT_EQ(again->committed_seq(lane), 1u);
    ExpectWhole(*again);
  }
}

TEST(CaseSpool, TakesAnInputInOnceThoughAFullDiskHadItWrittenTwice) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CrashDisk disk(kDirectory);
    CrashFileSystem files(disk);
    {
      auto spool = OpenSpool(files);
      ASSERT_TRUE(spool->AppendInput(1, "first").ok());
      ASSERT_TRUE(spool->AppendInput(1, "second").ok());
      ASSERT_TRUE(spool->AppendInput(2, std::string(1000, 't')).ok());
      disk.SetFreeBytes(600);  // for the first two
      ASSERT_FALSE(spool->Commit().ok());
      disk.SetFreeBytes(uint64_t{1} << 40);
      ASSERT_TRUE(spool->Commit().ok());
    }
    const auto random = MakeSeededRandom(seed);
    const auto after = disk.AfterCut(CrashDisk::Remains::kAny, *random);
    CrashFileSystem found(*after);
    const auto spool = OpenSpool(found);
    ASSERT_EQ(spool->recovered_inputs().size(), 3u) << seed;
    EXPECT_EQ(spool->recovered_inputs()[1].bytes, "second");
  }
}

// A small case whose files are cut and turned at every place.
std::map<std::string, std::string> SmallCase() {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  EXPECT_TRUE(spool->SetInfo(CaseInfo{}).ok());
  for (int i = 0; i < 3; ++i) {
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) EXPECT_TRUE(AppendNext(*spool, lane).ok());
    EXPECT_TRUE(spool->Commit().ok());
  }
  std::map<std::string, std::string> contents;
  const auto names = files.List(kDirectory);
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(kDirectory, "/", name);
    contents[path] = *files.ReadWhole(path, 1 << 20);
  }
  return contents;
}

void Lay(FakeFileSystem& files, const std::map<std::string, std::string>& contents) {
  ASSERT_TRUE(files.CreateDirectory(kDirectory).ok());
  for (const auto& [path, bytes] : contents) {
    auto file = files.OpenAppend(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Sync().ok());
  }
  ASSERT_TRUE(files.SyncDirectory(kDirectory).ok());
}

// Whatever is there reads right, and every number that is not is named.
void ExpectHonest(FakeFileSystem& files) {
  RecoveryReport report;
  auto spool = OpenSpool(files, &report);
  ASSERT_NE(spool, nullptr);
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    SeqRanges named;
    for (const ShedRange& range : report.missing) {
      if (range.lane == lane) named.InsertRange(range.first_origin_seq, range.last_origin_seq);
    }
    for (uint64_t seq = 1; seq <= spool->last_seq(lane); ++seq) {
      const absl::StatusOr<std::string> read = spool->Read(lane, seq);
      EXPECT_EQ(read.ok(), !named.Contains(seq)) << lane << "/" << seq;
      if (read.ok()) {
        EXPECT_EQ(*read, Bytes(lane, seq));
      }
    }
  }
  // And it goes on; a damaged number may be filled again.
  for (const ShedRange& range : report.missing) {
    ASSERT_TRUE(spool
                    ->AppendRecord(range.lane, range.first_origin_seq, 0,
                                   Bytes(range.lane, range.first_origin_seq))
                    .ok());
  }
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) ASSERT_TRUE(AppendNext(*spool, lane).ok());
  ASSERT_TRUE(spool->Commit().ok());
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    EXPECT_EQ(*spool->Read(lane, spool->last_seq(lane)), Bytes(lane, spool->last_seq(lane)));
  }
}

TEST(CaseSpool, HostileEveryCutLeavesAnHonestSpool) {
  const auto contents = SmallCase();
  for (const auto& [path, bytes] : contents) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      SCOPED_TRACE(absl::StrCat(path, " cut to ", size));
      auto cut = contents;
      cut[path].resize(size);
      FakeFileSystem files;
      Lay(files, cut);
      ExpectHonest(files);
    }
  }
}

TEST(CaseSpool, HostileEveryTurnedBitLeavesAnHonestSpool) {
  const auto contents = SmallCase();
  for (const auto& [path, bytes] : contents) {
    for (size_t at = 0; at < bytes.size(); ++at) {
      SCOPED_TRACE(absl::StrCat(path, " byte ", at));
      FakeFileSystem files;
      Lay(files, contents);
      files.FlipBit(path, at, static_cast<int>(at % 8));
      ExpectHonest(files);
    }
  }
}

TEST(CaseSpool, AFailedSyncLosesNothing) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  ASSERT_TRUE(AppendNext(*spool, 1).ok());
  ASSERT_TRUE(spool->Commit().ok());
  ASSERT_TRUE(AppendNext(*spool, 1).ok());
  files.FailSync(1, FakeFileSystem::Failure::kIoError);
  EXPECT_FALSE(spool->Commit().ok());
  EXPECT_EQ(spool->committed_seq(1), 1u);
  ASSERT_TRUE(AppendNext(*spool, 1).ok());
  ASSERT_TRUE(spool->Commit().ok());
  EXPECT_EQ(spool->committed_seq(1), 3u);
  files.SimulatePowerCut(3);
  auto again = OpenSpool(files);
  ASSERT_EQ(again->committed_seq(1), 3u);
  ExpectWhole(*again);
}

TEST(CaseSpool, HostileADamagedControlRecordIsAHoleUntilSomethingStandsThere) {
  FakeFileSystem files;
  {
    auto spool = OpenSpool(files);
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(AppendNext(*spool, 1).ok());
      ASSERT_TRUE(AppendNext(*spool, 5).ok());
    }
    ASSERT_TRUE(spool->Commit().ok());
    EXPECT_TRUE(spool->Holes().empty());
  }
  // Its second record, and the second block.
  const size_t header = kEntryHeaderBytes + 1 + 16 + 16 + 1;
  files.FlipBit("/spool/case/control-00000001.seg",
                header + kEntryHeaderBytes + Bytes(1, 1).size() + 30, 1);
  files.FlipBit("/spool/case/block-00000001.seg",
                header + kEntryHeaderBytes + Bytes(5, 1).size() + 30, 1);
  auto spool = OpenSpool(files);
  EXPECT_TRUE(spool->recovery().is_damaged());
  std::vector<ShedRange> holes = spool->Holes();
  ASSERT_EQ(holes.size(), 2u);
  EXPECT_EQ(holes[0].lane, 1u);
  EXPECT_EQ(holes[0].first_origin_seq, 2u);
  ASSERT_TRUE(spool->AppendRecord(1, 2, 0, Bytes(1, 2)).ok());
  spool->GiveUp(5, 2, 2);
  EXPECT_TRUE(spool->Holes().empty());
  ASSERT_TRUE(spool->Commit().ok());
  EXPECT_TRUE(OpenSpool(files)->Holes().empty());
  SeqRanges all;
  all.InsertRange(1, 3);
  spool->MarkHeld(1, all);
  spool->MarkHeld(5, all);
  EXPECT_TRUE(spool->AllSettled());
}

TEST(CaseSpool, RemembersWhatTheHubHolds) {
  FakeFileSystem files;
  {
    auto spool = OpenSpool(files);
    for (uint64_t i = 0; i < kHeldNoteRecords + 10; ++i) ASSERT_TRUE(AppendNext(*spool, 3).ok());
    ASSERT_TRUE(spool->Commit().ok());
    SeqRanges held;
    held.InsertRange(1, kHeldNoteRecords + 5);
    held.InsertRange(kHeldNoteRecords + 500, kHeldNoteRecords + 600);  // never ours
    spool->MarkHeld(3, held);
    EXPECT_FALSE(spool->AllSettled());
    ASSERT_TRUE(spool->Commit().ok());
  }
  auto spool = OpenSpool(files);
  EXPECT_EQ(spool->held(3).largest(), kHeldNoteRecords + 5);
  SeqRanges refused;
  refused.InsertRange(kHeldNoteRecords + 6, kHeldNoteRecords + 6);
  spool->MarkRefused(3, refused);
  SeqRanges rest;
  rest.InsertRange(1, spool->last_seq(3));
  spool->MarkHeld(3, rest);
  EXPECT_TRUE(spool->AllSettled());
  EXPECT_FALSE(spool->held(3).Contains(kHeldNoteRecords + 6));
  // A hub that has gone back holds less than what was written down.
  spool->RestartAnswers(3, refused, {}, /*has_journal=*/true);
  EXPECT_EQ(spool->held(3).count(), 0u);
  EXPECT_FALSE(spool->AllSettled());
}

}  // namespace
}  // namespace remora::agent
