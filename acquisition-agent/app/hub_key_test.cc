#include "acquisition-agent/app/hub_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/record_seal.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

v1::Welcome WelcomeWith(char key) {
  v1::Welcome welcome;
  if (key != 0) welcome.add_record_keys()->set_public_key(std::string(kPublicKeyBytes, key));
  return welcome;
}

class HubKeyTest : public testing::Test {
 protected:
  HubKeyTest() { EXPECT_TRUE(files_.CreateDirectoryDurably("/spool").ok()); }
  FakeFileSystem files_;
};

TEST_F(HubKeyTest, FirstKeyIsKeptOverAPowerCut) {
  absl::StatusOr<HubKey> key = HubKey::Open(files_, "/spool");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_TRUE(key->OnWelcome(WelcomeWith(0)).ok()) << "a hub that names none";
  EXPECT_EQ(key->key(), "");
  ASSERT_TRUE(key->OnWelcome(WelcomeWith('k')).ok());
  files_.SimulatePowerCut(1);
  absl::StatusOr<HubKey> again = HubKey::Open(files_, "/spool");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->key(), std::string(kPublicKeyBytes, 'k'));
}

TEST_F(HubKeyTest, HostileGreetingsShowNoKey) {
  EXPECT_FALSE(HubKey::IsShownIn(WelcomeWith(0)));
  v1::Welcome short_one;
  short_one.add_record_keys()->set_public_key("k");
  EXPECT_FALSE(HubKey::IsShownIn(short_one));
  EXPECT_TRUE(HubKey::IsShownIn(WelcomeWith('k')));
}

TEST_F(HubKeyTest, HubWithAnotherKeyIsNotBelievedAndNoKeyCountsWhileItIsThere) {
  absl::StatusOr<HubKey> key = HubKey::Open(files_, "/spool");
  ASSERT_TRUE(key.ok() && key->OnWelcome(WelcomeWith('k')).ok());
  const absl::Status changed = key->OnWelcome(WelcomeWith('x'));
  EXPECT_TRUE(absl::IsFailedPrecondition(changed));
  EXPECT_THAT(std::string(changed.message()), testing::HasSubstr("no spool is cleared"));
  EXPECT_EQ(key->key(), "");
  EXPECT_TRUE(key->OnWelcome(WelcomeWith('k')).ok());
  EXPECT_EQ(key->key(), std::string(kPublicKeyBytes, 'k'));
}

TEST_F(HubKeyTest, HostileDamagedFileIsSaidAndNotTakenForNone) {
  absl::StatusOr<HubKey> key = HubKey::Open(files_, "/spool");
  ASSERT_TRUE(key.ok() && key->OnWelcome(WelcomeWith('k')).ok());
  files_.FlipBit("/spool/hub-key", 20, 1);
  EXPECT_TRUE(absl::IsDataLoss(HubKey::Open(files_, "/spool").status()));
}

}  // namespace
}  // namespace remora::agent
