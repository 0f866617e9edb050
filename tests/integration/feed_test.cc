// Feeds between real processes: the example driver on one side, the agent's source or the agent
// itself on the other.

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/open.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/process.h"

namespace remora::testing {
namespace {

using ::testing::HasSubstr;

constexpr double kMs = 1e6;

class FeedTest : public ::testing::Test {
 protected:
  std::string Endpoint(const std::string& name = "amp") const {
    return "ipc://" + folder_.Path(name);
  }
  std::string Log(const std::string& name) const { return folder_.Path(name); }
  std::unique_ptr<Process> StartDriver(std::vector<std::string> options = {},
                                       const std::string& name = "amp") {
    options.insert(options.begin(), Endpoint(name));
    return std::make_unique<Process>("feed-driver", options, Log(name + ".log"));
  }
  std::string MakeKeys(const std::string& name) {
    const Finished made = RunToEnd("remora-agent", {"feed-keys", folder_.Path(name)});
    EXPECT_EQ(made.exit_code, 0) << made.errors;
    return folder_.Path(name);
  }
  // What a source gives until `done`, or for `longest`.
  static std::vector<agent::Item> Take(agent::SignalSource& source, Duration longest,
                                       const std::function<bool(const agent::Item&)>& done) {
    std::vector<agent::Item> items;
    const Duration end = Uptime() + longest;
    while (Uptime() < end) {
      absl::StatusOr<agent::Item> item = source.Next();
      if (!item.ok()) {
        ADD_FAILURE() << item.status();
        break;
      }
      if (std::holds_alternative<agent::NothingYet>(*item)) {
        SleepFor(Duration::Milliseconds(2));
        continue;
      }
      items.push_back(*std::move(item));
      if (done(items.back())) break;
    }
    return items;
  }
  // In all that does not depend on how busy this machine is.
  static void ExpectConforms(const Finished& checked) {
    for (const char* line :
         {"messages well-formed", "sequence dense", "device clock monotonic", "sample rate 2000 Hz",
          "samples dense 2000 Hz", "block sizes", "order of times", "triggers in time"}) {
      EXPECT_THAT(checked.output, HasSubstr(absl::StrCat("PASS  ", line))) << checked.errors;
    }
    EXPECT_EQ(checked.exit_code, absl::StrContains(checked.output, " 0 fail") ? 0 : 1);
  }
  template <typename T>
  static std::vector<T> Only(const std::vector<agent::Item>& items) {
    std::vector<T> found;
    for (const agent::Item& item : items) {
      if (const auto* one = std::get_if<T>(&item)) found.push_back(*one);
    }
    return found;
  }
  // Until so many gaps were told.
  static std::function<bool(const agent::Item&)> Gaps(int count) {
    return [count, seen = 0](const agent::Item& item) mutable {
      seen += std::holds_alternative<agent::Gap>(item) ? 1 : 0;
      return seen >= count;
    };
  }

  TemporaryFolder folder_;
};

TEST_F(FeedTest, SkippedBlocksAreGapsOfTheirLength) {
  const auto driver = StartDriver({"--skip-every", "25"});
  auto source = agent::OpenSource("feed:" + Endpoint());
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_TRUE((*source)->info().live);
  ASSERT_EQ((*source)->info().channels.size(), 2u);
  EXPECT_EQ((*source)->info().channels[0].label, "C3'");
  const auto items = Take(**source, Duration::Seconds(20), Gaps(4));
  const auto gaps = Only<agent::Gap>(items);
  ASSERT_EQ(gaps.size(), 4u);
  for (const agent::Gap& gap : gaps) {
    EXPECT_NEAR(static_cast<double>(gap.to_ns - gap.from_ns), 20 * kMs, 0.1 * kMs);
    EXPECT_THAT(gap.cause, HasSubstr("40 samples of each channel"));
  }
  const auto stimuli = Only<agent::StimulusTrigger>(items);
  ASSERT_GE(stimuli.size(), 5u);
  EXPECT_EQ(stimuli[0].label, "MED R");
  EXPECT_EQ(stimuli[0].delivered_ma, 15);
}

TEST_F(FeedTest, AKilledAndRestartedDeviceIsAKnownGap) {
  auto driver = StartDriver();
  auto source = agent::OpenSource("feed:" + Endpoint());
  ASSERT_TRUE(source.ok()) << source.status();
  int blocks = 0;
  Take(**source, Duration::Seconds(20), [&](const agent::Item& item) {
    return std::holds_alternative<agent::SampleBlock>(item) && ++blocks == 50;
  });
  ASSERT_EQ(blocks, 50);
  driver->Kill();
  const Duration killed = Uptime();
  Take(**source, Duration::Seconds(1), [](const agent::Item&) { return false; });
  driver = StartDriver();
  const Duration restarted = Uptime();
  const auto items = Take(**source, Duration::Seconds(20), Gaps(1));
  const auto gaps = Only<agent::Gap>(items);
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_THAT(gaps[0].cause, HasSubstr("was restarted"));
  // As long as nothing was sent, and no longer than until the agent is connected again.
  const double away_ns = static_cast<double>((restarted - killed).nanoseconds());
  const double gap_ns = static_cast<double>(gaps[0].to_ns - gaps[0].from_ns);
  EXPECT_GT(gap_ns, away_ns - 50 * kMs);
  EXPECT_LT(gap_ns, away_ns + 5'000 * kMs);
}

TEST_F(FeedTest, TwoDevicesAreOneSource) {
  const auto amp = StartDriver({"--ppm", "25"}, "amp");
  const auto other = StartDriver({"--ppm", "-25"}, "other");
  auto source = agent::OpenSource(absl::StrCat("feed:", Endpoint("amp"), ",", Endpoint("other")));
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ((*source)->info().channels.size(), 4u);
  int64_t told_ns = INT64_MIN;
  int blocks[2] = {};
  const auto items = Take(**source, Duration::Seconds(20), [&](const agent::Item& item) {
    if (!std::holds_alternative<agent::Gap>(item)) {
      EXPECT_GE(agent::DueTimeNs(item), told_ns);
      told_ns = agent::DueTimeNs(item);
    }
    if (const auto* block = std::get_if<agent::SampleBlock>(&item)) ++blocks[block->rate_group];
    return blocks[0] >= 100 && blocks[1] >= 100;
  });
  EXPECT_GE(blocks[0], 100);
  EXPECT_GE(blocks[1], 100);
  // A driver that this machine did not let run for half a second is late, which is no other fault.
  for (const agent::Gap& gap : Only<agent::Gap>(items))
    EXPECT_THAT(gap.cause, HasSubstr("came too late"));
  // Each stimulus is 10 ms before the end of a block of its device.
  const auto all = Only<agent::SampleBlock>(items);
  const auto stimuli = Only<agent::StimulusTrigger>(items);
  EXPECT_GE(stimuli.size(), 8u);
  for (const agent::StimulusTrigger& stimulus : stimuli) {
    double nearest = 1e9;
    for (const agent::SampleBlock& block : all) {
      nearest = std::min(
          nearest, std::fabs(static_cast<double>(block.end_time_ns - stimulus.time_ns) - 10 * kMs));
    }
    if (stimulus.time_ns < all.back().start_time_ns) {
      EXPECT_LT(nearest, 0.5 * kMs);
    }
  }
}

TEST_F(FeedTest, OnlyWhoHasTheKeysListens) {
  const std::string keys = MakeKeys("keys");
  const std::string wrong = MakeKeys("wrong");
  const auto driver =
      StartDriver({"--key", keys + "/device.key_secret", "--allow", keys + "/agent.key"});
  const auto open = [&](const std::string& agent, const std::string& device, int wait_s) {
    return agent::OpenSource(absl::StrCat("feed:", Endpoint(), "?key=", agent,
                                          "/agent.key_secret&server_key=", device,
                                          "/device.key&wait_s=", wait_s));
  };
  EXPECT_TRUE(open(keys, keys, 10).ok());
  const auto other_agent = open(wrong, keys, 2);
  EXPECT_EQ(other_agent.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(other_agent.status().message(), HasSubstr("refused this agent's key"));
  const auto other_device = open(keys, wrong, 2);
  EXPECT_EQ(other_device.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(other_device.status().message(), HasSubstr("nothing came: "));
  const auto plain = agent::OpenSource(absl::StrCat("feed:", Endpoint(), "?wait_s=2"));
  EXPECT_EQ(plain.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(plain.status().message(), HasSubstr("nothing came: "));
}

TEST_F(FeedTest, KeysAreForTheirOwnerAndNeverReplaced) {
  const std::string keys = MakeKeys("keys");
  namespace fs = std::filesystem;
  for (const char* name : {"agent.key_secret", "device.key_secret"}) {
    EXPECT_EQ(fs::status(keys + "/" + name).permissions() & fs::perms::mask,
              fs::perms::owner_read | fs::perms::owner_write);
  }
  const Finished again = RunToEnd("remora-agent", {"feed-keys", keys});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.errors, HasSubstr("is there already"));
}

TEST_F(FeedTest, FeedCheckSaysWhatConformsAndWhatDoesNot) {
  const auto driver = StartDriver();
  const Finished good = RunToEnd("remora-agent", {"feed-check", Endpoint(), "--seconds", "4"});
  ExpectConforms(good);
  const auto skipping = StartDriver({"--skip-every", "25"}, "skipping");
  const Finished bad =
      RunToEnd("remora-agent", {"feed-check", Endpoint("skipping"), "--seconds", "4"});
  EXPECT_EQ(bad.exit_code, 1) << bad.output << bad.errors;
  EXPECT_THAT(bad.output, HasSubstr("FAIL  sequence dense"));
  EXPECT_THAT(bad.output, HasSubstr("FAIL  samples dense"));
  const Finished nobody =
      RunToEnd("remora-agent", {"feed-check", Endpoint("nobody"), "--seconds", "1"});
  EXPECT_EQ(nobody.exit_code, 5);
  EXPECT_THAT(nobody.output, HasSubstr("nothing came"));
  EXPECT_EQ(RunToEnd("remora-agent", {"feed-check"}).exit_code, 2);
  EXPECT_EQ(RunToEnd("remora-agent", {"feed-check", "tcp://192.0.2.1:9"}).exit_code, 2);
}

TEST_F(FeedTest, AnAgentRunsACaseOnAFeedAndGoesOnAfterItsKill) {
  const auto driver = StartDriver();
  const std::vector<std::string> arguments = {
      "--source", "feed:" + Endpoint(),  "--plan",    SourcePath("examples/feed/feed.plan"),
      "--spool",  folder_.Path("spool"), "--theatre", "OR 1"};
  const auto runs = [&](const std::string& log) {
    return [this, log] { return absl::StrContains(ReadAll(Log(log)), "Case "); };
  };
  {
    Process agent("remora-agent", arguments, Log("first"));
    ASSERT_TRUE(Eventually(Duration::Seconds(20), runs("first"))) << agent.Log();
    SleepFor(Duration::Seconds(2));
    agent.Kill();
  }
  Process agent("remora-agent", arguments, Log("second"));
  EXPECT_TRUE(Eventually(Duration::Seconds(20), [&] {
    return absl::StrContains(agent.Log(), "Averages begin anew");
  })) << agent.Log();
  EXPECT_THAT(agent.Log(), HasSubstr("Going on with case"));
  agent.Signal(SIGTERM);
  const absl::StatusOr<int> ended = agent.Wait(Duration::Seconds(10));
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(*ended, 0) << agent.Log();
}

// Where Debian's python3-zmq and python3-protobuf are installed.
TEST_F(FeedTest, TheDriverInPythonConforms) {
  if (std::system("/usr/bin/python3 -c 'import zmq, google.protobuf' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3-zmq or python3-protobuf is not installed";
  }
  const Finished made = RunToEnd("/usr/bin/env", {"protoc", "--proto_path=" + SourcePath("proto"),
                                                  "--python_out=" + folder_.Path(""),
                                                  SourcePath("proto/remora/feed/v1/feed.proto")});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const std::string keys = MakeKeys("keys");
  std::filesystem::create_directory(folder_.Path("allowed"));
  std::filesystem::copy(keys + "/agent.key", folder_.Path("allowed/agent.key"));
  Process driver("/usr/bin/env",
                 {"/usr/bin/python3", SourcePath("examples/feed/driver.py"), Endpoint("python"),
                  "--key", keys + "/device.key_secret", "--allow", folder_.Path("allowed")},
                 Log("python.log"), "", {"PYTHONPATH=" + folder_.Path("")});
  const Finished checked =
      RunToEnd("remora-agent", {"feed-check", Endpoint("python"), "--seconds", "6", "--key",
                                keys + "/agent.key_secret", "--server-key", keys + "/device.key"});
  ExpectConforms(checked);
}

}  // namespace
}  // namespace remora::testing
