#include "hub/archive/archive_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_file_system.h"
#include "hub/archive/limits.h"

namespace remora::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kDirectory[] = "/mnt/archive";
constexpr char kId[] = "/lib/live.db.archive-id";

class ArchiveFolderTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.CreateDirectoryDurably("/lib").ok()); }
  ArchiveFolder Folder(bool accepts = false, const std::string& id = kId) {
    return ArchiveFolder({&files_, random_.get(), kDirectory, id, accepts});
  }
  // Each time as after a start.
  absl::Status Check(bool accepts = false) { return Folder(accepts).Check(); }
  std::vector<std::string> Names() {
    return files_.List(kDirectory).value_or(std::vector<std::string>{"nothing"});
  }
  std::string Read(const std::string& path) { return files_.ReadWhole(path, 1000).value_or(""); }
  std::string Mark() { return Read(std::string(kDirectory) + "/" + kArchiveMark); }
  void Write(const std::string& name, const std::string& bytes = "x") {
    auto file = files_.OpenAppend(std::string(kDirectory) + "/" + name);
    ASSERT_TRUE((*file)->Append(bytes).ok());
  }
  void Remove(const std::string& name) {
    ASSERT_TRUE(files_.Remove(std::string(kDirectory) + "/" + name).ok());
  }

  FakeFileSystem files_;
  const std::unique_ptr<Random> random_ = MakeSeededRandom(1);
};

TEST_F(ArchiveFolderTest, IsMadeAndMarkedOnceAndKnownAgainAfterAPowerCut) {
  ASSERT_TRUE(Check().ok());
  EXPECT_THAT(Names(), ElementsAre(kArchiveMark));
  const std::string mark = Mark();
  EXPECT_EQ(Read(kId), mark);
  files_.SimulatePowerCut(1);
  EXPECT_EQ(Mark(), mark);
  EXPECT_TRUE(Check().ok());
  EXPECT_EQ(Mark(), mark);
}

TEST_F(ArchiveFolderTest, MarksADiskThatIsNew) {
  ASSERT_TRUE(files_.CreateDirectory(std::string(kDirectory) + "/lost+found").ok());
  EXPECT_TRUE(Check().ok());
}

TEST_F(ArchiveFolderTest, APowerCutAtAnyStepOfTheFirstStartLeavesOneThatGoesOn) {
  int failed = 0;
  for (int step = 1; step <= 8; ++step) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      SCOPED_TRACE(testing::Message() << step << " " << seed);
      FakeFileSystem files;
      ASSERT_TRUE(files.CreateDirectoryDurably("/lib").ok());
      // The life ends where a sync does not come back.
      if (step <= 2) {
        files.FailSync(step, FakeFileSystem::Failure::kIoError);
      } else {
        files.FailSyncDirectory(step - 2, FakeFileSystem::Failure::kIoError);
      }
      const auto check = [&] {
        return ArchiveFolder({&files, random_.get(), kDirectory, kId}).Check();
      };
      if (!check().ok()) ++failed;
      if (seed % 2 == 0) check().IgnoreError();
      files.SimulatePowerCut(seed);
      EXPECT_TRUE(check().ok()) << check();
      files.SimulatePowerCut(seed);
      EXPECT_TRUE(check().ok()) << check();
    }
  }
  EXPECT_GT(failed, 24);
}

// A sync that says OK the second time proves nothing: the id would go with the next power cut, and
// with it the archive.
TEST_F(ArchiveFolderTest, AnIdThatWasNotSyncedIsWrittenAnewAndNotBelieved) {
  int failed = 0;
  for (int nth = 1; nth <= 4; ++nth) {
    SCOPED_TRACE(nth);
    FakeFileSystem files;
    ASSERT_TRUE(files.CreateDirectoryDurably("/lib").ok());
    ArchiveFolder folder({&files, random_.get(), kDirectory, kId});
    files.FailSyncDirectory(nth, FakeFileSystem::Failure::kIoError);
    if (!folder.Check().ok()) ++failed;
    ASSERT_TRUE(folder.Check().ok());
    auto record = files.OpenAppend(std::string(kDirectory) + "/a.record");
    ASSERT_TRUE((*record)->Append("x").ok() && (*record)->Sync().ok());
    ASSERT_TRUE(files.SyncDirectory(kDirectory).ok());
    record->reset();
    files.SimulatePowerCut(1);
    EXPECT_TRUE(folder.Check().ok()) << folder.Check();
  }
  EXPECT_EQ(failed, 4);
}

TEST_F(ArchiveFolderTest, SaysWhereTheFileSystemDoesNotTellItsSize) {
  class Untold final : public FakeFileSystem {
    absl::StatusOr<uint64_t> FreeBytes(const std::string&) override { return 0; }
    absl::StatusOr<uint64_t> TotalBytes(const std::string&) override { return 0; }
  };
  Untold files;
  ArchiveFolder folder({&files, random_.get(), kDirectory, ""});
  ASSERT_TRUE(folder.Check().ok());
  const absl::Status status = folder.CheckSpace(0);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not tell how large it is"));
}

TEST_F(ArchiveFolderTest, AMountPointWithoutItsDiskIsNotTheArchive) {
  ASSERT_TRUE(Check().ok());
  Remove(kArchiveMark);
  const absl::Status status = Check();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not the archive that this journal"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Is its disk mounted?"));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(ArchiveFolderTest, AJournalThatHasPurgedCasesAndDoesNotKnowItsArchiveTakesNoEmptyFolder) {
  const auto folder = [this](bool accepts) {
    return ArchiveFolder({&files_, random_.get(), kDirectory, kId, accepts, true});
  };
  const absl::Status status = folder(false).Check();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.message(), HasSubstr("Is the archive's disk mounted?"));
  EXPECT_FALSE(files_.Exists(kDirectory));
  EXPECT_TRUE(folder(true).Check().ok());
  EXPECT_TRUE(folder(false).Check().ok()) << "known from then on";
}

TEST_F(ArchiveFolderTest, AnotherJournalsArchiveAndAFolderOfOtherThingsAreNot) {
  ASSERT_TRUE(Check().ok());
  Write("a.record");
  ArchiveFolder other = Folder(false, "/lib/other.archive-id");
  EXPECT_TRUE(absl::IsFailedPrecondition(other.Check()));
  Remove(kArchiveMark);
  EXPECT_TRUE(absl::IsFailedPrecondition(other.Check())) << "no mark, and not empty";
  EXPECT_THAT(Names(), ElementsAre("a.record"));
  Write(kArchiveMark, "remora-archive 1\nid 00112233445566778899aabbccddeeff\n");
  EXPECT_TRUE(absl::IsFailedPrecondition(Check())) << "another's mark";
}

TEST_F(ArchiveFolderTest, HostileMarksAreRefused) {
  ASSERT_TRUE(Check().ok());
  for (const std::string& text : {std::string(), std::string("remora-archive 1\nid \n"),
                                  std::string(1 << 20, 'x'), Mark() + "more", "x" + Mark()}) {
    Remove(kArchiveMark);
    Write(kArchiveMark, text);
    EXPECT_TRUE(absl::IsFailedPrecondition(Check()));
  }
}

TEST_F(ArchiveFolderTest, AMarkThatCannotBeReadIsNotTakenForNone) {
  ASSERT_TRUE(Check().ok());
  files_.FailReads(std::string(kDirectory) + "/" + kArchiveMark);
  EXPECT_TRUE(absl::IsUnavailable(Check()));
  EXPECT_TRUE(absl::IsUnavailable(Check(/*accepts=*/true)));
}

TEST_F(ArchiveFolderTest, APersonMayHaveAnyFolderTaken) {
  ASSERT_TRUE(Check().ok());
  const std::string first = Mark();
  Remove(kArchiveMark);
  Write("a.record");
  ASSERT_TRUE(Check(/*accepts=*/true).ok());
  EXPECT_NE(Mark(), first);
  EXPECT_TRUE(Check().ok()) << "and it is the archive from then on";
  ASSERT_TRUE(files_.Remove(kId).ok());
  const std::string second = Mark();
  ASSERT_TRUE(Check(/*accepts=*/true).ok());
  EXPECT_EQ(Mark(), second) << "the mark of a folder stays";
  EXPECT_TRUE(Check().ok());
}

TEST_F(ArchiveFolderTest, IsTakenAsItIsOnceAndNotForALife) {
  ArchiveFolder folder = Folder(/*accepts=*/true);
  ASSERT_TRUE(folder.Check().ok());
  Remove(kArchiveMark);
  EXPECT_TRUE(absl::IsFailedPrecondition(folder.Check()));
}

TEST_F(ArchiveFolderTest, WithoutAFileForItTheIdLivesAsLongAsTheProgram) {
  ArchiveFolder folder = Folder(false, "");
  ASSERT_TRUE(folder.Check().ok());
  Write("a.record");
  EXPECT_TRUE(folder.Check().ok());
  Remove(kArchiveMark);
  EXPECT_TRUE(absl::IsFailedPrecondition(folder.Check()));
}

TEST_F(ArchiveFolderTest, PutsAsideTheNewestOfACase) {
  ASSERT_TRUE(Check().ok());
  ArchiveFolder folder = Folder();
  for (const char* name : {"aa-1-5.record", "bb-1-9.record", "aa-1-7.record"}) {
    Write(name);
    ASSERT_TRUE(folder.PutAside(name).ok());
  }
  EXPECT_THAT(Names(), ElementsAre("aa-1-7.record.failed", "bb-1-9.record.failed", kArchiveMark));
}

TEST_F(ArchiveFolderTest, KeepsAReserveThatFitsTheDisk) {
  ASSERT_TRUE(Check().ok());
  ArchiveFolder folder = Folder();
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  // Next to nothing is used: what is free is the disk.
  for (const auto& [disk, reserve] :
       std::vector<std::pair<uint64_t, uint64_t>>{{4 * kGiB, kGiB},
                                                  {20 * kGiB, 2 * kGiB},
                                                  {100 * kGiB, 5 * kGiB},
                                                  {8000 * kGiB, 64 * kGiB}}) {
    files_.SetFreeBytes(disk);
    EXPECT_TRUE(folder.CheckSpace(disk - reserve - 4096).ok()) << disk;
    EXPECT_TRUE(absl::IsResourceExhausted(folder.CheckSpace(disk - reserve + 4096))) << disk;
  }
  EXPECT_EQ(*folder.SpaceStep(), kArchiveSpaceBytes);
  files_.SetFreeBytes(8'000'000);
  EXPECT_LE(*folder.SpaceStep(), 1'000'000u + 4096);
}

}  // namespace
}  // namespace remora::hub
