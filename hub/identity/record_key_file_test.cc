#include "hub/identity/record_key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_file_system.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class RecordKeyFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<RecordKeys> Read() {
    return ReadOrMakeRecordKeys(files_, "data/journal.record-key", *random_, mode_of_);
  }
  RecordKeyFileTest() { EXPECT_TRUE(files_.CreateDirectory("data").ok()); }

  FakeFileSystem files_;
  std::unique_ptr<Random> random_ = MakeSeededRandom(3);
  uint32_t mode_ = 0600;
  FileModeReader mode_of_ = [this](const std::string&) { return mode_; };
};

TEST_F(RecordKeyFileTest, KeyIsMadeOnceAndSurvivesALossOfPower) {
  const absl::StatusOr<RecordKeys> made = Read();
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->made);
  files_.SimulatePowerCut(7);
  const absl::StatusOr<RecordKeys> again = Read();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->made);
  EXPECT_EQ(again->seed, made->seed);
}

TEST_F(RecordKeyFileTest, LookingAtAKeyThatIsNotThereMakesNone) {
  const std::string path = "data/journal.record-key";
  EXPECT_EQ(ReadRecordKeys(files_, path, mode_of_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RotateRecordKeys(files_, path, *random_, mode_of_).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(files_.Exists(path));
}

TEST_F(RecordKeyFileTest, RotationKeepsThePublicKeyOfTheOneBefore) {
  const RecordKeys first = *Read();
  const std::string path = "data/journal.record-key";
  const RecordKeys second = *RotateRecordKeys(files_, path, *random_, mode_of_);
  EXPECT_NE(second.seed, first.seed);
  ASSERT_EQ(second.retired.size(), 1u);
  EXPECT_EQ(second.retired[0], RecordSigner(first.seed).public_key());
  const RecordKeys third = *RotateRecordKeys(files_, path, *random_, mode_of_);
  ASSERT_EQ(third.retired.size(), 2u);
  EXPECT_EQ(third.retired[1], second.retired[0]);
  EXPECT_EQ(RecordKeysText(*Read()), RecordKeysText(third));
  EXPECT_THAT(RecordKeysText(third), HasSubstr(RecordSigner(third.seed).key_id()));
}

TEST_F(RecordKeyFileTest, FileThatOthersCanReadIsRefusedWithWhatToDo) {
  ASSERT_TRUE(Read().ok());
  mode_ = 0640;
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(Read().status().message()), HasSubstr("chmod 600"));
}

TEST_F(RecordKeyFileTest, HostileAnyChangedOrMissingByteIsDamage) {
  ASSERT_TRUE(Read().ok());
  ASSERT_TRUE(RotateRecordKeys(files_, "data/journal.record-key", *random_, mode_of_).ok());
  const std::string whole = *files_.ReadWhole("data/journal.record-key", 4096);
  const auto put = [this](const std::string& text) {
    ASSERT_TRUE(files_.Remove("data/journal.record-key").ok());
    ASSERT_TRUE((*files_.OpenAppend("data/journal.record-key"))->Append(text).ok());
  };
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] ^= 1;
    put(changed);
    EXPECT_EQ(Read().status().code(), absl::StatusCode::kDataLoss) << "byte " << i;
    put(whole.substr(0, i));
    EXPECT_EQ(Read().status().code(), absl::StatusCode::kDataLoss) << "cut at " << i;
  }
  put(whole);
  EXPECT_TRUE(Read().ok());
}

}  // namespace
}  // namespace remora::hub
