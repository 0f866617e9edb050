#include "hub/participants/websocket/web_sessions.h"

#include <gtest/gtest.h>

#include <string>

#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

class WebSessionsTest : public ::testing::Test {
 protected:
  WebSessions::Key NewKey() {
    WebSessions::Key key;
    random_->Fill(key);
    return key;
  }

  FakeClock clock_;
  std::unique_ptr<Random> random_ = MakeSeededRandom(42);
  WebSessions sessions_{NewKey(), clock_, *random_};
};

TEST_F(WebSessionsTest, GivesTheTokenBackToItsIdentity) {
  const std::string cookie = sessions_.Seal("anna", "a token of thirty-two characters");
  EXPECT_EQ(sessions_.Open("anna", cookie), "a token of thirty-two characters");
  EXPECT_EQ(cookie.find("token"), std::string::npos);
  EXPECT_EQ(cookie.find_first_of("; ,\"="), std::string::npos) << cookie;
  EXPECT_NE(cookie, sessions_.Seal("anna", "a token of thirty-two characters"));
}

TEST_F(WebSessionsTest, EndsAfterItsLifetime) {
  const std::string cookie = sessions_.Seal("anna", "token");
  clock_.Advance(kWebSessionLifetime - Duration::Seconds(1));
  EXPECT_TRUE(sessions_.Open("anna", cookie).has_value());
  clock_.Advance(Duration::Seconds(1));
  EXPECT_FALSE(sessions_.Open("anna", cookie).has_value());
}

TEST_F(WebSessionsTest, HostileCookiesOpenNothing) {
  const std::string cookie = sessions_.Seal("anna", "token");
  EXPECT_FALSE(sessions_.Open("bob", cookie).has_value());
  for (size_t i = 0; i < cookie.size(); ++i) {
    std::string changed = cookie;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const std::optional<std::string> opened = sessions_.Open("anna", changed);
    // The last character holds spare bits.
    if (i + 1 < cookie.size()) {
      EXPECT_FALSE(opened.has_value()) << i;
    }
    EXPECT_FALSE(sessions_.Open("anna", cookie.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(sessions_.Open("anna", "").has_value());
  EXPECT_FALSE(sessions_.Open("anna", "not base64 at all!").has_value());
  EXPECT_FALSE(sessions_.Open("anna", std::string(100'000, 'A')).has_value());
  EXPECT_FALSE(WebSessions(NewKey(), clock_, *random_).Open("anna", cookie).has_value());
}

TEST_F(WebSessionsTest, KeepsItsKeyInAFile) {
  FakeFileSystem files;
  ASSERT_TRUE(files.CreateDirectory("/state").ok());
  const auto first = WebSessions::ReadOrMakeKey(files, "/state/key", *random_);
  const auto second = WebSessions::ReadOrMakeKey(files, "/state/key", *random_);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(*first, *second);
}

TEST_F(WebSessionsTest, HostileKeyFileIsRefusedWithTheReason) {
  FakeFileSystem files;
  ASSERT_TRUE(files.CreateDirectory("/state").ok());
  auto file = files.OpenAppend("/state/key");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Append("short").ok());
  const auto key = WebSessions::ReadOrMakeKey(files, "/state/key", *random_);
  EXPECT_FALSE(key.ok());
  EXPECT_NE(std::string(key.status().message()).find("/state/key"), std::string::npos);
}

}  // namespace
}  // namespace remora::hub
