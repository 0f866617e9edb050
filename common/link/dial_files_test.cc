#include "common/link/dial_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_file_system.h"

namespace remora {
namespace {

using ::testing::HasSubstr;

constexpr char kPem[] = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";

class DialFilesTest : public ::testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    ASSERT_TRUE((*files_.OpenAppend(path))->Append(text).ok());
  }
  std::string Refusal(const DialFiles& from) {
    GrpcDialerOptions dial;
    const absl::Status status = ReadDialFiles(files_, from, &dial);
    EXPECT_FALSE(status.ok());
    return std::string(status.message());
  }

  FakeFileSystem files_;
};

TEST_F(DialFilesTest, ReadsTokenTrustAndOwnCertificate) {
  Put("/token", "  secret\n");
  Put("/ca", kPem);
  Put("/certificate", "-----BEGIN CERTIFICATE-----\nown\n");
  Put("/key", "-----BEGIN PRIVATE KEY-----\nown\n");
  GrpcDialerOptions dial;
  ASSERT_TRUE(ReadDialFiles(files_, {"/token", true, "/ca", "/certificate", "/key"}, &dial).ok());
  EXPECT_EQ(dial.token, "secret");
  EXPECT_TRUE(dial.tls);
  EXPECT_EQ(dial.root_certificates_pem, kPem);
  EXPECT_THAT(dial.client_certificate_pem, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(dial.client_key_pem, HasSubstr("BEGIN PRIVATE KEY"));
}

TEST_F(DialFilesTest, NothingGivenIsPlaintextWithoutAToken) {
  GrpcDialerOptions dial;
  ASSERT_TRUE(ReadDialFiles(files_, {}, &dial).ok());
  EXPECT_FALSE(dial.tls);
  EXPECT_EQ(dial.token, "");
}

TEST_F(DialFilesTest, WhatWouldNotBeUsedIsRefusedAndNotIgnored) {
  Put("/ca", kPem);
  EXPECT_THAT(Refusal({"", false, "/ca", "", ""}), HasSubstr("with --tls alone"));
  EXPECT_THAT(Refusal({"", true, "", "/ca", ""}), HasSubstr("come together"));
  EXPECT_THAT(Refusal({"", true, "", "", "/ca"}), HasSubstr("come together"));
}

TEST_F(DialFilesTest, TokenFileWithoutATokenIsNamed) {
  Put("/token", " \n");
  EXPECT_THAT(Refusal({"/token", false, "", "", ""}), HasSubstr("the token file /token: is empty"));
}

TEST_F(DialFilesTest, FileThatIsNoneIsNamed) {
  Put("/ca", "DER, or a path in the wrong place");
  EXPECT_THAT(Refusal({"", true, "/ca", "", ""}), HasSubstr("certificates /ca: holds no PEM"));
  EXPECT_THAT(Refusal({"/nowhere", false, "", "", ""}), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace remora
