#include "acquisition-agent/sources/feed/keys.h"

#include "absl/strings/match.h"
#include "common/testing/fake_file_system.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The test keys of ZeroMQ's manual.
constexpr char kPublic[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
constexpr char kSecret[] = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

TEST(FeedKeys, ComeBackFromTheirFiles) {
  FakeFileSystem files;
  const CurveKey key = {kPublic, kSecret};
  ASSERT_TRUE(WriteCertificates(files, "/keys", "agent", key).ok());
  const auto secret = ReadCertificate(files, "/keys/agent.key_secret", true);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(secret->public_key, kPublic);
  EXPECT_EQ(secret->secret_key, kSecret);
  const auto open = ReadCertificate(files, "/keys/agent.key", false);
  ASSERT_TRUE(open.ok()) << open.status();
  EXPECT_EQ(open->public_key, kPublic);
  EXPECT_EQ(open->secret_key, "");
  EXPECT_THAT(*files.ReadWhole("/keys/agent.key", 10'000), Not(HasSubstr(kSecret)));
}

TEST(FeedKeys, AKeyIsNeverReplaced) {
  FakeFileSystem files;
  ASSERT_TRUE(WriteCertificates(files, "/keys", "agent", {kPublic, kSecret}).ok());
  EXPECT_EQ(WriteCertificates(files, "/keys", "agent", {kPublic, kSecret}).code(),
            absl::StatusCode::kAlreadyExists);
}

TEST(FeedKeys, ReadsWhatPyzmqWrites) {
  const auto key = ParseCertificate(
      "#   ****  Generated on 2026-01-01 by pyzmq  ****\n#   ZeroMQ CURVE **Secret** Certificate\n"
      "\nmetadata\ncurve\n    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n"
      "    secret-key = \"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\"\n",
      "x");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->secret_key, kSecret);
}

TEST(FeedKeys, HostileFilesGiveAMessageWithoutAKey) {
  FakeFileSystem files;
  ASSERT_TRUE(WriteCertificates(files, "/keys", "agent", {kPublic, kSecret}).ok());
  const auto without = ReadCertificate(files, "/keys/agent.key", true);
  EXPECT_THAT(without.status().message(), HasSubstr(".key_secret is the right one"));
  for (const std::string& text :
       {std::string(), std::string("public-key = \"short\""), std::string(5000, '\0'),
        std::string("public-key = ") + kPublic,
        std::string("public-key = \"") + kPublic + "\"\nsecret-key = \"" + kSecret + "x\""}) {
    const auto key = ParseCertificate(text, "agent.key");
    EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(key.status().message(), HasSubstr("agent.key: no CURVE certificate"));
    EXPECT_THAT(key.status().message(), Not(HasSubstr(kSecret)));
  }
  EXPECT_FALSE(IsKey("#####Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaL"));  // above 2^32
  EXPECT_EQ(ReadCertificate(files, "/keys/none", false).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace remora::agent::feed
