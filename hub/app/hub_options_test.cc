#include "hub/app/hub_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "common/testing/fake_file_system.h"
#include "hub/app/ports_file.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class HubOptionsTest : public ::testing::Test {
 protected:
  ~HubOptionsTest() override {
    for (const char* name : {"REMORA_JOURNAL", "REMORA_LISTEN_HTTP"}) unsetenv(name);
  }
  OptionsOutcome Read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "remora-hub");
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    OptionsOutcome outcome =
        ReadHubOptions(static_cast<int>(arguments.size()), arguments.data(), files_);
    said_ = ::testing::internal::GetCapturedStderr() + ::testing::internal::GetCapturedStdout();
    return outcome;
  }
  void WriteConfig(const std::string& text) {
    ASSERT_TRUE(files_.CreateDirectory("/etc").ok());
    auto file = files_.OpenAppend("/etc/hub.toml");
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append(text).ok());
  }

  FakeFileSystem files_;
  std::string said_;
};

TEST_F(HubOptionsTest, ArchiveAndHowLongToKeepGoTogether) {
  const std::vector<const char*> needed = {"--journal", "/j.db", "--local-identities", "/i"};
  const auto with = [&](std::vector<const char*> more) {
    more.insert(more.begin(), needed.begin(), needed.end());
    return Read(more);
  };
  EXPECT_EQ(with({}).options.archive_directory, "");
  const std::pair<const char*, Duration> kGood[] = {{"30d", Duration::Seconds(30 * 86'400)},
                                                    {"12h", Duration::Seconds(12 * 3'600)},
                                                    {"90m", Duration::Seconds(90 * 60)},
                                                    {"10s", Duration::Seconds(10)}};
  for (const auto& [text, keep] : kGood) {
    const OptionsOutcome outcome = with({"--archive", "/a", "--keep-closed", text});
    ASSERT_FALSE(outcome.should_exit()) << said_;
    EXPECT_EQ(outcome.options.archive_directory, "/a");
    EXPECT_EQ(outcome.options.keep_closed, keep) << text;
  }
  for (const char* text :
       {"30", "d", "0d", "-1d", "1w", "1 d", "99999999999999999999s", "40000d"}) {
    EXPECT_EQ(with({"--archive", "/a", "--keep-closed", text}).exit_code, 2) << text;
    EXPECT_THAT(said_, HasSubstr("such as 30d")) << text;
  }
  EXPECT_EQ(with({"--archive", "/a"}).exit_code, 2);
  EXPECT_THAT(said_, HasSubstr("go together"));
  EXPECT_EQ(with({"--keep-closed", "30d"}).exit_code, 2);
  EXPECT_EQ(with({"--accept-archive"}).exit_code, 2);
  EXPECT_EQ(with({"--keep-incomplete", "30d"}).exit_code, 2);
  const auto keeping = [&](const char* incomplete) {
    return with({"--archive", "/a", "--keep-closed", "2d", "--keep-incomplete", incomplete});
  };
  EXPECT_EQ(keeping("365d").options.keep_incomplete, Duration::Seconds(365 * 86'400));
  EXPECT_EQ(keeping("2d").options.keep_incomplete, Duration::Seconds(2 * 86'400));
  EXPECT_EQ(keeping("47h").exit_code, 2) << "what is missing has no less time to come";
  EXPECT_EQ(keeping("long").exit_code, 2);
  EXPECT_FALSE(with({"--archive", "/a", "--keep-closed", "1d"}).options.keep_incomplete);
  EXPECT_FALSE(with({"--archive", "/a", "--keep-closed", "1d"}).options.accept_archive);
  EXPECT_TRUE(
      with({"--archive", "/a", "--keep-closed", "1d", "--accept-archive"}).options.accept_archive);
}

TEST_F(HubOptionsTest, TakesFlags) {
  const OptionsOutcome outcome =
      Read({"--journal", "/j.db", "--local-identities", "/i", "--listen-grpc", "127.0.0.1:0",
            "--web", "/w", "--ports-file", "/p", "--log-level", "warning"});
  ASSERT_FALSE(outcome.should_exit()) << said_;
  EXPECT_EQ(outcome.options.journal_path, "/j.db");
  EXPECT_EQ(outcome.options.local_identities_path, "/i");
  EXPECT_EQ(outcome.options.grpc_address.ToString(), "127.0.0.1:0");
  EXPECT_EQ(outcome.options.http_address.ToString(), "127.0.0.1:8080");
  EXPECT_EQ(outcome.options.web_directory, "/w");
  EXPECT_EQ(outcome.options.ports_file, "/p");
  EXPECT_EQ(outcome.options.log_level, LogLevel::kWarning);
}

TEST_F(HubOptionsTest, KeepsNothingOnlyWhenThatIsSaidTwice) {
  const OptionsOutcome memory =
      Read({"--journal", "memory", "--nothing-is-kept", "--local-identities", "/i"});
  ASSERT_FALSE(memory.should_exit()) << said_;
  EXPECT_TRUE(memory.options.journal_in_memory);

  EXPECT_EQ(Read({"--journal", "memory", "--local-identities", "/i"}).exit_code, 2);
  EXPECT_THAT(said_, HasSubstr("--nothing-is-kept"));
  EXPECT_EQ(Read({"--journal", "/j.db", "--nothing-is-kept", "--local-identities", "/i"}).exit_code,
            2);
  EXPECT_THAT(said_, HasSubstr("--journal memory"));
}

TEST_F(HubOptionsTest, FlagGoesBeforeEnvironmentBeforeFile) {
  WriteConfig(
      "journal = \"/file.db\"\nlisten-http = \"127.0.0.1:3\"\nlisten-grpc = \"127.0.0.1:3\"\n"
      "local-identities = \"/file\"\n");
  setenv("REMORA_JOURNAL", "/environment.db", 1);
  setenv("REMORA_LISTEN_HTTP", "127.0.0.1:2", 1);
  const OptionsOutcome outcome =
      Read({"--config", "/etc/hub.toml", "--listen-http", "127.0.0.1:1"});
  ASSERT_FALSE(outcome.should_exit()) << said_;
  EXPECT_EQ(outcome.options.http_address.port, 1);
  EXPECT_EQ(outcome.options.journal_path, "/environment.db");
  EXPECT_EQ(outcome.options.grpc_address.port, 3);
  EXPECT_EQ(outcome.options.local_identities_path, "/file");
}

TEST_F(HubOptionsTest, HostileConfigFilesAreRefusedWithTheirLine) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"journal = \"/j\"\nlisten-grcp = \"127.0.0.1:1\"\n", "/etc/hub.toml:2: unknown setting"},
      {"journal = \n", "/etc/hub.toml:1:"},
      {"journal = [\"/a\", \"/b\"]\n", "takes one value"},
      {"[journal]\npath = \"/j\"\n", "must be a text"},
      {"expose-without-proxy = \"perhaps\"\n", "/etc/hub.toml:1:"},
  };
  for (const auto& [text, message] : wrong) {
    files_.Remove("/etc/hub.toml").IgnoreError();
    WriteConfig(text);
    const OptionsOutcome outcome = Read({"--config", "/etc/hub.toml", "--local-identities", "/i"});
    EXPECT_EQ(outcome.exit_code, 2) << text;
    EXPECT_THAT(said_, HasSubstr(message)) << text;
  }
  EXPECT_EQ(Read({"--config", "/etc/none.toml"}).exit_code, 2);
  EXPECT_THAT(said_, HasSubstr("/etc/none.toml"));
}

TEST_F(HubOptionsTest, NeedsSomebodyWhoMayComeIn) {
  EXPECT_EQ(Read({"--journal", "/j.db"}).exit_code, 2);
  EXPECT_THAT(said_, HasSubstr("--local-identities FILE is needed"));
}

TEST_F(HubOptionsTest, RefusesAddressesThatOtherMachinesReach) {
  for (const char* flag : {"--listen-grpc", "--listen-http"}) {
    EXPECT_EQ(Read({"--journal", "/j", "--local-identities", "/i", flag, "0.0.0.0:1"}).exit_code,
              2);
    EXPECT_THAT(said_, HasSubstr("--expose-without-proxy"));
    EXPECT_FALSE(Read({"--journal", "/j", "--local-identities", "/i", flag, "0.0.0.0:1",
                       "--expose-without-proxy"})
                     .should_exit())
        << said_;
  }
}

TEST_F(HubOptionsTest, WrongUsageEndsWith2AndHelpWith0) {
  EXPECT_EQ(Read({"--no-such-flag"}).exit_code, 2);
  EXPECT_EQ(Read({"--log-level", "loud", "--journal", "/j", "--local-identities", "/i"}).exit_code,
            2);
  EXPECT_THAT(said_, HasSubstr("'loud' is no log level"));
  EXPECT_EQ(Read({"--help"}).exit_code, 0);
  EXPECT_THAT(said_, HasSubstr("Exit codes"));
  EXPECT_EQ(Read({"--version"}).exit_code, 0);
  EXPECT_THAT(said_, HasSubstr("remora-hub "));
}

TEST(PortsFile, TellsWhereTheHubListens) {
  FakeFileSystem files;
  ASSERT_TRUE(files.CreateDirectory("/run").ok());
  const ListenAddress grpc{"127.0.0.1", 40'001, ""};
  const ListenAddress http{"::1", 40'002, ""};
  for (int i = 0; i < 2; ++i) {
    const absl::Status written = WritePortsFile(files, "/run/ports.json", grpc, http, 4'711);
    ASSERT_TRUE(written.ok()) << written;
  }
  EXPECT_EQ(*files.ReadWhole("/run/ports.json", 1'000),
            "{\"grpc\":\"127.0.0.1:40001\",\"http\":\"[::1]:40002\",\"grpc_port\":40001,"
            "\"http_port\":40002,\"pid\":4711}\n");
}

TEST_F(HubOptionsTest, NewEpochIsStartedOnlyByTheCommandLine) {
  const std::vector<const char*> given = {"--journal", "/j.db", "--local-identities", "/i"};
  EXPECT_FALSE(Read(given).options.start_new_epoch);
  std::vector<const char*> asked = given;
  asked.push_back("--start-new-epoch");
  EXPECT_TRUE(Read(asked).options.start_new_epoch);
  WriteConfig("start-new-epoch = true\n");
  std::vector<const char*> by_file = given;
  by_file.insert(by_file.end(), {"--config", "/etc/hub.toml"});
  EXPECT_EQ(Read(by_file).exit_code, 2);
  EXPECT_THAT(said_, HasSubstr("unknown setting"));
}

}  // namespace
}  // namespace remora::hub
