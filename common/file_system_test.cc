#include "common/file_system.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/testing/fake_file_system.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

// A real directory of the test's own, or a fake one: both must do the same.
class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      char name[] = "/tmp/remora-files-XXXXXX";
      ASSERT_NE(mkdtemp(name), nullptr);
      root_ = name;
      files_ = MakePosixFileSystem();
    } else {
      root_ = "/fake";
      files_ = std::make_unique<FakeFileSystem>();
      ASSERT_TRUE(files_->CreateDirectory(root_).ok());
    }
  }
  void TearDown() override {
    if (GetParam()) std::filesystem::remove_all(root_);
  }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& path, const std::string& bytes) {
    auto file = files_->OpenAppend(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Sync().ok());
  }

  std::string root_;
  std::unique_ptr<FileSystem> files_;
};

TEST_P(FileSystemTest, AppendsAndReadsBack) {
  Write(Path("a"), "hello ");
  Write(Path("a"), "theatre");
  const auto file = files_->OpenAppend(Path("a"));
  EXPECT_EQ((*file)->size(), 13u);
  EXPECT_EQ(files_->ReadWhole(Path("a"), 100).value(), "hello theatre");
  EXPECT_TRUE(absl::IsOutOfRange(files_->ReadWhole(Path("a"), 12).status()));
  const auto reader = files_->OpenRead(Path("a"));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->ReadAt(6, 7).value(), "theatre");
  EXPECT_EQ((*reader)->ReadAt(10, 100).value(), "tre");
  EXPECT_EQ((*reader)->ReadAt(100, 1).value(), "");
  EXPECT_EQ((*reader)->ReadAt(0, SIZE_MAX).value().size(), 13u);
}

TEST_P(FileSystemTest, CutsRenamesRemovesAndLists) {
  Write(Path("b"), "0123456789");
  Write(Path("a"), "old");
  EXPECT_TRUE(files_->Truncate(Path("b"), 4).ok());
  EXPECT_TRUE(absl::IsOutOfRange(files_->Truncate(Path("b"), 5)));
  EXPECT_TRUE(files_->Rename(Path("b"), Path("a")).ok());
  EXPECT_EQ(files_->ReadWhole(Path("a"), 100).value(), "0123");
  EXPECT_TRUE(files_->CreateDirectory(Path("deep/er/")).ok());
  EXPECT_TRUE(files_->CreateDirectory(Path("deep")).ok());
  Write(Path("deep/file"), "");
  EXPECT_EQ(files_->List(root_).value(), (std::vector<std::string>{"a", "deep"}));
  EXPECT_EQ(files_->List(Path("deep/")).value(), (std::vector<std::string>{"er", "file"}));
  EXPECT_TRUE(files_->SyncDirectory(root_).ok());
  EXPECT_TRUE(files_->Remove(Path("a")).ok());
  EXPECT_FALSE(files_->Exists(Path("a")));
  EXPECT_TRUE(files_->Exists(Path("deep")));
  EXPECT_GT(files_->FreeBytes(root_).value(), 0u);
}

TEST_P(FileSystemTest, HostilePathsAreNotFound) {
  const std::string nowhere = Path("no/where");
  EXPECT_TRUE(absl::IsNotFound(files_->OpenRead(nowhere).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->OpenAppend(nowhere).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->Remove(nowhere)));
  EXPECT_TRUE(absl::IsNotFound(files_->Truncate(nowhere, 0)));
  EXPECT_TRUE(absl::IsNotFound(files_->List(nowhere).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->Rename(nowhere, Path("a"))));
  EXPECT_TRUE(absl::IsNotFound(files_->SyncDirectory(nowhere)));
  EXPECT_FALSE(files_->OpenRead(root_).ok());
  Write(Path("file"), "x");
  EXPECT_FALSE(files_->CreateDirectory(Path("file/below")).ok());
}

TEST_P(FileSystemTest, ARenameToANewNameReplacesNothing) {
  Write(Path("a"), "new");
  Write(Path("b"), "old");
  EXPECT_TRUE(absl::IsAlreadyExists(files_->RenameNew(Path("a"), Path("b"))));
  EXPECT_EQ(files_->ReadWhole(Path("b"), 100).value(), "old");
  EXPECT_TRUE(files_->RenameNew(Path("a"), Path("c")).ok());
  EXPECT_EQ(files_->List(root_).value(), (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(absl::IsNotFound(files_->RenameNew(Path("a"), Path("d"))));
}

TEST_P(FileSystemTest, OneAtATimeHoldsALock) {
  EXPECT_TRUE(absl::IsNotFound(files_->Lock(Path("a")).status()));
  Write(Path("a"), "");
  auto lock = files_->Lock(Path("a"));
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_TRUE(absl::IsFailedPrecondition(files_->Lock(Path("a")).status()));
  lock->reset();
  EXPECT_TRUE(files_->Lock(Path("a")).ok());
}

TEST_P(FileSystemTest, ADiskHoldsMoreThanIsFree) {
  Write(Path("a"), "0123456789");
  EXPECT_GT(files_->TotalBytes(root_).value(), files_->FreeBytes(root_).value());
}

INSTANTIATE_TEST_SUITE_P(Each, FileSystemTest, testing::Bool(),
                         [](const auto& each) { return each.param ? "Posix" : "Fake"; });

// As a shell's <(...): what `text` leaves in a pipe whose other end is closed.
std::string ReadPipe(const std::string& text, uint64_t limit_bytes, absl::Status* status) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(ends[1]);
  const auto read =
      MakePosixFileSystem()->ReadWhole(absl::StrCat("/dev/fd/", ends[0]), limit_bytes);
  close(ends[0]);
  *status = read.status();
  return read.value_or("");
}

TEST(PosixFileSystem, APipeIsReadToItsEndThoughItSaysNoSize) {
  absl::Status status;
  EXPECT_EQ(ReadPipe("secret\n", 100, &status), "secret\n");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadPipe("", 100, &status), "");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadPipe("secret\n", 6, &status), "");
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
}

TEST(PosixFileSystem, APipeIsReadInPartsAsAFile) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "0123456789", 10), 10);
  close(ends[1]);
  const auto file = MakePosixFileSystem()->OpenRead(absl::StrCat("/dev/fd/", ends[0]));
  close(ends[0]);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->size(), 10u);
  EXPECT_EQ((*file)->ReadAt(4, 3).value(), "456");
  EXPECT_EQ((*file)->ReadAt(8, 100).value(), "89");
  EXPECT_EQ((*file)->ReadAt(10, 1).value(), "");
}

TEST(PosixFileSystem, HostileStreamWithoutAnEndIsRefused) {
  const absl::Status status = MakePosixFileSystem()->OpenRead("/dev/zero").status();
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
}

TEST(FakeFileSystem, APowerCutKeepsWhatWasSyncedAndNoMoreThanWasWritten) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    FakeFileSystem files;
    ASSERT_TRUE(files.CreateDirectory("/spool").ok());
    ASSERT_TRUE(files.SyncDirectory("/").ok());
    auto file = files.OpenAppend("/spool/log").value();
    ASSERT_TRUE(file->Append("safe").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(files.SyncDirectory("/spool").ok());
    ASSERT_TRUE(file->Append(std::string(2000, 'u')).ok());
    files.SimulatePowerCut(seed);
    EXPECT_TRUE(absl::IsUnavailable(file->Append("after")));
    const std::string whole = files.ReadWhole("/spool/log", 10'000).value();
    EXPECT_EQ(whole.substr(0, 4), "safe");
    EXPECT_LE(whole.size(), 2004u);
    const bool torn = whole.find_first_not_of('u', 4) != std::string::npos;
    outcomes.insert(torn ? "torn" : whole.size() == 4 ? "lost" : "short or whole");
  }
  EXPECT_EQ(outcomes.size(), 3u);  // each seed is its own accident
}

TEST(FakeFileSystem, APowerCutRepeatsWithItsSeed) {
  std::string contents[2];
  for (std::string& content : contents) {
    FakeFileSystem files;
    ASSERT_TRUE(files.OpenAppend("/log").value()->Append(std::string(5000, 'x')).ok());
    ASSERT_TRUE(files.SyncDirectory("/").ok());
    files.SimulatePowerCut(42);
    content = files.ReadWhole("/log", 10'000).value();
  }
  EXPECT_EQ(contents[0], contents[1]);
}

TEST(FakeFileSystem, NamesAreSafeOnlyAfterTheDirectoryIsSynced) {
  int old_name = 0;
  int new_name = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FakeFileSystem files;
    ASSERT_TRUE(files.OpenAppend("/a").ok());
    ASSERT_TRUE(files.SyncDirectory("/").ok());
    ASSERT_TRUE(files.Rename("/a", "/b").ok());
    files.SimulatePowerCut(seed);
    EXPECT_NE(files.Exists("/a"), files.Exists("/b")) << "a rename is whole or not at all";
    ++(files.Exists("/a") ? old_name : new_name);
  }
  EXPECT_GT(old_name, 0);
  EXPECT_GT(new_name, 0);
}

TEST(FakeFileSystem, WithoutSpaceNothingIsAppended) {
  FakeFileSystem files;
  auto file = files.OpenAppend("/log").value();
  files.SetFreeBytes(10);
  EXPECT_TRUE(absl::IsResourceExhausted(file->Append("12345678901")));
  EXPECT_TRUE(file->Append("1234567890").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(file->Append("1")));
  files.SetFreeBytes(100);
  files.FailAppend(2, FakeFileSystem::Failure::kNoSpace);
  EXPECT_TRUE(file->Append("a").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(file->Append("b")));
  EXPECT_TRUE(file->Append("c").ok());
  EXPECT_EQ(files.ReadWhole("/log", 100).value(), "1234567890ac");
  EXPECT_EQ(file->size(), 12u);
}

TEST(FakeFileSystem, AnInputOutputErrorLeavesAPartAndSticksToTheFile) {
  FakeFileSystem files;
  auto file = files.OpenAppend("/log").value();
  files.FailAppend(1, FakeFileSystem::Failure::kIoError);
  EXPECT_TRUE(absl::IsUnavailable(file->Append("123456")));
  EXPECT_TRUE(absl::IsUnavailable(file->Append("7")));
  EXPECT_TRUE(absl::IsUnavailable(file->Sync()));
  EXPECT_EQ(files.ReadWhole("/log", 100).value(), "123");
}

TEST(FakeFileSystem, WhatAFailedSyncLostStaysLostUnlessItIsWrittenAgain) {
  for (const bool written_again : {false, true}) {
    FakeFileSystem files;
    auto file = files.OpenAppend("/log").value();
    ASSERT_TRUE(files.SyncDirectory("/").ok());
    ASSERT_TRUE(file->Append("safe").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Append("lost").ok());
    files.FailSync(1, FakeFileSystem::Failure::kIoError);
    EXPECT_TRUE(absl::IsUnavailable(file->Sync()));
    EXPECT_TRUE(absl::IsUnavailable(file->Sync()));
    EXPECT_EQ(files.ReadWhole("/log", 100).value(), "safelost");
    if (written_again) {
      ASSERT_TRUE(files.Truncate("/log", 4).ok());
    }
    auto again = files.OpenAppend("/log").value();
    ASSERT_TRUE(again->Append(written_again ? "lost" : "more").ok());
    ASSERT_TRUE(again->Sync().ok());
    files.SimulatePowerCut(1);
    const std::string zeros(4, '\0');
    EXPECT_EQ(files.ReadWhole("/log", 100).value(),
              written_again ? "safelost" : "safe" + zeros + "more");
  }
}

TEST(FakeFileSystem, ANameThatAFailedSyncLostComesBackOnlyWhenItIsChangedAgain) {
  for (const bool renamed_again : {false, true}) {
    FakeFileSystem files;
    ASSERT_TRUE(files.OpenAppend("/a").ok());
    files.FailSyncDirectory(1, FakeFileSystem::Failure::kIoError);
    EXPECT_TRUE(absl::IsUnavailable(files.SyncDirectory("/")));
    EXPECT_TRUE(files.Exists("/a"));
    ASSERT_TRUE(!renamed_again || files.Rename("/a", "/b").ok());
    EXPECT_TRUE(files.SyncDirectory("/").ok());
    files.SimulatePowerCut(1);
    EXPECT_FALSE(files.Exists("/a"));
    EXPECT_EQ(files.Exists("/b"), renamed_again);
  }
}

TEST(FakeFileSystem, ABadSectorStaysWithTheFile) {
  FakeFileSystem files;
  ASSERT_TRUE(files.OpenAppend("/a").value()->Append("abc").ok());
  files.FailReads("/a");
  ASSERT_TRUE(files.Rename("/a", "/b").ok());
  EXPECT_TRUE(absl::IsUnavailable(files.ReadWhole("/b", 100).status()));
  ASSERT_TRUE(files.OpenAppend("/a").value()->Append("abc").ok());
  EXPECT_TRUE(files.ReadWhole("/a", 100).ok());
}

TEST(FakeFileSystem, FlipsABitForGood) {
  FakeFileSystem files;
  auto file = files.OpenAppend("/log").value();
  ASSERT_TRUE(file->Append("abc").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(files.SyncDirectory("/").ok());
  files.FlipBit("/log", 1, 0);
  files.SimulatePowerCut(0);
  EXPECT_EQ(files.ReadWhole("/log", 100).value(), "acc");
}

}  // namespace
}  // namespace remora
