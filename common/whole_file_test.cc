#include "common/whole_file.h"

#include "common/testing/fake_file_system.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

constexpr char kPath[] = "folder/case.csv";

class WholeFileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.CreateDirectory("folder").ok()); }
  std::string Read(const std::string& path) {
    return files_.ReadWhole(path, 1 << 20).value_or("none");
  }
  FakeFileSystem files_;
};

TEST_F(WholeFileTest, IsThereOnlyWhenItIsWholeAndOutlivesAPowerCut) {
  auto file = WholeFile::Create(files_, kPath);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append("a,b\r\n").ok());
  EXPECT_FALSE(files_.Exists(kPath));
  ASSERT_TRUE((*file)->Commit().ok());
  files_.SimulatePowerCut(1);
  EXPECT_EQ(Read(kPath), "a,b\r\n");
  EXPECT_FALSE(files_.Exists("folder/case.csv.part"));
}

TEST_F(WholeFileTest, LeavesNothingWhenItIsGivenUp) {
  {
    auto file = WholeFile::Create(files_, kPath);
    ASSERT_TRUE((*file)->Append("a").ok());
  }
  EXPECT_TRUE(files_.List("folder")->empty());
}

TEST_F(WholeFileTest, LeavesNothingWhenTheDiskIsFullAndTheRetryIsLetIn) {
  {
    auto file = WholeFile::Create(files_, kPath);
    ASSERT_TRUE((*file)->Append("a").ok());
    files_.FailAppend(1, FakeFileSystem::Failure::kNoSpace);
    EXPECT_TRUE(absl::IsResourceExhausted((*file)->Commit()));
  }
  EXPECT_TRUE(files_.List("folder")->empty());
  auto again = WholeFile::Create(files_, kPath);
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE((*again)->Append("b").ok());
  ASSERT_TRUE((*again)->Commit().ok());
  EXPECT_EQ(Read(kPath), "b");
}

TEST_F(WholeFileTest, AFailedSyncIsNoFile) {
  auto file = WholeFile::Create(files_, kPath);
  ASSERT_TRUE((*file)->Append("a").ok());
  files_.FailSync(1, FakeFileSystem::Failure::kIoError);
  EXPECT_FALSE((*file)->Commit().ok());
  EXPECT_FALSE(files_.Exists(kPath));
}

TEST_F(WholeFileTest, ReplacesWhatAKilledTryLeftButNoFile) {
  ASSERT_TRUE((*files_.OpenAppend("folder/case.csv.part"))->Append("torn").ok());
  auto file = WholeFile::Create(files_, kPath);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("b").ok());
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(Read(kPath), "b");
  EXPECT_TRUE(absl::IsAlreadyExists(WholeFile::Create(files_, kPath).status()));
}

TEST_F(WholeFileTest, TakesThePlaceOfAnotherOnlyWhenItIsWhole) {
  auto first = WholeFile::Create(files_, kPath);
  ASSERT_TRUE((*first)->Append("old").ok());
  ASSERT_TRUE((*first)->Commit().ok());
  auto second = WholeFile::Create(files_, kPath, {.replaces = true});
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_TRUE((*second)->Append("new").ok());
  EXPECT_EQ(Read(kPath), "old");
  ASSERT_TRUE((*second)->Commit().ok());
  EXPECT_EQ(Read(kPath), "new");
  files_.SimulatePowerCut(1);
  EXPECT_EQ(Read(kPath), "new");
}

TEST_F(WholeFileTest, AFileThatCameMeanwhileIsNotReplaced) {
  auto file = WholeFile::Create(files_, kPath);
  ASSERT_TRUE((*file)->Append("a").ok());
  ASSERT_TRUE((*files_.OpenAppend(kPath))->Append("b").ok());
  EXPECT_TRUE(absl::IsAlreadyExists((*file)->Commit()));
  EXPECT_EQ(Read(kPath), "b");
}

TEST_F(WholeFileTest, ALargeFileIsSyncedPieceByPiece) {
  auto file = WholeFile::Create(files_, kPath, {.sync_each_bytes = 1 << 20});
  const uint64_t before = files_.syncs();
  for (int i = 0; i < 80; ++i) ASSERT_TRUE((*file)->Append(std::string(1 << 16, 'x')).ok());
  EXPECT_EQ(files_.syncs() - before, 5u);
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(files_.syncs() - before, 6u);
  EXPECT_EQ(files_.ReadWhole(kPath, 1 << 24)->size(), size_t{80} << 16);
}

TEST_F(WholeFileTest, AFolderThatDoesNotSyncIsToldAndItsNamesMayGo) {
  auto file = WholeFile::Create(files_, kPath);
  ASSERT_TRUE(files_.SyncDirectory("folder").ok());
  ASSERT_TRUE((*file)->Append("a").ok());
  files_.FailSyncDirectory(1, FakeFileSystem::Failure::kIoError);
  EXPECT_TRUE(absl::IsUnavailable((*file)->Commit()));
  EXPECT_EQ(Read(kPath), "a") << "as long as the power is on";
  ASSERT_TRUE(files_.SyncDirectory("folder").ok()) << "says OK, and does nothing";
  files_.SimulatePowerCut(1);
  EXPECT_FALSE(files_.Exists(kPath));
}

}  // namespace
}  // namespace remora
