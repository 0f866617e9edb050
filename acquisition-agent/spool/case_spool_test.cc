#include "acquisition-agent/spool/case_spool.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/testing/crash_file_system.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

constexpr char kDirectory[] = "/spool/case";

SpoolOptions Options() {
  SpoolOptions options;
  options.directory = kDirectory;
  options.case_id = CaseId::FromBytes(std::string(16, 'c'));
  options.origin = OriginId::FromBytes(std::string(16, 'o'));
  return options;
}

std::string Bytes(uint32_t lane, uint64_t seq) {
  return absl::StrCat("record ", lane, "/", seq, std::string(seq * 37 % 200, 'x'));
}

std::unique_ptr<CaseSpool> OpenSpool(FileSystem& files, RecoveryReport* report = nullptr,
                                     SpoolOptions options = Options()) {
  RecoveryReport ignored;
  absl::StatusOr<std::unique_ptr<CaseSpool>> spool =
      CaseSpool::Open(files, options, report != nullptr ? report : &ignored);
  EXPECT_TRUE(spool.ok()) << spool.status();
  return spool.ok() ? *std::move(spool) : nullptr;
}

absl::Status AppendNext(CaseSpool& spool, uint32_t lane, uint32_t ordinal = 0) {
  const uint64_t seq = spool.last_seq(lane) + 1;
  return spool.AppendRecord(lane, seq, ordinal, Bytes(lane, seq));
}

// All that is committed reads as it was written.
void ExpectWhole(const CaseSpool& spool) {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    for (uint64_t seq = 1; seq <= spool.committed_seq(lane); ++seq) {
      const absl::StatusOr<std::string> read = spool.Read(lane, seq);
      ASSERT_TRUE(read.ok()) << lane << "/" << seq << ": " << read.status();
      EXPECT_EQ(*read, Bytes(lane, seq));
    }
  }
}

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

TEST(CaseSpool, NumbersOfAFileThatWasShedStayKnownWhateverTheCutLeaves) {
  CrashDisk disk(kDirectory);
  CrashFileSystem files(disk);
  {
    auto spool = OpenSpool(files);
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(AppendNext(*spool, 5).ok());
    ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  auto spool = OpenSpool(files);
  disk.SetFreeBytes(1000);
  spool->CheckSpace();
  ASSERT_FALSE(spool->Holds(5, 1));
  // The power goes before anything of it is noted.
  for (const auto remains : {CrashDisk::Remains::kNothing, CrashDisk::Remains::kEverything}) {
    const auto random = MakeSeededRandom(1);
    const auto after = disk.AfterCut(remains, *random);
    CrashFileSystem found(*after);
    RecoveryReport report;
    auto again = OpenSpool(found, &report);
    EXPECT_EQ(again->last_seq(5), 7u);
    EXPECT_FALSE(report.is_damaged());
    const std::vector<ShedRange> shed = again->TakeShed();
    ASSERT_EQ(shed.size(), 1u);
    EXPECT_EQ(shed[0].first_origin_seq, 1u);
    EXPECT_EQ(shed[0].last_origin_seq, 7u);
    ASSERT_TRUE(again->Commit().ok());
    EXPECT_TRUE(OpenSpool(found)->TakeShed().empty()) << "told once";
  }
}

TEST(CaseSpool, AFileWhoseSpaceCouldNotBeFreedIsShedAllTheSameAndStaysShed) {
  CrashDisk disk(kDirectory);
  CrashFileSystem files(disk);
  {
    auto spool = OpenSpool(files);
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(AppendNext(*spool, 5).ok());
    ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  auto spool = OpenSpool(files);
  // It is cut to nothing, and that does not reach the disk.
  disk.SetWatcher([](const CrashDisk::Call& call) {
    const bool fails = call.op == CrashDisk::Op::kSync && absl::EndsWith(call.path, ".shed");
    return fails ? CrashDisk::Verdict::kFail : CrashDisk::Verdict::kGoOn;
  });
  disk.SetFreeBytes(1000);
  spool->CheckSpace();
  EXPECT_FALSE(spool->Holds(5, 1));
  const std::vector<ShedRange> shed = spool->TakeShed();
  ASSERT_EQ(shed.size(), 1u);
  EXPECT_EQ(shed[0].last_origin_seq, 7u);
  ASSERT_TRUE(spool->Commit().ok());
  for (const auto remains : {CrashDisk::Remains::kNothing, CrashDisk::Remains::kEverything}) {
    const auto random = MakeSeededRandom(1);
    const auto after = disk.AfterCut(remains, *random);
    CrashFileSystem found(*after);
    auto again = OpenSpool(found);
    EXPECT_EQ(again->last_seq(5), 7u);
    EXPECT_FALSE(again->Holds(5, 1)) << "told as shed, and back";
    EXPECT_TRUE(again->TakeShed().empty()) << "told once";
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

TEST(CaseSpool, AFullDiskShedsBulkOldestFirstAndSaysSo) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  const std::string block(4000, 'b');
  // Twenty-five files of blocks, three of envelopes.
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(spool->AppendRecord(5, spool->last_seq(5) + 1, 0, block).ok());
    if (i % 8 == 0) {
      ASSERT_TRUE(spool->AppendRecord(4, spool->last_seq(4) + 1, 0, block).ok());
    }
    if (i % 100 == 99) {
      ASSERT_TRUE(spool->Commit().ok());
    }
  }
  SeqRanges held;
  held.InsertRange(1, 100);
  spool->MarkHeld(5, held);
  files.SetFreeBytes(kControlReserveBytes - 3 * kSegmentBytes);
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(spool->AppendRecord(5, spool->last_seq(5) + 1, 0, block).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  const std::vector<ShedRange> shed = spool->TakeShed();
  ASSERT_FALSE(shed.empty());
  // What the hub holds is no loss, and only the lowest lane went.
  EXPECT_EQ(shed.front().lane, 5u);
  EXPECT_EQ(shed.front().first_origin_seq, 101u);
  EXPECT_FALSE(spool->Holds(5, 101));
  EXPECT_TRUE(spool->Holds(4, 1));
  EXPECT_TRUE(spool->Holds(5, spool->last_seq(5)));
  for (uint64_t seq = 1; seq <= spool->last_seq(0); ++seq) {
    ASSERT_TRUE(spool->Holds(0, seq));
  }
  EXPECT_TRUE(spool->TakeShed().empty());
  ASSERT_TRUE(spool->Commit().ok());
  // It is remembered.
  RecoveryReport report;
  auto again = OpenSpool(files, &report);
  EXPECT_TRUE(report.missing.empty());
  EXPECT_TRUE(again->given_up(5).Contains(101));
}

TEST(CaseSpool, WhatWasShedBecauseTheHubHeldItIsToldWhenItsJournalHasGoneBack) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  const std::string block(4000, 'b');
  while (spool->bytes() < 2 * kSegmentBytes) {
    ASSERT_TRUE(spool->AppendRecord(5, spool->last_seq(5) + 1, 0, block).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  SeqRanges held;
  held.InsertRange(1, spool->last_seq(5));
  spool->MarkHeld(5, held);
  files.SetFreeBytes(0);
  spool->CheckSpace();
  ASSERT_TRUE(spool->given_up(5).Contains(1));
  EXPECT_TRUE(spool->TakeShed().empty());
  ASSERT_TRUE(spool->Commit().ok());
  // Through a restart, too.
  spool.reset();
  spool = OpenSpool(files);

  SeqRanges kept;
  kept.InsertRange(1, 10);
  spool->RestartAnswers(5, kept, SeqRanges(), /*has_journal=*/true);
  EXPECT_TRUE(spool->has_shed());
  const std::vector<ShedRange> shed = spool->TakeShed();
  ASSERT_EQ(shed.size(), 1u);
  EXPECT_EQ(shed.front().lane, 5u);
  EXPECT_EQ(shed.front().first_origin_seq, 11u);
  EXPECT_EQ(shed.front().last_origin_seq, spool->given_up(5).contiguous());
  // Once.
  spool->RestartAnswers(5, kept, SeqRanges(), /*has_journal=*/true);
  EXPECT_TRUE(spool->TakeShed().empty());
}

TEST(CaseSpool, WithNothingLeftToShedControlStillGoesOn) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(100'000);
  std::vector<ShedRange> shed;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(spool->AppendRecord(5, spool->last_seq(5) + 1, 0, std::string(4000, 'b')).ok());
    ASSERT_TRUE(spool->Commit().ok()) << i;
    for (const ShedRange& range : spool->TakeShed()) shed.push_back(range);
  }
  EXPECT_EQ(spool->committed_seq(0), 300u);
  ASSERT_FALSE(shed.empty());
  uint64_t lost = 0;
  for (const ShedRange& range : shed) {
    EXPECT_EQ(range.lane, 5u);
    lost += range.last_origin_seq - range.first_origin_seq + 1;
  }
  uint64_t kept = 0;
  for (uint64_t seq = 1; seq <= spool->last_seq(5); ++seq) kept += spool->Holds(5, seq) ? 1 : 0;
  EXPECT_EQ(lost + kept, 300u);
}

TEST(CaseSpool, WhatIsShedIsToldAsOneRangeALane) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(100'000);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(AppendNext(*spool, 1).ok());
    for (uint32_t lane = 3; lane < kLaneCount; ++lane) {
      ASSERT_TRUE(
          spool->AppendRecord(lane, spool->last_seq(lane) + 1, 0, std::string(900, 'b')).ok());
    }
    ASSERT_TRUE(spool->Commit().ok());
  }
  EXPECT_TRUE(spool->short_of_space());
  EXPECT_TRUE(spool->has_shed());
  EXPECT_LE(spool->TakeShed().size(), 3u);
  EXPECT_FALSE(spool->has_shed());
  ASSERT_TRUE(spool->Commit().ok());
  EXPECT_TRUE(OpenSpool(files)->given_up(5).Contains(300));
}

TEST(CaseSpool, SpaceThatIsFreeAgainIsUsedAtTheNextLook) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(100'000);
  ASSERT_TRUE(AppendNext(*spool, 1).ok());
  ASSERT_TRUE(spool->Commit().ok());
  ASSERT_TRUE(spool->short_of_space());
  files.SetFreeBytes(2 * kControlReserveBytes);
  spool->CheckSpace();
  EXPECT_FALSE(spool->short_of_space());
  ASSERT_TRUE(AppendNext(*spool, 5).ok());
  ASSERT_TRUE(spool->Commit().ok());
  EXPECT_TRUE(spool->Holds(5, 1));
}

TEST(CaseSpool, WhatNobodyWaitsForGoesBeforeItsOwnBulk) {
  FakeFileSystem files;
  SpoolOptions options = Options();
  int reclaimed = 0;
  options.reclaim = [&] {
    if (++reclaimed == 3) files.SetFreeBytes(2 * kControlReserveBytes);
    return reclaimed <= 3;
  };
  auto spool = OpenSpool(files, nullptr, options);
  for (int life = 0; life < 3; ++life) {
    ASSERT_TRUE(AppendNext(*spool, 5).ok());
    ASSERT_TRUE(spool->Commit().ok());
  }
  files.SetFreeBytes(100'000);
  spool->CheckSpace();
  EXPECT_EQ(reclaimed, 3);
  EXPECT_FALSE(spool->short_of_space());
  EXPECT_TRUE(spool->Holds(5, 1));
  EXPECT_FALSE(spool->has_shed());
}

TEST(CaseSpool, AFullDiskLeavesNoEmptyFiles) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  ASSERT_TRUE(AppendNext(*spool, 1).ok());
  ASSERT_TRUE(spool->Commit().ok());
  files.SetFreeBytes(0);
  ASSERT_TRUE(AppendNext(*spool, 1).ok());
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(spool->Commit().ok());
  const auto names = files.List(kDirectory);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(names->size(), 1u);
  files.SetFreeBytes(2 * kControlReserveBytes);
  ASSERT_TRUE(spool->Commit().ok());
  files.SimulatePowerCut(4);
  EXPECT_EQ(OpenSpool(files)->committed_seq(1), 2u);
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

TEST(CaseSpool, ADiskThatTakesNothingFillsMemoryOnlyToItsLimit) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(0);
  absl::Status status;
  size_t appended = 0;
  while (status.ok() && appended < 3 * kMaxUncommittedBytes) {
    status = spool->AppendRecord(1, spool->last_seq(1) + 1, 0, std::string(60'000, 'e'));
    appended += 60'000;
    spool->Commit().IgnoreError();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_LE(appended, kMaxUncommittedBytes + 100'000);
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
