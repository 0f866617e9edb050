#include "hub/identity/local_identities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_file_system.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

const std::string kTokenA(40, 'a');
const std::string kTokenB(40, 'b');

std::string Entry(const std::string& name, const std::string& display, const std::string& role,
                  const std::string& hash) {
  return "identity {\n  name: \"" + name + "\"\n  display_name: \"" + display +
         "\"\n  role: " + role + "\n  token_hash: \"" + hash + "\"\n}\n";
}

class LocalIdentitiesTest : public ::testing::Test {
 protected:
  absl::StatusOr<LocalIdentities> Read(const std::string& text, uint32_t mode = 0600) {
    FakeFileSystem files;
    auto file = files.OpenAppend("/ids");
    EXPECT_TRUE((*file)->Append(text).ok());
    return LocalIdentities::Read(
        files, "/ids", [mode](const std::string&) -> absl::StatusOr<uint32_t> { return mode; });
  }
  const std::string good_ = Entry("agent-1", "Agent 1", "ROLE_AGENT", HashToken(kTokenA)) +
                            Entry("dr.a", "Dr A", "ROLE_NEUROPHYSIOLOGIST", HashToken(kTokenB));
};

TEST_F(LocalIdentitiesTest, TokenTellsWhoItIs) {
  auto identities = Read(good_);
  ASSERT_TRUE(identities.ok()) << identities.status();
  EXPECT_EQ(identities->size(), 2u);
  const auto reader = identities->Authenticate(kTokenB);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->name, "dr.a");
  EXPECT_EQ(reader->display_name, "Dr A");
  EXPECT_EQ(reader->role, v1::ROLE_NEUROPHYSIOLOGIST);
}

TEST_F(LocalIdentitiesTest, HashIsBlake2b256InHex) {
  EXPECT_EQ(HashToken("").size(), 64u);
  EXPECT_EQ(HashToken(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST_F(LocalIdentitiesTest, HostileTokensAreNobodys) {
  auto identities = Read(good_);
  ASSERT_TRUE(identities.ok());
  for (const std::string& token : {std::string(), std::string("short"), std::string(40, 'c'),
                                   std::string(100'000, 'a'), HashToken(kTokenA)}) {
    const auto who = identities->Authenticate(token);
    EXPECT_EQ(who.status().code(), absl::StatusCode::kUnauthenticated);
    if (!token.empty()) {
      EXPECT_EQ(who.status().message().find(token), absl::string_view::npos);
    }
  }
}

TEST_F(LocalIdentitiesTest, FileThatOthersCanReadIsRefused) {
  for (uint32_t mode : {0644u, 0640u, 0604u, 0660u, 0601u}) {
    const auto identities = Read(good_, mode);
    EXPECT_EQ(identities.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(identities.status().message()), HasSubstr("chmod 600 /ids"));
  }
  EXPECT_TRUE(Read(good_, 0400).ok());
}

TEST_F(LocalIdentitiesTest, HostileFilesGetOneClearMessage) {
  const std::string hash = HashToken(kTokenA);
  const struct {
    std::string text;
    std::string says;
  } cases[] = {
      {"", "no identity"},
      {"identity { nam: \"x\" }", "/ids:1:"},
      {Entry("Dr A", "x", "ROLE_AGENT", hash), "a-z"},
      {Entry(std::string(65, 'a'), "x", "ROLE_AGENT", hash), "1 to 64"},
      {Entry("a", "", "ROLE_AGENT", hash), "display_name"},
      {Entry("a", std::string(65, 'x'), "ROLE_AGENT", hash), "display_name"},
      {Entry("a", "x", "ROLE_HUB", hash), "role"},
      {Entry("a", "x", "ROLE_UNSPECIFIED", hash), "role"},
      {Entry("a", "x", "ROLE_AGENT", "abc"), "64 hexadecimal"},
      {Entry("a", "x", "ROLE_AGENT", std::string(64, 'g')), "64 hexadecimal"},
      {Entry("a", "x", "ROLE_AGENT", hash) + Entry("a", "y", "ROLE_AGENT", HashToken(kTokenB)),
       "twice"},
      {Entry("a", "x", "ROLE_AGENT", hash) + Entry("b", "x", "ROLE_AGENT", HashToken(kTokenB)),
       "could not tell them apart"},
      {Entry("a", "x", "ROLE_AGENT", hash) + Entry("b", "y", "ROLE_AGENT", hash), "its own token"},
  };
  for (const auto& bad : cases) {
    const auto identities = Read(bad.text);
    ASSERT_FALSE(identities.ok()) << bad.text;
    EXPECT_EQ(identities.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(identities.status().message()), HasSubstr(bad.says));
  }
}

}  // namespace
}  // namespace remora::hub
