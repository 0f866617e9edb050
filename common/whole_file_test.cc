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

}  // namespace
}  // namespace remora
