#include "acquisition-agent/sources/feed/zmq_transport.h"

#include "acquisition-agent/sources/feed/open_feed.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Real sockets are tests/integration/feed_test.cc's.
namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;

TEST(ZmqTransport, MakesKeysThatAreKeysAndEachAnother) {
  const auto one = MakeCurveKey();
  const auto other = MakeCurveKey();
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_TRUE(IsKey(one->public_key) && IsKey(one->secret_key));
  EXPECT_NE(one->secret_key, other->secret_key);
}

TEST(ZmqTransport, WithoutKeysOnlyOnThisMachine) {
  const auto clock = std::make_shared<FakeClock>();
  const auto away = OpenZmqTransport({{"tcp://192.0.2.1:5570", ""}}, {}, clock);
  EXPECT_EQ(away.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(away.status().message(), HasSubstr("needs keys"));
  EXPECT_TRUE(OpenZmqTransport({{"tcp://127.0.0.1:5570", ""}}, {}, clock).ok());
}

TEST(ZmqTransport, NothingIsThereYetAndNothingIsWaitedFor) {
  const auto transport =
      OpenZmqTransport({{"ipc://@remora-nobody", ""}}, {}, std::make_shared<FakeClock>());
  ASSERT_TRUE(transport.ok()) << transport.status();
  EXPECT_FALSE((*transport)->Receive(Duration()));
  EXPECT_THAT((*transport)->addresses(), ::testing::ElementsAre("ipc://@remora-nobody"));
}

TEST(OpenFeed, KeysComeInPairsAndFitTheDevices) {
  const auto clock = std::make_shared<FakeClock>();
  FakeFileSystem files;
  ASSERT_TRUE(WriteCertificates(files, "/keys", "agent", *MakeCurveKey()).ok());
  ASSERT_TRUE(WriteCertificates(files, "/keys", "device", *MakeCurveKey()).ok());
  const std::string agent = "/keys/agent.key_secret";
  const std::string device = "/keys/device.key";
  const auto error = [&](FeedPlace place) {
    return std::string(
        OpenFeedTransport(files, place, clock, [](const std::string&) { return 0600u; })
            .status()
            .message());
  };
  EXPECT_EQ(error({"tcp://127.0.0.1:1", agent, device}), "");
  for (const uint32_t mode : {0640u, 0604u}) {
    const auto readable = OpenFeedTransport(files, {"tcp://127.0.0.1:1", agent, device}, clock,
                                            [mode](const std::string&) { return mode; });
    EXPECT_EQ(readable.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(readable.status().message(), HasSubstr("chmod 600 /keys/agent.key_secret"));
  }
  EXPECT_THAT(error({"tcp://127.0.0.1:1", agent, ""}), HasSubstr("go together"));
  EXPECT_THAT(error({"tcp://127.0.0.1:1", "", device}), HasSubstr("go together"));
  EXPECT_THAT(error({"ipc://a,ipc://b,ipc://c", agent, device + "," + device}),
              HasSubstr("2 server keys for 3 devices"));
  EXPECT_THAT(error({"tcp://127.0.0.1:1", device, device}), HasSubstr(".key_secret"));
  EXPECT_EQ(OpenFeedTransport(files, {"tcp://127.0.0.1:1", "/none", device}, clock).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace remora::agent::feed
