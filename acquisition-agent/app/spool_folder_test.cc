#include "acquisition-agent/app/spool_folder.h"

#include <gtest/gtest.h>

#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

TEST(SpoolFolder, DrawsItsOriginOnce) {
  FakeFileSystem files;
  const auto random = MakeSeededRandom(1);
  const auto first = SpoolFolder::Open(files, "/var/spool", *random);
  ASSERT_TRUE(first.ok()) << first.status();
  files.SimulatePowerCut(7);
  const auto second = SpoolFolder::Open(files, "/var/spool", *random);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*first)->origin(), (*second)->origin());
  EXPECT_FALSE((*first)->origin().is_zero());
}

TEST(SpoolFolder, FindsTheCasesThatAreNotDone) {
  FakeFileSystem files;
  const auto random = MakeSeededRandom(1);
  const CaseId open_case = CaseId::Draw(*random);
  const CaseId done_case = CaseId::Draw(*random);
  {
    const auto folder = SpoolFolder::Open(files, "/var/spool", *random);
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
  const auto folder = SpoolFolder::Open(files, "/var/spool", *random);
  ASSERT_TRUE(folder.ok());
  {
    const auto cases = (*folder)->OpenCases();
    ASSERT_TRUE(cases.ok()) << cases.status();
    EXPECT_EQ(cases->size(), 2u);
  }
}

TEST(SpoolFolder, HostileADamagedOriginIsNotReplacedSilently) {
  FakeFileSystem files;
  const auto random = MakeSeededRandom(1);
  ASSERT_TRUE(SpoolFolder::Open(files, "/var/spool", *random).ok());
  files.FlipBit("/var/spool/origin", 30, 2);
  const auto folder = SpoolFolder::Open(files, "/var/spool", *random);
  EXPECT_TRUE(absl::IsDataLoss(folder.status())) << folder.status();
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
