// A spool on a disk that is full, or that takes nothing.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "acquisition-agent/spool/testing/spool_case.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {
namespace {

absl::Status Append(CaseSpool& spool, uint32_t lane, const std::string& bytes) {
  return spool.AppendRecord(lane, spool.last_seq(lane) + 1, 0, bytes);
}

// Seven blocks and an alert, in a spool that is closed again.
void WriteSevenBlocks(FileSystem& files) {
  auto spool = OpenSpool(files);
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(AppendNext(*spool, 5).ok());
  ASSERT_TRUE(AppendNext(*spool, 0).ok());
  ASSERT_TRUE(spool->Commit().ok());
}

// With what is there if the power goes now, whatever is left of what was not synced.
void AfterEachCut(CrashDisk& disk, const std::function<void(FileSystem& found)>& check) {
  for (const auto remains : {CrashDisk::Remains::kNothing, CrashDisk::Remains::kEverything}) {
    const auto random = MakeSeededRandom(1);
    const auto after = disk.AfterCut(remains, *random);
    CrashFileSystem found(*after);
    check(found);
  }
}

TEST(CaseSpoolDisk, NumbersOfAFileThatWasShedStayKnownWhateverTheCutLeaves) {
  CrashDisk disk(kDirectory);
  CrashFileSystem files(disk);
  ASSERT_NO_FATAL_FAILURE(WriteSevenBlocks(files));
  auto spool = OpenSpool(files);
  disk.SetFreeBytes(1000);
  spool->CheckSpace();
  ASSERT_FALSE(spool->Holds(5, 1));
  // The power goes before anything of it is noted.
  AfterEachCut(disk, [](FileSystem& found) {
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
  });
}

TEST(CaseSpoolDisk, AFileWhoseSpaceCouldNotBeFreedIsShedAllTheSameAndStaysShed) {
  CrashDisk disk(kDirectory);
  CrashFileSystem files(disk);
  ASSERT_NO_FATAL_FAILURE(WriteSevenBlocks(files));
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
  AfterEachCut(disk, [](FileSystem& found) {
    auto again = OpenSpool(found);
    EXPECT_EQ(again->last_seq(5), 7u);
    EXPECT_FALSE(again->Holds(5, 1)) << "told as shed, and back";
    EXPECT_TRUE(again->TakeShed().empty()) << "told once";
  });
}

TEST(CaseSpoolDisk, AFullDiskShedsBulkOldestFirstAndSaysSo) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  const std::string block(4000, 'b');
  // Twenty-five files of blocks, three of envelopes.
  for (int i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(Append(*spool, 5, block).ok());
    if (i % 8 == 0) {
      ASSERT_TRUE(Append(*spool, 4, block).ok());
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
    ASSERT_TRUE(Append(*spool, 5, block).ok());
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

TEST(CaseSpoolDisk, WhatWasShedBecauseTheHubHeldItIsToldWhenItsJournalHasGoneBack) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  const std::string block(4000, 'b');
  while (spool->bytes() < 2 * kSegmentBytes) {
    ASSERT_TRUE(Append(*spool, 5, block).ok());
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

TEST(CaseSpoolDisk, WithNothingLeftToShedControlStillGoesOn) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(100'000);
  std::vector<ShedRange> shed;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(AppendNext(*spool, 0).ok());
    ASSERT_TRUE(Append(*spool, 5, std::string(4000, 'b')).ok());
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

TEST(CaseSpoolDisk, WhatIsShedIsToldAsOneRangeALane) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(100'000);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(AppendNext(*spool, 1).ok());
    for (uint32_t lane = 3; lane < kLaneCount; ++lane) {
      ASSERT_TRUE(Append(*spool, lane, std::string(900, 'b')).ok());
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

// Captured each millisecond.
std::string CapturedBytes(uint64_t seq, size_t padding) {
  v1::Record record;
  record.set_origin_seq(seq);
  record.mutable_captured_at()->set_monotonic_ns(static_cast<int64_t>(seq) * 1'000'000);
  record.mutable_message()->set_text(std::string(padding, 'x'));
  return record.SerializeAsString();
}

void ExpectDated(const ShedRange& shed) {
  EXPECT_EQ(shed.from_monotonic_ns, static_cast<int64_t>(shed.first_origin_seq) * 1'000'000);
  EXPECT_EQ(shed.to_monotonic_ns, static_cast<int64_t>(shed.last_origin_seq) * 1'000'000);
}

TEST(CaseSpoolDisk, WhatIsShedIsDatedByItsFirstAndLast) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  const auto append = [&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(Append(*spool, 5, CapturedBytes(spool->last_seq(5) + 1, 4000)).ok());
      if (i % 50 == 49) {
        ASSERT_TRUE(spool->Commit().ok());
      }
    }
  };
  // Whole files, of which the hub holds the first records.
  append(3 * kSegmentBytes / 4000);
  SeqRanges held;
  held.InsertRange(1, 100);
  spool->MarkHeld(5, held);
  files.SetFreeBytes(kControlReserveBytes - kSegmentBytes);
  spool->CheckSpace();
  std::vector<ShedRange> shed = spool->TakeShed();
  ASSERT_EQ(shed.size(), 1u);
  EXPECT_EQ(shed[0].first_origin_seq, 101u);
  EXPECT_GT(shed[0].last_origin_seq, 200u);
  ExpectDated(shed[0]);
  // What comes while there is nothing left to shed for it.
  files.SetFreeBytes(1'000);
  spool->CheckSpace();
  ASSERT_TRUE(spool->short_of_space());
  spool->TakeShed();
  const uint64_t before = spool->last_seq(5);
  append(100);
  shed = spool->TakeShed();
  ASSERT_EQ(shed.size(), 1u);
  EXPECT_EQ(shed[0].first_origin_seq, before + 1);
  EXPECT_EQ(shed[0].last_origin_seq, before + 100);
  ExpectDated(shed[0]);
}

TEST(CaseSpoolDisk, WhatWaitsAndIsShedIsDatedToo) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  for (uint64_t seq = 1; seq <= 4; ++seq) {
    ASSERT_TRUE(Append(*spool, 5, CapturedBytes(seq, 900)).ok());
  }
  files.SetFreeBytes(0);
  spool->Commit().IgnoreError();
  const std::vector<ShedRange> shed = spool->TakeShed();
  ASSERT_EQ(shed.size(), 1u);
  EXPECT_EQ(shed[0].last_origin_seq, 4u);
  ExpectDated(shed[0]);
}

TEST(CaseSpoolDisk, HostileRecordThatCannotBeReadIsShedWithoutADate) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(1'000);
  spool->CheckSpace();
  ASSERT_TRUE(Append(*spool, 5, "a record that nobody can read").ok());
  const std::vector<ShedRange> shed = spool->TakeShed();
  ASSERT_EQ(shed.size(), 1u);
  EXPECT_EQ(shed[0].from_monotonic_ns, 0);
  EXPECT_EQ(shed[0].to_monotonic_ns, 0);
}

TEST(CaseSpoolDisk, SpaceThatIsFreeAgainIsUsedAtTheNextLook) {
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

TEST(CaseSpoolDisk, WhatNobodyWaitsForGoesBeforeItsOwnBulk) {
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

TEST(CaseSpoolDisk, AFullDiskLeavesNoEmptyFiles) {
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

TEST(CaseSpoolDisk, ADiskThatTakesNothingFillsMemoryOnlyToItsLimit) {
  FakeFileSystem files;
  auto spool = OpenSpool(files);
  files.SetFreeBytes(0);
  absl::Status status;
  size_t appended = 0;
  while (status.ok() && appended < 3 * kMaxUncommittedBytes) {
    status = Append(*spool, 1, std::string(60'000, 'e'));
    appended += 60'000;
    spool->Commit().IgnoreError();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_LE(appended, kMaxUncommittedBytes + 100'000);
}

}  // namespace
}  // namespace remora::agent
