#include "acquisition-agent/sources/feed/address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::ElementsAre;

TEST(FeedAddress, TakesEndpointsOfDevices) {
  for (const char* good : {"tcp://amp:5570", "tcp://127.0.0.1:1", "tcp://[fe80::1]:65535",
                           "ipc:///run/amp.sock", "ipc://amp"}) {
    EXPECT_TRUE(CheckEndpoint(good).ok()) << CheckEndpoint(good);
  }
  const auto endpoints = ParseEndpoints("tcp://amp:5570,ipc:///run/stim");
  ASSERT_TRUE(endpoints.ok());
  EXPECT_THAT(*endpoints, ElementsAre("tcp://amp:5570", "ipc:///run/stim"));
}

TEST(FeedAddress, OnlyThisMachineIsLocal) {
  for (const char* local : {"tcp://127.0.0.1:5570", "tcp://127.9.8.7:1", "tcp://localhost:1",
                            "tcp://[::1]:1", "ipc:///run/amp"}) {
    EXPECT_TRUE(IsLocal(local)) << local;
  }
  for (const char* away :
       {"tcp://amp:5570", "tcp://10.0.0.1:1", "tcp://127.example.org:1", "tcp://127.0.0.1.org:1",
        "tcp://127.0.0:1", "tcp://[::]:1", "tcp://0.0.0.0:1", "tcp://127.0.0.999:1"}) {
    EXPECT_FALSE(IsLocal(away)) << away;
  }
}

TEST(FeedAddress, HostileEndpointsAreRefused) {
  for (const std::string& bad :
       {std::string("tcp://"), std::string("tcp://:1"), std::string("tcp://amp"),
        std::string("tcp://amp:0"), std::string("tcp://amp:70000"), std::string("tcp://*:5570"),
        std::string("udp://amp:1"), std::string("amp:1"), std::string("inproc://x"),
        std::string("ipc://"), "ipc://" + std::string(200, 'x'), std::string("tcp://a b:1"),
        std::string("tcp://amp:1\n"), std::string("tcp://eth0;amp:1"),
        "tcp://" + std::string(300, 'x') + ":1"}) {
    EXPECT_EQ(CheckEndpoint(bad).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_FALSE(ParseEndpoints("").ok());
  EXPECT_FALSE(ParseEndpoints("ipc://a,ipc://a").ok());
  EXPECT_FALSE(ParseEndpoints("ipc://1,ipc://2,ipc://3,ipc://4,ipc://5,ipc://6,ipc://7,ipc://8,"
                              "ipc://9")
                   .ok());
}

}  // namespace
}  // namespace remora::agent::feed
