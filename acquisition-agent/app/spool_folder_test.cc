#include "acquisition-agent/app/spool_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/testing/keeping_console.h"
#include "acquisition-agent/spool/entry.h"
#include "common/testing/crash_file_system.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

TEST(SpoolFolder, DrawsItsOriginOnce) {
  FakeFileSystem files;
  KeepingConsole console;
  const auto random = MakeSeededRandom(1);
  const auto first = SpoolFolder::Open(files, "/var/spool", *random, console);
  ASSERT_TRUE(first.ok()) << first.status();
  files.SimulatePowerCut(7);
  const auto second = SpoolFolder::Open(files, "/var/spool", *random, console);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*first)->origin(), (*second)->origin());
  EXPECT_FALSE((*first)->origin().is_zero());
}

TEST(SpoolFolder, OutlivesALossOfPowerWithAllThatLeadsToIt) {
  CrashDisk disk("/");
  CrashFileSystem files(disk);
  KeepingConsole console;
  const auto random = MakeSeededRandom(1);
  const auto first = SpoolFolder::Open(files, "/var/remora/spool", *random, console);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto after = disk.AfterCut(CrashDisk::Remains::kNothing, *random);
  CrashFileSystem found(*after);
  EXPECT_TRUE(found.Exists("/var/remora/spool/origin"));
  const auto second = SpoolFolder::Open(found, "/var/remora/spool", *random, console);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*first)->origin(), (*second)->origin());
}

TEST(SpoolFolder, FindsTheCasesThatAreNotDone) {
  FakeFileSystem files;
  KeepingConsole console;
  const auto random = MakeSeededRandom(1);
  const CaseId open_case = CaseId::Draw(*random);
  const CaseId done_case = CaseId::Draw(*random);
  {
    const auto folder = SpoolFolder::Open(files, "/var/spool", *random, console);
    ASSERT_TRUE(folder.ok());
    for (const CaseId& id : {open_case, done_case, CaseId::Draw(*random)}) {
      auto spool = (*folder)->NewCase(id);
      ASSERT_TRUE(spool.ok()) << spool.status();
      // The third was killed before its first commit.
      if (id != open_case && id != done_case) continue;
      CaseInfo info;
      info.theatre = "OR 3";
      ASSERT_TRUE((*spool)->SetInfo(info).ok());
      ASSERT_TRUE((*spool)->Commit().ok());
    }
  }
  const auto folder = SpoolFolder::Open(files, "/var/spool", *random, console);
  ASSERT_TRUE(folder.ok());
  {
    const auto cases = (*folder)->OpenCases();
    ASSERT_TRUE(cases.ok()) << cases.status();
    EXPECT_EQ(cases->size(), 2u);
  }
}

TEST(SpoolFolder, HostileADamagedOriginIsNotReplacedSilently) {
  FakeFileSystem files;
  KeepingConsole console;
  const auto random = MakeSeededRandom(1);
  ASSERT_TRUE(SpoolFolder::Open(files, "/var/spool", *random, console).ok());
  files.FlipBit("/var/spool/origin", 30, 2);
  const auto folder = SpoolFolder::Open(files, "/var/spool", *random, console);
  EXPECT_TRUE(absl::IsDataLoss(folder.status())) << folder.status();
}

TEST(SpoolFolder, HostileRecordsWithoutTheirCaseAreNotPassedOver) {
  FakeFileSystem files;
  KeepingConsole console;
  const auto random = MakeSeededRandom(1);
  const auto folder = SpoolFolder::Open(files, "/var/spool", *random, console);
  ASSERT_TRUE(folder.ok());
  const CaseId id = CaseId::Draw(*random);
  {
    auto spool = (*folder)->NewCase(id);
    ASSERT_TRUE(spool.ok());
    CaseInfo info;
    info.theatre = "OR 3";
    ASSERT_TRUE((*spool)->SetInfo(info).ok());
    ASSERT_TRUE((*spool)->AppendRecord(1, 1, 1, "opened").ok());
    ASSERT_TRUE((*spool)->Commit().ok());
  }
  const std::string directory = absl::StrCat("/var/spool/case-", id.Hex());
  // Behind the segment's header: the info.
  files.FlipBit(absl::StrCat(directory, "/control-00000001.seg"), 2 * kEntryHeaderBytes + 40, 1);
  const auto cases = (*folder)->OpenCases();
  EXPECT_TRUE(absl::IsDataLoss(cases.status())) << cases.status();
  EXPECT_THAT(std::string(cases.status().message()), testing::HasSubstr(directory));
}

TEST(SpoolFolder, ADoneCasesBulkGoesBeforeThatOfTheRunningOne) {
  FakeFileSystem files;
  KeepingConsole console;
  const auto random = MakeSeededRandom(1);
  const auto folder = SpoolFolder::Open(files, "/var/spool", *random, console);
  ASSERT_TRUE(folder.ok());
  const CaseId done = CaseId::Draw(*random);
  const auto fill = [&](CaseSpool& spool) {
    ASSERT_TRUE(spool.AppendRecord(1, 1, 1, "opened").ok());
    ASSERT_TRUE(spool.AppendRecord(5, 1, 1, std::string(4000, 'b')).ok());
    ASSERT_TRUE(spool.Commit().ok());
  };
  {
    SpoolOptions options;
    options.directory = absl::StrCat("/var/spool/done-", done.Hex());
    options.case_id = done;
    options.origin = (*folder)->origin();
    RecoveryReport report;
    auto spool = CaseSpool::Open(files, options, &report);
    ASSERT_TRUE(spool.ok());
    fill(**spool);
  }
  // Opened twice, so that it has a file that it could shed.
  const CaseId running = CaseId::Draw(*random);
  {
    auto spool = (*folder)->NewCase(running);
    ASSERT_TRUE(spool.ok());
    fill(**spool);
  }
  auto spool = (*folder)->NewCase(running);
  ASSERT_TRUE(spool.ok());
  files.SetFreeBytes(kControlReserveBytes - 2000);
  (*spool)->CheckSpace();
  EXPECT_FALSE((*spool)->short_of_space());
  EXPECT_TRUE((*spool)->Holds(5, 1));
  EXPECT_THAT(console.lines,
              testing::ElementsAre(testing::HasSubstr(absl::StrCat("done-", done.Hex()))));
  EXPECT_EQ(*files.List(absl::StrCat("/var/spool/done-", done.Hex())),
            std::vector<std::string>{"control-00000001.seg"});
  EXPECT_FALSE((*folder)->ReclaimDone());
}

TEST(CaseIdFromHex, HostileWhatIsNoIdIsNone) {
  EXPECT_TRUE(CaseIdFromHex("000102030405060708090a0b0c0d0e0f"));
  EXPECT_FALSE(CaseIdFromHex(""));
  EXPECT_FALSE(CaseIdFromHex("000102030405060708090a0b0c0d0e0"));
  EXPECT_FALSE(CaseIdFromHex("00000000000000000000000000000000"));
  EXPECT_FALSE(CaseIdFromHex("zz0102030405060708090a0b0c0d0e0f"));
}

}  // namespace
}  // namespace remora::agent
